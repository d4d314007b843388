// The inputs of a model without the steps of `prepare`: what they would give, for those who prepare it themselves.
import { must, UsageError } from '../../onnx/core/errors.js';
import type { Value } from '../../onnx/ir/graph.js';
import { ops } from '../../onnx/ops/ops.js';
import type { Ops } from '../../onnx/ops/ops-builder.js';
import { sampleDims } from '../nn/sample.js';
import { learns, lowerPrepare, type Step } from '../prepare/prepare.js';
import type { Column } from './column.js';
import { addInputs, type ByInput, type NetworkInput } from './inputs.js';
import type { ReadInput } from './lowering.js';
import { type FrozenWeights, frozenScope } from './weights.js';

/** A column that reads an input, and how. */
interface Reader {
  readonly column: Column;
  readonly read: ReadInput;
}

/** The columns that read an input, of these and of those that they stand on, in the network's order. */
function readers(columns: readonly Column[], name: string): Reader[] {
  const all = [...new Set(columns.flatMap((column) => [...column.foundation, column]))];
  return all.flatMap((column) => {
    const read = column.reads.find(({ input }) => input.name === name);
    return read === undefined ? [] : [{ column, read }];
  });
}

/** The steps that `addPreparedInput` leaves out: of one input a list, of several by input. */
export function stepsLeftOut(inputs: readonly NetworkInput[], columns: readonly Column[]): unknown {
  const steps = inputs.map(({ name }): [string, readonly Step[]] => [name, readers(columns, name)[0]?.read.steps ?? []]);
  return steps.length === 1 ? steps[0]?.[1] : Object.fromEntries(steps);
}

/**
 * The inputs behind the steps of these columns and of those that they read, as inputs of the graph: float32 [N, ...] where there are steps.
 * Throws UsageError where no column has steps, and where they do not all prepare alike.
 */
export function addPreparedInput(
  g: Ops,
  inputs: readonly NetworkInput[],
  columns: readonly Column[],
  weights: FrozenWeights,
): ByInput<Value> {
  const all = inputs.map((input) => ({ input, reached: readers(columns, input.name) }));
  if (all.every(({ reached }) => reached.every(({ read }) => read.steps.length === 0)))
    throw new UsageError('prepared input: no step of "prepare" is there to be left out', { expected: 'a column with "prepare"' });
  return Object.assign({}, ...all.map(({ input, reached }) => prepared(g, input, reached, weights)));
}

function prepared(g: Ops, input: NetworkInput, reached: readonly Reader[], weights: FrozenWeights): ByInput<Value> {
  const { name } = input;
  const first = must(reached[0], name);
  const same = ({ read }: Reader) => JSON.stringify(read.steps) === JSON.stringify(first.read.steps);
  const other =
    reached.find((reader) => !same(reader)) ??
    (reached.length > 1 ? reached.find(({ read }) => read.steps.some(learns)) : undefined);
  if (other !== undefined) {
    const expected = 'one column alone, or columns with the same steps that learn nothing';
    throw new UsageError(
      `prepared input: the columns ${reached.map(({ column }) => `"${column.task}"`).join(', ')} prepare the input each in its own way, expected ${expected}`,
      { expected, got: other.column.task },
    );
  }
  const { column, read } = first;
  if (read.steps.length === 0) return addInputs(g, [input]);
  const aside = ops({ opset: g.opset, name: 'prepare' });
  const own = weights.get(column.task);
  const place = { scope: frozenScope(aside, own ?? new Map()), prefix: `${column.task}/${read.prefix}`, path: read.path };
  const raw = must(addInputs(aside, [input])[name], name);
  const x = lowerPrepare({ ...place, features: input.features }, read.steps, raw);
  return { [name]: g.input(name, 'float32', ['N', ...sampleDims(x)]) };
}
