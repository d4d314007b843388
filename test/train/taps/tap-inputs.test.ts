// By which inputs a step reads taps: an adapter's sources joined where they fit side by side, others one by one; and of which pieces they are made.
import { expect, describe as group, it } from 'vitest';
import type { ColumnInput } from '../../../src/model/description/description.js';
import { parseDescription } from '../../../src/model/description/parse.js';
import { type Column, columnsOf } from '../../../src/model/progressive/column.js';
import { tapInputs, tapKey, tapOptions } from '../../../src/train/taps/tap-inputs.js';
import { isWhole, type KnownTaps, piecesOf } from '../../../src/train/taps/tap-pieces.js';

const images: ColumnInput['blocks'] = [
  [{ conv2d: { filters: 3, kernel: 3, padding: 'same' } }, 'relu', { maxpool2d: 2 }],
  ['flatten', { dense: 5 }, 'relu'],
];
/** Its first tap is larger than those of the others. */
const larger: ColumnInput['blocks'] = [[{ conv2d: { filters: 2, kernel: 3, padding: 'same' } }, 'relu'], ...images.slice(1)];

function lastOf(laterals: ColumnInput['laterals'], second = images): Column {
  const columns = ['a', 'b', 'c'].map((task, i): ColumnInput => {
    const blocks = i === 1 ? second : images;
    return { task, blocks, head: { classify: 2 }, laterals: i < 2 ? { kind: 'none' } : (laterals ?? { kind: 'none' }) };
  });
  const input = { name: 'image', shape: [1, 4, 4] };
  return columnsOf(parseDescription({ prognet: 1, name: 'taps', input, columns })).column('c');
}
const told = (column: Column) =>
  tapInputs(column).map(({ name, refs, widths, shape }) => `${name}: ${refs.map(tapKey)} of ${widths}, [${shape}]`);

it('linear laterals read taps one by one', () => {
  expect(told(lastOf({ kind: 'linear' }))).toEqual([
    'step/tap/0/0: 0/0 of 3, [3,2,2]',
    'step/tap/0/1: 0/1 of 5, [5]',
    'step/tap/1/0: 1/0 of 3, [3,2,2]',
    'step/tap/1/1: 1/1 of 5, [5]',
  ]);
});

it('an adapter reads its sources side by side along the channels', () => {
  expect(told(lastOf({ kind: 'adapter' }))).toEqual([
    'step/taps/1: 0/0,1/0 of 3,3, [6,2,2]',
    'step/taps/2: 0/1,1/1 of 5,5, [10]',
  ]);
});

it('images of another size do not fit side by side, and come one by one', () => {
  expect(told(lastOf({ kind: 'adapter' }, larger))).toEqual([
    'step/taps/2: 0/1,1/1 of 5,5, [10]',
    'step/tap/0/0: 0/0 of 3, [3,2,2]',
    'step/tap/1/0: 1/0 of 2, [2,4,4]',
  ]);
});

it('no laterals, no taps', () => {
  expect(told(lastOf({ kind: 'none' }))).toEqual([]);
});

it('lowering finds a joined input by its block and a single one by its tap', () => {
  const column = lastOf({ kind: 'adapter' }, larger);
  const { tap, joined } = tapOptions(tapInputs(column), ({ name }) => name);
  const [a, b] = column.sources;
  if (a === undefined || b === undefined) throw new Error('two sources are expected');
  expect([tap({ column: a, block: 0 }), tap({ column: b, block: 0 })]).toEqual(['step/tap/0/0', 'step/tap/1/0']);
  expect([tap({ column: a, block: 1 }), joined(column, 1)]).toEqual([undefined, undefined]);
  expect(joined(column, 2)).toEqual({ value: 'step/taps/2', widths: [5, 5] });
});

group('pieces', () => {
  const column = lastOf({ kind: 'adapter' });
  const refs = column.sources.map((source) => ({ column: source, block: 0 }));
  const known = (name: string, width: number, places: Readonly<Record<string, number>>): KnownTaps => ({
    name,
    shape: [width, 2, 2],
    place: (ref) => {
      const at = places[tapKey(ref)];
      return at === undefined ? undefined : { at, width: 3 };
    },
  });
  const of = (...given: KnownTaps[]) =>
    piecesOf(refs, [3, 3], given).map((p) => `${p.source?.name ?? 'computed'} ${p.at}+${p.width}${isWhole(p) ? ' whole' : ''}`);

  it('what nothing holds is computed, tap by tap', () => {
    expect(of()).toEqual(['computed 0+3', 'computed 0+3']);
  });
  it('what stands side by side in one tensor is one piece, the whole of it', () => {
    expect(of(known('x', 6, { '0/0': 0, '1/0': 3 }))).toEqual(['x 0+6 whole']);
  });
  it('the other order is two pieces', () => {
    expect(of(known('x', 6, { '0/0': 3, '1/0': 0 }))).toEqual(['x 3+3', 'x 0+3']);
  });
  it('what is there is taken, the rest computed', () => {
    expect(of(known('x', 3, { '0/0': 0 }))).toEqual(['x 0+3 whole', 'computed 0+3']);
  });
});
