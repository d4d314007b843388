// A network lowered to a graph, column by column and only as deep as asked: a block of an earlier column exists in the graph when
// something reads its tap. Where parameters come from is the scope's affair (model/nn/scope.ts).
import { InternalError, must } from '../../onnx/core/errors.js';
import { Random } from '../../onnx/core/random.js';
import type { Graph, Value } from '../../onnx/ir/graph.js';
import type { Head, Laterals, Step } from '../description/description.js';
import { headDense, headLayers } from '../heads/heads.js';
import type { Lateral } from '../nn/joint.js';
import { type Layer, layoutAfter } from '../nn/layers.js';
import { lowerBlock } from '../nn/lower.js';
import { type Layout, positionsOf, sampleDims } from '../nn/sample.js';
import { type LayerScope, trainable } from '../nn/scope.js';
import { lowerPrepare } from '../prepare/prepare.js';
import { aroundImported, ImportedLowering } from './imported.js';
import type { ImportedGraph } from './imported-graph.js';
import { type ByInput, type NetworkInput, onlyOf } from './inputs.js';
import { alphaChoices, type JoinedTaps, lateralJoint, type SourceTap } from './lateral.js';

/** What lowering reads of a column (column.ts): no shapes and no parameters, since these are what it finds. */
export interface LoweredColumn<C> {
  /** The task that it is for. */
  readonly task: string;
  /** Its place in the description, for errors. */
  readonly path: string;
  /** What is predicted from the last tap. */
  readonly head: Head;
  /** What it does to the network's input before its first block. */
  readonly prepare: readonly Step[];
  /** The network's inputs. */
  readonly inputs: readonly NetworkInput[];
  /** Lists of layers, one for each tap. */
  readonly blocks: readonly (readonly Layer[])[];
  /** What it takes from earlier columns. */
  readonly laterals: Laterals;
  /** What its weights are drawn from. */
  readonly seed: number;
  /** Its graph, where it is imported. */
  readonly imported: ImportedGraph | undefined;
  /** The taps that flow into a block (the number of its blocks stands for the head), in the order of the sources. */
  sourcesInto(block: number): readonly TapOf<C>[];
}

/** A block of a column, whose output later columns may read. */
export interface TapOf<C> {
  /** The column that has the tap. */
  readonly column: C;
  /** The block whose output it is, from 0. */
  readonly block: number;
}

/** Where the channels of a tap stand; undefined: no layer of its column has said it. */
export function tapLayout<C extends LoweredColumn<C>>({ column, block }: TapOf<C>): Layout | undefined {
  return layoutAfter(column.blocks.slice(0, block + 1).flat(), undefined);
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
  /** What all sources of an adapter into a block give, where it is there already; undefined: taps one by one. */
  readonly joined?: (column: C, block: number) => Omit<JoinedTaps, 'tasks'> | undefined;
}

/** What a column has in a graph so far: its blocks' outputs by number, its scores, its imported graph. */
interface Lowered {
  readonly taps: Map<number, Value>;
  input?: Value;
  scores?: Value;
  imported?: ImportedLowering;
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
      value = this.imported(column)?.value(block);
      value ??= this.lower(column, block, layers, String(block), `${column.path}.blocks[${block}]`);
    }
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
    const value = this.imported(column)?.value('scores');
    if (value !== undefined) return value;
    return blocks.length === 0 ? this.headAlone(column) : this.lower(column, blocks.length, headLayers(head), 'head', path);
  }

  /** The scores of a column without blocks: what laterals carry to the head's dense, and its bias. */
  private headAlone(column: C): Value {
    const scope = this.options.scope(column);
    const prefix = `${column.task}/head`;
    const { kind, units, init } = headDense(column.head);
    const carried = must(this.joint(column, 0, prefix), 'laterals')({ along: 'features', width: units, init });
    return scope.g.add(carried, trainable(scope, `${prefix}/${kind}/bias`, [units], { fill: 0 }));
  }

  private of(column: C): Lowered {
    const known = this.done.get(column) ?? { taps: new Map() };
    this.done.set(column, known);
    return known;
  }

  /** The network's input, prepared as the column does. */
  private input(column: C): Value {
    const lowered = this.of(column);
    const { prepare, task, path } = column;
    const raw = onlyOf(Object.values(this.options.inputs));
    if (prepare.length === 0 || this.options.prepared === true) return raw;
    const { features } = onlyOf(column.inputs);
    const place = { scope: this.options.scope(column), prefix: `${task}/prepare`, path: `${path}.prepare`, features };
    lowered.input ??= lowerPrepare(place, prepare, raw);
    return lowered.input;
  }

  private imported(column: C): ImportedLowering | undefined {
    const { task, imported } = column;
    if (imported === undefined) return undefined;
    const lowered = this.of(column);
    lowered.imported ??= new ImportedLowering(task, imported, this.options.scope(column), this.input(column));
    return lowered.imported;
  }

  private lower(column: C, block: number, layers: readonly Layer[], name: string, path: string): Value {
    const { options } = this;
    const scope = options.scope(column);
    const x = block === 0 ? this.input(column) : this.tap({ column, block: block - 1 });
    const prefix = `${column.task}/${name}`;
    const tokens = block === 0 ? onlyOf(column.inputs).tokens : undefined;
    const layout = block === 0 ? undefined : tapLayout({ column, block: block - 1 });
    const lateral = this.joint(column, block, prefix, positionsOf(sampleDims(x), layout).channels);
    return lowerBlock({ scope, prefix, path, lateral, layout, tokens }, layers, x);
  }

  /** What the laterals into a block add at its joint; undefined where there are none. `width` is that of the column's own block before. */
  private joint(column: C, block: number, prefix: string, width = 1): Lateral | undefined {
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
    return lateralJoint({ scope, prefix, laterals, sources, width, drawAlpha });
  }
}
