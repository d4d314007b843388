// A network's columns as objects, made from its description: each answers for its task, head and blocks, what its laterals read, its parameters and
// taps with their shapes. Nothing here holds weights.

import { DescriptionError, must, UsageError } from '../../onnx/core/errors.js';
import { aFunction, anObject, given, instance, listOf, text } from '../../onnx/core/given.js';
import { elementCount } from '../../onnx/core/shape.js';
import { Value } from '../../onnx/ir/graph.js';
import { tensorType } from '../../onnx/ir/types.js';
import { ops } from '../../onnx/ops/ops.js';
import { canonical } from '../description/canonical.js';
import type { ColumnDescription, Description, Head, Laterals, Layer, Step, Train } from '../description/description.js';
import { inputsRead } from '../description/inputs-read.js';
import { ownTap } from '../description/resolve-laterals.js';
import { isJudged } from '../heads/heads.js';
import { scoresExpected, takesScores } from '../heads/refusals.js';
import { leastCount, type Size } from '../nn/open-size.js';
import { sampleDims } from '../nn/sample.js';
import { suggest } from '../nn/schema.js';
import { inferenceScope, type ParameterSpec } from '../nn/scope.js';
import { carriedGraph, type GraphLoader, ImportedGraph } from './imported-graph.js';
import { commonOpset } from './imported-versions.js';
import { addInputs, type NetworkInput, networkInputs } from './inputs.js';
import { type LoweredColumn, NetworkLowering, type ReadInput, type StepCount, type TapOf, type Tuned } from './lowering.js';
import { Tuning } from './tuning.js';

/** A tap by its column and block. */
export type TapRef = TapOf<Column>;

/** The parameters of a column. */
export interface ColumnParameters {
  /** Each by its name, in the graph's order. */
  readonly specs: readonly ParameterSpec[];
  /** Elements, trainable and statistics together. */
  readonly count: number;
  /** Elements of the weights that it reads of the column it tunes; 0 where it tunes none. */
  readonly shared: number;
  /** Of each block's output, the shape of one sample; what follows of an open size is written out, such as "ceil(length/2)". */
  readonly taps: readonly (readonly Size[])[];
  /** Of the scores, the shape of one sample: [width], of a head of each step [T, width]; [] where nothing judges them. */
  readonly scores: readonly Size[];
  /** Of each block, and of the head behind the last, names of the inputs that it reads itself. */
  readonly inputs: readonly ReadonlySet<string>[];
  /** Inputs that say how many steps of a sequence a sample has, and how many there are. */
  readonly counts: readonly StepCount[];
}

/** Parameters of one column at most: beyond, a number in the description is a slip. */
const maxParameters = 2 ** 31;

/** The columns of a description. It does not change: another description has columns of its own. */
export function columnsOf(description: Description, load: GraphLoader = carriedGraph): Columns {
  given(
    'columnsOf',
    { description, load },
    { 'description.columns': listOf(anObject), 'description.inputs': listOf(anObject), load: aFunction },
  );
  return new Columns(description, load);
}

/** All columns of a description, in their order; can be iterated. */
export class Columns implements Iterable<Column> {
  private readonly byTask: ReadonlyMap<string, Column>;
  private known: { opset?: number; inputs?: readonly NetworkInput[] } = {};

  /** @internal Use `columnsOf`. */
  constructor(
    /** The description that they are of. */
    readonly description: Description,
    load: GraphLoader,
  ) {
    const byTask = new Map<string, Column>();
    description.columns.forEach((column, index) => {
      byTask.set(column.task, new Column(this, index, column, load, byTask));
    });
    this.byTask = byTask;
  }

  /** In their order. */
  [Symbol.iterator](): IterableIterator<Column> {
    return this.byTask.values();
  }

  /** Tasks in the order of the columns. */
  get tasks(): readonly string[] {
    return [...this.byTask.keys()];
  }

  /** The column of a task. UsageError lists the tasks there are. */
  column(task: string): Column {
    given('task', { task }, { task: text });
    const found = this.byTask.get(task);
    if (found !== undefined) return found;
    const known = this.tasks.join(', ') || 'none';
    throw new UsageError(`unknown task "${task}", the description has: ${known}`, { got: task, expected: known });
  }

