// The small networks of a study, each a description of its own: made of the columns of the description that is studied.
import type { ColumnInput, Description, DescriptionInput } from '../../model/description/description.js';
import type { LateralsInput } from '../../model/description/lateral-schema.js';
import { parseDescription, toInput } from '../../model/description/parse.js';
import { columnsOf } from '../../model/progressive/column.js';
import { must, UsageError } from '../../onnx/core/errors.js';

/** Kinds of laterals that a progressive network may have. */
export type LateralKind = 'linear' | 'adapter';

/** The part of the training data that is set aside where the description sets none aside, as in a sweep. */
const validationPart = 0.1;

/** Makes networks of the columns of one description. */
export class StudyColumns {
  private readonly input: DescriptionInput;

  constructor(private readonly description: Description) {
    this.input = toInput(description);
  }

  private written(task: string): ColumnInput {
    return must(
      this.input.columns.find((column) => column.task === task),
      task,
    );
  }

  private described(task: string) {
    return must(
      this.description.columns.find((column) => column.task === task),
      task,
    );
  }

  /** The imported column that the column of a task tunes; undefined where it has layers. */
  baseOf(task: string): string | undefined {
    return this.written(task).tune?.base;
  }

  /** The imported columns that the laterals of a task's column read; none where it tunes one, or reads none. */
  importedOf(task: string): readonly string[] {
    const { laterals, tune } = this.described(task);
    if (tune !== undefined || laterals.kind === 'none') return [];
    return laterals.from.filter((source) => this.written(source).onnx !== undefined);
  }

  /** A column that tunes the imported one: all weights from the start or from where they are, or low-rank updates as described. */
  tuning(task: string, how: 'scratch' | 'all' | 'lora'): ColumnInput {
    const { data, head, heads, train, tune } = this.written(task);
    const { base, from, lora = {} } = must(tune, 'tune');
    return {
      task,
      ...(data !== undefined && { data }),
      tune: { base, ...(from !== undefined && { from }), ...(how === 'lora' ? { lora } : { weights: how }) },
      ...(head && { head }),
      ...(heads && { heads }),
      train: measuredOnValidation(task, train),
    };
  }

  /** The column of a task by itself; with the blocks of another task's column where one is named. */
  alone(task: string, like = task): ColumnInput {
    if (this.baseOf(task) !== undefined) return this.tuning(task, 'scratch');
    const { data, head, heads, train } = this.written(task);
    const { blocks, prepare, inputs } = this.written(like);
    return {
      task,
      ...(data !== undefined && { data }),
      ...(prepare && { prepare }),
      ...(inputs && { inputs }),
      ...(blocks && { blocks }),
      ...(head && { head }),
      ...(heads && { heads }),
      laterals: 'none',
      train: measuredOnValidation(task, train),
    };
  }

  /** The column that a method begins with: over the imported columns that it reads, by itself where there are none. Another task's blocks where one is named. */
  first(task: string, kind: LateralKind, like = task): ColumnInput {
    const imported = this.importedOf(like);
    const { laterals } = imported.length === 0 ? { laterals: 'none' as const } : this.over(like, kind, imported);
    return { ...this.alone(task, like), ...(laterals !== undefined && { laterals }) };
  }

  /** A column over earlier tasks, and over the imported columns that it reads. */
  later(task: string, kind: LateralKind, earlier: readonly string[]): ColumnInput {
    return this.over(task, kind, [...this.importedOf(task), ...earlier]);
  }

  /** A head alone, over what the last blocks of other columns give; of imported ones the taps that the column's own head reads. */
  headOver(task: string, sources: readonly string[]): ColumnInput {
    const { prepare: _, inputs: _reads, tune, ...column } = this.alone(task);
    const taps = Object.fromEntries(
      sources.flatMap((source) => {
        const head = tune?.from ?? this.headTap(task, source);
        return head === undefined ? [] : [[source, { head }]];
      }),
    );
    const read = Object.keys(taps).length === 0 ? {} : { taps };
    return { ...column, blocks: [], laterals: { kind: 'linear', from: [...sources], into: ['head'], ...read } };
  }

  /** The tap of an imported column that the head of a task's column is described to read. */
  private headTap(task: string, source: string): number | undefined {
    const { laterals, blocks } = this.described(task);
    const tap = laterals.kind === 'none' || !this.importedOf(task).includes(source) ? undefined : laterals.taps?.[source];
    const head = tap?.[blocks.length];
    return head === false ? undefined : head;
  }

  /** A column with laterals from earlier ones. Its own options of laterals are kept as far as they are of this kind and these sources. */
  over(task: string, kind: LateralKind, sources: readonly string[]): ColumnInput {
    const { laterals } = this.described(task);
    const ends: LateralsInput = { kind, from: [...sources] };
    if (laterals.kind === 'none') return { ...this.alone(task), laterals: ends };
    const { into, join, taps = {} } = laterals;
    const named = laterals.from.filter((source) => sources.includes(source));
    const from = named.length === 0 ? [...sources] : named;
    const own = Object.fromEntries(Object.entries(taps).filter(([source]) => from.includes(source)));
    const same = { from, into, ...(join && { join }), ...(Object.keys(own).length > 0 && { taps: own }) };
    if (kind === 'linear' || laterals.kind !== 'adapter') return { ...this.alone(task), laterals: { kind, ...same } };
    const { rank, activation, alpha } = laterals;
    const adapter = { activation, ...(rank !== undefined && { rank }), ...(alpha !== undefined && { alpha }) };
    return { ...this.alone(task), laterals: { kind, ...same, ...adapter } };
  }

  /** The seed that is so many beyond the one that is described. */
  seedOf(seed: number): number {
    return this.description.seed + seed;
  }

  /** A network of these columns, behind the imported ones that they read, whose seeds are so many beyond those that are described. */
  network(columns: readonly ColumnInput[], seed: number): DescriptionInput {
    const read = new Set(columns.flatMap(sourcesOf));
    const imported = this.input.columns.filter(({ task, onnx }) => onnx !== undefined && read.has(task));
    const own = columns.map(({ train = {}, ...column }) => ({
      ...column,
      train: { ...train, ...(train.seed !== undefined && { seed: train.seed + seed }) },
    }));
    return { ...this.input, name: 'study', seed: this.seedOf(seed), columns: [...imported, ...own] };
  }
}

/** Names of the columns that a column reads or tunes. */
function sourcesOf({ tune, laterals }: ColumnInput): string[] {
  const from = typeof laterals === 'object' && 'from' in laterals ? laterals.from : undefined;
  return [...(tune === undefined ? [] : [tune.base]), ...(Array.isArray(from) ? from : [])];
}

/** A study's curves are those of a validation part. Throws UsageError where the description says that there is none. */
function measuredOnValidation(task: string, train: ColumnInput['train'] = {}): ColumnInput['train'] {
  if (train.validation !== 0) return { validation: validationPart, ...train };
  throw new UsageError(
    `task "${task}": learning curves are measured on the validation part, found validation: 0, expected it above 0`,
    { expected: 'validation above 0', got: '0' },
  );
}

/** Parameters of each column of a network, and of each one's head. Throws DescriptionError where the columns do not fit. */
export function parametersOf(
  network: DescriptionInput,
): { readonly task: string; readonly column: number; readonly head: number }[] {
  return [...columnsOf(parseDescription(network))].map(({ task, parameters: { count, specs } }) => ({
    task,
    column: count,
    head: specs
      .filter(({ name }) => name.startsWith(`${task}/head/`))
      .reduce((sum, { shape }) => sum + shape.reduce((n, d) => n * d, 1), 0),
  }));
}
