// What a column's `prepare` learns of the training data before its first step: each step of it sees the rows as the steps before it leave them,
// computed by the graph that will prepare them ever after.

import { sliceRows } from '../data/rows.js';
import { countOf, mapSamples, type SampleRows } from '../data/samples.js';
import { inferenceScope } from '../model/nn/scope.js';
import { learningOf, lowerPrepare } from '../model/prepare/prepare.js';
import type { Column } from '../model/progressive/column.js';
import { onlyOf } from '../model/progressive/inputs.js';
import { must } from '../onnx/core/errors.js';
import type { Tensor } from '../onnx/core/tensor.js';
import { ops } from '../onnx/ops/ops.js';
import type { Runtime, SessionOptions } from '../onnx/runtime/session.js';
import { toBinary } from '../onnx/serde/to-binary.js';
import { dataFeeds, dataInputs, networkInputsFrom } from './network-input.js';

const rowsPerRun = 500;
const output = 'prepared';

/**
 * The parameters of the column's `prepare` by name, learned of `samples`; none where no step learns.
 * Throws DataError where the data do not tell what a step asks for.
 */
export async function learnPrepare(
  runtime: Runtime,
  column: Column,
  samples: SampleRows,
  session: SessionOptions = {},
): Promise<ReadonlyMap<string, Tensor>> {
  const found = new Map<string, Tensor>();
  for (let i = 0; i < column.prepare.length; i++) {
    const { model, sample } = prepareGraph(column, samples, i, found);
    const learning = learningOf(`${column.task}/prepare`, column.prepare, i, sample);
    if (learning === undefined) continue;
    const running = await runtime.createSession(toBinary(model), session);
    try {
      const total = countOf(samples);
      for (let from = 0; from < total; from += rowsPerRun) {
        const rows = mapSamples(samples, (t) => sliceRows(t, from, Math.min(from + rowsPerRun, total)));
        learning.add(must((await running.run(dataFeeds(rows), [output]))[output], output));
      }
    } finally {
      await running.release();
    }
    for (const [name, tensor] of learning.parameters()) found.set(name, tensor);
  }
  return found;
}

/** The data behind the first `count` steps, and the shape of one sample there. */
function prepareGraph(column: Column, samples: SampleRows, count: number, known: ReadonlyMap<string, Tensor>) {
  const { network, prepare, task, path } = column;
  const g = ops({ name: 'prepare', opset: network.opset });
  const dtypes = Object.fromEntries(Object.entries(samples).map(([name, { dtype }]) => [name, dtype]));
  const inputs = networkInputsFrom(g, network.inputs, dataInputs(g, network.inputs, dtypes, 'N'));
  const scope = inferenceScope(g, ({ name }) => g.initializer(name, must(known.get(name), name)));
  const { features } = onlyOf(network.inputs);
  const place = { scope, prefix: `${task}/prepare`, path: `${path}.prepare`, features };
  const x = lowerPrepare(place, prepare.slice(0, count), onlyOf(Object.values(inputs)));
  g.output(x.producer === undefined ? g.identity(x) : x, output);
  return { model: g.model(), sample: (x.shape ?? []).slice(1).map(Number) };
}
