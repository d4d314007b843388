// Rows kept on disk: what is read from there is what would have been in memory, bit for bit, whatever is done to it; a stale, damaged or half-written cache
// is noticed; an epoch takes each row once, and training gives the bits of the same order in memory.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32, gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { splitValidation } from '../../src/data/dataset.js';
import { epochOrder } from '../../src/data/epoch-order.js';
import { fingerprint } from '../../src/data/fingerprint.js';
import { gatherRows, inMemory, sliceRows } from '../../src/data/rows.js';
import type { DataSpec } from '../../src/data/schema.js';
import { parseDataSpec } from '../../src/data/schema.js';
import { loadData, loadRows } from '../../src/data/sources.js';
import type { TransformSpec } from '../../src/data/transforms/registry.js';
import { writeIdx } from '../../src/formats/idx.js';
import { writeNpy } from '../../src/formats/npy.js';
import { writeNpz } from '../../src/formats/npz.js';
import { parseDescription } from '../../src/model/description/parse.js';
import { InterruptedError, must } from '../../src/onnx/core/errors.js';
import { Random } from '../../src/onnx/core/random.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import type { Checkpoint } from '../../src/train/checkpoint.js';
import { train } from '../../src/train/loop.js';
import { fitData, partition } from '../../src/train/prepare-data.js';
import type { TrainRequest } from '../../src/train/request.js';
import { trainSettings } from '../../src/train/settings.js';
import { TapStore } from '../../src/workspace/tap-store.js';
import { columnAt, frozenIn, initialAt } from '../support/by-place.js';
import { image } from '../support/images.js';
import { runtime } from '../support/run.js';
import { allRows, expectRows, shuffledAs } from '../support/stored-rows.js';

const root = mkdtempSync(join(tmpdir(), 'prognet-stored-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let folders = 0;

const r = new Random(3, 'stored');
const tensor = (dtype: 'uint8' | 'float32', ...dims: number[]) =>
  Tensor.from(
    dtype,
    Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => (dtype === 'uint8' ? r.below(256) : r.normal())),
    dims,
  );
const labels = (count: number, classes = 3) =>
  Tensor.from(
    'int64',
    Array.from({ length: count }, () => r.below(classes)),
  );

function folderOf(files: Readonly<Record<string, Uint8Array>>): string {
  const folder = join(root, `${folders++}`);
  mkdirSync(folder);
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, name), bytes);
  return folder;
}

/** 1.3 MiB in rows of an odd number of bytes, so that blocks, parts and draws do not end together. */
const images = tensor('uint8', 3001, 1, 19, 25);
const classes = labels(3001);
const npy = () => folderOf({ 'x.npy': writeNpy(images), 'y.npy': writeNpy(classes) });
const memory = 2 ** 20;

async function both(folder: string, more: Partial<Exclude<DataSpec, string>> = {}) {
  const spec = { source: folder, ...more };
  const notes: string[] = [];
  const cache = `${folder}-cache`;
  const onNote = (line: string) => notes.push(line);
  const drawn: string[] = [];
  const onDrawn = (line: string) => drawn.push(line);
  const kept = await loadRows({ ...spec, memory }, { baseDir: root, cache, onNote, onDrawn });
  return { kept, whole: await loadData(spec, { baseDir: root }), notes, drawn, cache };
}

async function expectSame(folder: string, more: Partial<Exclude<DataSpec, string>> = {}) {
  const found = await both(folder, more);
  for (const part of ['train', 'test'] as const) {
    const [kept, whole] = [found.kept[part], found.whole[part]];
    expect(inMemory(kept.inputs)).toBe(false);
    expectRows(allRows(kept.inputs), whole.inputs);
    expectRows(kept.targets, whole.targets);
    expect({ ...kept, inputs: 0, targets: 0 }).toEqual({ ...whole, inputs: 0, targets: 0 });
    expect(fingerprint(kept)).toBe(fingerprint(whole));
  }
  return found;
}

