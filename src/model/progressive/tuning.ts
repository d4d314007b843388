// What a column that tunes an imported one changes of its weights: which they are, how what is trained begins, and the value that takes a weight's place in
// a graph. The base's graph is read as it is and never changed; putting its nodes into graphs is lowering's affair.

import { downstream } from '../../onnx/autodiff/path.js';
import { DescriptionError, must } from '../../onnx/core/errors.js';
import { elementCount } from '../../onnx/core/shape.js';
import type { Tensor } from '../../onnx/core/tensor.js';
import { type Node, nodeLabel, type Value } from '../../onnx/ir/graph.js';
import { definitionOf, hasTrait, isStandard } from '../../onnx/ops/definition.js';
import type { Tune } from '../description/description.js';
import type { ParameterInit } from '../nn/init.js';
import { suggest } from '../nn/schema.js';
import { type LayerScope, trainable } from '../nn/scope.js';
import type { ImportedGraph, ImportedParameter } from './imported-graph.js';
import { withUpdate } from './tuned-merge.js';
import { firstOf } from './tuned-start.js';

/** A weight of the base that a tuned column has in a version of its own. */
export interface TunedWeight {
  /** In the base. */
  readonly parameter: ImportedParameter;
  /** In the base's graph. */
  readonly name: string;
  /** A node that reads it, and by which input. */
  readonly reader: Node;
  readonly input: number;
  /** It is transposed on the way to its reader. */
  readonly turned: boolean;
  /** As a matrix, of low-rank updates: [...lead, outputs, inputs], or with the last two the other way round. */
  readonly matrix: Matrix | undefined;
}

export interface Matrix {
  readonly lead: readonly number[];
  readonly outputs: number;
  readonly inputs: number;
  /** Stored as [...lead, inputs, outputs]. */
  readonly turned: boolean;
}

/** Weights by name. */
type ByName = ReadonlyMap<string, Tensor>;

/** What of a base a column tunes. */
export class Tuning {
  /** The tap of the base that the head reads. */
  readonly block: number;
  private found: readonly TunedWeight[] | undefined;

  constructor(
    /** The tuned column's task and its place in the description. */
    private readonly column: { readonly task: string; readonly path: string },
    private readonly tune: Tune,
    /** The base's graph. */
    readonly graph: ImportedGraph,
  ) {
    const { from } = tune;
    this.block = typeof from === 'string' ? graph.taps.indexOf(from) : (from ?? graph.taps.length - 1);
  }

  /** Whether its weights are the base's and low-rank updates. */
  get lowRank(): boolean {
    return this.tune.lora !== undefined;
  }

  /** Whether its weights begin anew. */
  private get anew(): boolean {
    return this.tune.weights === 'scratch';
  }

  /** What running statistics are called; undefined where batch normalisation is as in inference. */
  get batchStatistics(): ((name: string) => string) | undefined {
    return this.anew ? (name) => this.ownName(name) : undefined;
  }

  /** The weights that it has versions of, in the order of the graph. Throws DescriptionError for a name that is no weight, and for an op without gradient. */
  get weights(): readonly TunedWeight[] {
    this.found ??= this.checked(this.tune.lora === undefined ? this.allWeights() : this.chosen(this.tune.lora.on));
    return this.found;
  }

