// Taps on disk: training from them gives the bits of training from memory; what is there is found, and damage is repaired.
import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parseDescription } from '../../src/model/description/parse.js';
import { must } from '../../src/onnx/core/errors.js';
import { Random } from '../../src/onnx/core/random.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { sha256Tensors } from '../../src/onnx/files/hash.js';
import type { TrainEvent } from '../../src/train/events.js';
import { train } from '../../src/train/loop.js';
import { trainSettings } from '../../src/train/settings.js';
import { TapStore } from '../../src/workspace/tap-store.js';
import { columnAt, frozenIn, initialAt } from '../support/by-place.js';
import { runtime } from '../support/run.js';
import { temporaryFolder } from './support.js';

const description = parseDescription({
  prognet: 1,
  name: 'toy',
  input: { name: 'x', shape: [1, 6, 6] },
  columns: [
    {
      task: 'a',
      blocks: [
        [{ conv2d: { filters: 3, kernel: 3 } }, 'relu'],
        ['flatten', { dense: 7 }, 'relu'],
      ],
      head: { classify: 2 },
    },
    { task: 'b', like: 'a', laterals: { kind: 'adapter', rank: 4 } },
  ],
});
const rows = 1100;
const r = new Random(3, 'taps');
const x = new Tensor(
  'float32',
  [rows, 1, 6, 6],
  Float32Array.from({ length: rows * 36 }, () => r.normal()),
);
const targets = new Tensor(
  'int64',
  [rows],
  BigInt64Array.from({ length: rows }, () => BigInt(r.below(2))),
);

const data = { inputs: { x }, targets };

async function trained(tapBudget: number, tapStorage?: TapStore) {
  const places: string[] = [];
  const onEvent = (e: TrainEvent) => {
    if (e.kind === 'stored') places.push(e.found ? 'found' : 'kept');
    if (e.kind === 'uncached') places.push('computed');
  };
  const { weights, history } = await train({
    runtime,
    column: columnAt(description, 1),
    frozen: frozenIn(description, [initialAt(description, 0)]),
    settings: trainSettings({ epochs: 2, batch: 32 }, 0),
    train: data,
    validation: data,
    session: { threads: 1 },
    tapBudget,
    onEvent,
    ...(tapStorage && { tapStorage }),
  });
  return { bits: sha256Tensors(weights), weights, validation: must(history.at(-1), 'epoch').validation, places };
}

it('gives the same bits from memory and from disk, and the same numbers without a cache', async () => {
  const folder = join(temporaryFolder(), 'cache');
  const memory = await trained(1 << 30);
  expect((await trained(1 << 30)).bits).toBe(memory.bits);
  const kept = await trained(0, new TapStore(folder, 'identity'));
  expect(kept).toMatchObject({ bits: memory.bits, validation: memory.validation, places: ['kept'] });
  const found = await trained(0, new TapStore(folder, 'identity'));
  expect(found).toMatchObject({ bits: memory.bits, places: ['found'] });
  const computed = await trained(0);
  expect(computed.places).toEqual(['computed']);
  for (const [name, tensor] of memory.weights) {
    const other = must(computed.weights.get(name), name);
    tensor.data.forEach((v: unknown, i: number) => {
      expect(Math.abs(Number(v) - Number(other.data[i]))).toBeLessThan(1e-5);
    });
  }
});

it('writes anew what is damaged, cut short, or of other columns', async () => {
  const folder = join(temporaryFolder(), 'cache');
  const { bits } = await trained(0, new TapStore(folder, 'identity'));
  const file = join(
    folder,
    must(
      readdirSync(folder).find((name) => name.endsWith('.taps')),
      'taps',
    ),
  );
  const whole = readFileSync(file);
  const damaged = Uint8Array.from(whole, (b, i) => (i === 5000 ? b ^ 1 : b));
  const repairs = [
    () => writeFileSync(file, damaged),
    () => truncateSync(file, 100),
    () => writeFileSync(file.replace('.taps', '.json'), '{'),
  ];
  for (const damage of repairs) {
    damage();
    expect(await trained(0, new TapStore(folder, 'identity'))).toMatchObject({ bits, places: ['kept'] });
    expect(readFileSync(file).equals(whole)).toBe(true);
  }
  expect((await trained(0, new TapStore(folder, 'another'))).places).toEqual(['kept']);
  const store = new TapStore(folder, 'identity');
  store.clear();
  expect((await trained(0, store)).places).toEqual(['kept']);
});
