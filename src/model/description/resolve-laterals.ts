// What laterals read and feed, resolved against the other columns: which earlier tasks, into which blocks, which tap into which.
import type { DescriptionError } from '../../onnx/core/errors.js';
import { suggest } from '../nn/schema.js';
import type { ColumnDescription, DescriptionWritten, Laterals } from './description.js';
import { tapName } from './imported-schema.js';
import { type Path, show } from './issues.js';
import type { LateralsWritten, Taps } from './lateral-schema.js';

export type Fail = (path: Path, got: string, right: string) => DescriptionError;
export type ColumnWritten = DescriptionWritten['columns'][number];
type Reading = Exclude<LateralsWritten, { kind: 'none' }>;

export function listTasks(tasks: readonly string[]): string {
  return tasks.map(show).join(', ');
}

/** Why a name is no earlier task. */
export function notEarlier(name: string, index: number, written: readonly ColumnWritten[]): string {
  const at = written.findIndex((c) => c.task === name);
  if (at === index) return `${show(name)} is the column itself`;
  return at > index ? `${show(name)} comes later` : `unknown task ${show(name)}`;
}

/** The earlier columns that are read, in their order. One without blocks has nothing to read. */
function resolveFrom(
  laterals: Reading,
  index: number,
  done: readonly ColumnDescription[],
  all: readonly ColumnWritten[],
  fail: Fail,
): ColumnDescription[] {
  if (laterals.from === 'none') return [];
  const readable = done.filter(({ blocks }) => blocks.length > 0);
  if (laterals.from === 'all') {
    if (readable.length > 0 || all[index]?.laterals === undefined) return readable;
    throw fail(['columns', index, 'laterals'], 'no task comes before', 'expected none in the first column');
  }
  const tasks = readable.map(({ task }) => task);
  const named = typeof laterals.from === 'string' ? [laterals.from] : laterals.from;
  named.forEach((name, i) => {
    const path = ['columns', index, 'laterals', 'from', ...(typeof laterals.from === 'string' ? [] : [i])];
    if (!tasks.includes(name) && done.some(({ task }) => task === name))
      throw fail(path, `${show(name)} has no blocks to read`, 'expected a task with blocks');
    if (!tasks.includes(name)) {
      const right =
        tasks.length === 0 ? 'expected "none", as no task comes before' : `expected an earlier task: ${listTasks(tasks)}`;
      throw fail(path, notEarlier(name, index, all), right);
    }
    if (named.indexOf(name) !== i) throw fail(path, `${show(name)} stands there twice`, 'expected each task once');
  });
  return readable.filter(({ task }) => named.includes(task));
}

function resolveInto(laterals: Reading, index: number, head: number, fail: Fail): number[] {
  if (laterals.into === 'all') return head === 0 ? [0] : Array.from({ length: head }, (_, i) => i + 1);
  const blocks = laterals.into.map((b) => (b === 'head' ? head : b));
  blocks.forEach((block, i) => {
    const path = ['columns', index, 'laterals', 'into', i];
    const right =
      head === 0 ? 'expected "head", as the column has no blocks' : `expected a block index from 1 to ${head}, the head`;
    if (block === 0 && head > 0) throw fail(path, 'found 0', 'expected a block index from 1, or "head"');
    if (block > head) throw fail(path, `found ${block}`, right);
    if (blocks.indexOf(block) !== i) throw fail(path, `block ${block} stands there twice`, 'expected each block once');
  });
  return blocks.sort((a, b) => a - b);
}

/** The block of a source of `count` blocks that a block reads where nothing else is said: the one before; a head alone reads the last. */
export const ownTap = (block: number, count: number): number => (block === 0 ? count - 1 : Math.min(block - 1, count - 1));

interface Ends {
  readonly index: number;
  readonly head: number;
  readonly into: readonly number[];
  readonly sources: readonly ColumnDescription[];
}

/**
 * What is written, and of imported columns with more taps than blocks that could read them taps spread by depth. Left out is what is read anyway,
 * so that the resolved form resolves to itself.
 */
function resolveTaps(laterals: Reading, ends: Ends, fail: Fail): Taps {
  const said = writtenTaps(laterals, ends, fail);
  const found: Taps = {};
  for (const source of ends.sources) {
    const own: Record<string, number | false> = {};
    for (const block of ends.into) {
      const here = said.get(source.task)?.get(block);
      const tap = here === undefined ? spread(source, block, ends.head) : readTap(source, here, fail);
      if (tap !== ownTap(block, source.blocks.length) || isSpread(source, ends.head)) own[block] = tap;
    }
    if (Object.keys(own).length > 0) found[source.task] = own;
  }
  return found;
}

/** A tap as written, and where it stands. */
interface Said {
  readonly tap: number | string | false;
  readonly path: Path;
}

/** By source and block. */
function writtenTaps({ taps = {} }: Reading, { index, head, into, sources }: Ends, fail: Fail): Map<string, Map<number, Said>> {
  const path = ['columns', index, 'laterals', 'taps'];
  const names = sources.map(({ task }) => task);
  const [only = ''] = names;
  const targets = into.map((block) => (block === head ? 'head' : block)).join(', ');
  const found = new Map<string, Map<number, Said>>();
  const add = (task: string, key: string, tap: Said['tap'], at: Path) => {
    const block = key === 'head' ? head : Number(key);
    if (!into.includes(block)) throw fail(at, `found ${show(key)}`, `expected a block that receives: ${targets}`);
    found.set(task, (found.get(task) ?? new Map()).set(block, { tap, path: at }));
  };
  for (const [key, value] of Object.entries(taps)) {
    if (typeof value !== 'object') {
      const right = `expected them by source, such as { ${only}: { ... } }`;
      if (names.length > 1) throw fail([...path, key], `found a tap of one source, there are ${names.length}`, right);
      add(only, key, value, [...path, key]);
      continue;
    }
    if (!names.includes(key)) throw fail([...path, key], `found ${show(key)}`, `expected a source: ${listTasks(names)}`);
    for (const [block, tap] of Object.entries(value)) add(key, block, tap, [...path, key, block]);
  }
  return found;
}