  /** The last column; undefined before the first. */
  get last(): Column | undefined {
    return [...this].at(-1);
  }

  /** All inputs, as far as anything takes them yet. Throws DescriptionError. */
  get inputs(): readonly NetworkInput[] {
    this.known.inputs ??= networkInputs(this.description);
    return this.known.inputs;
  }

  /** The opset of the network's graphs: the highest of its imported columns, at least 17. Throws DescriptionError where another cannot be brought to it. */
  get opset(): number {
    this.known.opset ??= commonOpset(this);
    return this.known.opset;
  }
}

interface Known {
  readonly into: Map<number, readonly TapRef[]>;
  readonly reached: Map<number, ReadonlySet<string>>;
  canonical?: string;
  tapsRead?: readonly TapRef[];
  sources?: readonly Column[];
  foundation?: readonly Column[];
  reads?: readonly ReadInput[];
  inputs?: readonly NetworkInput[];
}

/** A column of a network with all that follows from its description. */
export class Column implements LoweredColumn<Column> {
  /** The graph that it was imported as; undefined where it has layers. */
  readonly imported: ImportedGraph | undefined;
  /** What it tunes of an imported column; undefined where it has layers or is imported itself. */
  readonly tuned: Tuned<Column> | undefined;
  private measured: ColumnParameters | undefined;
  /** What was asked already: neither a column nor those before it change. */
  private readonly known: Known = { into: new Map(), reached: new Map() };

  /** @internal Use `columnsOf`. */
  constructor(
    /** The network's name. */
    readonly network: Columns,
    /** Its place among the columns, from 0. */
    readonly index: number,
    /** The column's part of the description. */
    readonly description: ColumnDescription,
    load: GraphLoader,
    /** The columns before it, by task. */
    before: ReadonlyMap<string, Column>,
  ) {
    const { onnx, tune, task } = description;
    this.imported = onnx && new ImportedGraph(onnx, task, load, description.inputs?.length ?? 1);
    const base = tune && before.get(tune.base);
    this.tuned = tune && base?.imported && { base, tuning: new Tuning({ task, path: this.path }, tune, base.imported) };
  }

  /** The task that it is for. */
  get task(): string {
    return this.description.task;
  }
  /** What is predicted from the last tap. */
  get head(): Head {
    return this.description.head;
  }
  /** What it does to the first input that it reads, before its first block. */
  get prepare(): readonly Step[] {
    return this.description.prepare ?? [];
  }
  /** Whether it reads the network's input itself: a head alone reads earlier columns, which prepare it by their own steps. */
  get readsInput(): boolean {
    return this.blocks.length > 0;
  }
  /** Lists of layers, one for each tap. */
  get blocks(): readonly (readonly Layer[])[] {
    return this.description.blocks;
  }
  /** What it takes from earlier columns. */
  get laterals(): Laterals {
    return this.description.laterals;
  }
  /** Its training options as described. */
  get train(): Train {
    return this.description.train;
  }
  /** Its place in the description, for errors. */
  get path(): string {
    return `columns[${this.index}]`;
  }
  /** Its own seed, else the description's. */
  get seed(): number {
    return this.train.seed ?? this.network.description.seed;
  }
  /** The inputs that it reads itself, the first by its first block. */
  get reads(): readonly ReadInput[] {
    this.known.reads ??= this.inputsRead();
    return this.known.reads;
  }

  private inputsRead(): readonly ReadInput[] {
    const { network, path, prepare } = this;
    const { description } = network;
    return inputsRead(description, this.description).map(({ name, prepare: own = [] }, i) => {
      const input = must(
        network.inputs.find((other) => other.name === name),
        name,
      );
      if (i === 0) return { input, steps: prepare, prefix: 'prepare', path: `${path}.prepare` };
      const at = description.inputs.findIndex((other) => other.name === name);
      return { input, steps: own, prefix: `prepare/${name}`, path: `input[${at}].prepare` };
    });
  }

