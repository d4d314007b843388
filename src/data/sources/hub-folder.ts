// A folder of images as Hugging Face's hub holds it: shards train-00000-of-00001.parquet, test-..., in it or in its folder `data`, with a column of images
// { bytes, path } and one of classes. What `save_to_disk` writes (Arrow), texts and tables in several shards are refused.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { dataError, defaultMaxBytes, quote } from '../../formats/data-error.js';
import { type OpenParquet, openParquet } from '../../formats/parquet-file.js';
import { targetKind } from '../../model/heads/heads.js';
import { onlyOf } from '../../model/progressive/inputs.js';
import { must } from '../../onnx/core/errors.js';
import { Tensor } from '../../onnx/core/tensor.js';
import type { TargetHead } from '../checks.js';
import type { Dataset } from '../dataset.js';
import { commonDecoding, decodeAll, type ImageBytes } from '../images/decode-all.js';
import { decodingFor } from '../images/decoding.js';
import { loadSharp } from '../images/sharp.js';
import type { DataOptions } from '../schema.js';
import { bytesOf } from './files.js';
import { fitting } from './fitting.js';
import type { Found, Source } from './source.js';

const shardName = /^(.+)-(\d{5})-of-(\d{5})\.parquet$/;

interface Shard {
  readonly part: string;
  readonly index: number;
  readonly of: number;
  readonly file: string;
}

/** The shards of a folder or of its folder `data`, in their order; none where there are none. */
function shardsIn(path: string): Shard[] {
  for (const folder of [path, join(path, 'data')]) {
    const found = (existsSync(folder) ? readdirSync(folder) : []).toSorted().flatMap((name): Shard[] => {
      const [, part = '', index, of] = shardName.exec(name) ?? [];
      return of === undefined ? [] : [{ part, index: Number(index), of: Number(of), file: join(folder, name) }];
    });
    if (found.length > 0) return found;
  }
  return [];
}

const saved = (path: string): boolean => ['dataset_dict.json', 'state.json'].some((name) => existsSync(join(path, name)));

/** The shards of a part, all of them there; none where it has none. */
function shardsOf(shards: readonly Shard[], part: string, path: string): Shard[] {
  const own = shards.filter((shard) => shard.part === part);
  const count = own[0]?.of ?? 0;
  if (own.length !== count || own.some(({ index, of }, i) => index !== i || of !== count))
    throw dataError(path, `has ${own.length} of the ${count} shards of ${part}`, {
      expected: `${count} shards`,
      got: `${own.length}`,
    });
  return own;
}

const features = z.object({
  info: z.object({
    features: z.record(
      z.string(),
      z.looseObject({ _type: z.string().optional(), names: z.array(z.string()).optional() }).or(z.unknown()),
    ),
  }),
});
const named = z.object({ _type: z.literal('ClassLabel'), names: z.array(z.string()).min(1) });
const image = z.object({ _type: z.literal('Image') });

interface Layout {
  readonly image: string;
  readonly label: string;
  readonly names: readonly string[];
}

/** The columns of images and classes, as the note says that `datasets` writes. */
function layoutOf({ notes, names: columns }: OpenParquet, file: string, { label }: DataOptions): Layout {
  const found = features.safeParse(json(notes.get('huggingface')));
  if (!found.success)
    throw dataError(file, 'says no features of datasets, expected the note "huggingface"', { expected: 'huggingface' });
  const all = Object.entries(found.data.info.features).filter(([name]) => columns.includes(name));
  const images = all.filter(([, feature]) => image.safeParse(feature).success).map(([name]) => name);
  const classes = all.flatMap(([name, feature]) => {
    const parsed = named.safeParse(feature);
    return parsed.success ? [{ name, names: parsed.data.names }] : [];
  });
  const listed = all.map(([name]) => quote(name)).join(', ');
  const [only] = images;
  if (only === undefined || images.length > 1) {
    const texts = 'texts need a tokenizer, which no input takes yet; a table is read by naming its one .parquet file';
    throw dataError(file, `has ${images.length} columns of images among ${listed}, expected one; ${texts}`, {
      expected: 'one column of images',
    });
  }
  const chosen = label === undefined && classes.length === 1 ? classes[0] : classes.find(({ name }) => name === label);
  if (chosen === undefined) {
    const expected = `"label" in the data entry, one of ${classes.map(({ name }) => quote(name)).join(', ') || 'the columns of ClassLabel, none of which is there'}`;
    throw dataError(file, `which of ${listed} holds the classes nobody says, expected ${expected}`, { expected });
  }
  return { image: only, label: chosen.name, names: chosen.names };
}

function json(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? 'null');
  } catch {
    return undefined;
  }
}

const bytesField = z.object({ bytes: z.instanceof(Uint8Array) });

/** The images and the classes of a part. */
interface Part extends Layout {
  readonly images: readonly ImageBytes[];
  readonly labels: readonly number[];
}

