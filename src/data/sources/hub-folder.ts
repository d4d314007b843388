// A dataset of Hugging Face, as its hub holds it or as `save_to_disk` writes it: images { bytes, path } of classes, texts, or a table. Its files are
// hub/parts.ts's, what their columns are hub/features.ts's, what is made of them hub/hub-images.ts's and hub/hub-tables.ts's.
import { dataError, defaultMaxBytes, quote } from '../../formats/data-error.js';
import { must } from '../../onnx/core/errors.js';
import type { DataOptions } from '../schema.js';
import { takesText } from '../text/tokenizer.js';
import { featuresOf, type HubFeature } from './hub/features.js';
import { hubImageStreams, readHubImages } from './hub/hub-images.js';
import { hubTableStreams, readHubTables } from './hub/hub-tables.js';
import { filesIn, type HubPart, isHub, openFileGroups, partsOf } from './hub/parts.js';
import type { Found, Source, SourceContext, Streams } from './source.js';
import { tableOptions } from './tables.js';

/** What a folder holds, by what the network takes and by its columns. */
interface Folder {
  readonly parts: readonly HubPart[];
  /** Of a table; undefined of images. */
  readonly table: readonly HubFeature[] | undefined;
}

async function openFolder(path: string, options: DataOptions, context: SourceContext): Promise<Folder> {
  const all = partsOf(path);
  const parts = ['train', 'test'].flatMap((name) => all.filter(({ part }) => part === name));
  const [first] = parts;
  if (first?.part !== 'train')
    throw dataError(path, `has the parts ${all.map(({ part }) => quote(part)).join(', ')}, expected train`, {
      expected: 'train',
    });
  const unread = all.filter((part) => !parts.includes(part));
  if (unread.length > 0) context.onNote?.(`${path}: not read: the shards of ${unread.map(({ part }) => quote(part)).join(', ')}`);
  const file = must(first.files[0], 'file');
  const features = featuresOf(await openFileGroups(first, file, true, defaultMaxBytes), first, file);
  const [input] = context.inputs ?? [];
  const tables = takesText(input) || context.features !== undefined || features?.some(({ kind }) => kind === 'image') !== true;
  if (tables && options.resize !== undefined)
    throw dataError(`${context.path ?? 'data'}.resize`, `is for images, ${quote(options.source)} is read as a table`, {
      got: options.source,
    });
  return { parts, table: tables ? (features ?? []) : undefined };
}

/** Images by class, texts and tables in Parquet and Arrow. */
export const hubFolder: Source = {
  what: 'a dataset of Hugging Face, shards of Parquet or what save_to_disk writes',
  options: ['resize', ...tableOptions],
  is: ({ kind, path }) => kind === 'folder' && isHub(path),
  read: async ({ path }, options, context): Promise<Found> => {
    const { parts, table } = await openFolder(path, options, context);
    const [first, second] =
      table === undefined
        ? await readHubImages(path, parts, options, context)
        : await readHubTables(path, parts, table, options, context);
    const train = must(first, 'train');
    return second === undefined ? { whole: train } : { split: { train, test: second } };
  },
  open: async ({ path }, options, context): Promise<Streams> => {
    const { parts, table } = await openFolder(path, options, context);
    const [train, test] =
      table === undefined
        ? await hubImageStreams(path, parts, options, context)
        : await hubTableStreams(path, parts, table, options, context);
    return { train: must(train, 'train'), ...(test !== undefined && { test }) };
  },
  files: filesIn,
};
