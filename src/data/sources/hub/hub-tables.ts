// Texts and tables of a dataset of Hugging Face: each part is a table, read as a Parquet file is. Labels that are classes by ClassLabel have their names.
import type { CsvOptions, CsvTable } from '../../../formats/csv.js';
import { dataError } from '../../../formats/data-error.js';
import { tableOf } from '../../../formats/open-table.js';
import { must } from '../../../onnx/core/errors.js';
import type { DataOptions } from '../../schema.js';
import { memoryOf } from '../../stored/memory.js';
import { groupParts } from '../group-parts.js';
import type { SourceContext, Unread } from '../source.js';
import { type TableParts, tableStreams } from '../table-streams.js';
import { csvOptions, readTables } from '../tables.js';
import type { HubFeature } from './features.js';
import { type HubPart, openPart, openPartGroups } from './parts.js';

const nameOf = (path: string, { part }: HubPart): string => `${path}: ${part}`;

/** The tables of these parts: a single column of classes is the label, and its classes have names. Throws DataError. */
export function hubTables(
  path: string,
  parts: readonly HubPart[],
  features: readonly HubFeature[],
  asked: DataOptions,
  context: SourceContext,
): Unread {
  const classes = features.filter(({ kind }) => kind === 'class');
  const label = asked.label ?? (classes.length === 1 ? classes[0]?.name : undefined);
  const options = { ...asked, ...(label !== undefined && { label }) };
  const { texts } = csvOptions(options, context);
  const named = (table: CsvTable, where: string): CsvTable => {
    const [column = '', ...more] = table.labelColumns;
    const names = classes.find(({ name }) => name === column)?.names;
    return names === undefined || more.length > 0 || texts !== true ? table : withNames(table, names, where);
  };
  return {
    read: async () => {
      const byName = new Map(parts.map((part) => [nameOf(path, part), part]));
      const read = async (where: string, how: CsvOptions): Promise<CsvTable> =>
        named(await tableOf(await openPart(must(byName.get(where), where)), how, where), where);
      return await readTables([...byName.keys()], options, context, read);
    },
    streams: async () => {
      const tables: TableParts[] = [];
      for (const part of parts) {
        const where = nameOf(path, part);
        const opened = await openPartGroups(part, memoryOf(options));
        tables.push(groupParts(where, opened, options, context, (table) => named(table, where)));
      }
      return await tableStreams(tables, options, context);
    },
  };
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
