// A folder for MLServer: for each model its ONNX file, its settings, and the Python file by which MLServer's own runtime class answers with onnxruntime.
// MLServer, docs/user-guide/custom.md and docs/reference/model-settings.md.
import { readFileSync } from 'node:fs';
import { ModelError } from '../onnx/core/errors.js';
import type { BytePieces } from '../onnx/files/write-all.js';
import type { Value } from '../onnx/ir/graph.js';
import { toPieces } from '../onnx/serde/to-binary.js';
import { datatypeOf, isWire } from './datatypes.js';
import { type ServedFiles, type ServedModel, text } from './deployment.js';

const templates = new URL('../../templates/mlserver/', import.meta.url);
const runtime = 'prognet_onnx.py';

/** Files of the folder. Throws ModelError for a type that the protocol does not have. */
export function mlserverFiles(models: readonly ServedModel[]): ServedFiles {
  const copied = ['requirements.txt', 'Dockerfile', 'README.md', 'inference-service.yaml'];
  const files = new Map<string, BytePieces>(copied.map((name) => [name, readFileSync(new URL(name, templates))]));
  // What listens beyond this machine says so itself, as the Dockerfile does.
  files.set('settings.json', json({ debug: false, parallel_workers: 0, host: '127.0.0.1' }));
  const python = readFileSync(new URL(runtime, templates));
  for (const m of models) {
    files.set(`${m.name}/model.onnx`, toPieces(m.model).pieces);
    files.set(`${m.name}/model-settings.json`, json(settings(m)));
    files.set(`${m.name}/${runtime}`, python);
  }
  return files;
}

/** Without MLServer's adaptive batching: it lays requests one behind the other before anything has looked at them, so that a wrong one spoils all of its batch. */
function settings({ name, model }: ServedModel): object {
  const { inputs, outputs } = model.graph;
  return {
    name,
    implementation: `${runtime.replace('.py', '')}.OnnxModel`,
    parameters: { uri: './model.onnx', version: '1' },
    platform: 'onnx_onnxruntime',
    inputs: inputs.map(tensor),
    outputs: outputs.map(tensor),
  };
}

function tensor(v: Value): object {
  if (v.type?.kind !== 'tensor' || !isWire(v.type.dtype))
    throw new ModelError(`"${v.name}": MLServer has no such type`, { path: v.name });
  return {
    name: v.name,
    datatype: datatypeOf(v.type.dtype),
    shape: (v.shape ?? []).map((d) => (typeof d === 'number' ? d : -1)),
  };
}

const json = (value: object): Uint8Array => text(`${JSON.stringify(value, undefined, 2)}\n`);