describe('what is kept on disk is what would be in memory', () => {
  it('of .npy files: split by the same draw, found again by the next call, told each time', async () => {
    const folder = npy();
    const { notes, drawn, cache } = await expectSame(folder);
    const line = `${folder}: brings no test set: a fifth of its rows, drawn by seed 0, are it; "test" and "seed" in the data entry decide it`;
    expect(drawn).toEqual([line]);
    expect(notes).toEqual([
      expect.stringMatching(
        /: 1 MB of rows, over the 1 MB of "memory": written once to .*\.data, which takes up to 3 MB of disk meanwhile/,
      ),
    ]);
    expect(readdirSync(cache)).toEqual([expect.stringMatching(/^[0-9a-f]{32}\.data$/)]);
    const again = await expectSame(folder);
    expect(again.drawn).toEqual([line]);
    expect(again.notes).toEqual([expect.stringMatching(/over the 1 MB of "memory": read from .*\.data in blocks$/)]);
  });

  it.each<TransformSpec[]>([
    ['invert', { permute: { seed: 2 } }],
    [{ noise: { std: 0.2 } }, { subset: { count: 2001, test: 101 } }],
    [{ classes: [2, 0] }, { noise: { std: 0.1, seed: 4 } }, 'one_hot'],
    [{ zoom: { factor: 1.2 } }, { rotate: { degrees: 10 } }, { flip: { axis: 'vertical' } }],
  ])('through transforms %j, %j', async (...transform) => {
    await expectSame(npy(), { transform: transform.filter((t) => t !== undefined), seed: 5, test: 0.3 });
  });

  it('of float32, and of numbers that become float32', async () => {
    const x = tensor('float32', 9001, 31);
    const halves = new Tensor(
      'float64',
      [9001, 31],
      Float64Array.from(x.numbers(), (v) => v / 3),
    );
    for (const inputs of [x, halves])
      await expectSame(folderOf({ 'x.npy': writeNpy(inputs), 'y.npy': writeNpy(tensor('float32', 9001, 2)) }), {
        transform: [{ noise: { std: 0.1 } }],
      });
  });

  it('of IDX files, plain and packed', async () => {
    const part = (n: number) =>
      [writeIdx([n, 28, 28], tensor('uint8', n, 28, 28).bytes), writeIdx([n], tensor('uint8', n).bytes)] as const;
    const [[x, y], [u, v]] = [part(1500), part(40)];
    const files = { 'train-labels-idx1-ubyte': y, 't10k-images-idx3-ubyte': u, 't10k-labels-idx1-ubyte': v };
    await expectSame(folderOf({ ...files, 'train-images-idx3-ubyte': x }));
    await expectSame(folderOf({ ...files, 'train-images-idx3-ubyte.gz': gzipSync(x) }));
  });

  it('of .npz files: stored, deflated, and with the sizes of zip64', async () => {
    const arrays = new Map([
      ['x', images],
      ['y', classes],
    ]);
    const ways = { stored: writeNpz(arrays, false), deflated: writeNpz(arrays) };
    for (const [name, bytes] of Object.entries(ways)) await expectSame(join(folderOf({ [`${name}.npz`]: bytes }), `${name}.npz`));
    // What is in memory reads no zip64: the same archive without it tells what is right.
    const [plain, large] = ['stored.npz', 'large.npz'].map((name, i) =>
      join(folderOf({ [name]: i === 0 ? ways.stored : zip64(arrays) }), name),
    );
    const { train: expected } = await loadData(must(plain, 'path'), { baseDir: root });
    const { train: found } = await loadRows(
      { source: must(large, 'path'), memory },
      { baseDir: root, cache: join(root, 'cache64') },
    );
    expectRows(allRows(found.inputs), expected.inputs);
    expect(fingerprint(found)).toBe(fingerprint(expected));
  });

  it('of tables, with categories, missing cells and texts as labels, in a file and in a folder', async () => {
    const rows = (count: number) =>
      Array.from(
        { length: count },
        (_, i) =>
          `${i % 7 === 0 ? '' : r.below(1000) / 8},${['x', 'long name', 'z'][i % 3]},${i},${['no', 'yes'][r.below(2)]}\r\n`,
      );
    const header = 'a,city,b,label\r\n';
    const bytes = (count: number) => Buffer.from(header + rows(count).join(''));
    const features = [{ name: 'b' }, { name: 'city', categories: ['z', 'x', 'long name'] }, { name: 'a' }];
    const more = { missing: true, features, head: { kind: 'classify' as const, size: 2 } };
    // More than one block of 8 MiB.
    const file = folderOf({ 'a.csv': bytes(400_000) });
    const folder = folderOf({ 'train.csv': bytes(60_000), 'test.csv': bytes(500) });
    for (const source of [join(file, 'a.csv'), folder]) {
      const [said, told]: [string[], string[]] = [[], []];
      const whole = await loadData(source, { baseDir: root, ...more, onNote: (line) => said.push(line) });
      const kept = await loadRows(
        { source, memory },
        { baseDir: root, cache: join(root, 'tables'), ...more, onNote: (line) => told.push(line) },
      );
      expect(told.slice(1)).toEqual(said);
      for (const part of ['train', 'test'] as const) {
        expect(inMemory(kept[part].inputs)).toBe(false);
        expectRows(allRows(kept[part].inputs), whole[part].inputs);
        expectRows(kept[part].targets, whole[part].targets);
        expect(kept[part]).toMatchObject({ classNames: ['no', 'yes'], classes: 2 });
      }
    }
  });

  it('of folders of images', async () => {
    const folder = folderOf({});
    for (const kind of ['a', 'b']) {
      mkdirSync(join(folder, kind));
      for (let i = 0; i < 60; i++)
        writeFileSync(
          join(folder, kind, `${i}.png`),
          await image(64, 64, i === 7 ? 4 : 3, tensor('uint8', 64 * 64 * (i === 7 ? 4 : 3)).bytes)
            .png()
            .toBuffer(),
        );
    }
    const { notes, kept } = await expectSame(folder);
    expect(notes.at(-1)).toBe(`${folder}: 2 of 120 images have an alpha channel; transparent parts are laid on white`);
    expect(kept.test).toMatchObject({ classNames: ['a', 'b'], decoding: { height: 64, colours: 'rgb' } });
  });

  it('read by number, in any order, of a part of a part', async () => {
    const { kept, whole } = await both(npy());
    const [a, b] = [splitValidation(kept.train, 0.3, 7), splitValidation(whole.train, 0.3, 7)];
    expectRows(allRows(a.validation.inputs), b.validation.inputs);
    const numbers = Uint32Array.from({ length: 500 }, () => r.below(800));
    expectRows(gatherRows(a.train.inputs, numbers), gatherRows(b.train.inputs, numbers));
    const [c, d] = [splitValidation(a.train, 0.5, 8), splitValidation(b.train, 0.5, 8)];
    expectRows(gatherRows(c.train.inputs, numbers.subarray(0, 50)), gatherRows(d.train.inputs, numbers.subarray(0, 50)));
    expect(fingerprint(c.train)).toBe(fingerprint(d.train));
  });

  it('stays in memory up to the limit', async () => {
    const { train: part } = await loadRows({ source: npy(), memory: '2 MB' }, { baseDir: root, cache: join(root, 'none') });
    expect(inMemory(part.inputs)).toBe(true);
  });
});

