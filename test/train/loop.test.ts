import { expect, it } from 'vitest';
import { parseDescription } from '../../src/model/description/parse.js';
import { columnsOf } from '../../src/model/progressive/column.js';
import type { Weights } from '../../src/model/progressive/weights.js';
import { must } from '../../src/onnx/core/errors.js';
import { Random } from '../../src/onnx/core/random.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { train } from '../../src/train/loop.js';
import { trainSettings } from '../../src/train/settings.js';
import { runtime } from '../support/run.js';

function toy(rows: number) {
  const r = new Random(1, 'toy');
  const x = Float32Array.from({ length: rows * 64 }, () => r.normal());
  const y = BigInt64Array.from({ length: rows }, (_, i) => BigInt((x[i * 64] ?? 0) + (x[i * 64 + 1] ?? 0) > 0 ? 1 : 0));
  return { inputs: { image: new Tensor('float32', [rows, 1, 8, 8], x) }, targets: new Tensor('int64', [rows], y) };
}

// Two columns with batch_norm, dropout and an adapter learn a toy task, validation being the training data.
it('trains two columns, the second over the first', async () => {
  const description = parseDescription({
    prognet: 1,
    name: 'toy',
    input: { name: 'image', shape: [1, 8, 8] },
    columns: [
      {
        task: 'a',
        blocks: [
          [{ conv2d: { filters: 4, kernel: 3, padding: 'same' } }, 'batch_norm', 'relu', { maxpool2d: 2 }],
          ['flatten', { dense: 16 }, 'relu', { dropout: 0.1 }],
        ],
        head: { classify: 2 },
      },
      { task: 'b', like: 'a', laterals: { kind: 'adapter', rank: 4 } },
    ],
  });
  const data = toy(512);
  const frozen = new Map<string, Weights>();
  for (const column of columnsOf(description)) {
    const settings = trainSettings({ epochs: 12, batch: 32, lr: 0.01 }, 0);
    const result = await train({
      runtime,
      column,
      frozen,
      settings,
      train: data,
      validation: data,
      session: { threads: 1 },
    });
    expect(must(result.history.at(-1), 'history').validation?.metric).toBeGreaterThan(0.85);
    frozen.set(column.task, result.weights);
  }
});
