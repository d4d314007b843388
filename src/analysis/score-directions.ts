// The Fisher information of what a head predicts, by the scores it follows from: as vectors whose outer products, summed, are that matrix. A gradient
// seeded with each of them, squared and summed, is then the diagonal of the Fisher information by anything before the scores.
import { isCounted } from '../model/heads/each-step.js';
import {
  answersOf,
  eachOf,
  type Head,
  headWidth,
  isSeveral,
  placesOf,
  type SingleHead,
  targetKind,
} from '../model/heads/heads.js';
import { must } from '../onnx/core/errors.js';
import type { Random } from '../onnx/core/random.js';
import { Tensor } from '../onnx/core/tensor.js';

/** Scores of so many outputs are taken one by one; of more, some directions are drawn. */
export const exactWidth = 32;
/** Directions that are drawn of wider heads. */
export const drawnDirections = 16;

/** A head where its scores begin, with what its loss counts. */
interface Placed {
  readonly head: SingleHead;
  readonly from: number;
  readonly weight: number;
}

const placed = (head: Head): readonly Placed[] =>
  isSeveral(head)
    ? placesOf(head).map(({ head: own, scores, weight }) => ({ head: own, from: scores.from, weight }))
    : [{ head, from: 0, weight: 1 }];

/** How many directions there are, of several heads those of each, and whether they are drawn; those of steps are, since all steps come at once. */
export function directionsOf(head: Head): { readonly count: number; readonly drawn: boolean } {
  const counts = placed(head).map(({ head: own }) => countOf(own));
  const wide = placed(head).some(({ head: own }) => headWidth(own) > exactWidth);
  return { count: counts.reduce((a, b) => a + b, 0), drawn: wide || eachOf(head) !== undefined };
}

const countOf = (head: SingleHead): number => (headWidth(head) <= exactWidth ? headWidth(head) : drawnDirections);

/**
 * One direction for each sample, in the shape of the scores. A head that names a class is the softmax of its scores, one that names labels a Bernoulli for each
 * score, one of numbers a normal distribution of variance 1 around each. Of several heads it is one's, by the root of what its loss counts, and 0 in the places of
 * the others. Of a head of each step it has a sign drawn for each step, and is 0 where the step has no target.
 * @param index which direction, from 0
 */
export function scoreDirections(head: Head, scores: Tensor, targets: Tensor, index: number, random: Random): Tensor {
  let first = 0;
  for (const place of placed(head)) {
    const count = countOf(place.head);
    if (index < first + count) return directionOf(head, place, { scores, targets, index: index - first, random });
    first += count;
  }
  return Tensor.zeros('float32', scores.dims);
}

interface Asked {
  readonly scores: Tensor;
  readonly targets: Tensor;
  readonly index: number;
  readonly random: Random;
}

function directionOf(all: Head, { head, from, weight }: Placed, { scores, targets, index, random }: Asked): Tensor {
  const [width, own] = [headWidth(all), headWidth(head)];
  const drawn = own > exactWidth;
  const each = answersOf(head)?.each;
  const steps = eachOf(all) !== undefined;
  const out = Tensor.zeros('float32', scores.dims);
  const [to, values] = [out.data as Float32Array, scores.data as Float32Array];
  const scale = Math.sqrt(weight / (drawn ? drawnDirections : 1));
  const kind = targetKind(head);
  const numbers = targets.size / (values.length / width);
  for (let row = 0; row * width < values.length; row++) {
    if (steps && !isCounted(kind, must(targets.data[row * numbers], 'target') as number | bigint)) continue;
    const at = row * width + from;
    const said = values.subarray(at, at + own);
    const sign = steps && random.below(2) === 0 ? -scale : scale;
    const found =
      each === 'class'
        ? ofClass(said, index, drawn ? random : undefined)
        : ofEach(said, each === 'flags', index, drawn ? random : undefined);
    found.forEach((v, j) => {
      to[at + j] = v * sign;
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