/** A stored archive whose directory says every size and place by its fields of zip64. */
function zip64(arrays: ReadonlyMap<string, Tensor>): Uint8Array {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  const add = (to: Buffer[], part: Buffer) => {
    to.push(part);
    if (to === parts) at += part.length;
  };
  for (const [key, array] of arrays) {
    const [name, content] = [Buffer.from(`${key}.npy`), Buffer.from(writeNpy(array))];
    const entry = Buffer.alloc(46 + 28);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt32LE(crc32(content), 16);
    for (const place of [20, 24, 42]) entry.writeUInt32LE(0xffffffff, place);
    entry.writeUInt16LE(name.length, 28);
    entry.writeUInt16LE(28, 30);
    entry.writeUInt16LE(1, 46);
    entry.writeUInt16LE(24, 48);
    [content.length, content.length, at].forEach((value, i) => {
      entry.writeBigUInt64LE(BigInt(value), 50 + 8 * i);
    });
    add(directory, Buffer.concat([entry.subarray(0, 46), name, entry.subarray(46)]));
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(name.length, 26);
    for (const part of [local, name, content]) add(parts, part);
  }
  const start = at;
  for (const entry of directory) add(parts, entry);
  const record = Buffer.alloc(56);
  record.writeUInt32LE(0x06064b50, 0);
  [arrays.size, at - start, start].forEach((value, i) => {
    record.writeBigUInt64LE(BigInt(value), 32 + 8 * i);
  });
  const locator = Buffer.alloc(20);
  locator.writeUInt32LE(0x07064b50, 0);
  locator.writeBigUInt64LE(BigInt(at), 8);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(0xffff, 10);
  for (const place of [12, 16]) end.writeUInt32LE(0xffffffff, place);
  return new Uint8Array(Buffer.concat([...parts, record, locator, end]));
}

