// The input of a model without the steps of `prepare`: what they would give, for those who prepare it themselves.
import { UsageError } from '../../onnx/core/errors.js';
import type { Value } from '../../onnx/ir/graph.js';
import { ops } from '../../onnx/ops/ops.js';
import type { Ops } from '../../onnx/ops/ops-builder.js';
import { sampleDims } from '../nn/sample.js';
import { learns, lowerPrepare, type Step } from '../prepare/prepare.js';
import type { Column } from './column.js';
import { addInputs, type ByInput, onlyOf } from './inputs.js';
import { type FrozenWeights, frozenScope } from './weights.js';

/** The columns that read the input, of these and of those that they read, in the network's order. */
const readers = (columns: readonly Column[]): Column[] => [
  ...new Set(columns.flatMap((column) => [...column.foundation, column]).filter(({ readsInput }) => readsInput)),
];

/** The steps that `addPreparedInput` leaves out. */
export const stepsLeftOut = (columns: readonly Column[]): readonly Step[] => readers(columns)[0]?.prepare ?? [];

/**
 * The network's input behind the steps of these columns and of those that they read, as an input of the graph: float32 [N, ...].
 * Throws UsageError where no column has steps, and where they do not all prepare alike.
 */
export function addPreparedInput(g: Ops, columns: readonly Column[], weights: FrozenWeights): ByInput<Value> {
  const reached = readers(columns);
  const [first] = reached;
  if (first === undefined || reached.every(({ prepare }) => prepare.length === 0))
    throw new UsageError('prepared input: no step of "prepare" is there to be left out', { expected: 'a column with "prepare"' });
  const same = (column: Column) => JSON.stringify(column.prepare) === JSON.stringify(first.prepare);
  const other =
    reached.find((column) => !same(column)) ??
    (reached.length > 1 ? reached.find(({ prepare }) => prepare.some(learns)) : undefined);
  if (other !== undefined) {
    const expected = 'one column alone, or columns with the same steps that learn nothing';
    throw new UsageError(
      `prepared input: the columns ${reached.map(({ task }) => `"${task}"`).join(', ')} prepare the input each in its own way, expected ${expected}`,
      { expected, got: other.task },
    );
  }
  const [input] = first.inputs.map(({ name, features }) => ({ name, features }));
  const aside = ops({ opset: g.opset, name: 'prepare' });
  const own = weights.get(first.task);
  const place = { scope: frozenScope(aside, own ?? new Map()), prefix: `${first.task}/prepare`, path: `${first.path}.prepare` };
  const raw = onlyOf(Object.values(addInputs(aside, first.inputs)));
  const prepared = lowerPrepare({ ...place, features: input?.features }, first.prepare, raw);
  const name = input?.name ?? raw.name;
  return { [name]: g.input(name, 'float32', ['N', ...sampleDims(prepared)]) };
}
