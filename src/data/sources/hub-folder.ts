// A dataset of Hugging Face, as its hub holds it or as `save_to_disk` writes it: images { bytes, path } of classes, texts, or a table. Its files are
// hub/parts.ts's, what their columns are hub/features.ts's, what is made of them hub/hub-images.ts's and hub/hub-tables.ts's.
import { dataError, quote } from '../../formats/data-error.js';
import { must } from '../../onnx/core/errors.js';
import type { DataOptions } from '../schema.js';
import { takesText } from '../text/tokenizer.js';
import { featuresIn } from './hub/features.js';
import { hubImages } from './hub/hub-images.js';
import { hubTables } from './hub/hub-tables.js';
import { filesIn, isHub, partsOf } from './hub/parts.js';
import { ofSeveral } from './several.js';
import type { Found, Source, SourceContext, Streams, Unread } from './source.js';
import { tableOptions } from './tables.js';

/** What a folder holds is told by what the network takes and by its columns. */
async function openFolder(path: string, options: DataOptions, context: SourceContext): Promise<Unread> {
  const all = partsOf(path);
  const parts = ['train', 'test'].flatMap((name) => all.filter(({ part }) => part === name));
  const [first] = parts;
  if (first?.part !== 'train')
    throw dataError(path, `has the parts ${all.map(({ part }) => quote(part)).join(', ')}, expected train`, {
      expected: 'train',
    });
  const unread = all.filter((part) => !parts.includes(part));
  if (unread.length > 0) context.onNote?.(`${path}: not read: the shards of ${unread.map(({ part }) => quote(part)).join(', ')}`);
  const features = await featuresIn(first);
  const [input] = context.inputs ?? [];
  const tables = takesText(input) || context.features !== undefined || features?.some(({ kind }) => kind === 'image') !== true;
  if (tables && options.resize !== undefined)
    throw dataError(`${context.path ?? 'data'}.resize`, `is for images, ${quote(options.source)} is read as a table`, {
      got: options.source,
    });
  return tables ? hubTables(path, parts, features ?? [], options, context) : await hubImages(path, parts, options, context);
}

const hub: Source = {
  what: 'a dataset of Hugging Face, shards of Parquet or what save_to_disk writes',
  options: ['resize', ...tableOptions],
  is: ({ kind, path }) => kind === 'folder' && isHub(path),
  read: async ({ path }, options, context): Promise<Found> => {
    const [first, second] = await (await openFolder(path, options, context)).read();
    const train = must(first, 'train');
    return second === undefined ? { whole: train } : { split: { train, test: second } };
  },
  open: async ({ path }, options, context): Promise<Streams> => {
    const [train, test] = await (await openFolder(path, options, context)).streams();
    return { train: must(train, 'train'), ...(test !== undefined && { test }) };
  },
  files: filesIn,
};

/** Images by class, texts and tables in Parquet and Arrow; of several inputs a table. */
export const hubFolder = ofSeveral(hub);
