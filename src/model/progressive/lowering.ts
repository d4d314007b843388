// A network lowered to a graph, column by column and only as deep as asked: a block of an earlier column exists in the graph when
// something reads its tap. Where parameters come from is the scope's affair (model/nn/scope.ts).
import { DescriptionError, InternalError, must, UsageError } from '../../onnx/core/errors.js';
import { Random } from '../../onnx/core/random.js';
import type { Graph, Value } from '../../onnx/ir/graph.js';
import { reduceMean } from '../../onnx/ops/families/reduce.js';
import type { Head, Laterals, Step } from '../description/description.js';
import { eachOf, headDense, headLayers, isJudged } from '../heads/heads.js';
import type { Init } from '../nn/init.js';
import type { Joint, Lateral } from '../nn/joint.js';
import type { NamedInputs } from '../nn/layer.js';
import { type Layer, layoutAfter } from '../nn/layers.js';
import { lowerBlock } from '../nn/lower.js';
import { areKnown, type Size } from '../nn/open-size.js';
import { type Layout, layoutOf, positionsOf, sampleDims, turned } from '../nn/sample.js';
import { type LayerScope, trainable } from '../nn/scope.js';
import { lowerPrepare } from '../prepare/prepare.js';
import { aroundImported, ImportedLowering, refuseTraining } from './imported.js';
import type { ImportedGraph, ImportedParameter } from './imported-graph.js';
import { type ByInput, inputNumbers, type NetworkInput } from './inputs.js';
import { alphaChoices, type JoinedTaps, lateralJoint, type SourceTap } from './lateral.js';
import { lowerTuned } from './tuned-lowering.js';
import type { TunedWeight, Tuning } from './tuning.js';

/** What lowering reads of a column (column.ts): no shapes and no parameters, since these are what it finds. */
export interface LoweredColumn<C> {
  /** The task that it is for. */
  readonly task: string;
  /** Its place in the description, for errors. */
  readonly path: string;
  /** What is predicted from the last tap. */
  readonly head: Head;
  /** The inputs that it reads, the first by its first block; none where it is a head alone. */
  readonly reads: readonly ReadInput[];
  /** Lists of layers, one for each tap. */
  readonly blocks: readonly (readonly Layer[])[];
  /** What it takes from earlier columns. */
  readonly laterals: Laterals;
  /** What its weights are drawn from. */
  readonly seed: number;
  /** Its graph, where it is imported. */
  readonly imported: ImportedGraph | undefined;
  /** What it tunes, and the column that it tunes. */
  readonly tuned: Tuned<C> | undefined;
  /** An input that it reads, by name; `path` is that of the layer that names it. Throws DescriptionError for any other name. */
  reading(name: string, path: string): ReadInput;
  /** The taps that flow into a block (the number of its blocks stands for the head), in the order of the sources. */
  sourcesInto(block: number): readonly TapOf<C>[];
}

/** An input as a column reads it. */
export interface ReadInput {
  /** Which. */
  readonly input: NetworkInput;
  /** What the column does to it before any layer reads it. */
  readonly steps: readonly Step[];
  /** What its steps are named under: `prepare`, of further inputs `prepare/<input>`. */
  readonly prefix: string;
  /** Where its steps stand in the description, for errors. */
  readonly path: string;
}

/** What a column tunes. */
export interface Tuned<C> {
  /** The column that is tuned. */
  readonly base: C;
  /** @internal What of it. */
  readonly tuning: Tuning;
}

/** A block of a column, whose output later columns may read. */
export interface TapOf<C> {
  /** The column that has the tap. */
  readonly column: C;
  /** The block whose output it is, from 0. */
  readonly block: number;
}

/** Where the channels of a tap stand; undefined: no layer of its column, or no description of an imported one, has said it. */
export function tapLayout<C extends LoweredColumn<C>>({ column, block }: TapOf<C>): Layout | undefined {
  if (column.tuned !== undefined) return tapLayout({ column: column.tuned.base, block });
  return column.imported?.tapLayout(block) ?? layoutAfter(column.blocks.slice(0, block + 1).flat(), undefined);
}