/** Taps of an imported column lie close together: evenly spread, the last into the head. */
function spread(source: ColumnDescription, block: number, head: number): number {
  const count = source.blocks.length;
  return isSpread(source, head) ? Math.round((block * count) / head) - 1 : ownTap(block, count);
}

const isSpread = ({ onnx, blocks }: ColumnDescription, head: number): boolean =>
  onnx !== undefined && head > 0 && blocks.length > head;

/** Taps of laterals without those that are read anyway: as columns were frozen before taps could be named. */
export function namedTaps(taps: Taps | undefined, columns: readonly ColumnDescription[]): Taps | undefined {
  const named = Object.entries(taps ?? {}).flatMap(([task, of]): [string, Taps[string]][] => {
    const count = columns.find((column) => column.task === task)?.blocks.length ?? 0;
    const others = Object.entries(of).filter(([block, tap]) => tap !== ownTap(Number(block), count));
    return others.length === 0 ? [] : [[task, Object.fromEntries(others)]];
  });
  return named.length === 0 ? undefined : Object.fromEntries(named);
}

/** The block that a tap is, by its number or its name; false: none is read. */
function readTap(source: ColumnDescription, { tap, path }: Said, fail: Fail): number | false {
  return tap === false ? false : tapOf(source, { tap, path }, fail);
}

/** The block that a tap is, by its number or its name. */
export function tapOf(
  { task, onnx, blocks }: ColumnDescription,
  { tap, path }: { readonly tap: number | string; readonly path: Path },
  fail: Fail,
): number {
  const names = onnx?.taps.map(tapName) ?? [];
  const at = typeof tap === 'string' ? names.indexOf(tap) : tap;
  if (at >= 0 && at < blocks.length) return at;
  const numbers = `expected a number from 0 to ${blocks.length - 1}, the blocks of ${show(task)}`;
  const right = typeof tap === 'string' && names.length > 0 ? suggest(tap, names) : numbers;
  throw fail(path, `${show(task)} has no tap ${JSON.stringify(tap)}`, right);
}

/** Every block that receives reads some source, every source is read by some block. */
function refuseUnread(
  index: number,
  head: number,
  { from, into, taps }: { readonly from: readonly string[]; readonly into: readonly number[]; readonly taps: Taps },
  fail: Fail,
): void {
  const path = ['columns', index, 'laterals', 'taps'];
  const none = (task: string, block: number) => taps[task]?.[block] === false;
  const block = into.find((b) => from.every((task) => none(task, b)));
  const called = block === head ? 'the head' : `block ${block}`;
  if (block !== undefined) throw fail(path, `${called} reads no source`, 'expected it left out of "into"');
  const task = from.find((t) => into.every((b) => none(t, b)));
  if (task !== undefined) throw fail([...path, task], `no block reads ${show(task)}`, 'expected it left out of "from"');
}

/** Ranks by block: of each that receives, one that all have as that number alone. */
function resolveRanks(
  rank: number | Readonly<Record<string, number>> | undefined,
  index: number,
  head: number,
  into: readonly number[],
  fail: Fail,
): number | Record<string, number> | undefined {
  if (typeof rank !== 'object') return rank;
  const path = ['columns', index, 'laterals', 'rank'];
  const targets = into.map((block) => (block === head ? 'head' : block)).join(', ');
  const found: Record<string, number> = {};
  for (const [key, value] of Object.entries(rank)) {
    const block = key === 'head' ? head : Number(key);
    if (!into.includes(block)) throw fail([...path, key], `found ${show(key)}`, `expected a block that receives: ${targets}`);
    found[block] = value;
  }
  return found;
}

export function resolveLaterals(
  index: number,
  head: number,
  done: readonly ColumnDescription[],
  all: readonly ColumnWritten[],
  fail: Fail,
): Laterals {
  const laterals: LateralsWritten = all[index]?.laterals ?? { kind: 'linear', from: 'all', into: 'all' };
  if (laterals.kind === 'none') return { kind: 'none' };
  if (laterals.kind === 'adapter' && laterals.rank === undefined && head === 0)
    throw fail(['columns', index, 'laterals'], '"rank" is missing', 'expected it in a column without blocks, such as rank: 32');
  const sources = resolveFrom(laterals, index, done, all, fail);
  const into = resolveInto(laterals, index, head, fail);
  if (sources.length === 0 || into.length === 0) return { kind: 'none' };
  const from = sources.map(({ task }) => task);
  const taps = resolveTaps(laterals, { index, head, into, sources }, fail);
  refuseUnread(index, head, { from, into, taps }, fail);
  const { join } = laterals;
  const ends = { from, into, ...(Object.keys(taps).length > 0 && { taps }), ...(join !== undefined && { join }) };
  if (laterals.kind === 'linear') return { kind: 'linear', ...ends };
  const { activation, alpha } = laterals;
  const rank = resolveRanks(laterals.rank, index, head, into, fail);
  return {
    kind: 'adapter',
    ...ends,
    activation,
    ...(rank === undefined ? {} : { rank }),
    ...(alpha === undefined ? {} : { alpha }),
  };
}
