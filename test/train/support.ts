// What tests of the training loop share: a small task, and a training that is stopped and gone on with.

import { parseDescription } from '../../src/model/description/parse.js';
import type { HeadInput } from '../../src/model/heads/heads.js';
import { type Column, columnsOf } from '../../src/model/progressive/column.js';
import { InterruptedError } from '../../src/onnx/core/errors.js';
import { Random } from '../../src/onnx/core/random.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import type { Checkpoint } from '../../src/train/checkpoint.js';
import { type TrainResult, train } from '../../src/train/loop.js';
import type { TrainRequest } from '../../src/train/request.js';
import { stateSchema } from '../../src/train/state-schema.js';

/** A column with dropout and batch_norm over four features. */
export function toyColumn(head: HeadInput = { classify: 3 }): Column {
  return columnsOf(
    parseDescription({
      prognet: 1,
      name: 'toy',
      input: { name: 'x', shape: [4] },
      columns: [{ task: 'a', blocks: [[{ dense: 8 }, 'batch_norm', 'relu', { dropout: 0.2 }]], head }],
    }),
  ).column('a');
}

/** Rows of four features in three classes of different sizes, the first the largest. */
export function toy(rows: number, seed = 1) {
  const r = new Random(seed, 'toy');
  const x = Float32Array.from({ length: rows * 4 }, () => r.normal());
  const classOf = (i: number) => ((x[i * 4] ?? 0) > 0.8 ? 2 : (x[i * 4 + 1] ?? 0) > 0.3 ? 1 : 0);
  return {
    inputs: { x: new Tensor('float32', [rows, 4], x) },
    targets: Tensor.from(
      'int64',
      Array.from({ length: rows }, (_, i) => classOf(i)),
    ),
  };
}

/** The training stopped once it has done each of these steps, its state kept as text between, and gone on with until it ends. */
export async function interrupted(request: TrainRequest, at: readonly number[]): Promise<TrainResult> {
  let kept: Checkpoint | undefined;
  const store = {
    load: async () => kept,
    save: async ({ state, tensors }: Checkpoint) => {
      const copies = [...tensors].map(([name, t]) => [name, Tensor.fromBytes(t.dtype, t.dims, t.bytes.slice())] as const);
      kept = { state: stateSchema.parse(JSON.parse(JSON.stringify(state))), tensors: new Map(copies) };
    },
  };
  for (const steps of at) {
    const stopping = new AbortController();
    let done = kept?.state.step ?? 0;
    const onEvent: TrainRequest['onEvent'] = (event) => {
      if (event.kind !== 'step') return;
      done += event.losses.length;
      if (done >= steps) stopping.abort();
    };
    try {
      return await train({ ...request, store, onEvent, signal: stopping.signal });
    } catch (error) {
      if (!(error instanceof InterruptedError)) throw error;
    }
  }
  return await train({ ...request, store });
}