/** An input that says how many steps of a sequence a sample has. */
export interface StepCount {
  /** Its name. */
  readonly input: string;
  /** How many steps there are: the most that it may say. */
  readonly steps: Size;
}

export interface LoweringOptions<C> {
  /** The network's inputs as its users bring them, [N, ...]: each column prepares them by its own steps. */
  readonly inputs: ByInput<Value>;
  /** The inputs are prepared already: no column does it. */
  readonly prepared?: boolean;
  /** The scope of a column's parameters. */
  readonly scope: (column: C) => LayerScope;
  /** A tap that is there already (a training step reads frozen taps as inputs); undefined: lower the block. */
  readonly tap?: (ref: TapOf<C>) => Value | undefined;
  /** What stands in a tap's place for all that read it; left out, the tap itself. */
  readonly through?: (ref: TapOf<C>, tap: Value) => Value;
  /** Hears which block (the number of its blocks stands for the head) reads which input. */
  readonly onRead?: (column: C, block: number, input: string) => void;
  /** Hears which input says how many of so many steps a sample has. */
  readonly onCount?: (column: C, count: StepCount) => void;
  /** What all sources of an adapter into a block give, where it is there already; undefined: taps one by one. */
  readonly joined?: (column: C, block: number) => Omit<JoinedTaps, 'tasks'> | undefined;
  /** A weight of a tuned column that is there already, its update added; undefined: the base's weight and the update. */
  readonly merged?: (column: C, weight: TunedWeight) => Value | undefined;
}

/** What a column has in a graph so far: its blocks' outputs by number, its scores, its imported graph. */
interface Lowered {
  readonly taps: Map<number, Value>;
  readonly inputs: Map<string, Value>;
  scores?: Value;
  imported?: ImportedLowering;
  /** Weights of an imported column, by name: columns that tune it read them too. */
  readonly weights: Map<string, Value>;
}

export class NetworkLowering<C extends LoweredColumn<C>> {
  private readonly done = new Map<C, Lowered>();

  constructor(private readonly options: LoweringOptions<C>) {}

  /** Output of a block, [N, ...]. */
  tap(ref: TapOf<C>): Value {
    const { column, block } = ref;
    const { taps } = this.of(column);
    let value = taps.get(block) ?? this.options.tap?.(ref);
    if (value === undefined) {
      const layers = must(column.blocks[block], `block ${block} of ${column.task}`);
      value = this.imported(column)?.tap(block) ?? this.tuned(column, block);
      value ??= this.lower(column, block, layers, String(block), `${column.path}.blocks[${block}]`);
    }
    if (!taps.has(block)) value = this.options.through?.(ref, value) ?? value;
    taps.set(block, value);
    return value;
  }

  /** Raw scores of a column, [N, width of its head]. */
  scores(column: C): Value {
    const lowered = this.of(column);
    lowered.scores ??= this.lowerScores(column);
    return lowered.scores;
  }

  /** Whether anything of an imported column is in the graph. */
  get importsAny(): boolean {
    return [...this.done.values()].some(({ imported }) => imported !== undefined);
  }

  /** Passes over the graph once all is lowered: they see nothing of what imported columns compute, whose nodes are then put in as they are. */
  finish(graph: Graph, passes: () => void): void {
    const imported = [...this.done.values()].flatMap((lowered) => lowered.imported ?? []);
    aroundImported(graph, imported, passes);
  }

  private lowerScores(column: C): Value {
    const { head, blocks } = column;
    const path = `${column.path}.head`;
    const value = this.imported(column)?.scores(isJudged(head));
    if (value !== undefined) return value;
    if (column.tuned !== undefined) return this.tunedScores(column, column.tuned.tuning.block, path);
    return blocks.length === 0 ? this.headAlone(column) : this.lower(column, blocks.length, headLayers(head), 'head', path);
  }

