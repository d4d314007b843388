// Tables to data sets: the columns that the `data` entry and the network ask for, labels that are texts made classes. What reads a file, csv-file.ts and
// parquet-file.ts say.
import { statSync } from 'node:fs';
import type { CsvOptions, CsvTable } from '../../formats/csv.js';
import { dataError, quote } from '../../formats/data-error.js';
import { targetKind } from '../../model/heads/heads.js';
import { must } from '../../onnx/core/errors.js';
import { Tensor } from '../../onnx/core/tensor.js';
import { checkSource, type TargetHead } from '../checks.js';
import type { Dataset } from '../dataset.js';
import { datasetFrom, textDataset } from '../from-arrays.js';
import { classesOfTexts, type LabelColumn } from '../label-texts.js';
import type { DataOptions } from '../schema.js';
import { takesText, tokenizerOf } from '../text/tokenizer.js';
import type { RowStream, SourceContext } from './source.js';

/** Reads the table in a file. Throws DataError. */
export type TableReader = (path: string, options: CsvOptions) => Promise<CsvTable>;

/** Options of every table. */
export const tableOptions = ['label', 'columns', 'drop'] as const;

/** How the `data` entry and the network say that a table is read. */
export function csvOptions(options: DataOptions, { features, missing, head, inputs = [] }: Partial<SourceContext>): CsvOptions {
  const { label, header, delimiter, decimal, columns, drop } = options;
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
export async function readTables(
  paths: readonly string[],
  options: DataOptions,
  context: SourceContext,
  read: TableReader,
): Promise<Dataset[]> {
  const { head, missing, onNote, inputs: [input] = [] } = context;
  refuseColumns(options, context);
  const tokenize = takesText(input) ? await tokenizerOf(input, context.path ?? 'data') : undefined;
  const tables: { path: string; table: CsvTable }[] = [];
  for (const path of paths) {
    const table = await read(path, csvOptions(options, context));
    tables.push({ path, table });
  }
  const say = () => {
    for (const { table } of tables) for (const line of table.notes) onNote?.(line);
  };
  // Where nothing of the label is guessed, an error stands alone.
  if (options.label === undefined) say();
  const columns = tables.flatMap(({ path, table: { labelTexts, labels, rowOf, labelColumns } }): LabelColumn[] =>
    labelTexts === undefined ? [] : [{ ...labelTexts, numbers: labels, rowOf, where: labelWhere(path, labelColumns) }],
  );
  const named = columns.length === tables.length ? classesOfTexts(columns, head) : undefined;
  const datasets = tables.map(({ path, table }, i) => {
    const labels: Tensor = must(named?.labels[i] ?? table.labels, 'labels');
    const where = { inputs: path, targets: path, missing };
    const whole =
      tokenize === undefined
        ? datasetFrom(table.features, labels, where)
        : textDataset(tokenize(table.words ?? [], path, table.rowOf), labels, where);
    if (head !== undefined)
      checkSource(labels, whole, head, labelWhere(path, table.labelColumns), { rowOf: table.rowOf, advice: labelAdvice });
    return named === undefined ? whole : { ...whole, classNames: named.names };
  });
  if (options.label !== undefined) say();
  return datasets;
}

const labelAdvice = '; "label" in the data entry says which column is the label';
const labelWhere = (path: string, columns: readonly string[]): string => `${path}: label column ${columns.map(quote).join(', ')}`;

/** Reads the tables that a file is made of, part by part. Throws DataError. */
export type BlockReader = (path: string, options: CsvOptions) => Iterable<CsvTable>;

/** The labels of a table, without its features. */
interface BlockLabels {
  readonly labels: Tensor;
  readonly column: readonly string[];
}

/**
 * The same data sets read part by part, and twice: first for the labels, which mean the same in all parts, then for the features.
 * @throws DataError for networks of texts
 */
export function tableStreams(
  paths: readonly string[],
  options: DataOptions,
  context: SourceContext,
  blocks: BlockReader,
): RowStream[] {
  const { head, missing, onNote, inputs: [input] = [] } = context;
  refuseColumns(options, context);
  if (takesText(input))
    throw dataError(`${context.path ?? 'data'}.memory`, 'is for tables of numbers and categories, the input is text', {
      expected: 'no "memory"',
    });
  const asked = csvOptions(options, context);
  let found:
    | { readonly names: readonly string[] | undefined; readonly labels: ReadonlyMap<string, readonly BlockLabels[]> }
    | undefined;
  const labelsOf = (path: string) => {
    found ??= readLabels(paths, asked, blocks, head, onNote);
    return { names: found.names, labels: must(found.labels.get(path), path) };
  };
  return paths.map((path) => ({
    bytes: statSync(path).size,
    parts: async function* () {
      const { names, labels } = labelsOf(path);
      let [i, first] = [0, 0];
      for (const { features, rowOf } of blocks(path, asked)) {
        const { labels: own, column } = must(labels[i++], 'block');
        const set = datasetFrom(features, own, { inputs: path, targets: path, missing, first });
        if (head !== undefined) checkSource(own, set, head, labelWhere(path, column), { rowOf, advice: labelAdvice });
        first += own.dims[0] ?? 0;
        yield names === undefined ? set : { ...set, classNames: names };
      }
    },
  }));
}

function readLabels(
  paths: readonly string[],
  options: CsvOptions,
  blocks: BlockReader,
  head: TargetHead | undefined,
  onNote: SourceContext['onNote'],
) {
  const all = paths.flatMap((path) => {
    let told = false;
    return [...labelsIn(blocks(path, options))].map((block) => {
      if (!told) for (const line of block.notes) onNote?.(line);
      told = true;
      return { ...block, path };
    });
  });
  const columns = all.flatMap(({ path, labelTexts, labels, rowOf, labelColumns }): LabelColumn[] =>
    labelTexts === undefined ? [] : [{ ...labelTexts, numbers: labels, rowOf, where: labelWhere(path, labelColumns) }],
  );
  const named = columns.length === all.length ? classesOfTexts(columns, head) : undefined;
  const read = all.map(({ labels }, i) => must(named?.labels[i] ?? labels, 'labels'));
  const mixed = new Set(read.map(({ dtype }) => dtype)).size > 1;
  const byPath = new Map<string, BlockLabels[]>(paths.map((path) => [path, []]));
  all.forEach(({ path, labelColumns }, i) => {
    const own = must(read[i], 'labels');
    const labels = mixed ? new Tensor('float32', [own.dims[0] ?? 0, 1], Float32Array.from(own.numbers())) : own;
    byPath.get(path)?.push({ labels, column: labelColumns });
  });
  return { names: named?.names, labels: byPath };
}

/** Tables without their features, which are let go. */
function* labelsIn(tables: Iterable<CsvTable>) {
  for (const { labelTexts, labels, rowOf, labelColumns, notes } of tables)
    yield { labelTexts, labels, rowOf, labelColumns, notes };
}
