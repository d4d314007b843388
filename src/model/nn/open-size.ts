// Sizes of samples that stay open until data come: a name of the description, or what windows make of one, written out, so that two sizes are the same
// where their texts are. What is read of sizes alone stands here; a layer that needs the number says so by `stillOpen`.
import { ShapeError } from '../../onnx/core/errors.js';

/** A size: a number, or the text of one that is open. */
export type Size = number | string;

/** (base + add) / by, rounded up: what windows leave of an open size. Any text is a base. */
interface Shrunk {
  readonly base: string;
  readonly add: number;
  readonly by: number;
}

const divided = /^ceil\((?:\((.+)([+-]\d+)\)|(.+))\/(\d+)\)$/;
const shifted = /^\((.+)([+-]\d+)\)$/;

function read(size: string): Shrunk {
  const [, inner, add, whole, by] = divided.exec(size) ?? [];
  if (by !== undefined) return { base: inner ?? whole ?? size, add: Number(add ?? 0), by: Number(by) };
  const [, base, more] = shifted.exec(size) ?? [];
  return { base: base ?? size, add: Number(more ?? 0), by: 1 };
}

function written({ base, add, by }: Shrunk): string {
  const sum = add === 0 ? base : `(${base}${add < 0 ? '' : '+'}${add})`;
  return by === 1 ? sum : `ceil(${sum}/${by})`;
}

/** (size + add) / by, rounded up: the places of a window with this stride. */
export function shrunk(size: Size, add: number, by: number): Size {
  if (typeof size === 'number') return Math.ceil((size + add) / by);
  const before = read(size);
  // Rounding up once is as much as twice.
  return written({ base: before.base, add: before.add + add * before.by, by: before.by * by });
}

/** size times + add: the places of a transposed window. */
export function grown(size: Size, times: number, add: number): Size {
  if (typeof size === 'number') return size * times + add;
  return written({ base: times === 1 ? size : `${times}*${size}`, add, by: 1 });
}

/** All positions in a row. */
export function product(sizes: readonly Size[]): Size {
  const known = sizes.filter((s) => typeof s === 'number').reduce((a, b) => a * b, 1);
  const open = sizes.filter((s) => typeof s === 'string');
  if (open.length === 0) return known;
  const factors = [...(known === 1 ? [] : [known]), ...open];
  return factors.length === 1 ? factors.join() : `(${factors.join('*')})`;
}

/** How many values a sample has, each open size counted as 1: at the least so many. */
export const leastCount = (sizes: readonly Size[]): number =>
  sizes.reduce<number>((n, s) => (typeof s === 'number' ? n * s : n), 1);

/** Whether all are numbers. */
export const areKnown = (sizes: readonly Size[]): sizes is readonly number[] => sizes.every((s) => typeof s === 'number');

/** The error of a layer that needs the number: `why` it does, and a `way` that takes any. */
export const stillOpen = (size: string, why: string, way: string): ShapeError =>
  new ShapeError(`"${size}" is open, ${why}: ${way}`, { got: size, expected: way });

/** The number. Throws ShapeError for an open one. */
export function knownSize(size: Size, why: string, way: string): number {
  if (typeof size === 'number') return size;
  throw stillOpen(size, why, way);
}

/** The numbers. Throws ShapeError for an open one. */
export const knownSizes = (sizes: readonly Size[], why: string, way: string): number[] =>
  sizes.map((size) => knownSize(size, why, way));

/** What a size is where the open ones are these. */
export function sizeIn(size: Size, sizes: Readonly<Record<string, number>>): number | undefined {
  if (typeof size === 'number') return size;
  const { base, add, by } = read(size);
  const known = base === size ? factorsIn(size, sizes) : sizeIn(base, sizes);
  return known === undefined ? undefined : Math.ceil((known + add) / by);
}

/** A name, a number, or several of both that are multiplied. */
function factorsIn(text: string, sizes: Readonly<Record<string, number>>): number | undefined {
  const own = sizes[text];
  if (own !== undefined) return own;
  if (/^\d+$/.test(text)) return Number(text);
  if (isBracketed(text)) return factorsIn(text.slice(1, -1), sizes);
  // At a "*" outside any bracket.
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    depth += text[i] === '(' ? 1 : text[i] === ')' ? -1 : 0;
    if (text[i] !== '*' || depth > 0) continue;
    const [first, rest] = [sizeIn(text.slice(0, i), sizes), sizeIn(text.slice(i + 1), sizes)];
    return first === undefined || rest === undefined ? undefined : first * rest;
  }
  return undefined;
}

/** Whether the bracket that opens a text closes at its end. */
function isBracketed(text: string): boolean {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    depth += text[i] === '(' ? 1 : text[i] === ')' ? -1 : 0;
    if (depth === 0) return i > 0 && i === text.length - 1;
  }
  return false;
}
