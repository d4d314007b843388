// A .csv or .tsv file: one row a sample, its targets in the label columns.
import { type CsvOptions, readCsv } from '../../formats/csv.js';
import { quote } from '../../formats/data-error.js';
import { checkSource } from '../checks.js';
import { datasetFrom } from '../from-arrays.js';
import type { DataOptions } from '../schema.js';
import { bytesOf } from './files.js';
import type { Source } from './source.js';

function csvOptions({ label, header, delimiter }: DataOptions): CsvOptions {
  return {
    ...(label !== undefined && { label }),
    ...(header !== undefined && { header }),
    ...(delimiter !== undefined && { delimiter }),
  };
}

/** A table of numbers. */
export const csvFile: Source = {
  what: 'a .csv file',
  options: ['label', 'header', 'delimiter'],
  is: ({ kind, extension }) => kind === 'file' && (extension === 'csv' || extension === 'tsv'),
  read: async ({ path, extension }, options, { head, onNote }) => {
    const table = readCsv(await bytesOf(path), { ...(extension === 'tsv' && { delimiter: '\t' }), ...csvOptions(options) }, path);
    if (table.guess !== undefined) onNote?.(table.guess);
    const whole = datasetFrom(table.features, table.labels, { inputs: path, targets: path });
    const where = `${path}: label column ${table.labelColumns.map(quote).join(', ')}`;
    const advice = '; "label" in the data entry says which column is the label';
    if (head !== undefined) checkSource(table.labels, whole, head, where, { rowOf: table.rowOf, advice });
    return { whole };
  },
};
