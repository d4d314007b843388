// A column as it is described once units, ranks and sources are gone.

import type { Description } from '../../model/description/description.js';
import type { Laterals, LateralsInput } from '../../model/description/lateral-schema.js';
import { parseDescription, toInput } from '../../model/description/parse.js';
import { ownTap } from '../../model/description/resolve-laterals.js';
import type { Column } from '../../model/progressive/column.js';
import type { Weights } from '../../model/progressive/weights.js';
import { must } from '../../onnx/core/errors.js';
import type { Kept } from './cut.js';
import { producerOf, unitsOf } from './units.js';

/** What of a description changes. */
export interface Described {
  /** How many units a layer has now. */
  readonly units: readonly {
    readonly block: number;
    readonly index: number;
    readonly option: 'units' | 'filters';
    readonly count: number;
  }[];
  /** Left out where they stay as they are. */
  readonly laterals?: LateralsInput;
}

/** The sources that a block still reads. */
const staying = (column: Column, kept: Kept, block: number): readonly string[] =>
  kept.sources.get(block) ?? column.sourcesInto(block).map(({ column: { task } }) => task);

/** What the description says of it now. `weights` are those before: they tell the ranks that nothing says. */
export function described(column: Column, weights: Weights, kept: Kept): Described {
  const units = [...kept.units].map(([block, stay]) => {
    const producer = must(producerOf(column, block), 'producer');
    return { block, index: producer.index, option: unitsOf(producer).option, count: stay.length };
  });
  const { laterals } = column;
  const nothing = kept.units.size === 0 && kept.ranks.size === 0 && kept.sources.size === 0;
  if (laterals.kind === 'none' || nothing) return { units };
  return { units, laterals: lateralsOf(column, laterals, weights, kept) };
}

function lateralsOf(column: Column, laterals: Exclude<Laterals, { kind: 'none' }>, weights: Weights, kept: Kept): LateralsInput {
  const into = laterals.into.filter((block) => staying(column, kept, block).length > 0);
  const from = laterals.from.filter((task) => into.some((block) => staying(column, kept, block).includes(task)));
  if (into.length === 0) return 'none';
  const name = (block: number): number | 'head' => (block === column.blocks.length ? 'head' : block);
  const taps = Object.fromEntries(
    from.flatMap((task) => {
      const said = into.flatMap((block) => tapInto(column, kept, block, task).map((tap) => [name(block), tap] as const));
      return said.length === 0 ? [] : [[task, Object.fromEntries(said)] as const];
    }),
  );
  const { join } = laterals;
  const ends = { from, into: into.map(name), ...(Object.keys(taps).length > 0 && { taps }), ...(join !== undefined && { join }) };
  if (laterals.kind === 'linear') return { kind: 'linear', ...ends };
  const ranks = into.map((block) => kept.ranks.get(block)?.length ?? rankOf(column, block, weights));
  const [first] = ranks;
  const rank = ranks.every((r) => r === first)
    ? first
    : Object.fromEntries(into.map((block, i) => [name(block), must(ranks[i], 'rank')]));
  const { activation, alpha } = laterals;
  return { kind: 'adapter', ...ends, rank, activation, ...(alpha !== undefined && { alpha }) };
}

/** The tap of a source into a block, where it is another than without a word; false: none any more. */
function tapInto(column: Column, kept: Kept, block: number, task: string): (number | false)[] {
  const ref = column.sourcesInto(block).find((other) => other.column.task === task);
  if (ref === undefined || !staying(column, kept, block).includes(task)) return [false];
  const { blocks, imported } = ref.column;
  return imported === undefined && ref.block === ownTap(block, blocks.length) ? [] : [ref.block];
}

function rankOf({ task, blocks }: Column, block: number, weights: Weights): number {
  const name = `${task}/${block === blocks.length ? 'head' : block}/adapter/V_bias`;
  return must(must(weights.get(name), name).dims[0], name);
}

/** The description in which the column of a task is as told. */
export function withChange(description: Description, task: string, { units, laterals }: Described): Description {
  const input = toInput(description);
  const counts = new Map(units.map(({ block, index, option, count }) => [`${block}/${index}`, { [option]: count }]));
  const columns = input.columns.map((column) => {
    if (column.task !== task) return column;
    const blocks = column.blocks?.map((layers, block) =>
      layers.map((layer, index) => {
        const count = counts.get(`${block}/${index}`);
        return count === undefined ? layer : Object.assign({}, layer, count);
      }),
    );
    return { ...column, ...(blocks && { blocks }), ...(laterals !== undefined && { laterals }) };
  });
  return parseDescription({ ...input, columns });
}