  /** An input that it reads, by name. Throws DescriptionError for any other name; `path` is that of the layer that names it. */
  reading(name: string, path: string): ReadInput {
    const found = this.reads.find(({ input }) => input.name === name);
    if (found !== undefined) return found;
    const all = this.network.inputs.map((input) => input.name);
    const expected = `[${[...this.reads.map(({ input }) => input.name), name].join(', ')}]`;
    const [got, right] = all.includes(name)
      ? [`the column does not read the input "${name}"`, `expected it among its inputs, ${this.path}.inputs: ${expected}`]
      : [`unknown input "${name}"`, suggest(name, all)];
    throw new DescriptionError(`${path}: ${got}, ${right}`, { path, got: name });
  }

  /** The inputs of a model that answers its task, in the network's order: those that it reads, and those of the blocks that it stands on. */
  get inputs(): readonly NetworkInput[] {
    this.known.inputs ??= this.inputsReached();
    return this.known.inputs;
  }

  private inputsReached(): readonly NetworkInput[] {
    const { inputs } = this.network;
    if (inputs.length === 1) return inputs;
    const names = this.inputsInto(this.blocks.length);
    return inputs.filter(({ name }) => names.has(name));
  }

  /** Names of the inputs that a block (the number of its blocks stands for the head) follows from. */
  private inputsInto(block: number): ReadonlySet<string> {
    const known = this.known.reached.get(block);
    if (known !== undefined) return known;
    const names = new Set<string>();
    for (let b = block; b >= 0; b--) {
      for (const name of this.parameters.inputs[b] ?? []) names.add(name);
      for (const ref of this.sourcesInto(b)) for (const name of ref.column.inputsInto(ref.block)) names.add(name);
    }
    this.known.reached.set(block, names);
    return names;
  }
  /** What of the description decides its graph, as stable text. */
  get canonical(): string {
    this.known.canonical ??= canonical(this.network.description, this.task);
    return this.known.canonical;
  }

  /** The blocks that take something of earlier columns, ascending; the number of its blocks stands for the head. */
  get receiving(): readonly number[] {
    return this.laterals.kind === 'none' ? [] : this.laterals.into;
  }

  /** The taps that flow into a block (the number of its blocks stands for the head), in the order of the sources. */
  sourcesInto(block: number): readonly TapRef[] {
    const { into } = this.known;
    const refs = into.get(block) ?? this.refsInto(block);
    into.set(block, refs);
    return refs;
  }

  private refsInto(block: number): readonly TapRef[] {
    const { laterals } = this;
    if (laterals.kind === 'none' || !laterals.into.includes(block)) return [];
    return laterals.from.flatMap((task) => {
      const column = this.network.column(task);
      const tap = laterals.taps?.[task]?.[block] ?? ownTap(block, column.blocks.length);
      return tap === false ? [] : [{ column, block: tap }];
    });
  }

  /** Every tap that it reads, each once, by column and block. */
  get tapsRead(): readonly TapRef[] {
    this.known.tapsRead ??= this.allTapsRead();
    return this.known.tapsRead;
  }

  private allTapsRead(): readonly TapRef[] {
    const found = new Map<string, TapRef>();
    for (const block of this.receiving)
      for (const ref of this.sourcesInto(block)) found.set(`${ref.column.index}/${ref.block}`, ref);
    return [...found.values()].sort((a, b) => a.column.index - b.column.index || a.block - b.block);
  }

  /** The columns whose taps it reads, or whose weights it tunes, in order. */
  get sources(): readonly Column[] {
    this.known.sources ??= this.tuned ? [this.tuned.base] : [...new Set(this.tapsRead.map(({ column }) => column))];
    return this.known.sources;
  }

  /** The columns that it stands on, directly or through others, in order. */
  get foundation(): readonly Column[] {
    this.known.foundation ??= [...new Set(this.sources.flatMap((source) => [source, ...source.foundation]))].sort(
      (a, b) => a.index - b.index,
    );
    return this.known.foundation;
  }

  /** Found by lowering the column once. Throws DescriptionError where shapes do not fit or are beyond any machine. */
  get parameters(): ColumnParameters {
    this.measured ??= this.measure();
    return this.measured;
  }
  /** Shapes of one sample of its taps. Throws as `parameters`. */
  get taps(): ColumnParameters['taps'] {
    return this.parameters.taps;
  }
  /** The shape of one sample of a tap. */
  tapShape(block: number): readonly Size[] {
    return must(this.taps[block], `tap ${block}`);
  }

