// Tables to rows read part by part, and twice: first for the labels, which mean the same in all parts, then for the features. Each part becomes what tables.ts
// makes of a whole table. What reads a file by parts, csv-file.ts, parquet-file.ts and hub/ say.
import type { CsvOptions, CsvTable } from '../../formats/csv.js';
import { must } from '../../onnx/core/errors.js';
import { elementCount } from '../../onnx/core/shape.js';
import { Tensor } from '../../onnx/core/tensor.js';
import { checkSource, type TargetHead } from '../checks.js';
import type { Dataset } from '../dataset.js';
import { datasetFrom, textDataset } from '../from-arrays.js';
import { classesOfTexts, type LabelColumn } from '../label-texts.js';
import type { Step } from '../reading.js';
import { sliceRows } from '../rows.js';
import type { DataOptions } from '../schema.js';
import { takesText, tokenizerOf } from '../text/tokenizer.js';
import type { RowStream, SourceContext } from './source.js';
import { csvOptions, labelAdvice, labelWhere, refuseColumns } from './tables.js';
import { valuesOf, withCells } from './text-columns.js';

/** A part of a table. */
export interface TablePart {
  readonly table: CsvTable;
  /** How much of the table is read then, in its unit. */
  readonly done: number;
}

/** A table that is read part by part. */
export interface TableParts {
  /** Names it in errors. */
  readonly where: string;
  /** Bytes that its rows take as a data set. */
  readonly bytes: number;
  /** What is counted of it, and how many there are. */
  readonly unit: 'bytes' | 'rows';
  readonly total: number;
  /** The parts, in order; with `labelsAlone` their features and texts need not be read. Throws DataError. */
  readonly read: (options: CsvOptions, labelsAlone: boolean) => AsyncIterable<TablePart> | Iterable<TablePart>;
}

/** Bytes of token ids that are made together. */
const bytesAtOnce = 2 ** 23;
/** Bytes of an id. */
export const idBytes = 8;

/** The labels of a part, without its features. */
interface PartLabels {
  readonly labels: Tensor;
  readonly column: readonly string[];
}

interface AllLabels {
  readonly names: readonly string[] | undefined;
  /** Of each table, part by part. */
  readonly parts: ReadonlyMap<string, readonly PartLabels[]>;
}

/** Rows of tables whose labels mean the same: a text is the same class in each. Throws DataError. */
export async function tableStreams(
  tables: readonly TableParts[],
  options: DataOptions,
  context: SourceContext,
): Promise<RowStream[]> {
  const { head, missing, onNote, inputs: [input] = [] } = context;
  refuseColumns(options, context);
  const { texts = [] } = context;
  const beside = texts.length > 0 ? await withCells(texts, context.path ?? 'data') : undefined;
  const text = takesText(input) ? input : undefined;
  const ids = text === undefined ? valuesOf(texts) : elementCount(text.shape);
  const tokenize = text && (await tokenizerOf(text, context.path ?? 'data'));
  const asked = csvOptions(options, context);
  let found: Promise<AllLabels> | undefined;

  /** Some rows of a part as a data set. */
  async function setOf(table: CsvTable, { labels, column }: PartLabels, rows: Rows): Promise<Dataset> {
    const { where, from, to, first } = rows;
    const { features, words = [], rowOf } = table;
    const own = sliceRows(labels, from, to);
    const placeOf = (row: number) => rowOf(from + row);
    const place = { inputs: where, targets: where, missing, first: first + from, input };
    const set =
      tokenize === undefined
        ? datasetFrom((await beside?.(table, where, from, to)) ?? features, own, place)
        : textDataset(tokenize(words.slice(from, to), where, placeOf), own, place);
    if (head !== undefined) checkSource(own, set, head, labelWhere(where, column), { rowOf: placeOf, advice: labelAdvice });
    return set;
  }

  return tables.map(({ where, bytes, unit, total, read }) => ({
    bytes,
    parts: async function* (step) {
      found ??= readLabels(tables, asked, head, onNote, step);
      const { names, parts } = await found;
      let [i, first] = [0, 0];
      for await (const { table, done } of read(asked, false)) {
        const labels = must(parts.get(where)?.[i++], 'part');
        const [count = 0] = labels.labels.dims;
        const together = ids === 0 ? count : Math.max(1, Math.floor(bytesAtOnce / (ids * idBytes)));
        for (let from = 0; from < count; from += together) {
          const to = Math.min(from + together, count);
          const set = await setOf(table, labels, { where, from, to, first });
          yield names === undefined ? set : { ...set, classNames: names };
          const soFar = unit === 'rows' ? done - count + to : done;
          await step(`${unit} read`, soFar, total);
        }
        first += count;
      }
    },
  }));
}

/** Rows [from, to) of a part that begins with row `first` of its table. */
interface Rows {
  readonly where: string;
  readonly from: number;
  readonly to: number;
  readonly first: number;
}

async function readLabels(
  tables: readonly TableParts[],
  options: CsvOptions,
  head: TargetHead | undefined,
  onNote: SourceContext['onNote'],
  step: Step,
): Promise<AllLabels> {
  const all: (Pick<CsvTable, 'labelTexts' | 'labels' | 'rowOf' | 'labelColumns'> & { readonly where: string })[] = [];
  for (const { where, unit, total, read } of tables) {
    let told = false;
    for await (const { table, done } of read(options, true)) {
      const { labelTexts, labels, rowOf, labelColumns, notes } = table;
      if (!told) for (const line of notes) onNote?.(line);
      told = true;
      all.push({ labelTexts, labels, rowOf, labelColumns, where });
      await step(`${unit} read for their labels`, done, total);
    }
  }
  const columns = all.flatMap(({ where, labelTexts, labels, rowOf, labelColumns }): LabelColumn[] =>
    labelTexts === undefined ? [] : [{ ...labelTexts, numbers: labels, rowOf, where: labelWhere(where, labelColumns) }],
  );
  const named = columns.length === all.length ? classesOfTexts(columns, head) : undefined;
  const read = all.map(({ labels }, i) => must(named?.labels[i] ?? labels, 'labels'));
  const mixed = new Set(read.map(({ dtype }) => dtype)).size > 1;
  const parts = new Map<string, PartLabels[]>(tables.map(({ where }) => [where, []]));
  all.forEach(({ where, labelColumns }, i) => {
    const own = must(read[i], 'labels');
    const labels = mixed ? new Tensor('float32', [own.dims[0] ?? 0, 1], Float32Array.from(own.numbers())) : own;
    parts.get(where)?.push({ labels, column: labelColumns });
  });
  return { names: named?.names, parts };
}