  /** The scores of a column without blocks: what laterals carry to the head's dense, and its bias. */
  private headAlone(column: C): Value {
    const scope = this.options.scope(column);
    const prefix = `${column.task}/head`;
    const { kind, units, init, each } = headDense(column.head);
    const lateral = must(this.joint(column, 0, prefix), 'laterals');
    const carried = lateral(each ? this.stepsAlone(column, units, init) : { along: 'features', width: units, init });
    return scope.g.add(carried, trainable(scope, `${prefix}/${kind}/bias`, [units], { fill: 0 }));
  }

  /** What a head of each step, alone, takes: as many steps as the first of its sources that is a sequence. Throws DescriptionError. */
  private stepsAlone(column: C, width: number, init: Init): Joint {
    for (const ref of column.sourcesInto(0)) {
      const [tap, layout] = [this.tap(ref), tapLayout(ref)];
      const { size } = positionsOf(sampleDims(tap), layout);
      if (size.length !== 1) continue;
      const like =
        areKnown(size) || layout === 'channels-last' ? tap : turned(this.options.scope(column).g, tap, 'channels-last');
      return { along: 'positions', layout: 'channels-last', width, init, size, like };
    }
    const path = `${column.path}.head`;
    throw new DescriptionError(`${path}: each: step needs a sequence, the taps that it reads have no steps`, { path });
  }

  private of(column: C): Lowered {
    const known = this.done.get(column) ?? { taps: new Map(), inputs: new Map(), weights: new Map() };
    this.done.set(column, known);
    return known;
  }

  private raw({ input: { name } }: ReadInput): Value {
    return must(this.options.inputs[name], `input ${name}`);
  }

  /** An input of the network, prepared as the column does. */
  private prepared(column: C, read: ReadInput): Value {
    const { input, steps, prefix, path } = read;
    const raw = this.raw(read);
    if (steps.length === 0 || this.options.prepared === true) return raw;
    const { inputs } = this.of(column);
    const { features, tokens } = input;
    const place = { scope: this.options.scope(column), prefix: `${column.task}/${prefix}`, path, features, tokens };
    const value = inputs.get(input.name) ?? lowerPrepare(place, steps, raw);
    inputs.set(input.name, value);
    return value;
  }

  /** What the first block reads. */
  private first(column: C): Value {
    const read = must(column.reads[0], 'input');
    this.options.onRead?.(column, 0, read.input.name);
    return this.prepared(column, read);
  }

  /** What an imported graph reads. */
  private all(column: C): Value[] {
    return column.reads.map((read) => {
      this.options.onRead?.(column, 0, read.input.name);
      return this.prepared(column, read);
    });
  }

  /** The inputs as the layers of a block find them. */
  private named(column: C, block: number): NamedInputs {
    const reading = (name: string, path: string) => {
      const read = column.reading(name, path);
      this.options.onRead?.(column, block, name);
      return read;
    };
    return {
      tokens: block === 0 ? column.reads[0]?.input.tokens : undefined,
      input: (name, path) => {
        const read = reading(name, path);
        return inputNumbers(this.options.scope(column).g, this.prepared(column, read), read.input, path);
      },
      raw: (name, path) => {
        const read = reading(name, path);
        if (this.options.prepared !== true || read.steps.length === 0) return this.raw(read);
        throw new UsageError(`prepared input: ${path} reads the input "${name}" as it comes, expected a model that prepares it`, {
          got: name,
        });
      },
      counted: (name, steps) => this.options.onCount?.(column, { input: name, steps }),
      tokensOf: (name) => column.reads.find(({ input }) => input.name === name)?.input.tokens,
    };
  }

  private imported(column: C): ImportedLowering | undefined {
    const { task, imported } = column;
    if (imported === undefined) return undefined;
    const lowered = this.of(column);
    const scope = this.options.scope(column);
    if (scope.training) refuseTraining(column);
    lowered.imported ??= new ImportedLowering(task, imported.at(scope.g.opset), scope, this.all(column), (p) =>
      this.weight(column, p),
    );
    return lowered.imported;
  }