describe('a cache that is not right is noticed', () => {
  it('where the source was changed', async () => {
    const folder = npy();
    await both(folder);
    writeFileSync(join(folder, 'x.npy'), writeNpy(tensor('uint8', 3001, 1, 19, 25)));
    utimesSync(join(folder, 'x.npy'), 1, 1);
    const { notes } = await expectSame(folder);
    expect(notes[0]).toContain('written once');
  });

  it('where a byte of it differs', async () => {
    const folder = npy();
    const { cache } = await both(folder);
    const file = join(cache, must(readdirSync(cache)[0], 'cache'), 'train.rows');
    const bytes = readFileSync(file);
    bytes[1000] = (bytes[1000] ?? 0) ^ 1;
    writeFileSync(file, bytes);
    const { notes } = await expectSame(folder);
    expect(notes[0]).toContain('written once');
  });

  it('where its file is written anew while it is read', async () => {
    const folder = npy();
    const { kept, cache } = await both(folder);
    writeFileSync(join(cache, must(readdirSync(cache)[0], 'cache'), 'test.rows'), new Uint8Array(10));
    expect(() => sliceRows(kept.test.inputs, 0, 10)).toThrow(/test\.rows: was written anew while it was read, begin again$/);
  });

  it('where the source cannot be read to its end: nothing is left', async () => {
    const x = tensor('float32', 30_001, 11);
    (x.data as Float32Array)[11 * 30_000 + 4] = Number.NaN;
    const folder = folderOf({ 'x.npy': writeNpy(x), 'y.npy': writeNpy(labels(30_001)) });
    await expect(both(folder)).rejects.toThrow(/x\.npy: holds NaN at \[30000,4\], expected a finite float32$/);
    expect(readdirSync(`${folder}-cache`)).toEqual([]);
    const short = folderOf({ 'x.npy': writeNpy(images), 'y.npy': writeNpy(labels(3000)) });
    await expect(both(short)).rejects.toThrow(/y\.npy: 3000 targets for 3001 inputs, expected one each$/);
    const cut = folderOf({ 'x.npy': writeNpy(images).subarray(0, -7), 'y.npy': writeNpy(classes) });
    await expect(both(cut)).rejects.toThrow(
      /x\.npy: is truncated, uint8 \[3001,1,19,25\] takes 1425475 bytes of data, found 1425468$/,
    );
  });
});

describe('is refused', () => {
  const refused = (spec: DataSpec, cache?: string) => loadRows(spec, { baseDir: root, ...(cache && { cache }) });

  it('a limit that nothing could be read in, and what is no size', () => {
    const said = (written: unknown) => () => parseDataSpec({ source: 'x', memory: written }, 'data');
    const right = 'expected at least 1 MiB, as 500MB, 2GiB or a number of bytes';
    expect(said('1kB')).toThrow(`data.memory: found "1kB", ${right}`);
    expect(said(1000)).toThrow(`data.memory: found 1000, ${right}`);
    expect(said('much')).toThrow(`data.memory: found "much", ${right}`);
    expect(parseDataSpec({ source: 'x', memory: '1.5 GiB' }, 'data')).toEqual({ source: 'x', memory: '1.5 GiB' });
  });

  it('a limit where nothing keeps rows, and for sources that are read whole', async () => {
    await expect(refused({ source: npy(), memory })).rejects.toThrow(
      'data.memory: expected a workspace, whose folder cache/ holds what is not to be in memory',
    );
    await expect(refused({ source: 'mnist', memory }, root)).rejects.toThrow(/^data\.memory: is for .*, the source is "mnist"$/);
  });

  it('an archive that is broken or cut', async () => {
    const arrays = new Map([
      ['x', images],
      ['y', classes],
    ]);
    const whole = writeNpz(arrays, false);
    const said = (bytes: Uint8Array) => {
      const path = join(folderOf({ 'a.npz': bytes }), 'a.npz');
      return loadRows({ source: path, memory }, { baseDir: root, cache: join(path, '..', 'cache') });
    };
    await expect(said(whole.subarray(0, -30))).rejects.toThrow(
      /a\.npz: not a zip archive or truncated, it has no end-of-central-directory record$/,
    );
    await expect(said(whole.subarray(5000))).rejects.toThrow(/a\.npz: /);
    const damaged = Uint8Array.from(whole);
    damaged[5000] = (damaged[5000] ?? 0) ^ 1;
    await expect(said(damaged)).rejects.toThrow(/a\.npz: "x": is damaged, its CRC-32 does not match$/);
  });

  it('an array in Fortran order', async () => {
    const bytes = writeNpy(images);
    const header = new TextDecoder('latin1')
      .decode(bytes.subarray(0, 128))
      .replace("'fortran_order': False", "'fortran_order': True ");
    bytes.set(Uint8Array.from(header, (c) => c.charCodeAt(0)));
    await expect(both(folderOf({ 'x.npy': bytes, 'y.npy': writeNpy(classes) }))).rejects.toThrow(
      /x\.npy: is in Fortran order, in which rows are no neighbours to be read by parts, expected C order, which numpy\.ascontiguousarray makes of it$/,
    );
  });
});