  /** Of an imported column: what the description says, or where it says nothing its graph, which weights are asked of. */
  private measureImported(imported: ImportedGraph): ColumnParameters {
    const { path, task, head } = this;
    const scores = isJudged(head) ? imported.scoresShape : [];
    if (isJudged(head) && !takesScores(head, scores))
      throw new DescriptionError(`task "${task}": ${scoresExpected(head, scores)}`, { path: `${path}.head` });
    const taps = imported.taps.map((_, block) => imported.tapShape(block));
    const specs = imported.parameters.map(
      ({ name, dtype, shape }): ParameterSpec => ({
        name,
        shape,
        ...(dtype !== 'float32' && { dtype }),
        init: { fill: 0 },
        role: 'trainable',
      }),
    );
    const inputs = [new Set(this.reads.map(({ input }) => input.name))];
    return { specs, count: specs.reduce((n, s) => n + elementCount(s.shape), 0), shared: 0, taps, scores, inputs, counts: [] };
  }

  private measure(): ColumnParameters {
    const { path, imported } = this;
    if (imported !== undefined) return this.measureImported(imported);
    const g = ops({ opset: this.network.opset });
    const specs: ParameterSpec[] = [];
    const inputs = Array.from({ length: this.blocks.length + 1 }, () => new Set<string>());
    const scope = inferenceScope(g, (spec) => {
      specs.push(spec);
      return new Value(g.names.reserve(spec.name), tensorType('float32', spec.shape));
    });
    const counts: StepCount[] = [];
    let read = 0;
    const frozen = inferenceScope(g, ({ name, dtype = 'float32', shape }) => {
      read += elementCount(shape);
      return new Value(g.names.unique(name), tensorType(dtype, shape));
    });
    const lowering = new NetworkLowering<Column>({
      inputs: addInputs(g, this.network.inputs),
      scope: (column) => (column === this ? scope : frozen),
      onRead: (_, block, name) => inputs[block]?.add(name),
      onCount: (_, count) => counts.push(count),
      // What it stands on is known already: its own blocks are all that is lowered.
      tap: ({ column, block }) =>
        column === this ? undefined : new Value(g.names.unique('tap'), tensorType('float32', ['N', ...column.tapShape(block)])),
    });
    const scores = sampleDims(lowering.scores(this));
    const shared = read;
    const count = specs.reduce((n, s) => n + elementCount(s.shape), 0);
    if (count > maxParameters) {
      throw new DescriptionError(`${path}: has ${count} parameters, expected at most ${maxParameters} (8 GiB of float32)`, {
        path,
      });
    }
    const taps = this.blocks.map((_, block) => sampleDims(lowering.tap({ column: this, block })));
    taps.forEach((shape, block) => {
      if (leastCount(shape) <= maxParameters) return;
      const at = `${path}.blocks[${block}]`;
      throw new DescriptionError(`${at}: a sample's output has shape [${shape}], beyond any machine`, { path: at });
    });
    this.refuseUnread(inputs);
    return { specs, count, shared, taps, scores, inputs, counts };
  }

  /** Every input that is listed is read by a layer. Throws DescriptionError. */
  private refuseUnread(inputs: readonly ReadonlySet<string>[]): void {
    const i = this.reads.findIndex(({ input }) => !inputs.some((names) => names.has(input.name)));
    const unread = this.reads[i]?.input.name;
    if (unread === undefined) return;
    const path = `${this.path}.inputs[${i}]`;
    throw new DescriptionError(`${path}: no layer reads "${unread}", expected one that names it, such as { concat: ${unread} }`, {
      path,
      got: unread,
    });
  }
}

/** The inputs of a model that answers the tasks of these columns, in the network's order. */
export function inputsOf(network: Columns, columns: readonly Column[]): readonly NetworkInput[] {
  return network.inputs.filter((input) => columns.some(({ inputs }) => inputs.includes(input)));
}

/** For checks of what programs without types give. */
export const aColumn = instance(Column, 'a Column, as columnsOf(description).column(task) gives');
export const someColumns = instance(Columns, 'Columns, as columnsOf(description) gives');
