// Texts and tables of a dataset of Hugging Face: each part is a table, read as a Parquet file is. Labels that are classes by ClassLabel have their names.
import type { CsvOptions, CsvTable } from '../../../formats/csv.js';
import { dataError } from '../../../formats/data-error.js';
import { tableOf } from '../../../formats/open-table.js';
import { must } from '../../../onnx/core/errors.js';
import type { Dataset } from '../../dataset.js';
import type { DataOptions } from '../../schema.js';
import type { SourceContext } from '../source.js';
import { readTables } from '../tables.js';
import type { HubFeature } from './features.js';
import { type HubPart, openPart } from './parts.js';

/** The data sets of these parts. Throws DataError. */
export async function readHubTables(
  path: string,
  parts: readonly HubPart[],
  features: readonly HubFeature[],
  options: DataOptions,
  context: SourceContext,
): Promise<Dataset[]> {
  const classes = features.filter(({ kind }) => kind === 'class');
  const label = options.label ?? (classes.length === 1 ? classes[0]?.name : undefined);
  const byName = new Map(parts.map((part) => [`${path}: ${part.part}`, part]));
  const read = async (where: string, how: CsvOptions): Promise<CsvTable> => {
    const table = await tableOf(await openPart(must(byName.get(where), where)), how, where);
    const [column = '', ...more] = table.labelColumns;
    const names = classes.find(({ name }) => name === column)?.names;
    return names === undefined || more.length > 0 || how.texts !== true ? table : withNames(table, names, where);
  };
  return await readTables([...byName.keys()], { ...options, ...(label !== undefined && { label }) }, context, read);
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
