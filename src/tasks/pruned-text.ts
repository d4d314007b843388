// The text of a description once a column has fewer units and reads less: all that people wrote around it stays as it is.
import type { Described } from '../analysis/prune/describe.js';
import { must } from '../onnx/core/errors.js';
import { tasksLike, type ValuePath, withValue, writtenColumn } from './description-value.js';

/** Where the option of a layer stands: `{ dense: 128 }`, `{ dense: { units: 128 } }` or `{ kind: dense, units: 128 }`. */
function placeOf(layer: unknown, option: string): ValuePath {
  const entries = Object.entries(typeof layer === 'object' && layer !== null ? layer : {});
  const [kind, value] = must(entries[0], 'layer');
  if (entries.some(([key]) => key === 'kind')) return [option];
  return typeof value === 'object' ? [kind, option] : [kind];
}

/** The text in which the column says so. Columns that are like it keep what they took from it, written out. */
export function prunedText(text: string, file: string, task: string, { units, laterals }: Described): string {
  let now = text;
  if (units.length > 0)
    for (const other of tasksLike(text, task)) now = withValue(now, file, other, ['blocks'], writtenColumn(now, other).blocks);
  for (const { block, index, option, count } of units) {
    const { blocks } = writtenColumn(now, task);
    const layer: unknown = Array.isArray(blocks) && Array.isArray(blocks[block]) ? blocks[block][index] : undefined;
    now = withValue(now, file, task, ['blocks', block, index, ...placeOf(layer, option)], count);
  }
  return laterals === undefined ? now : withValue(now, file, task, ['laterals'], laterals);
}
