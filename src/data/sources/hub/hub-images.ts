// Images of classes in a dataset of Hugging Face: records { bytes, path } and labels of ClassLabel, read group by group of their files, so that not all need be
// in memory, and decoded to what the network takes.
import { dataError, defaultMaxBytes, quote } from '../../../formats/data-error.js';
import type { GroupedTable } from '../../../formats/open-table.js';
import { targetKind } from '../../../model/heads/heads.js';
import { onlyOf } from '../../../model/progressive/inputs.js';
import { must } from '../../../onnx/core/errors.js';
import { Tensor } from '../../../onnx/core/tensor.js';
import type { TargetHead } from '../../checks.js';
import type { Dataset } from '../../dataset.js';
import { commonDecoding, decodeAll, type ImageBytes } from '../../images/decode-all.js';
import { channelsOf, decodingFor } from '../../images/decoding.js';
import { loadSharp } from '../../images/sharp.js';
import type { DataOptions } from '../../schema.js';
import { fitting } from '../fitting.js';
import { refuseLargeGroups } from '../group-parts.js';
import type { RowStream, SourceContext } from '../source.js';
import { featuresOf, type HubFeature } from './features.js';
import { imagesOf } from './images.js';
import { type HubPart, openFileGroups } from './parts.js';

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

/** Images of a group and their labels, as the file counts them. */
interface Group {
  readonly images: readonly ImageBytes[];
  readonly labels: readonly number[];
}

/** The files of a part, opened. */
interface Opened {
  readonly files: readonly { readonly file: string; readonly table: GroupedTable }[];
  readonly layout: Layout;
  readonly rows: number;
}

async function openPart(part: HubPart, options: DataOptions): Promise<Opened> {
  const files: { file: string; table: GroupedTable }[] = [];
  let layout: Layout | undefined;
  for (const file of part.files) {
    const table = await openFileGroups(part, file, true, defaultMaxBytes);
    const features = featuresOf(table, part, file);
    if (features === undefined)
      throw dataError(file, 'says no features of datasets, expected the note "huggingface"', { expected: 'huggingface' });
    const own = layoutOf(features, file, options);
    layout ??= own;
    if (JSON.stringify(own) !== JSON.stringify(layout)) throw dataError(file, 'has other features than the files before it');
    files.push({ file, table });
  }
  const rows = files.reduce((sum, { table }) => sum + table.rows, 0);
  return { files, layout: must(layout, 'layout'), rows };
}

async function* groupsOf({ files, layout: { image, label, names } }: Opened): AsyncGenerator<Group> {
  for (const { file, table } of files)
    for (const group of table.groups) {
      const opened = group.open();
      const images = await imagesOf(opened, image, file);
      const labels: number[] = [];
      await opened.column(label, (value, row) => {
        const id = typeof value === 'number' || typeof value === 'bigint' ? Number(value) : Number.NaN;
        if (names[id] === undefined)
          throw dataError(
            `${file}: row ${(opened.first ?? 0) + row + 1}`,
            `has the label ${String(value)}, expected 0..${names.length - 1}`,
            { got: String(value) },
          );
        labels.push(id);
      });
      yield { images, labels };
    }
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

/** A part whose images are still to be read. */
interface ImagePart {
  readonly opened: Opened;
  /** Bytes of one image, decoded. */
  readonly width: number;
  /** Some of them as a data set; `first` is the number of the first. */
  readonly read: (some: Group, first: number) => Promise<Dataset>;
  /** Called when all are read: says what was done to them. */
  readonly end: () => void;
}

async function openImages(
  path: string,
  parts: readonly HubPart[],
  options: DataOptions,
  { onNote, head, inputs, path: where = 'data' }: SourceContext,
): Promise<ImagePart[]> {
  for (const option of ['columns', 'drop'] as const)
    if (options[option] !== undefined)
      throw dataError(`${where}.${option}`, `is for tables, ${quote(options.source)} holds images`, { got: options.source });
  if (head !== undefined && targetKind(head).of !== 'classes')
    throw dataError(path, `images of classes, a ${head.kind} head takes other targets`, { expected: 'classify' });
  const all: Opened[] = [];
  for (const part of parts) all.push(await openPart(part, options));
  const other = all.find(({ layout }) => layout.names.join('\n') !== all[0]?.layout.names.join('\n'));
  if (other !== undefined)
    throw dataError(path, 'test has other classes than train, expected the same', { expected: 'the same' });
  const sharp = await loadSharp(path);
  const everything = async function* () {
    for (const opened of all) for await (const { images } of groupsOf(opened)) yield images;
  };
  const decoding =
    inputs === undefined
      ? await commonDecoding(sharp, everything(), options.resize)
      : decodingFor(onlyOf(inputs).shape, options.resize, where);
  return all.map((opened): ImagePart => {
    const { names } = opened.layout;
    const order = classNames(names, head, path);
    let transparent = 0;
    return {
      opened,
      width: decoding.height * decoding.width * channelsOf(decoding),
      read: async ({ images, labels }, first) => {
        const ids = BigInt64Array.from(labels, (id) => BigInt(order.indexOf(names[id] ?? '')));
        const { inputs: pixels, withAlpha } = await decodeAll(sharp, images, decoding, path);
        transparent += withAlpha;
        const set = fitting(pixels, new Tensor('int64', [ids.length], ids), { inputs: path, targets: path, first }, head);
        return { ...set, classes: order.length, classNames: order, decoding };
      },
      end: () => {
        if (transparent > 0 && decoding.colours !== 'rgba')
          onNote?.(`${path}: ${transparent} of ${opened.rows} images have an alpha channel; transparent parts are laid on white`);
      },
    };
  });
}

/** The data sets of these parts. Throws DataError. */
export async function readHubImages(
  path: string,
  parts: readonly HubPart[],
  options: DataOptions,
  context: SourceContext,
): Promise<Dataset[]> {
  const sets: Dataset[] = [];
  for (const { opened, read, end } of await openImages(path, parts, options, context)) {
    const groups: Group[] = [];
    for await (const group of groupsOf(opened)) groups.push(group);
    const whole = { images: groups.flatMap(({ images }) => images), labels: groups.flatMap(({ labels }) => labels) };
    sets.push(await read(whole, 0));
    end();
  }
  return sets;
}

/** Bytes of images that are decoded together where not all are in memory. */
const bytesAtOnce = 2 ** 23;

/** The same by groups. */
export async function hubImageStreams(
  path: string,
  parts: readonly HubPart[],
  options: DataOptions,
  context: SourceContext,
): Promise<RowStream[]> {
  return (await openImages(path, parts, options, context)).map(({ opened, width, read, end }): RowStream => {
    const { files, layout, rows } = opened;
    const bytes = rows * width;
    for (const { file, table } of files) refuseLargeGroups(file, bytes, table.groups, [layout.image, layout.label], options);
    const together = Math.max(1, Math.floor(bytesAtOnce / width));
    return {
      bytes,
      parts: async function* (step) {
        let first = 0;
        for await (const { images, labels } of groupsOf(opened))
          for (let from = 0; from < images.length; from += together) {
            const some = { images: images.slice(from, from + together), labels: labels.slice(from, from + together) };
            yield await read(some, first);
            first += some.images.length;
            await step('images read', first, rows);
          }
        end();
      },
    };
  });
}
