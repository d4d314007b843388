// Tables as .csv and .tsv files: one row a sample, its targets in the label columns. A folder may hold a table to train on and one to test on.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { type CsvOptions, readCsv } from '../../formats/csv.js';
import { countLines, csvBlocks } from '../../formats/csv-blocks.js';
import { dataError } from '../../formats/data-error.js';
import { must } from '../../onnx/core/errors.js';
import { elementCount } from '../../onnx/core/shape.js';
import { takesText } from '../text/tokenizer.js';
import { bytesOf, firstFile, pathsIn } from './files.js';
import { ofSeveral } from './several.js';
import type { Source, SourceContext } from './source.js';
import { idBytes, type TableParts, tableStreams } from './table-streams.js';
import { readTables, type TableReader, tableOptions } from './tables.js';
import { valuesOf } from './text-columns.js';

/** The delimiter that a file's name says. */
export const delimiterOf = (path: string): { readonly delimiter?: string } => (/\.tsv$/i.test(path) ? { delimiter: '\t' } : {});

const read: TableReader = async (path, options: CsvOptions) =>
  readCsv(await bytesOf(path), { ...delimiterOf(path), ...options }, path);

/** By its own size, which is what numbers take at most; of texts by its lines and the ids that each becomes. */
function partsOfFile(path: string, { inputs: [input] = [], texts = [] }: SourceContext): TableParts {
  const { size } = statSync(path);
  return {
    where: path,
    bytes: takesText(input)
      ? countLines(path) * elementCount(input.shape) * idBytes
      : size + (texts.length > 0 ? countLines(path) * valuesOf(texts) * idBytes : 0),
    unit: 'bytes',
    total: size,
    read: (options) => csvBlocks(path, { ...delimiterOf(path), ...options }),
  };
}

const csvTableOptions = [...tableOptions, 'resize', 'header', 'delimiter', 'decimal'] as const;

const csvAlone: Source = {
  what: 'a .csv file',
  options: csvTableOptions,
  is: ({ kind, extension }) => kind === 'file' && (extension === 'csv' || extension === 'tsv'),
  read: async ({ path }, options, context) => {
    const [whole] = await readTables([path], options, context, read);
    return { whole: must(whole, 'table') };
  },
  open: async ({ path }, options, context) => {
    const [train] = await tableStreams([partsOfFile(path, context)], options, context);
    return { train: must(train, 'table') };
  },
};

const namesIn = (part: string): string[] => [`${part}.csv`, `${part}.tsv`];

/** train.csv and test.csv of a folder. Throws DataError where one is not there. */
async function partsOf(path: string): Promise<string[]> {
  const [train, test] = [await firstFile(path, namesIn('train')), await firstFile(path, namesIn('test'))];
  if (train === undefined || test === undefined)
    throw dataError(path, 'has train.csv and no test.csv; name the file itself to have a test set drawn from it', {
      expected: join(path, 'test.csv'),
    });
  return [train, test];
}

const csvParts: Source = {
  what: 'a folder of train.csv and test.csv',
  options: csvTableOptions,
  is: async ({ kind, path }) => kind === 'folder' && (await firstFile(path, namesIn('train'))) !== undefined,
  read: async ({ path }, options, context) => {
    const [first, second] = await readTables(await partsOf(path), options, context, read);
    return { split: { train: must(first, 'train'), test: must(second, 'test') } };
  },
  open: async ({ path }, options, context) => {
    const files = await partsOf(path);
    const [train, test] = await tableStreams(
      files.map((file) => partsOfFile(file, context)),
      options,
      context,
    );
    return { train: must(train, 'train'), test: must(test, 'test') };
  },
  files: (folder) => pathsIn(folder, (name) => [...namesIn('train'), ...namesIn('test')].includes(name)),
};

/** A table. */
export const csvFile = ofSeveral(csvAlone);
/** A folder with train.csv and test.csv. */
export const csvFolder = ofSeveral(csvParts);
