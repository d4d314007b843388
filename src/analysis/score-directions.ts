// The Fisher information of what a head predicts, by the scores it follows from: as vectors whose outer products, summed, are that matrix. A gradient
// seeded with each of them, squared and summed, is then the diagonal of the Fisher information by anything before the scores.
import { answersOf, type Head, headWidth } from '../model/heads/heads.js';
import type { Random } from '../onnx/core/random.js';
import { Tensor } from '../onnx/core/tensor.js';

/** Scores of so many outputs are taken one by one; of more, some directions are drawn. */
export const exactWidth = 32;
/** Directions that are drawn of wider heads. */
export const drawnDirections = 16;

/** How many directions there are, and whether they are drawn. */
export function directionsOf(head: Head): { readonly count: number; readonly drawn: boolean } {
  const width = headWidth(head);
  return width <= exactWidth ? { count: width, drawn: false } : { count: drawnDirections, drawn: true };
}

/**
 * One direction for each sample, [N, width]. A head that names a class is the softmax of its scores, one that names labels a Bernoulli for each score,
 * one of numbers a normal distribution of variance 1 around each.
 * @param index which direction, from 0
 */
export function scoreDirections(head: Head, scores: Tensor, index: number, random: Random): Tensor {
  const width = headWidth(head);
  const { drawn, count } = directionsOf(head);
  const each = answersOf(head)?.each;
  const out = Tensor.zeros('float32', scores.dims);
  const to = out.data as Float32Array;
  const from = scores.data as Float32Array;
  const scale = drawn ? 1 / Math.sqrt(count) : 1;
  for (let at = 0; at < from.length; at += width) {
    const row = from.subarray(at, at + width);
    const own =
      each === 'class'
        ? ofClass(row, index, drawn ? random : undefined)
        : ofEach(row, each === 'flags', index, drawn ? random : undefined);
    own.forEach((v, j) => {
      to[at + j] = v * scale;
    });
  }
  return out;
}

/** The gradient of log p(c) by the scores, times the root of p(c): of class `index`, or of one drawn by p. */
function ofClass(row: Float32Array, index: number, random: Random | undefined): number[] {
  const top = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const grown = Array.from(row, (v) => Math.exp(v - top));
  const sum = grown.reduce((a, b) => a + b, 0);
  const p = grown.map((v) => v / sum);
  const chosen = random === undefined ? index : drawnBy(p, random.uniform());
  const root = random === undefined ? Math.sqrt(p[chosen] ?? 0) : 1;
  return p.map((v, j) => root * ((j === chosen ? 1 : 0) - v));
}

/** Where `u`, from 0 to 1, falls among shares that add up to 1. */
function drawnBy(shares: readonly number[], u: number): number {
  let below = 0;
  for (const [i, share] of shares.entries()) {
    below += share;
    if (u < below) return i;
  }
  return shares.length - 1;
}

/** The root of each score's own variance, in the place of score `index` alone or, drawn, in all with signs. */
function ofEach(row: Float32Array, flags: boolean, index: number, random: Random | undefined): number[] {
  return Array.from(row, (v, j) => {
    const p = 1 / (1 + Math.exp(-v));
    const root = flags ? Math.sqrt(p * (1 - p)) : 1;
    if (random === undefined) return j === index ? root : 0;
    return random.below(2) === 0 ? root : -root;
  });
}
