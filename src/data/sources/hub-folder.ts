// A dataset of Hugging Face, as its hub holds it or as `save_to_disk` writes it: images { bytes, path } of classes, texts, or a table. Its files are
// hub/parts.ts's, what their columns are hub/features.ts's.
import { dataError, quote } from '../../formats/data-error.js';
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
import { takesText } from '../text/tokenizer.js';
import { fitting } from './fitting.js';
import { featuresOf, type HubFeature } from './hub/features.js';
import { readHubTables } from './hub/hub-tables.js';
import { imagesOf } from './hub/images.js';
import { filesIn, type HubPart, isHub, openFile, partsOf } from './hub/parts.js';
import type { Found, Source, SourceContext } from './source.js';
import { tableOptions } from './tables.js';

interface Layout {
  readonly image: string;
  readonly label: string;
  readonly names: readonly string[];
}

/** The columns of images and classes. */
function layoutOf(features: readonly HubFeature[], file: string, { label }: DataOptions): Layout {
  const images = features.filter(({ kind }) => kind === 'image');
  const classes = features.filter(({ kind }) => kind === 'class');
  const listed = features.map(({ name }) => quote(name)).join(', ');
  const [only] = images;
  if (only === undefined || images.length > 1) {
    throw dataError(file, `has ${images.length} columns of images among ${listed}, expected one`, {
      expected: 'one column of images',
    });
  }
  const chosen = label === undefined && classes.length === 1 ? classes[0] : classes.find(({ name }) => name === label);
  if (chosen === undefined) {
    const expected = `"label" in the data entry, one of ${classes.map(({ name }) => quote(name)).join(', ') || 'the columns of ClassLabel, none of which is there'}`;
    throw dataError(file, `which of ${listed} holds the classes nobody says, expected ${expected}`, { expected });
  }
  return { image: only.name, label: chosen.name, names: chosen.names };
}

/** The images and the classes of a part. */
interface Part extends Layout {
  readonly images: readonly ImageBytes[];
  readonly labels: readonly number[];
}

async function readPart(part: HubPart, options: DataOptions): Promise<Part> {
  const images: ImageBytes[] = [];
  const labels: number[] = [];
  let layout: Layout | undefined;
  for (const file of part.files) {
    const opened = await openFile(part, file, true);
    const features = featuresOf(opened, part, file);
    if (features === undefined)
      throw dataError(file, 'says no features of datasets, expected the note "huggingface"', { expected: 'huggingface' });
    const own = layoutOf(features, file, options);
    layout ??= own;
    if (JSON.stringify(own) !== JSON.stringify(layout)) throw dataError(file, 'has other features than the files before it');
    images.push(...(await imagesOf(opened, own.image, file)));
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

/** What a folder holds: by what the network takes, and by its columns. */
async function readFolder(path: string, parts: readonly HubPart[], options: DataOptions, context: SourceContext) {
  const [first] = parts;
  const file = must(first?.files[0], 'file');
  const opened = await openFile(must(first, 'part'), file, true);
  const features = featuresOf(opened, must(first, 'part'), file);
  const [input] = context.inputs ?? [];
  const tables = takesText(input) || context.features !== undefined || features?.some(({ kind }) => kind === 'image') !== true;
  if (!tables) return await readImages(path, parts, options, context);
  if (options.resize !== undefined)
    throw dataError(`${context.path ?? 'data'}.resize`, `is for images, ${quote(options.source)} is read as a table`, {
      got: options.source,
    });
  return await readHubTables(path, parts, features ?? [], options, context);
}

async function readImages(
  path: string,
  parts: readonly HubPart[],
  options: DataOptions,
  { onNote, head, inputs, path: where = 'data' }: SourceContext,
): Promise<Dataset[]> {
  for (const option of ['columns', 'drop'] as const)
    if (options[option] !== undefined)
      throw dataError(`${where}.${option}`, `is for tables, ${quote(options.source)} holds images`, { got: options.source });
  if (head !== undefined && targetKind(head).of !== 'classes')
    throw dataError(path, `images of classes, a ${head.kind} head takes other targets`, { expected: 'classify' });
  const read: Part[] = [];
  for (const part of parts) read.push(await readPart(part, options));
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
  return sets;
}

/** Images by class, texts and tables in Parquet and Arrow. */
export const hubFolder: Source = {
  what: 'a dataset of Hugging Face, shards of Parquet or what save_to_disk writes',
  options: ['resize', ...tableOptions],
  is: ({ kind, path }) => kind === 'folder' && isHub(path),
  read: async ({ path }, options, context): Promise<Found> => {
    const all = partsOf(path);
    const parts = ['train', 'test'].flatMap((name) => all.filter(({ part }) => part === name));
    if (parts[0]?.part !== 'train')
      throw dataError(path, `has the parts ${all.map(({ part }) => quote(part)).join(', ')}, expected train`, {
        expected: 'train',
      });
    const unread = all.filter((part) => !parts.includes(part));
    if (unread.length > 0)
      context.onNote?.(`${path}: not read: the shards of ${unread.map(({ part }) => quote(part)).join(', ')}`);
    const [first, second] = await readFolder(path, parts, options, context);
    const train = must(first, 'train');
    return second === undefined ? { whole: train } : { split: { train, test: second } };
  },
  files: filesIn,
};
