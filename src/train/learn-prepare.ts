// What a column's `prepare` learns of the training data before its first step: each step of it sees the rows as the steps before it leave them,
// computed by the graph that will prepare them ever after.

import { sliceRows } from '../data/rows.js';
import { countOf, mapSamples, type SampleRows } from '../data/samples.js';
import { inferenceScope } from '../model/nn/scope.js';
import { learningOf, lowerPrepare } from '../model/prepare/prepare.js';
import type { Column } from '../model/progressive/column.js';
import type { ReadInput } from '../model/progressive/lowering.js';
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
  for (const read of column.reads)
    for (const i of read.steps.keys()) await learnStep(runtime, { column, read, i }, samples, session, found);
  return found;
}

/** Step `i` of an input that the column reads. */
interface StepOfInput {
  readonly column: Column;
  readonly read: ReadInput;
  readonly i: number;
}

async function learnStep(
  runtime: Runtime,
  step: StepOfInput,
  samples: SampleRows,
  session: SessionOptions,
  found: Map<string, Tensor>,
): Promise<void> {
  const { column, read, i } = step;
  const own = { [read.input.name]: must(samples[read.input.name], read.input.name) };
  const { model, sample } = prepareGraph(step, own, found);
  const learning = learningOf(`${column.task}/${read.prefix}`, read.steps, i, sample);
  if (learning === undefined) return;
  const running = await runtime.createSession(toBinary(model), session);
  try {
    const total = countOf(own);
    for (let from = 0; from < total; from += rowsPerRun) {
      const rows = mapSamples(own, (t) => sliceRows(t, from, Math.min(from + rowsPerRun, total)));
      learning.add(must((await running.run(dataFeeds(rows), [output]))[output], output));
    }
  } finally {
    await running.release();
  }
  for (const [name, tensor] of learning.parameters()) found.set(name, tensor);
}

/** The data behind the steps before it, and the shape of one sample there. */
function prepareGraph({ column, read, i }: StepOfInput, samples: SampleRows, known: ReadonlyMap<string, Tensor>) {
  const { network, task } = column;
  const { input, steps, prefix, path } = read;
  const g = ops({ name: 'prepare', opset: network.opset });
  const dtypes = Object.fromEntries(Object.entries(samples).map(([name, { dtype }]) => [name, dtype]));
  const inputs = networkInputsFrom(g, [input], dataInputs(g, [input], dtypes, 'N'));
  const scope = inferenceScope(g, ({ name }) => g.initializer(name, must(known.get(name), name)));
  const place = { scope, prefix: `${task}/${prefix}`, path, features: input.features, tokens: input.tokens };
  const x = lowerPrepare(place, steps.slice(0, i), must(inputs[input.name], input.name));
  g.output(x.producer === undefined ? g.identity(x) : x, output);
  return { model: g.model(), sample: (x.shape ?? []).slice(1).map(Number) };
}
