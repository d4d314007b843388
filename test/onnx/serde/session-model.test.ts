// Sessions of models whose weights stay in files: what is in the bytes, what ONNX Runtime finds by itself, what is told of a file written anew.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { encodeSafetensors, encodeSafetensorsParts } from '../../../src/formats/safetensors.js';
import { must } from '../../../src/onnx/core/errors.js';
import { StoredTensor } from '../../../src/onnx/core/stored-tensor.js';
import { Tensor } from '../../../src/onnx/core/tensor.js';
import { sha256 } from '../../../src/onnx/files/hash.js';
import type { Model } from '../../../src/onnx/ir/model.js';
import { ops } from '../../../src/onnx/ops/ops.js';
import { NodeRuntime } from '../../../src/onnx/runtime/node.js';
import { loadModel } from '../../../src/onnx/serde/external-data.js';
import { saveModel } from '../../../src/onnx/serde/save-model.js';
import { sessionModel } from '../../../src/onnx/serde/session-model.js';
import { toBinary, toPieces } from '../../../src/onnx/serde/to-binary.js';

const folder = mkdtempSync(join(tmpdir(), 'prognet-session-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const width = 160;
const x = Tensor.from(
  'float32',
  Array.from({ length: width }, (_, i) => i / width),
  [1, width],
);

function model(): Model {
  const g = ops();
  const w = Tensor.from(
    'float32',
    Array.from({ length: width * width }, (_, i) => Math.sin(i)),
    [width, width],
  );
  g.output(g.matMul(g.input('x', 'float32', ['N', width]), g.initializer('w', w)), 'y');
  return g.model();
}

let runtime: NodeRuntime;
let answer: Uint8Array;
beforeAll(async () => {
  runtime = await NodeRuntime.load();
  answer = await run({ bytes: toBinary(model()), options: {} });
});

async function run({ bytes, options }: ReturnType<typeof sessionModel>): Promise<Uint8Array> {
  const session = await runtime.createSession(bytes, options);
  const { y } = await session.run({ x });
  await session.release();
  return y?.bytes ?? new Uint8Array();
}

test.each([true, false])(
  'weights in files, beside the model %s, are no part of the bytes and give the same bits',
  async (beside) => {
    const path = join(folder, `${beside}.onnx`);
    saveModel(model(), path, { externalData: beside });
    const stored = loadModel(path, undefined, 'all');
    expect(stored.graph.initializers.map((v) => v.constant)).toEqual([expect.any(StoredTensor)]);
    const made = sessionModel(stored, runtime);
    expect(made.bytes.length).toBeLessThan(1000);
    expect(await run(made)).toEqual(answer);
    expect(sessionModel(stored, {})).toEqual({ bytes: toBinary(model()), options: {} });
  },
);

test('weights of a model that was written anew meanwhile are refused', () => {
  const path = join(folder, 'anew.onnx');
  saveModel(model(), path);
  const stored = loadModel(path, undefined, 'all');
  writeFileSync(path, 'another');
  expect(() => toBinary(stored)).toThrow(/^cannot read .*anew\.onnx: it was written anew meanwhile, begin again$/);
});

test.each([
  ['inside', false],
  ['beside it', true],
] as const)(
  'a model whose weights stay in its file, %s, is written with the bytes of one in memory, and read in pieces',
  (_, beside) => {
    const path = join(folder, `pieces-${beside}.onnx`);
    const g = ops();
    const length = 3 * 2 ** 20;
    const w = Tensor.fromBytes(
      'float32',
      [length],
      new Uint8Array(4 * length).map((_, i) => i % 251),
    );
    g.output(g.add(g.input('x', 'float32', ['N', length]), g.initializer('w', w)), 'y');
    saveModel(g.model(), path, { externalData: beside });
    const stored = loadModel(path, undefined, 'all');
    const { pieces } = toPieces(stored);
    let most = 0;
    for (const piece of pieces) most = Math.max(most, piece.length);
    expect(most).toBe(2 ** 22);
    const bytes = toBinary(g.model());
    expect(Buffer.compare(toBinary(stored), bytes)).toBe(0);
    expect(sha256(toPieces(stored).pieces)).toBe(sha256(bytes));
    const again = join(folder, `again-${beside}.onnx`);
    saveModel(stored, again, { externalData: true });
    expect(readFileSync(`${again}.data`).equals(Buffer.from(w.bytes))).toBe(true);
    const tensors = new Map(stored.graph.initializers.map((v) => [v.name, must(v.constant, v.name)]));
    expect(sha256(encodeSafetensorsParts(tensors))).toBe(sha256(encodeSafetensors(new Map([['w', w]]))));
    writeFileSync(beside ? `${path}.data` : path, new Uint8Array(5 * length));
    const message = beside
      ? /: initializer "w": its external data "pieces-true\.onnx\.data" was written anew meanwhile, begin again$/
      : /^cannot read .*pieces-false\.onnx: it was written anew meanwhile, begin again$/;
    expect(() => sha256(toPieces(stored).pieces)).toThrow(message);
  },
);
