// What sizes values of an imported graph have while sizes of its inputs are open: inference is asked at many sizes, and the one rule that all of them
// follow, ceil((times size + add) / by) or the product of two such, is the value's own size. Where there is none, the size must be given.
import { ModelError, must, ShapeError } from '../../onnx/core/errors.js';
import type { Graph, Node } from '../../onnx/ir/graph.js';
import { nodeLabel, nodeReads } from '../../onnx/ir/graph.js';
import type { Model } from '../../onnx/ir/model.js';
import { atSizes } from '../../onnx/passes/at-sizes.js';
import { grown, product, type Size, shrunk, sizeIn } from '../nn/open-size.js';
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
  const [last = ''] = names.slice(-1);
  const lines = dims.map((dim) => lineOf(dim, base, shapesAt, last));
  const sizeOf = (name: string, axis: number, size: number): Size => {
    const moving = lines.filter((line) => new Set(line.along(name, axis).values()).size > 1);
    const [one, two, ...more] = moving;
    if (one === undefined) return size;
    if (two === undefined) return ruleOf(one, name, axis);
    if (more.length > 0) throw new NoRule('a size of it follows from three that are open', name, one.dim);
    return productOf([one, two], name, axis, shapesAt);
  };
  return new Map(names.map((name) => [name, must(first.get(name), name).map((size, axis) => sizeOf(name, axis, size))]));
}

type Shapes = ReadonlyMap<string, readonly number[]>;
/** Why a value has no shape. */
interface Unknown {
  readonly value: string;
  readonly why: string;
}
type ShapesAt = (sizes: Sizes) => Shapes | Unknown;

/** What inference is asked along one open size, the others being those of `base`. */
interface Line {
  readonly dim: string;
  readonly base: Sizes;
  readonly least: number;
  readonly reach: number;
  /** Whether there are shapes at this size, which `along` holds from then on. */
  ask(size: number): boolean;
  /** An axis of a value, at all sizes that were asked. */
  along(name: string, axis: number): ReadonlyMap<number, number>;
}

/** Throws NoRule, of the value `last`, where inference has no shapes. */
function lineOf(dim: string, base: Sizes, shapesAt: ShapesAt, last: string): Line {
  const least = base[dim] ?? smallestOpen;
  const samples = new Map<number, Shapes>();
  const ask = (size: number): boolean => {
    const shapes = shapesAt({ ...base, [dim]: size });
    if ('why' in shapes) return false;
    samples.set(size, shapes);
    return true;
  };
  const reach = reaches.find((more) => ask(least + more));
  if (reach === undefined || !ask(least) || !ask(least + 1))
    throw new NoRule(`it has no shape where "${dim}" is ${least + must(reaches.at(-1), 'reach')}`, last, dim);
  const along = (name: string, axis: number) =>
    new Map([...samples].map(([asked, shapes]) => [asked, must(shapes.get(name)?.[axis], name)]));
  return { dim, base, least, reach, ask, along };
}

/** What follows of one open size. */
function ruleOf(line: Line, name: string, axis: number): Size {
  const { dim } = line;
  return written(dim, onlyRule(() => line.along(name, axis), line.ask, line) ?? noRule(name, axis, dim));
}

/** Of two: the product of what follows of each, as places of an image in a row are, and a number beside it, as a token of its own. Throws NoRule. */
function productOf([one, two]: readonly [Line, Line], name: string, axis: number, shapesAt: ShapesAt): Size {
  const several = (): never => {
    throw new NoRule(`a size of it follows from several that are open, "${two.dim}" among them`, name, two.dim);
  };
  // Where the other factor is one more, the product is more by this one.
  const factor = (line: Line, other: Line): Size => {
    const beside = lineOf(line.dim, { ...line.base, [other.dim]: nextStep(other, name, axis) ?? several() }, shapesAt, name);
    const more = () => {
      const [low, high] = [line.along(name, axis), beside.along(name, axis)];
      return new Map(
        [...low].flatMap(([size, v]): [number, number][] => (high.has(size) ? [[size, must(high.get(size), name) - v]] : [])),
      );
    };
    const range = { least: line.least, reach: Math.min(line.reach, beside.reach) };
    const ask = (size: number) => line.ask(size) && beside.ask(size);
    if (!ask(range.least + range.reach)) return several();
    return written(line.dim, onlyRule(more, ask, range) ?? several());
  };
  const whole = product([factor(one, two), factor(two, one)]);
  const at = (sizes: Sizes) => {
    const shapes = shapesAt(sizes);
    return 'why' in shapes ? several() : must(shapes.get(name)?.[axis], name);
  };
  const beside = at(one.base) - must(sizeIn(whole, one.base), 'product');
  const size = shrunk(whole, beside, 1);
  // Along both at once.
  for (const [a, b] of [
    [1, 1],
    [7, 17],
    [31, 31],
    [one.reach, two.reach],
  ] as const) {
    const sizes = { ...one.base, [one.dim]: one.least + Math.min(a, one.reach), [two.dim]: two.least + Math.min(b, two.reach) };
    if (at(sizes) !== sizeIn(size, sizes)) several();
  }
  return size;
}

/** The first size beyond the least at which an axis of a value is another. */
function nextStep(line: Line, name: string, axis: number): number | undefined {
  const { least, reach, ask, along } = line;
  const before = along(name, axis).get(least);
  for (let size = least + 1; size <= least + Math.min(reach, largestStride); size++)
    if (ask(size) && along(name, axis).get(size) !== before) return size;
  return undefined;
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