describe('the order of an epoch', () => {
  const rows = shuffledAs(tensor('uint8', 1002, 40), 2 ** 15);
  const order = (epoch: number, seed = 1) => epochOrder(rows, new Random(seed, 'order', epoch));

  it('has every row once, another order in each epoch, the same for the same seed', () => {
    expect([...order(0)].sort((a, b) => a - b)).toEqual(Array.from({ length: 1002 }, (_, i) => i));
    expect(order(0)).toEqual(order(0));
    expect(order(1)).not.toEqual(order(0));
    expect(order(0, 2)).not.toEqual(order(0));
  });

  it('takes blocks together: so many rows come from so many blocks', () => {
    const { block, together } = rows.shuffle;
    expect([block, together]).toEqual([6, 34]);
    const found = order(0);
    for (let from = 0; from + block * together < 1002; from += block * together)
      expect(new Set(found.subarray(from, from + block * together).map((row) => Math.floor(row / block))).size).toBe(together);
  });

  it('is any order of rows in memory', () => {
    const inside = tensor('uint8', 50, 2);
    expect(epochOrder(inside, new Random(1, 'order', 0))).toEqual(new Random(1, 'order', 0).permutation(50));
  });
});

describe('training over rows on disk', () => {
  const description = parseDescription({
    prognet: 1,
    name: 'stored',
    input: { name: 'image', shape: [1, 19, 25], dtype: 'uint8', prepare: ['standardise'] },
    columns: [
      { task: 'a', blocks: [['flatten', { dense: 8 }, 'relu']], head: { classify: 3 } },
      { task: 'b', like: 'a', laterals: { kind: 'adapter', rank: 3 } },
    ],
  });
  const frozen = frozenIn(description, [initialAt(description, 0)]);
  const column = columnAt(description, 1);
  const settings = trainSettings({ epochs: 2, batch: 16, validation: 0.2 }, 6);

  const requests = async () => {
    const { kept, whole } = await both(npy());
    const own = { ...whole.train, inputs: shuffledAs(whole.train.inputs, memory) };
    const request = (data: Parameters<typeof fitData>[1]): TrainRequest => ({
      runtime,
      column,
      frozen,
      settings,
      ...partition(fitData(column, data, 'data'), settings, 'data'),
      session: { threads: 1 },
    });
    return { disk: request(kept.train), inside: request(own) };
  };

  it('gives the bits of the same order in memory: taps in memory, in a store, nowhere; rows varied', async () => {
    const { disk, inside } = await requests();
    const expected = await train(inside);
    expect(must(expected.history[1], 'epoch').validation).toBeDefined();
    const store = new TapStore(join(root, 'taps'), 'test');
    const ways: Partial<TrainRequest>[] = [
      {},
      { tapBudget: 0, tapStorage: store },
      { tapBudget: 0 },
      { tapBudget: 0, tapStorage: store },
    ];
    for (const way of ways) {
      const found = await train({ ...disk, ...way });
      expect(found.history).toEqual(expected.history);
      for (const [name, weights] of expected.weights) expectRows(must(found.weights.get(name), name), weights);
    }
    const augment = { settings: { ...settings, augment: [{ kind: 'shift' as const, pixels: 2 }] } };
    expect((await train({ ...disk, ...augment })).history).toEqual((await train({ ...inside, ...augment })).history);
  });

  it('interrupted in the middle of an epoch and resumed ends with the same bits', async () => {
    const { disk } = await requests();
    const whole = await train(disk);
    let saved: Checkpoint | undefined;
    const stop = new AbortController();
    const store = {
      load: async () => saved,
      save: async (checkpoint: Checkpoint) => {
        saved = checkpoint;
      },
    };
    const onEvent: TrainRequest['onEvent'] = (event) => {
      if (event.kind === 'step' && event.epoch === 2) stop.abort();
    };
    await expect(train({ ...disk, store, signal: stop.signal, onEvent })).rejects.toBeInstanceOf(InterruptedError);
    expect(saved?.state.offset).toBeGreaterThan(0);
    const resumed = await train({ ...disk, store });
    expect(resumed.history).toEqual(whole.history);
    for (const [name, weights] of whole.weights) expectRows(must(resumed.weights.get(name), name), weights);
  });
});
