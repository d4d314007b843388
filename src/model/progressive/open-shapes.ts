// What sizes values of an imported graph have while sizes of its inputs are open: inference is asked at many sizes, and the one rule that all of them
// follow, ceil((times size + add) / by), is the value's own size. Where there is none, the size must be given.
import { ModelError, must, ShapeError } from '../../onnx/core/errors.js';
import type { Graph, Node } from '../../onnx/ir/graph.js';
import { nodeLabel, nodeReads } from '../../onnx/ir/graph.js';
import type { Model } from '../../onnx/ir/model.js';
import { atSizes } from '../../onnx/passes/at-sizes.js';
import { grown, type Size, shrunk } from '../nn/open-size.js';
import type { Sizes } from './open-inputs.js';

/** What an open size is at least and where rules begin: samples that stand for data have it too. */
export const smallestOpen = 32;
/** How far beyond it a rule is asked for, as far as the graph goes: tables of positions end somewhere. */
const reaches = [2016, 992, 480, 224, 96, 31] as const;
/** Of windows, one behind another. */
const largestStride = 64;
/** Sizes at which one open size is tried at most. */
const mostSamples = 40;

/** A value whose shape is not known while a size is open. */
export class NoRule extends Error {
  constructor(
    message: string,
    /** The value. */
    readonly value: string,
    /** The open size. */
    readonly dim: string,
  ) {
    super(message);
  }
}

interface Rule {
  readonly times: number;
  readonly by: number;
  readonly add: number;
}

const sizeAt = ({ times, by, add }: Rule, size: number): number => Math.ceil((times * size + add) / by);

/** Shapes of one sample of values of a graph, by name, its open sizes being `dims`. Throws NoRule. */
export function openShapes({ graph, opset }: Model, dims: readonly string[], names: readonly string[]): Map<string, Size[]> {
  const known = new Map<string, Shapes | Unknown>();
  const base = Object.fromEntries(dims.map((dim, i) => [dim, smallestOpen + i]));
  const shapesAt: ShapesAt = (sizes) => {
    const key = JSON.stringify(sizes);
    const found = known.get(key) ?? shapesOf(graph, opset, sizes, names);
    known.set(key, found);
    return found;
  };
  const first = shapesAt(base);
  const [some = ''] = dims;
  if ('why' in first) throw new NoRule(first.why, first.value, some);
  const found = new Map(names.map((name): [string, Size[]] => [name, [...must(first.get(name), name)]]));
  for (const dim of dims) ruleOf(dim, base, shapesAt, found);
  return found;
}

type Shapes = ReadonlyMap<string, readonly number[]>;
/** Why a value has no shape. */
interface Unknown {
  readonly value: string;
  readonly why: string;
}
type ShapesAt = (sizes: Sizes) => Shapes | Unknown;

/** Puts in place what follows of one open size, the others being those of `base`. */
function ruleOf(dim: string, base: Sizes, shapesAt: ShapesAt, found: Map<string, Size[]>): void {
  const least = base[dim] ?? smallestOpen;
  const samples = new Map<number, Shapes>();
  const ask = (size: number): boolean => {
    const shapes = shapesAt({ ...base, [dim]: size });
    if ('why' in shapes) return false;
    samples.set(size, shapes);
    return true;
  };
  const [last = ''] = [...found.keys()].slice(-1);
  const reach = reaches.find((more) => ask(least + more));
  if (reach === undefined || !ask(least) || !ask(least + 1))
    throw new NoRule(`it has no shape where "${dim}" is ${least + must(reaches.at(-1), 'reach')}`, last, dim);
  for (const [name, sizes] of found)
    sizes.forEach((size, axis) => {
      const at = () => new Map([...samples].map(([asked, shapes]) => [asked, must(shapes.get(name)?.[axis], name)]));
      if (new Set(at().values()).size === 1) return;
      if (typeof size === 'string')
        throw new NoRule(`a size of it follows from several that are open, "${dim}" among them`, name, dim);
      sizes[axis] = written(dim, onlyRule(at, ask, { least, reach }) ?? noRule(name, axis, dim));
    });
}

const noRule = (name: string, axis: number, dim: string): never => {
  throw new NoRule(`the size of its axis ${axis + 1} follows from "${dim}" in no way that a shape can say`, name, dim);
};

const written = (dim: string, { times, by, add }: Rule): Size => shrunk(grown(dim, times, 0), add, by);

/** The rule that all samples follow; more are asked for while several rules do. */
function onlyRule(
  samples: () => ReadonlyMap<number, number>,
  ask: (size: number) => boolean,
  { least, reach }: { readonly least: number; readonly reach: number },
): Rule | undefined {
  for (;;) {
    const known = samples();
    const rules = rulesOf(known, least, reach);
    const [first] = rules;
    if (first === undefined) return undefined;
    const differs = (size: number) => rules.some((rule) => sizeAt(rule, size) !== sizeAt(first, size));
    const next = Array.from({ length: reach }, (_, i) => least + i).find((size) => !known.has(size) && differs(size));
    if (next === undefined) return first;
    if (known.size > mostSamples || !ask(next)) return undefined;
  }
}

/** All rules that the samples follow, the simplest first. */
function rulesOf(samples: ReadonlyMap<number, number>, least: number, reach: number): Rule[] {
  const slope = (must(samples.get(least + reach), 'sample') - must(samples.get(least), 'sample')) / reach;
  const found: Rule[] = [];
  for (let by = 1; by <= largestStride && 2 * by <= reach; by++)
    for (let times = Math.max(1, Math.floor((slope - 2 / reach) * by)); times <= Math.ceil((slope + 2 / reach) * by); times++) {
      const ranges = [...samples].map(([size, s]) => [by * (s - 1) - times * size + 1, by * s - times * size] as const);
      const [from, to] = [Math.max(...ranges.map(([low]) => low)), Math.min(...ranges.map(([, high]) => high))];
      for (let add = from; add <= to; add++) found.push({ times, by, add });
    }
  return found;
}

/** Shapes where the open sizes are these, as inference finds them. */
function shapesOf(graph: Graph, opset: number, sizes: Sizes, names: readonly string[]): Shapes | Unknown {
  const where = Object.entries(sizes)
    .map(([dim, size]) => `${dim} is ${size}`)
    .join(', ');
  try {
    const { copy } = atSizes(graph, sizes, opset);
    const values = new Map(copy.outputs.map((v) => [v.name, v]));
    const found = new Map<string, number[]>();
    for (const value of names) {
      const dims = values.get(value)?.shape?.slice(1);
      if (dims?.every((d): d is number => typeof d === 'number') !== true)
        return { value, why: `its shape is not known where ${where}${unknownFrom(copy, value)}` };
      found.set(value, dims);
    }
    return found;
  } catch (cause) {
    if (!(cause instanceof ShapeError) && !(cause instanceof ModelError)) throw cause;
    return { value: must(names.at(-1), 'value'), why: `it has no shape where ${where}: ${cause.statement}` };
  }
}

/** The first node before a value of whose output a size is not known. */
function unknownFrom(graph: Graph, name: string): string {
  const needed = new Set(graph.outputs.filter((v) => v.name === name));
  for (const v of needed) if (v.producer !== undefined) for (const read of nodeReads(v.producer)) needed.add(read);
  const unknown = ({ outputs }: Node) =>
    outputs.some((v) => needed.has(v) && v.shape?.slice(1).every((d) => typeof d === 'number') !== true);
  const node = graph.nodes.find(unknown);
  return node === undefined ? '' : `, from ${nodeLabel(node)} on`;
}
