// Tables as .parquet files. A folder may hold a table to train on and one to test on.
import { join } from 'node:path';
import { dataError } from '../../formats/data-error.js';
import { readParquet } from '../../formats/parquet.js';
import { must } from '../../onnx/core/errors.js';
import { bytesOf, firstFile, pathsIn } from './files.js';
import type { Source } from './source.js';
import { readTables, type TableReader, tableOptions } from './tables.js';

const read: TableReader = async (path, options) => await readParquet(await bytesOf(path), options, path);

/** A table. */
export const parquetFile: Source = {
  what: 'a .parquet file',
  options: tableOptions,
  is: ({ kind, extension }) => kind === 'file' && extension === 'parquet',
  read: async ({ path }, options, context) => {
    const [whole] = await readTables([path], options, context, read);
    return { whole: must(whole, 'table') };
  },
};

/** A folder with train.parquet and test.parquet. */
export const parquetFolder: Source = {
  what: 'a folder of train.parquet and test.parquet',
  options: tableOptions,
  is: async ({ kind, path }) => kind === 'folder' && (await firstFile(path, ['train.parquet'])) !== undefined,
  read: async ({ path }, options, context) => {
    const [train, test] = [join(path, 'train.parquet'), join(path, 'test.parquet')];
    if ((await firstFile(path, ['test.parquet'])) === undefined)
      throw dataError(path, 'has train.parquet and no test.parquet; name the file itself to have a test set drawn from it', {
        expected: test,
      });
    const [first, second] = await readTables([train, test], options, context, read);
    return { split: { train: must(first, 'train'), test: must(second, 'test') } };
  },
  files: (folder) => pathsIn(folder, (name) => name === 'train.parquet' || name === 'test.parquet'),
};
