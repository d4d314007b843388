// Tables as .parquet files. A folder may hold a table to train on and one to test on.
import { join } from 'node:path';
import { dataError } from '../../formats/data-error.js';
import { bytesOnDisk } from '../../formats/disk-bytes.js';
import { readParquet } from '../../formats/parquet.js';
import { openParquetGroups } from '../../formats/parquet-file.js';
import { must } from '../../onnx/core/errors.js';
import type { DataOptions } from '../schema.js';
import { memoryOf } from '../stored/memory.js';
import { bytesOf, firstFile, pathsIn } from './files.js';
import { groupParts } from './group-parts.js';
import { ofSeveral } from './several.js';
import type { RowStream, Source, SourceContext } from './source.js';
import { type TableParts, tableStreams } from './table-streams.js';
import { readTables, type TableReader, tableOptions } from './tables.js';

/** The rows of files, by their row groups. */
async function streamsOf(paths: readonly string[], options: DataOptions, context: SourceContext): Promise<RowStream[]> {
  const tables: TableParts[] = [];
  for (const path of paths) {
    const opened = await openParquetGroups(bytesOnDisk(path), path, memoryOf(options));
    tables.push(groupParts(path, opened, options, context));
  }
  return await tableStreams(tables, options, context);
}

const read: TableReader = async (path, options) => await readParquet(await bytesOf(path), options, path);

const parquetAlone: Source = {
  what: 'a .parquet file',
  options: [...tableOptions, 'resize'],
  is: ({ kind, extension }) => kind === 'file' && extension === 'parquet',
  read: async ({ path }, options, context) => {
    const [whole] = await readTables([path], options, context, read);
    return { whole: must(whole, 'table') };
  },
  open: async ({ path }, options, context) => {
    const [train] = await streamsOf([path], options, context);
    return { train: must(train, 'table') };
  },
};

/** train.parquet and test.parquet of a folder. Throws DataError where one is not there. */
async function partsOf(path: string): Promise<string[]> {
  const parts = ['train', 'test'].map((name) => join(path, `${name}.parquet`));
  if ((await firstFile(path, ['test.parquet'])) !== undefined) return parts;
  throw dataError(path, 'has train.parquet and no test.parquet; name the file itself to have a test set drawn from it', {
    expected: join(path, 'test.parquet'),
  });
}

const parquetParts: Source = {
  what: 'a folder of train.parquet and test.parquet',
  options: [...tableOptions, 'resize'],
  is: async ({ kind, path }) => kind === 'folder' && (await firstFile(path, ['train.parquet'])) !== undefined,
  read: async ({ path }, options, context) => {
    const [first, second] = await readTables(await partsOf(path), options, context, read);
    return { split: { train: must(first, 'train'), test: must(second, 'test') } };
  },
  open: async ({ path }, options, context) => {
    const [train, test] = await streamsOf(await partsOf(path), options, context);
    return { train: must(train, 'train'), test: must(test, 'test') };
  },
  files: (folder) => pathsIn(folder, (name) => name === 'train.parquet' || name === 'test.parquet'),
};

/** A table. */
export const parquetFile = ofSeveral(parquetAlone);
/** A folder with train.parquet and test.parquet. */
export const parquetFolder = ofSeveral(parquetParts);
