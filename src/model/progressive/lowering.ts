// A network lowered to a graph, column by column and only as deep as asked: a block of an earlier column exists in the graph when
// something reads its tap. Where parameters come from is the scope's affair (model/nn/scope.ts).
import { DescriptionError, InternalError, must } from '../../onnx/core/errors.js';
import { Random } from '../../onnx/core/random.js';
import type { Value } from '../../onnx/ir/graph.js';
import type { Column, Description } from '../description/description.js';
import { headWidth } from '../heads/head-schema.js';
import type { Layer } from '../nn/layer-schema.js';
import { lowerBlock, sampleDims } from '../nn/lower.js';
import type { LayerScope } from '../nn/scope.js';
import { ImportedLowering } from './imported.js';
import { alphaChoices, type JoinedTaps, lateralJoint, type SourceTap } from './lateral.js';

/** A block of a column, by the column's index and the block's. */
export interface TapRef {
  readonly column: number;
  readonly block: number;
}

/** The taps that flow into block `block` of a column (the number of its blocks stands for the head), in the order of the sources. */
export function sourcesOf(description: Description, column: number, block: number): TapRef[] {
  const { laterals } = must(description.columns[column], `column ${column}`);
  if (laterals.kind === 'none' || !laterals.into.includes(block)) return [];
  return laterals.from.map((task) => {
    const index = description.columns.findIndex((c) => c.task === task);
    const source = must(description.columns[index], `lateral source ${task}`);
    // A source shorter than the target contributes its last block.
    return { column: index, block: Math.min(block - 1, source.blocks.length - 1) };
  });
}

/** Every tap that a column reads, each once, in ascending order. */
export function tapsRead(description: Description, column: number): TapRef[] {
  const blocks = must(description.columns[column], `column ${column}`).blocks.length;
  const found = new Map<string, TapRef>();
  for (let b = 1; b <= blocks; b++)
    for (const ref of sourcesOf(description, column, b)) found.set(`${ref.column}/${ref.block}`, ref);
  return [...found.values()].sort((a, b) => a.column - b.column || a.block - b.block);
}

/** The seed of a column: its own, else the description's. */
export function columnSeed(description: Description, column: Column): number {
  return column.train.seed ?? description.seed;
}

export interface LoweringOptions {
  /** The network input, float, [N, ...]. */
  readonly x: Value;
  /** The scope of a column's parameters. */
  readonly scope: (column: number) => LayerScope;
  /** A tap that is there already (a training step reads frozen taps as inputs); undefined: lower the block. */
  readonly tap?: (ref: TapRef) => Value | undefined;
  /** What all sources of an adapter into a block give, where it is there already; undefined: taps one by one. */
  readonly joined?: (column: number, block: number) => Omit<JoinedTaps, 'tasks'> | undefined;
}

export class NetworkLowering {
  private readonly taps = new Map<string, Value>();
  private readonly heads = new Map<number, Value>();
  private readonly imports = new Map<number, ImportedLowering>();

  constructor(
    readonly description: Description,
    private readonly options: LoweringOptions,
  ) {}

  /** Output of a block, [N, ...]. */
  tap(ref: TapRef): Value {
    const key = `${ref.column}/${ref.block}`;
    let value = this.taps.get(key) ?? this.options.tap?.(ref);
    if (value === undefined) {
      const column = this.column(ref.column);
      const layers = must(column.blocks[ref.block], `block ${key}`);
      value = this.imported(ref.column)?.value(ref.block);
      value ??= this.lower(ref.column, ref.block, layers, String(ref.block), `columns[${ref.column}].blocks[${ref.block}]`);
    }
    this.taps.set(key, value);
    return value;
  }

  /** Raw scores of a column, [N, width of its head]. */
  scores(index: number): Value {
    let value = this.heads.get(index);
    if (value === undefined) {
      const { head, blocks, task } = this.column(index);
      value = this.imported(index)?.value('scores');
      if (value !== undefined && sampleDims(value).join() !== String(headWidth(head))) {
        throw new DescriptionError(
          `task "${task}": its head is ${headWidth(head)} wide, its imported scores are [N,${sampleDims(value)}]`,
          {
            path: `columns[${index}].head`,
          },
        );
      }
      const layers: Layer[] = [{ kind: 'flatten' }, { kind: 'dense', units: headWidth(head), bias: true, init: head.init }];
      value ??= this.lower(index, blocks.length, layers, 'head', `columns[${index}].head`);
      this.heads.set(index, value);
    }
    return value;
  }

  private imported(index: number): ImportedLowering | undefined {
    const column = this.column(index);
    if (column.onnx === undefined) return undefined;
    const known = this.imports.get(index) ?? new ImportedLowering(column, column.onnx, this.options.scope(index), this.options.x);
    this.imports.set(index, known);
    return known;
  }

  private lower(index: number, block: number, layers: readonly Layer[], name: string, path: string): Value {
    const { description, options } = this;
    const column = this.column(index);
    const scope = options.scope(index);
    const x = block === 0 ? options.x : this.tap({ column: index, block: block - 1 });
    const prefix = `${column.task}/${name}`;
    const refs = sourcesOf(description, index, block);
    if (refs.length === 0) return lowerBlock(scope, layers, x, prefix, path);
    const { laterals } = column;
    if (laterals.kind === 'none') throw new InternalError('a column without laterals has sources');
    const task = (ref: TapRef) => this.column(ref.column).task;
    const joined = options.joined?.(index, block);
    const apart = (): SourceTap[] => refs.map((ref) => ({ task: task(ref), tap: this.tap(ref) }));
    const sources = joined === undefined ? apart() : { ...joined, tasks: refs.map(task) };
    const seed = columnSeed(description, column);
    const drawAlpha = (parameter: string) => must(alphaChoices[new Random(seed, parameter).below(alphaChoices.length)], 'alpha');
    const joint = lateralJoint({ scope, prefix, laterals, sources, width: sampleDims(x)[0] ?? 1, drawAlpha });
    return lowerBlock(scope, layers, x, prefix, path, joint);
  }

  private column(index: number): Column {
    return must(this.description.columns[index], `column ${index}`);
  }
}
