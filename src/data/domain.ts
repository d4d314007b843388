// Whether a sample is of the kind that a column learned from, told without a label by two numbers: the distance of the last tap to the nearest
// class's mean, by the covariance within classes (Mahalanobis; Lee et al. 2018, arXiv:1807.03888), and, where the scores are those of classes,
// their energy -log sum exp (Liu et al. 2020, arXiv:2010.03759). Each is measured in standard deviations of the column's own samples, and their
// sum is the doubt. Numbers alone: who runs the model is network's affair.
import * as z from 'zod';
import { jsonOrNothing } from '../formats/json-or-nothing.js';
import { Random } from '../onnx/core/random.js';
import { Tensor } from '../onnx/core/tensor.js';

/** The part of the column's own samples that stay unmarked. */
export const keptPart = 0.95;
/** Fewer samples say nothing of the twentieth that is strangest. */
export const fewestRows = 40;
/** A tap of more numbers is brought down to as many by sums of random signs, which nearly keep distances. */
const mostFeatures = 64;
/** Part of the mean variance in the covariance: no direction has none. */
const leastVariance = 0.01;

/** What a model answers for some rows. */
export interface ScoresAndTap {
  /** float32 [N, k] */
  readonly scores: Tensor;
  /** float32 [N, ...], the output of the last block. */
  readonly tap: Tensor;
}

const number = z.number();
const spread = z.strictObject({ mean: number, deviation: number });
const domainFigures = z.strictObject({
  /** Of the distance over the column's own samples. */
  distance: spread,
  /** Of the energy, where the scores are those of classes. */
  energy: spread.optional(),
  /** More doubt than this is marked. */
  threshold: number,
  /** The samples that the threshold was found on. */
  rows: z.int(),
});

/** The statistics of a column's own samples. */
export interface Domain extends z.output<typeof domainFigures> {
  /** float32 [classes, features] */
  readonly means: Tensor;
  /** float32 [features, features]: lower triangular; makes the covariance within classes the identity. */
  readonly whitening: Tensor;
}

const textSchema = domainFigures.extend({ features: z.int().min(1), means: z.array(number), whitening: z.array(number) });

/** As JSON, to stand in the metadata of a file. */
export function domainText({ means, whitening, ...figures }: Domain): string {
  // Nine digits are those of a float32.
  const list = (tensor: Tensor) => Array.from(tensor.numbers(), (v) => Number(v.toPrecision(9)));
  return JSON.stringify({ ...figures, features: whitening.dims[0], means: list(means), whitening: list(whitening) });
}

/** What such a text says; undefined where it is none. */
export function domainIn(text: string | undefined): Domain | undefined {
  const found = textSchema.safeParse(jsonOrNothing(text));
  if (!found.success) return undefined;
  const { features, means, whitening, ...figures } = found.data;
  const classes = means.length / features;
  if (!Number.isInteger(classes) || classes === 0 || whitening.length !== features ** 2) return undefined;
  const tensor = (rows: number, values: readonly number[]) => new Tensor('float32', [rows, features], Float32Array.from(values));
  return { ...figures, means: tensor(classes, means), whitening: tensor(features, whitening) };
}

/** Rows [N, features] of a tap. */
function featuresOf({ dims, data }: Tensor): { rows: Float64Array[]; size: number } {
  const count = dims[0] ?? 0;
  const width = count === 0 ? 0 : data.length / count;
  const size = Math.min(width, mostFeatures);
  const row = (at: number) => Float64Array.from({ length: width }, (_, i) => Number(data[at * width + i]));
  if (width <= mostFeatures) return { rows: Array.from({ length: count }, (_, i) => row(i)), size };
  const random = new Random(1, 'domain', width);
  const scale = 1 / Math.sqrt(width);
  const signs = Float64Array.from({ length: size * width }, () => (random.uniform() < 0.5 ? -scale : scale));
  const rows = Array.from({ length: count }, (_, i) => {
    const whole = row(i);
    const out = new Float64Array(size);
    for (let k = 0, at = 0; k < size; k++) {
      let sum = 0;
      for (let j = 0; j < width; j++) sum += (signs[at++] ?? 0) * (whole[j] ?? 0);
      out[k] = sum;
    }
    return out;
  });
  return { rows, size };
}

const meanOf = (values: ArrayLike<number>): number => Array.from(values).reduce((a, b) => a + b, 0) / values.length;

function spreadOf(values: readonly number[]): { mean: number; deviation: number } {
  const mean = meanOf(values);
  return { mean, deviation: Math.max(Math.sqrt(meanOf(values.map((v) => (v - mean) ** 2))), 1e-9) };
}

/** The inverse of the lower triangle L of a = L L', row by row; a is symmetric and positive. */
function inverseTriangle(a: readonly Float64Array[]): Float64Array[] {
  const n = a.length;
  const at = (m: readonly Float64Array[], i: number, j: number) => m[i]?.[j] ?? 0;
  const lower = a.map(() => new Float64Array(n));
  const inverse = a.map(() => new Float64Array(n));
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = at(a, i, j);
      for (let k = 0; k < j; k++) sum -= at(lower, i, k) * at(lower, j, k);
      lower[i]?.set([i === j ? Math.sqrt(Math.max(sum, 1e-12)) : sum / at(lower, j, j)], j);
    }
    for (let j = 0; j <= i; j++) {
      let sum = i === j ? 1 : 0;
      for (let k = j; k < i; k++) sum -= at(lower, i, k) * at(inverse, k, j);
      inverse[i]?.set([sum / at(lower, i, i)], j);
    }
  }
  return inverse;
}

