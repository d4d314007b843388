// Tables as .csv and .tsv files: one row a sample, its targets in the label columns. A folder may hold a table to train on and one to test on.
import { join } from 'node:path';
import { type CsvOptions, type CsvTable, readCsv } from '../../formats/csv.js';
import { dataError, quote } from '../../formats/data-error.js';
import { must } from '../../onnx/core/errors.js';
import type { Tensor } from '../../onnx/core/tensor.js';
import { checkSource } from '../checks.js';
import type { Dataset } from '../dataset.js';
import { datasetFrom } from '../from-arrays.js';
import { classesOfTexts, type LabelColumn } from '../label-texts.js';
import type { DataOptions } from '../schema.js';
import { bytesOf, firstFile, pathsIn } from './files.js';
import type { Source, SourceContext } from './source.js';

/** How the `data` entry and the network say that a table is read. */
export function csvOptions(options: DataOptions, { features, missing, head }: Partial<SourceContext>): CsvOptions {
  const { label, header, delimiter, decimal, columns, drop } = options;
  return {
    ...(label !== undefined && { label }),
    ...(header !== undefined && { header }),
    ...(delimiter !== undefined && { delimiter }),
    ...(decimal !== undefined && { decimal }),
    ...(columns !== undefined && { columns }),
    ...(drop !== undefined && { drop }),
    ...(features !== undefined && { features }),
    ...(missing !== undefined && { missing }),
    ...(head?.names !== undefined && head.kind !== 'classify' && { targets: head.names }),
    texts: head === undefined || head.kind === 'classify',
  };
}

/** The delimiter that a file's name says. */
export const delimiterOf = (path: string): { readonly delimiter?: string } => (/\.tsv$/i.test(path) ? { delimiter: '\t' } : {});

function refuseColumns({ columns, drop }: DataOptions, { features, path = 'data' }: SourceContext): void {
  const [option] = [columns && 'columns', drop && 'drop'].filter((name) => name !== undefined);
  if (features === undefined || option === undefined) return;
  throw dataError(
    `${path}.${option}`,
    `the network's input has "features", which say what is read; expected no "${option}" beside them`,
    {
      expected: `no "${option}"`,
    },
  );
}

/** Data sets of tables whose labels mean the same: a text is the same class in each. */
async function readTables(paths: readonly string[], options: DataOptions, context: SourceContext): Promise<Dataset[]> {
  const { head, missing, onNote } = context;
  refuseColumns(options, context);
  const tables: { path: string; table: CsvTable }[] = [];
  for (const path of paths) {
    const table = readCsv(await bytesOf(path), { ...delimiterOf(path), ...csvOptions(options, context) }, path);
    for (const line of table.notes) onNote?.(line);
    tables.push({ path, table });
  }
  const columns = tables.flatMap(({ path, table: { labelTexts, labels, rowOf, labelColumns } }): LabelColumn[] =>
    labelTexts === undefined ? [] : [{ ...labelTexts, numbers: labels, rowOf, where: labelWhere(path, labelColumns) }],
  );
  const named = columns.length === tables.length ? classesOfTexts(columns, head) : undefined;
  return tables.map(({ path, table }, i) => {
    const labels: Tensor = must(named?.labels[i] ?? table.labels, 'labels');
    const whole = datasetFrom(table.features, labels, { inputs: path, targets: path, missing });
    const advice = '; "label" in the data entry says which column is the label';
    if (head !== undefined)
      checkSource(labels, whole, head, labelWhere(path, table.labelColumns), { rowOf: table.rowOf, advice });
    return named === undefined ? whole : { ...whole, classNames: named.names };
  });
}

const labelWhere = (path: string, columns: readonly string[]): string => `${path}: label column ${columns.map(quote).join(', ')}`;
const tableOptions = ['label', 'header', 'delimiter', 'decimal', 'columns', 'drop'] as const;

/** A table. */
export const csvFile: Source = {
  what: 'a .csv file',
  options: tableOptions,
  is: ({ kind, extension }) => kind === 'file' && (extension === 'csv' || extension === 'tsv'),
  read: async ({ path }, options, context) => {
    const [whole] = await readTables([path], options, context);
    return { whole: must(whole, 'table') };
  },
};

const namesIn = (part: string): string[] => [`${part}.csv`, `${part}.tsv`];

/** A folder with train.csv and test.csv. */
export const csvFolder: Source = {
  what: 'a folder of train.csv and test.csv',
  options: tableOptions,
  is: async ({ kind, path }) => kind === 'folder' && (await firstFile(path, namesIn('train'))) !== undefined,
  read: async ({ path }, options, context) => {
    const [train, test] = [await firstFile(path, namesIn('train')), await firstFile(path, namesIn('test'))];
    if (train === undefined || test === undefined)
      throw dataError(path, 'has train.csv and no test.csv; name the file itself to have a test set drawn from it', {
        expected: join(path, 'test.csv'),
      });
    const [first, second] = await readTables([train, test], options, context);
    return { split: { train: must(first, 'train'), test: must(second, 'test') } };
  },
  files: (folder) => pathsIn(folder, (name) => [...namesIn('train'), ...namesIn('test')].includes(name)),
};
