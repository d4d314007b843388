// Texts and tables of a dataset of Hugging Face: each part is a table, read as a Parquet file is. Labels that are classes by ClassLabel have their names.
import type { CsvOptions, CsvTable } from '../../../formats/csv.js';
import { dataError } from '../../../formats/data-error.js';
import { tableOf } from '../../../formats/open-table.js';
import { must } from '../../../onnx/core/errors.js';
import type { Dataset } from '../../dataset.js';
import type { DataOptions } from '../../schema.js';
import { memoryOf } from '../../stored/memory.js';
import { groupParts } from '../group-parts.js';
import type { RowStream, SourceContext } from '../source.js';
import { type TableParts, tableStreams } from '../table-streams.js';
import { csvOptions, readTables } from '../tables.js';
import type { HubFeature } from './features.js';
import { type HubPart, openPart, openPartGroups } from './parts.js';

/** How a table of these features is read: a single column of classes is the label, and its classes have names. */
function readingOf(features: readonly HubFeature[], options: DataOptions) {
  const classes = features.filter(({ kind }) => kind === 'class');
  const label = options.label ?? (classes.length === 1 ? classes[0]?.name : undefined);
  const adapt = (table: CsvTable, where: string, texts: boolean | undefined): CsvTable => {
    const [column = '', ...more] = table.labelColumns;
    const names = classes.find(({ name }) => name === column)?.names;
    return names === undefined || more.length > 0 || texts !== true ? table : withNames(table, names, where);
  };
  return { adapt, options: { ...options, ...(label !== undefined && { label }) } };
}

const nameOf = (path: string, { part }: HubPart): string => `${path}: ${part}`;

/** The data sets of these parts. Throws DataError. */
export async function readHubTables(
  path: string,
  parts: readonly HubPart[],
  features: readonly HubFeature[],
  options: DataOptions,
  context: SourceContext,
): Promise<Dataset[]> {
  const { adapt, options: own } = readingOf(features, options);
  const byName = new Map(parts.map((part) => [nameOf(path, part), part]));
  const read = async (where: string, how: CsvOptions): Promise<CsvTable> =>
    adapt(await tableOf(await openPart(must(byName.get(where), where)), how, where), where, how.texts);
  return await readTables([...byName.keys()], own, context, read);
}

/** The same by row groups. */
export async function hubTableStreams(
  path: string,
  parts: readonly HubPart[],
  features: readonly HubFeature[],
  options: DataOptions,
  context: SourceContext,
): Promise<RowStream[]> {
  const { adapt, options: own } = readingOf(features, options);
  const { texts } = csvOptions(own, context);
  const tables: TableParts[] = [];
  for (const part of parts) {
    const where = nameOf(path, part);
    const opened = await openPartGroups(part, memoryOf(own));
    tables.push(groupParts(where, opened, own, context, (table) => adapt(table, where, texts)));
  }
  return await tableStreams(tables, own, context);
}

/** The table with labels that are texts, in the order of the dataset. */
function withNames(table: CsvTable, names: readonly string[], where: string): CsvTable {
  const ids = table.labels?.numbers() ?? [];
  const bad = ids.findIndex((id) => names[id] === undefined);
  if (bad >= 0)
    throw dataError(where, `row ${table.rowOf(bad)} has the label ${ids[bad]}, expected 0..${names.length - 1}`, {
      expected: `0..${names.length - 1}`,
      got: String(ids[bad]),
    });
  return { ...table, labels: undefined, labelTexts: { ids, texts: names, ordered: true } };
}