  /** The version of a weight: what is trained comes of the column's own scope, what is frozen is `base`. */
  value(weight: TunedWeight, own: LayerScope, base: () => Value): Value {
    const { parameter, name, matrix, reader, input } = weight;
    const { lora } = this.tune;
    if (lora === undefined) {
      const statistic = reader.opType === 'BatchNormalization' && input > 2;
      if (statistic) {
        const init = { fill: input === 3 ? 0 : 1 };
        // of one value alone there is no variance, and how many there are is known when it runs
        return own.parameter({ name: this.ownName(name), shape: parameter.shape, init, role: 'statistic', minRows: 2 });
      }
      const init = this.anew ? this.first(weight) : ({ like: parameter.name } as const);
      return trainable(own, this.ownName(name), parameter.shape, init);
    }
    const { lead, outputs, inputs, turned } = must(matrix, name);
    const { g } = own;
    const { rank, alpha } = lora;
    const at = this.updateName(name);
    const a = trainable(own, `${at}/A`, [...lead, rank, inputs], { by: { kind: 'torch_uniform' }, fanIn: inputs, fanOut: rank });
    const b = trainable(own, `${at}/B`, [...lead, outputs, rank], { fill: 0 });
    return g.scope(at, () => {
      const scaled = g.mul(b, alpha / rank);
      const axes = lead.map((_, i) => i);
      const perm = [...axes, axes.length + 1, axes.length];
      const product = turned ? g.matMul(g.transpose(a, { perm }), g.transpose(scaled, { perm })) : g.matMul(scaled, a);
      const { shape } = parameter;
      return g.add(base(), product.dims.join() === shape.join() ? product : g.reshape(product, shape));
    });
  }

  /** How a weight begins anew. Throws DescriptionError where what it is for is not known. */
  private first({ parameter, name, reader, input, turned }: TunedWeight): ParameterInit {
    const { shape } = parameter;
    const start = firstOf(reader, input, turned ? shape.toReversed() : shape);
    if (start !== undefined) return start;
    const path = `${this.column.path}.tune.weights`;
    const got = `the weight "${name}" of "${this.tune.base}" is read by ${nodeLabel(reader)}, of which no start is known`;
    throw new DescriptionError(`${path}: ${got}, expected "all", or "lora"`, { path, got: 'scratch' });
  }

  /** What a weight is called that is the column's own. */
  ownName(name: string): string {
    return `${this.column.task}/tuned/${name}`;
  }

  private updateName(name: string): string {
    return `${this.column.task}/lora/${name}`;
  }

  /** A weight with its update added, in float64 and rounded once; undefined where it has none, but is the column's own. */
  merged({ parameter, name, matrix }: TunedWeight, base: ByName, own: ByName): Tensor | undefined {
    const { lora } = this.tune;
    if (lora === undefined || matrix === undefined) return undefined;
    const part = (what: string) => must(own.get(`${this.updateName(name)}/${what}`), what);
    return withUpdate(must(base.get(parameter.name), parameter.name), part('A'), part('B'), {
      ...matrix,
      rank: lora.rank,
      scale: lora.alpha / lora.rank,
    });
  }

  /** The nodes that the head's tap is computed from, in the order of the graph. */
  private get path(): readonly Node[] {
    const { graph } = this;
    const nodes = new Set<Node>();
    graph.leavesOf(this.tapValue, new Set(), nodes);
    return graph.model.graph.nodes.filter((node) => nodes.has(node));
  }

  private get tapValue(): Value {
    return this.graph.output(must(this.graph.taps[this.block], 'tap'));
  }

  /** Parameters of the base by the inputs of its graph. */
  private get parameters(): ReadonlyMap<Value, ImportedParameter> {
    return new Map(this.graph.parameters.map((parameter) => [parameter.value, parameter]));
  }

  /** Every float32 weight that the tap depends on differentiably; the running statistics of batch normalisation are none. */
  private allWeights(): TunedWeight[] {
    const { parameters } = this;
    const { opset } = this.graph.model;
    const active = new Set<Value>([this.tapValue]);
    const found = new Map<Value, TunedWeight>();
    const readers = new Map<Value, Pick<TunedWeight, 'reader' | 'input' | 'turned'>>();
    for (const node of this.path.toReversed()) {
      if (!node.outputs.some((v) => active.has(v)) || definitionOf(node, opset)?.gradient === 'zero') continue;
      const normalises = node.opType === 'BatchNormalization' && isStandard(node);
      node.inputs.forEach((v, input) => {
        if (v === null || (normalises && input > 2 && !this.anew)) return;
        if (normalises && input > 2) this.checkStatistic(v, node, found);
        active.add(v);
        const [y] = node.outputs;
        const behind = input === 0 && movesOnly(node) && y !== undefined ? readers.get(y) : undefined;
        const turned = node.opType === 'Transpose' && behind !== undefined;
        const by = behind ? { ...behind, turned: behind.turned !== turned } : { reader: node, input, turned: false };
        readers.set(v, by);
        const parameter = parameters.get(v);
        if (parameter?.dtype === 'float32') found.set(v, { parameter, name: v.name, ...by, matrix: undefined });
      });
    }
    if (found.size === 0) {
      const path = `${this.column.path}.tune.weights`;
      const got = `"${this.tune.base}" has no float32 weight before its tap "${this.tapValue.name}"`;
      throw new DescriptionError(`${path}: ${got}, expected one to tune, or a head alone ("blocks: []")`, { path });
    }
    return [...found.values()].reverse();
  }