/** -log sum exp of each row of scores. */
function energies({ dims, data }: Tensor): number[] {
  const width = dims[1] ?? 1;
  return Array.from({ length: dims[0] ?? 0 }, (_, i) => {
    const row = Array.from({ length: width }, (_, j) => Number(data[i * width + j]));
    const most = Math.max(...row);
    return -(most + Math.log(row.reduce((sum, v) => sum + Math.exp(v - most), 0)));
  });
}

/** Distance of each row of a tap to the nearest mean. */
function distances(tap: Tensor, { means, whitening }: Pick<Domain, 'means' | 'whitening'>): number[] {
  const { rows, size } = featuresOf(tap);
  const classes = means.dims[0] ?? 0;
  return rows.map((row) => {
    let nearest = Number.POSITIVE_INFINITY;
    for (let c = 0; c < classes; c++) {
      let sum = 0;
      for (let i = 0; i < size; i++) {
        let part = 0;
        for (let j = 0; j <= i; j++)
          part += Number(whitening.data[i * size + j]) * ((row[j] ?? 0) - Number(means.data[c * size + j]));
        sum += part * part;
      }
      nearest = Math.min(nearest, sum);
    }
    return Math.sqrt(nearest);
  });
}

/**
 * Learns what a column's samples look like to it.
 * @param learned what the model answers for samples of the training part
 * @param labels their classes, where the head classifies
 * @param own the same for samples that it was not trained on: the threshold keeps 95 % of these
 * @returns undefined for fewer than 40 of either
 */
export function domainOf(learned: ScoresAndTap, labels: readonly number[] | undefined, own: ScoresAndTap): Domain | undefined {
  const { rows, size } = featuresOf(learned.tap);
  const count = own.scores.dims[0] ?? 0;
  if (rows.length < fewestRows || count < fewestRows) return undefined;
  const classes = new Map<number, Float64Array[]>();
  rows.forEach((row, i) => {
    const label = labels?.[i] ?? 0;
    const group = classes.get(label) ?? [];
    group.push(row);
    classes.set(label, group);
  });
  const groups = [...classes.values()];
  const centres = groups.map((group) => Float64Array.from({ length: size }, (_, j) => meanOf(group.map((row) => row[j] ?? 0))));
  const covariance = Array.from({ length: size }, () => new Float64Array(size));
  groups.forEach((group, c) => {
    for (const row of group) {
      const off = row.map((v, j) => v - (centres[c]?.[j] ?? 0));
      covariance.forEach((line, i) => {
        for (let j = 0; j <= i; j++) line[j] = (line[j] ?? 0) + ((off[i] ?? 0) * (off[j] ?? 0)) / rows.length;
      });
    }
  });
  const mean = meanOf(covariance.map((line, i) => line[i] ?? 0));
  // The fewer rows there are for each feature, the less their directions are to be believed.
  const part = Math.max(leastVariance, size / (size + rows.length));
  covariance.forEach((line, i) => {
    for (let j = 0; j <= i; j++) line[j] = (1 - part) * (line[j] ?? 0) + (i === j ? part * Math.max(mean, 1e-9) : 0);
  });
  const flat = (lines: readonly Float64Array[]) =>
    new Tensor('float32', [lines.length, size], Float32Array.from(lines.flatMap((line) => [...line])));
  const statistics = { means: flat(centres), whitening: flat(inverseTriangle(covariance)) };
  const figures = {
    distance: spreadOf(distances(own.tap, statistics)),
    ...(labels !== undefined && { energy: spreadOf(energies(own.scores)) }),
    rows: count,
  };
  const doubt = doubtsOf({ ...statistics, ...figures }, own).sort((a, b) => a - b);
  return { ...statistics, ...figures, threshold: doubt[Math.min(count - 1, Math.ceil(keptPart * count) - 1)] ?? 0 };
}

/** How little each row is like the column's own samples; more than the domain's threshold is marked. */
export function doubtsOf(domain: Omit<Domain, 'threshold'>, { scores, tap }: ScoresAndTap): number[] {
  const away = distances(tap, domain);
  const energy = domain.energy === undefined ? undefined : energies(scores);
  const part = (value: number, { mean, deviation }: { mean: number; deviation: number }) => (value - mean) / deviation;
  return away.map(
    (value, i) =>
      part(value, domain.distance) +
      (domain.energy === undefined || energy === undefined ? 0 : part(energy[i] ?? Number.NaN, domain.energy)),
  );
}

/** Whether a row of this doubt is marked: NaN is. */
export const isStrange = ({ threshold }: Domain, doubt: number): boolean => !(doubt <= threshold);

/** Of each row whether it is marked. */
export const strangeRows = (domain: Domain, answered: ScoresAndTap): boolean[] =>
  doubtsOf(domain, answered).map((doubt) => isStrange(domain, doubt));
