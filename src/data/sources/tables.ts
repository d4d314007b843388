// Tables to data sets: the columns that the `data` entry and the network ask for, labels that are texts made classes. What reads a file, csv-file.ts and
// parquet-file.ts say; the same part by part, table-streams.ts.
import type { CsvOptions, CsvTable } from '../../formats/csv.js';
import { dataError, quote } from '../../formats/data-error.js';
import { targetKind } from '../../model/heads/heads.js';
import { must } from '../../onnx/core/errors.js';
import type { Tensor } from '../../onnx/core/tensor.js';
import { checkSource } from '../checks.js';
import type { AnySet, Dataset } from '../dataset.js';
import { datasetFrom, textDataset } from '../from-arrays.js';
import { classesOfTexts, type LabelColumn } from '../label-texts.js';
import type { DataOptions } from '../schema.js';
import { takesText, tokenizerOf } from '../text/tokenizer.js';
import { decodingIn, isPictured } from './image-columns.js';
import type { SourceContext } from './source.js';
import { withCells } from './text-columns.js';

/** Reads the table in a file. Throws DataError. */
export type TableReader = (path: string, options: CsvOptions) => Promise<CsvTable>;

/** Options of every table. */
export const tableOptions = ['label', 'targets', 'columns', 'drop'] as const;

const labelOf = ({ label }: DataOptions, target: SourceContext['target']): DataOptions['label'] =>
  target === undefined ? label : typeof target.of === 'object' ? [...target.of] : target.of;

/** How the `data` entry and the network say that a table is read. */
export function csvOptions(
  options: DataOptions,
  { features, missing, head, inputs = [], target }: Partial<SourceContext>,
): CsvOptions {
  const { header, delimiter, decimal, columns } = options;
  const label = labelOf(options, target);
  const drop = target === undefined ? options.drop : [...(options.drop ?? []), ...target.others];
  const classes = head === undefined || targetKind(head).of === 'classes';
  return {
    ...(label !== undefined && { label }),
    ...(header !== undefined && { header }),
    ...(delimiter !== undefined && { delimiter }),
    ...(decimal !== undefined && { decimal }),
    ...(columns !== undefined && { columns }),
    ...(drop !== undefined && { drop }),
    ...(features !== undefined && { features }),
    ...(missing !== undefined && { missing }),
    ...(takesText(inputs[0]) && { text: inputs[0].name }),
    ...(head?.names !== undefined && !classes && { targets: head.names }),
    texts: classes,
  };
}

/** An option that says what "features" say already is refused. */
export function refuseColumns({ columns, drop }: DataOptions, { features, path = 'data' }: SourceContext): void {
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

/** A size for images is refused where the table names none. */
function refuseResize({ resize }: DataOptions, pictured: unknown, entry: string): void {
  if (resize === undefined || pictured !== undefined) return;
  const expected = 'an input of images, [C,H,W], beside others';
  throw dataError(`${entry}.resize`, `is for images, and no input of the table is one; expected ${expected}`, { expected });
}

/** Data sets of tables whose labels mean the same: a text is the same class in each. */
export async function readTables(
  paths: readonly string[],
  options: DataOptions,
  context: SourceContext,
  read: TableReader,
): Promise<Dataset[]> {
  const { missing, inputs: [input] = [] } = context;
  refuseColumns(options, context);
  const { texts = [] } = context;
  const { path: entry = 'data' } = context;
  const [pictured] = texts.filter(isPictured);
  refuseResize(options, pictured, entry);
  const beside = texts.length > 0 ? await withCells(texts, entry, options.resize) : undefined;
  const tokenize = takesText(input) ? await tokenizerOf(input, entry) : undefined;
  return await readLabelled(paths, options, context, read, async (table, labels, path) => {
    const where = { inputs: path, targets: path, missing, input };
    if (tokenize === undefined) {
      const set = datasetFrom((await beside?.(table, path)) ?? table.features, labels, where);
      return pictured === undefined ? set : { ...set, decoding: decodingIn(pictured, options.resize, entry) };
    }
    return textDataset(tokenize(table.words ?? [], path, table.rowOf), labels, where);
  });
}

/** Data sets as `make` makes them of a table and its labels. */
async function readLabelled<D extends AnySet>(
  paths: readonly string[],
  options: DataOptions,
  context: SourceContext,
  read: TableReader,
  make: (table: CsvTable, labels: Tensor, path: string) => Promise<D>,
): Promise<D[]> {
  const { head, onNote, target } = context;
  const label = labelOf(options, target);
  const tables: { path: string; table: CsvTable }[] = [];
  for (const path of paths) {
    const table = await read(path, csvOptions(options, context));
    tables.push({ path, table });
  }
  const say = () => {
    for (const { table } of tables) for (const line of table.notes) onNote?.(line);
  };
  // Where nothing of the label is guessed, an error stands alone.
  if (label === undefined) say();
  const columns = tables.flatMap(({ path, table: { labelTexts, labels, rowOf, labelColumns } }): LabelColumn[] =>
    labelTexts === undefined ? [] : [{ ...labelTexts, numbers: labels, rowOf, where: labelWhere(path, labelColumns) }],
  );
  const named = columns.length === tables.length ? classesOfTexts(columns, head) : undefined;
  const datasets: D[] = [];
  for (const [i, { path, table }] of tables.entries()) {
    const labels: Tensor = must(named?.labels[i] ?? table.labels, 'labels');
    const whole = await make(table, labels, path);
    if (head !== undefined)
      checkSource(labels, whole, head, labelWhere(path, table.labelColumns), { rowOf: table.rowOf, advice: labelAdvice });
    datasets.push(named === undefined ? whole : { ...whole, classNames: named.names });
  }
  if (label !== undefined) say();
  return datasets;
}

/** What a reader may do about a label of another kind. */
export const labelAdvice = '; "label" in the data entry says which column is the label';
/** Names label columns in errors. */
export const labelWhere = (path: string, columns: readonly string[]): string =>
  `${path}: label column ${columns.map(quote).join(', ')}`;