  /** What moves in training belongs to one node. */
  private checkStatistic(v: Value, node: Node, found: ReadonlyMap<Value, TunedWeight>): void {
    const { path } = this.column;
    if (this.parameters.get(v)?.dtype === 'float32' && !found.has(v)) return;
    const got = `${nodeLabel(node)} of "${this.tune.base}" shares its running statistics "${v.name}" or computes them`;
    throw new DescriptionError(`${path}.tune.weights: ${got}, expected such of its own: use "all"`, {
      path: `${path}.tune.weights`,
    });
  }

  /** The weights of MatMul, Gemm and Conv that are named, by their own names or those of their readers. */
  private chosen(on: readonly string[] | undefined): readonly TunedWeight[] {
    const { column, tune } = this;
    const { candidates } = this;
    const names = candidates.map(({ name }) => name);
    const chosen = new Set<string>();
    on?.forEach((pattern, i) => {
      const fits = matcher(pattern);
      const matched = candidates.filter(({ name, reader }) => fits(name) || fits(reader.name));
      if (matched.length === 0) {
        const path = `${column.path}.tune.lora.on[${i}]`;
        const got = `found ${JSON.stringify(pattern)}, which is ${this.whatIs(pattern)}`;
        const { expected, all } = expectedNames(pattern, names);
        const remedy = { kind: 'inspect', task: tune.base } as const;
        throw new DescriptionError(`${path}: ${got}, ${expected}`, { path, got: pattern, ...(!all && { remedy }) });
      }
      for (const { name } of matched) chosen.add(name);
    });
    if (candidates.length === 0) {
      const path = `${column.path}.tune.lora`;
      const got = `"${tune.base}" has no float32 weight of a MatMul, Gemm or Conv before its tap "${this.tapValue.name}"`;
      throw new DescriptionError(`${path}: ${got}, expected one to update, or "weights: all"`, { path });
    }
    return on === undefined ? candidates : candidates.filter(({ name }) => chosen.has(name));
  }

  private whatIs(name: string): string {
    const { base } = this.tune;
    const parameter = this.graph.parameters.find(({ value }) => value.name === name);
    if (parameter === undefined) return `no weight of "${base}"`;
    const kind = `${parameter.dtype} [${parameter.shape}]`;
    return `${kind} and no float32 weight of a MatMul, Gemm or Conv before the tap "${this.tapValue.name}"`;
  }

  /** What low-rank updates may name: weights of MatMul, Gemm and Conv before the tap, also such as are moved or turned before they are read. */
  get candidates(): readonly TunedWeight[] {
    const { parameters } = this;
    const found = new Map<Value, TunedWeight>();
    for (const reader of this.path) {
      for (const [input, turned] of weightInputs(reader)) {
        const leaf = throughMovement(reader.inputs[input] ?? null, turned);
        const parameter = leaf && parameters.get(leaf.value);
        if (leaf === undefined || parameter?.dtype !== 'float32' || parameter.shape.length < 2 || found.has(leaf.value)) continue;
        const matrix = matrixOf(parameter.shape, leaf.turned, reader.opType === 'Conv');
        found.set(leaf.value, { parameter, name: leaf.value.name, reader, input, turned: leaf.turned, matrix });
      }
    }
    return [...found.values()];
  }

