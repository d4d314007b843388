// Tables of row groups as parts: what Parquet files and datasets of Hugging Face share. A group is in memory while it is read, so none may be larger than that.
import type { CsvTable } from '../../formats/csv.js';
import { dataError } from '../../formats/data-error.js';
import { columnsRead, type GroupedTable, type RowGroup, tableOf } from '../../formats/open-table.js';
import { elementCount } from '../../onnx/core/shape.js';
import type { DataOptions } from '../schema.js';
import { inWords, memoryOf } from '../stored/memory.js';
import { takesText } from '../text/tokenizer.js';
import type { SourceContext } from './source.js';
import { idBytes, type TableParts } from './table-streams.js';
import { csvOptions } from './tables.js';
import { valuesOf } from './text-columns.js';

/** Throws DataError where rows that are more than `memory` have a group that is more than that too. */
export function refuseLargeGroups(
  where: string,
  bytes: number,
  groups: readonly RowGroup[],
  columns: readonly string[],
  options: DataOptions,
): void {
  const memory = memoryOf(options);
  const large = bytes <= memory ? undefined : groups.find((group) => group.bytes(columns) > memory);
  if (large === undefined) return;
  const expected = 'smaller groups, as row_group_size of pyarrow writes them, or a greater "memory"';
  const size = large.bytes(columns);
  throw dataError(
    where,
    `a group of ${large.rows} rows takes ${inWords(size)} unpacked, over the ${inWords(memory)} of "memory", and is read at once; expected ${expected}`,
    { expected, got: `${size} bytes` },
  );
}

/** A table of groups; `adapt` is what is to be made of each part of it. Throws DataError for columns that are not there, and for groups that are too large. */
export function groupParts(
  where: string,
  opened: GroupedTable,
  options: DataOptions,
  context: SourceContext,
  adapt: (table: CsvTable) => CsvTable = (table) => table,
): TableParts {
  const { inputs: [input] = [], texts = [] } = context;
  const { rows: total, groups } = opened;
  const { features, labels } = columnsRead(opened, csvOptions(options, context), where);
  const ofRow = takesText(input) ? elementCount(input.shape) * idBytes : features.length * 4 + valuesOf(texts) * idBytes;
  const bytes = total * ofRow;
  refuseLargeGroups(where, bytes, groups, [...features, ...labels], options);
  return {
    where,
    bytes,
    unit: 'rows',
    total,
    read: async function* (asked, labelsAlone) {
      let done = 0;
      for (const group of groups) {
        const table = adapt(await tableOf({ ...group.open(), first: done }, asked, where, memoryOf(options), labelsAlone));
        done += group.rows;
        yield { table, done };
      }
    },
  };
}