async function readPart(shards: readonly Shard[], options: DataOptions): Promise<Part> {
  const images: ImageBytes[] = [];
  const labels: number[] = [];
  let layout: Layout | undefined;
  for (const { file } of shards) {
    const opened = await openParquet(await bytesOf(file), file, defaultMaxBytes, true);
    const own = layoutOf(opened, file, options);
    layout ??= own;
    if (JSON.stringify(own) !== JSON.stringify(layout)) throw dataError(file, 'has other features than the shards before it');
    await opened.column(own.image, (value, row) => {
      const found = bytesField.safeParse(value);
      const name = `${file}: row ${row + 1}`;
      if (!found.success) throw dataError(name, 'holds no bytes of an image, expected them in the file', { expected: 'bytes' });
      images.push({ name, bytes: async () => found.data.bytes });
    });
    await opened.column(own.label, (value, row) => {
      const id = typeof value === 'number' || typeof value === 'bigint' ? Number(value) : Number.NaN;
      if (own.names[id] === undefined)
        throw dataError(`${file}: row ${row + 1}`, `has the label ${String(value)}, expected 0..${own.names.length - 1}`, {
          got: String(value),
        });
      labels.push(id);
    });
  }
  return { images, labels, ...must(layout, 'layout') };
}

/** The names in the order that classes are counted in. */
function classNames(names: readonly string[], head: TargetHead | undefined, where: string): readonly string[] {
  const order = head?.names ?? names;
  const strange = names.find((name) => !order.includes(name));
  if (strange !== undefined || (head !== undefined && head.size < names.length)) {
    const expected = head?.names === undefined ? `a head of ${names.length}` : `those of the head, ${JSON.stringify(order)}`;
    throw dataError(where, `has ${names.length} classes, ${JSON.stringify(names.slice(0, 100))}, expected ${expected}`, {
      expected,
    });
  }
  return order;
}

/** Images by class in Parquet. */
export const hubFolder: Source = {
  what: 'a folder of train-00000-of-00001.parquet of images',
  options: ['resize', 'label'],
  is: ({ kind, path }) => kind === 'folder' && (shardsIn(path).length > 0 || saved(path)),
  read: async ({ path }, options, { onNote, head, inputs, path: where = 'data' }): Promise<Found> => {
    if (shardsIn(path).length === 0) {
      const expected = 'dataset["train"].to_parquet("train-00000-of-00001.parquet")';
      throw dataError(path, `holds Arrow files, as save_to_disk writes them, which are not read, expected ${expected}`, {
        expected,
      });
    }
    if (head !== undefined && targetKind(head).of !== 'classes')
      throw dataError(path, `images of classes, a ${head.kind} head takes other targets`, { expected: 'classify' });
    const all = shardsIn(path);
    const parts = [shardsOf(all, 'train', path), shardsOf(all, 'test', path)].filter((shards) => shards.length > 0);
    if (!all.some(({ part }) => part === 'train'))
      throw dataError(path, 'has no shards of train', { expected: 'train-00000-of-00001.parquet' });
    const unread = [...new Set(all.map(({ part }) => part))].filter((part) => part !== 'train' && part !== 'test');
    if (unread.length > 0) onNote?.(`${path}: not read: the shards of ${unread.map(quote).join(', ')}`);
    const read: Part[] = [];
    for (const shards of parts) read.push(await readPart(shards, options));
    const other = read.find(({ names }) => names.join('\n') !== read[0]?.names.join('\n'));
    if (other !== undefined)
      throw dataError(path, 'test has other classes than train, expected the same', { expected: 'the same' });
    const sharp = await loadSharp(path);
    const everything = read.flatMap(({ images }) => images);
    const decoding =
      inputs === undefined
        ? await commonDecoding(sharp, everything, options.resize)
        : decodingFor(onlyOf(inputs).shape, options.resize, where);
    const sets: Dataset[] = [];
    for (const { images, labels, names } of read) {
      const order = classNames(names, head, path);
      const ids = BigInt64Array.from(labels, (id) => BigInt(order.indexOf(names[id] ?? '')));
      const { inputs: pixels, withAlpha } = await decodeAll(sharp, images, decoding, path);
      if (withAlpha > 0 && decoding.colours !== 'rgba')
        onNote?.(`${path}: ${withAlpha} of ${images.length} images have an alpha channel; transparent parts are laid on white`);
      const set = fitting(pixels, new Tensor('int64', [ids.length], ids), { inputs: path, targets: path }, head);
      sets.push({ ...set, classes: order.length, classNames: order, decoding });
    }
    const [first, second] = sets;
    const train = must(first, 'images');
    return second === undefined ? { whole: train } : { split: { train, test: second } };
  },
  files: (folder) => shardsIn(folder).map(({ file }) => file),
};