  /** A weight of an imported column, once in a graph. */
  private weight(column: C, parameter: ImportedParameter): Value {
    const { weights } = this.of(column);
    const known = weights.get(parameter.name);
    if (known !== undefined) return known;
    const value = this.options.scope(column).parameter({ ...parameter, init: { fill: 0 }, role: 'trainable' });
    weights.set(parameter.name, value);
    return value;
  }

  /** A tap of a tuned column; undefined of others. */
  private tuned(column: C, block: number): Value | undefined {
    const { task, tuned } = column;
    if (tuned === undefined) return undefined;
    const { base, tuning } = tuned;
    const scope = this.options.scope(column);
    const versions = new Map(tuning.weights.map((weight) => [weight.parameter.name, weight]));
    const weight = (parameter: ImportedParameter): Value => {
      const version = versions.get(parameter.name);
      const frozen = () => this.weight(base, parameter);
      if (version === undefined) return frozen();
      return this.options.merged?.(column, version) ?? tuning.value(version, scope, frozen);
    };
    const given = this.all(column);
    const graph = tuning.graph.at(scope.g.opset);
    const { batchStatistics } = tuning;
    if (scope.training) return lowerTuned({ task, scope, graph, given, weight, batchStatistics }, block);
    const lowered = this.of(column);
    lowered.imported ??= new ImportedLowering(task, graph, scope, given, weight);
    return lowered.imported.tap(block);
  }

  /** The scores of a tuned column: its head over its tap, the mean over positions where it has some. */
  private tunedScores(column: C, block: number, path: string): Value {
    const scope = this.options.scope(column);
    const tap = this.tap({ column, block });
    const layout = tapLayout({ column, block });
    const inputs = this.named(column, column.blocks.length);
    const head = headLayers(column.head);
    if (eachOf(column.head)) return lowerBlock({ scope, prefix: `${column.task}/head`, path, layout, inputs }, head, tap);
    const { size } = positionsOf(sampleDims(tap), layout);
    const first = layoutOf(layout) === 'channels-last' ? 1 : 2;
    const axes = size.map((_, i) => first + i);
    const features = axes.length === 0 ? tap : reduceMean(scope.g, tap, axes, 0);
    return lowerBlock({ scope, prefix: `${column.task}/head`, path, inputs }, head, features);
  }

  private lower(column: C, block: number, layers: readonly Layer[], name: string, path: string): Value {
    const { options } = this;
    const scope = options.scope(column);
    const x = block === 0 ? this.first(column) : this.tap({ column, block: block - 1 });
    const prefix = `${column.task}/${name}`;
    const layout = block === 0 ? undefined : tapLayout({ column, block: block - 1 });
    const lateral = this.joint(column, block, prefix, () => positionsOf(sampleDims(x), layout).channels);
    return lowerBlock({ scope, prefix, path, lateral, layout, inputs: this.named(column, block) }, layers, x);
  }

  /** What the laterals into a block add at its joint; undefined where there are none. `width` is that of the column's own block before. */
  private joint(column: C, block: number, prefix: string, widthOf = () => 1): Lateral | undefined {
    const { options } = this;
    const refs = column.sourcesInto(block);
    if (refs.length === 0) return undefined;
    const scope = options.scope(column);
    const { laterals, seed } = column;
    if (laterals.kind === 'none') throw new InternalError('a column without laterals has sources');
    const joined = options.joined?.(column, block);
    const apart = (): SourceTap[] => refs.map((ref) => ({ task: ref.column.task, tap: this.tap(ref), layout: tapLayout(ref) }));
    const sources = joined === undefined ? apart() : { ...joined, tasks: refs.map((ref) => ref.column.task) };
    const drawAlpha = (parameter: string) => must(alphaChoices[new Random(seed, parameter).below(alphaChoices.length)], 'alpha');
    return lateralJoint({ scope, prefix, into: block, laterals, sources, width: widthOf(), drawAlpha });
  }
}
