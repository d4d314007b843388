// Images of classes in a dataset of Hugging Face: records { bytes, path } and labels of ClassLabel, read group by group of their files, so that not all need be
// in memory. What becomes of images is labelled-images.ts's.
import { dataError, defaultMaxBytes, quote } from '../../../formats/data-error.js';
import type { GroupedTable } from '../../../formats/open-table.js';
import { targetKind } from '../../../model/heads/heads.js';
import { must } from '../../../onnx/core/errors.js';
import { Tensor } from '../../../onnx/core/tensor.js';
import type { TargetHead } from '../../checks.js';
import type { DataOptions } from '../../schema.js';
import { refuseLargeGroups } from '../group-parts.js';
import { type ImageGroup, type LabelledImages, unreadImages } from '../labelled-images.js';
import type { SourceContext, Unread } from '../source.js';
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

/** The images of its groups; `order` is how classes are counted. */
async function* groupsOf(
  { files, layout: { image, label, names } }: Opened,
  order: readonly string[],
): AsyncGenerator<ImageGroup> {
  for (const { file, table } of files)
    for (const group of table.groups) {
      const opened = group.open();
      const images = await imagesOf(opened, image, file);
      const ids = new BigInt64Array(group.rows);
      await opened.column(label, (value, row) => {
        const name = names[typeof value === 'number' || typeof value === 'bigint' ? Number(value) : Number.NaN];
        if (name === undefined)
          throw dataError(
            `${file}: row ${(opened.first ?? 0) + row + 1}`,
            `has the label ${String(value)}, expected 0..${names.length - 1}`,
            { got: String(value) },
          );
        ids[row] = BigInt(order.indexOf(name));
      });
      yield { images, labels: new Tensor('int64', [ids.length], ids) };
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

/** The images of these parts. Throws DataError. */
export async function hubImages(
  path: string,
  parts: readonly HubPart[],
  options: DataOptions,
  context: SourceContext,
): Promise<Unread> {
  const { head, path: where = 'data' } = context;
  for (const option of ['columns', 'drop'] as const)
    if (options[option] !== undefined)
      throw dataError(`${where}.${option}`, `is for tables, ${quote(options.source)} holds images`, { got: options.source });
  if (head !== undefined && targetKind(head).of !== 'classes')
    throw dataError(path, `images of classes, a ${head.kind} head takes other targets`, { expected: 'classify' });
  const all: Opened[] = [];
  for (const part of parts) all.push(await openPart(part, options));
  const { names } = must(all[0], 'part').layout;
  if (all.some(({ layout }) => layout.names.join('\n') !== names.join('\n')))
    throw dataError(path, 'test has other classes than train, expected the same', { expected: 'the same' });
  const order = classNames(names, head, path);
  const images = all.map((opened): LabelledImages => ({ count: opened.rows, groups: () => groupsOf(opened, order) }));
  const { read, streams } = await unreadImages(path, images, order, options, context);
  return {
    read,
    streams: async () => {
      const found = await streams();
      for (const [i, { files, layout }] of all.entries())
        for (const { file, table } of files)
          refuseLargeGroups(file, must(found[i], 'stream').bytes, table.groups, [layout.image, layout.label], options);
      return found;
    },
  };
}