  /** Throws where a gradient would have to run through an op that has none. */
  private checked(weights: readonly TunedWeight[]): readonly TunedWeight[] {
    const { opset } = this.graph.model;
    const from = weights.map(({ parameter }) => parameter.value);
    const { nodes } = downstream(this.path, from, opset);
    const refused = nodes.find((node) => [undefined, 'unsupported'].includes(gradientOf(node, opset)));
    if (refused === undefined) return weights;
    const { path, task } = this.column;
    const where = `${nodeLabel(refused)} of "${this.tune.base}" stands between the tuned weights of "${task}" and its head`;
    const right = 'expected others: name other weights in "lora.on", or a tap before it as "from"';
    throw new DescriptionError(`${path}.tune: ${where} and has no known gradient, ${right}`, {
      path: `${path}.tune`,
      op: refused.opType,
      node: refused.name,
    });
  }
}

/** Names that an error lists. */
const few = 8;

/** What low-rank updates of a column over this graph may name, up to its last tap. */
export const weightsToUpdate = (graph: ImportedGraph): readonly TunedWeight[] =>
  new Tuning({ task: '', path: '' }, { base: '', lora: { rank: 1, alpha: 1 } }, graph).candidates;

const gradientOf = (node: Node, opset: number): string | undefined => {
  const rule = definitionOf(node, opset)?.gradient;
  return rule === undefined || typeof rule === 'string' ? rule : 'rule';
};

/** What would be right, and whether that is all. */
function expectedNames(pattern: string, names: readonly string[]): { readonly expected: string; readonly all: boolean } {
  const near = suggest(pattern, names);
  if (names.length <= few || near.startsWith('did')) return { expected: near, all: true };
  return { expected: `${suggest(pattern, names.slice(0, few))}, ... (${names.length} in all)`, all: false };
}

/** "*" stands for anything. */
function matcher(pattern: string): (name: string) => boolean {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return (name) => name === pattern;
  return (name) => {
    // Each part at its first place behind the one before: what is left for the last one is then the most.
    let at = name.startsWith(first) ? first.length : -1;
    for (const part of rest) {
      const found = at < 0 ? -1 : name.indexOf(part, at);
      at = found < 0 ? -1 : found + part.length;
    }
    return at >= 0 && name.length - last.length >= at && name.endsWith(last);
  };
}

/** Inputs of a node that may be weights, each with whether it holds inputs before outputs. */
function weightInputs(node: Node): readonly (readonly [number, boolean])[] {
  if (!isStandard(node)) return [];
  if (node.opType === 'Conv') return [[1, false]];
  if (node.opType === 'MatMul')
    return [
      [1, true],
      [0, false],
    ];
  if (node.opType !== 'Gemm') return [];
  return [
    [1, node.int('transB', 0) === 0],
    [0, node.int('transA', 0) !== 0],
  ];
}

/** Whether a node gives the elements of its first input, moved. */
const movesOnly = (node: Node): boolean =>
  isStandard(node) && (node.opType === 'Transpose' || node.opType === 'Identity' || hasTrait(node, 'reshapes'));

/** The value that a weight is before it is moved; `turned` of it as it is stored, where it stays a matrix. */
function throughMovement(from: Value | null, turned: boolean): { readonly value: Value; readonly turned: boolean } | undefined {
  let value = from;
  let flipped = turned;
  for (let node = value?.producer; node !== undefined; node = value?.producer) {
    if (!movesOnly(node)) return undefined;
    if (node.opType === 'Transpose' && node.ints('perm')?.at(-1) !== (node.ints('perm')?.length ?? 0) - 1) flipped = !flipped;
    [value = null] = node.inputs;
  }
  return value ? { value, turned: flipped } : undefined;
}

/** A kernel is a matrix of outputs by all that each is computed from; other weights are matrices in their last two axes. */
function matrixOf(shape: readonly number[], turned: boolean, kernel: boolean): Matrix {
  const [first = 1, ...rest] = shape;
  if (kernel) return { lead: [], outputs: first, inputs: elementCount(rest), turned: false };
  const lead = shape.slice(0, -2);
  const [rows = 1, columns = 1] = shape.slice(-2);
  return turned ? { lead, outputs: columns, inputs: rows, turned } : { lead, outputs: rows, inputs: columns, turned };
}
