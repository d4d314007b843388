// A model repository for NVIDIA Triton: <model>/config.pbtxt and <model>/1/model.onnx. Beside them stands what a Triton without the backend for ONNX
// takes, configs/python.pbtxt and 1/model.py. Triton, docs/user_guide/model_configuration.md ("Custom Model Configuration").

import { readFileSync } from 'node:fs';
import { namesInMetadata, outputNames } from '../model/heads/output-names.js';
import { headsInMetadata } from '../model/progressive/model-facts.js';
import { ModelError } from '../onnx/core/errors.js';
import type { Shape } from '../onnx/core/shape.js';
import type { BytePieces } from '../onnx/files/write-all.js';
import type { Value } from '../onnx/ir/graph.js';
import type { Model } from '../onnx/ir/model.js';
import { toPieces } from '../onnx/serde/to-binary.js';
import { configTypeOf, isWire } from './datatypes.js';
import { type ServedFiles, type ServedModel, text } from './deployment.js';

export interface TritonOptions {
  /** Samples of a batch at most. */
  readonly maxBatch: number;
  /** How long a request waits for others to join its batch. */
  readonly queueMicroseconds: number;
}

/** By name of the config that `tritonserver --model-config-name` takes; without a name it takes the first. */
type Backend = 'onnxruntime' | 'python';

const pythonBackend = new URL('../../templates/triton/model.py', import.meta.url);

export const tritonDefaults: TritonOptions = { maxBatch: 64, queueMicroseconds: 500 };

/** Files of the repository. Throws ModelError for a signature that Triton cannot batch. */
export function tritonRepository(models: readonly ServedModel[], options: TritonOptions = tritonDefaults): ServedFiles {
  const files = new Map<string, BytePieces>();
  const python = readFileSync(pythonBackend);
  for (const m of models) {
    files.set(`${m.name}/config.pbtxt`, text(config(m, 'onnxruntime', options)));
    files.set(`${m.name}/configs/python.pbtxt`, text(config(m, 'python', options)));
    files.set(`${m.name}/1/model.onnx`, toPieces(m.model).pieces);
    files.set(`${m.name}/1/model.py`, python);
    for (const [file, names] of labelFiles(m)) files.set(`${m.name}/${file}`, text(names.map((name) => `${name}\n`).join('')));
  }
  return files;
}

/** Files with a name a line, by which Triton's classification extension calls what a task answers. */
function labelFiles({ model, tasks, routed }: ServedModel): Map<string, readonly string[]> {
  const named = routed
    ? []
    : beginsOf(model, tasks).map((begin) => [begin, namesInMetadata(model.metadata, begin) ?? []] as const);
  // a line is a name
  const fit = named.filter(([, names]) => names.length > 0 && names.every((name) => !/[\r\n]/.test(name)));
  return new Map(fit.map(([task, names]) => [labelFile(task), names]));
}

/** What the outputs of these tasks begin with: the task, or each of its heads. */
const beginsOf = ({ metadata }: Model, tasks: readonly string[]): readonly string[] =>
  tasks.flatMap((task) => headsInMetadata(metadata, task)?.map(({ begin }) => begin) ?? [task]);

const labelFile = (task: string): string => `${task}.labels.txt`;

function config(served: ServedModel, backend: Backend, { maxBatch, queueMicroseconds }: TritonOptions): string {
  const { name, model, routed, tasks } = served;
  const { inputs, outputs } = model.graph;
  const files = labelFiles(served);
  const labelled = (v: Value) => {
    const task = beginsOf(model, tasks).find(
      (t) => files.has(labelFile(t)) && [t, outputNames(t).probabilities].includes(v.name),
    );
    return task === undefined ? undefined : labelFile(task);
  };
  // requests for different tasks cannot join one batch: a routed model has none, and its dims say the batch
  const tensor = (v: Value) => entry(v, routed ? whole(v) : perSample(v), labelled(v));
  const parameters = told(model).map(
    ([key, v]) => `parameters {\n  key: ${quoted(key)}\n  value { string_value: ${quoted(v)} }\n}\n`,
  );
  const batching = routed ? '' : `dynamic_batching {\n  max_queue_delay_microseconds: ${queueMicroseconds}\n}\n`;
  return `name: ${quoted(name)}
backend: ${quoted(backend)}
max_batch_size: ${routed ? 0 : maxBatch}
input [
${inputs.map(tensor).join(',\n')}
]
output [
${outputs.map(tensor).join(',\n')}
]
${batching}version_policy { latest { num_versions: 1 } }
${parameters.join('')}`;
}

/** What the model says of itself, for who asks the server for the model's config: names, ranges and units of inputs, classes, measures. */
const told = ({ metadata }: Model): [string, string][] => [...metadata].filter(([key]) => key.startsWith('prognet.'));

/** The dims of a tensor without its batch. One number per sample has no dims left, which Triton writes as [ 1 ] and a reshape. */
function perSample(v: Value): string {
  const [batch, ...dims] = v.shape ?? [];
  if (batch === undefined || typeof batch === 'number') {
    throw new ModelError(`"${v.name}": Triton batches tensors of numbers whose first dimension is open`, { path: v.name });
  }
  return dims.length === 0 ? '[ 1 ]\n    reshape { shape: [ ] }' : listed(dims);
}

/** The dims of a tensor with its batch; task_id is a vector of one. */
function whole(v: Value): string {
  return listed(v.shape ?? [1]);
}

const listed = (dims: Shape): string => `[ ${dims.map((d) => (typeof d === 'number' ? d : -1)).join(', ')} ]`;

function entry(v: Value, dims: string, labels: string | undefined): string {
  if (v.type?.kind !== 'tensor' || !isWire(v.type.dtype))
    throw new ModelError(`"${v.name}": Triton has no such type`, { path: v.name });
  return `  {\n    name: ${quoted(v.name)}\n    data_type: ${configTypeOf(v.type.dtype)}\n    dims: ${dims}${labels === undefined ? '' : `\n    label_filename: ${quoted(labels)}`}\n  }`;
}

/** A string of protobuf's text format. */
function quoted(name: string): string {
  const control = (c: string) => `\\${c.charCodeAt(0).toString(8).padStart(3, '0')}`;
  return `"${name.replace(/["\\]/g, '\\$&').replace(/[\u0000-\u001f]/g, control)}"`;
}
