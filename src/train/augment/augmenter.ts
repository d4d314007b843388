// Rows varied anew in each epoch. What is drawn for a row follows from the seed, the epoch and the row's number alone: not from the minibatch that it is
// in, nor from what was drawn before, so that a resumed training draws the same. Rows are the raw input; bytes stay bytes, rounded once.
import { normalTable } from '../../data/normal-table.js';
import { findTaps, mirror, type Planes, resample, shift, type Taps } from '../../data/planes.js';
import { type Rows, sliceRows } from '../../data/rows.js';
import { countOf, mapSamples, type SampleRows, type Samples } from '../../data/samples.js';
import type { Augmentation } from '../../model/description/augment-schema.js';
import type { Column } from '../../model/progressive/column.js';
import { boundShape } from '../../model/progressive/open-inputs.js';
import { must } from '../../onnx/core/errors.js';
import { Random } from '../../onnx/core/random.js';
import { elementCount } from '../../onnx/core/shape.js';
import { Tensor } from '../../onnx/core/tensor.js';
import { checkAugment, numbersOf, planesOf, variedInput } from './fit.js';

/** Rows looked at together for what noise and limits follow from. */
const rowsPerLook = 500;

/** Varies one row: reads `from`, writes `to` and says which of the two holds the result. */
type Vary = (from: Float32Array, to: Float32Array, random: Random) => Float32Array;

/** What the rows of a training are varied by. */
export class Augmenter {
  private constructor(
    /** The input whose rows they are; others stay. */
    private readonly input: string,
    private readonly seed: number,
    private readonly steps: readonly Vary[],
    /** Of one row. */
    private readonly size: number,
    /** Values lie from 0 to this; undefined: anywhere. */
    private readonly most: number | undefined,
  ) {}

  /** For the training data of a column; undefined where nothing is varied. Throws DescriptionError for what does not fit the input. */
  static create(
    column: Column,
    { augment, seed }: { readonly augment?: readonly Augmentation[]; readonly seed: number },
    samples: SampleRows,
  ): Augmenter | undefined {
    if (augment === undefined || augment.length === 0) return undefined;
    checkAugment(column, augment);
    const input = variedInput(column);
    const rows = must(samples[input.name], input.name);
    const bytes = rows.dtype === 'uint8';
    const flat = input.shape.length < 2;
    const most = bytes ? 255 : !flat && inUnitRange(rows) ? 1 : undefined;
    const full = bytes ? 255 : 1;
    const size = elementCount(boundShape(input.shape));
    const scales = () => {
      if (bytes || !flat) return new Float64Array(size).fill(full);
      const found = deviations(rows, size);
      return found.map((deviation, i) => (numbersOf(input)[i] ? deviation : 0));
    };
    const planes = planesOf(column);
    return new Augmenter(
      input.name,
      seed,
      augment.map((a) => varyBy(a, planes, full, scales)),
      size,
      most,
    );
  }

  /** Rows of the training data, taken already, as they are varied in an epoch; `numbers` are their places in the training data. */
  vary(rows: Samples, numbers: Uint32Array, epoch: number): Samples {
    return mapSamples(rows, (tensor, name) => {
      if (name !== this.input) return tensor;
      const { dtype, dims, data } = tensor;
      const from = data as Uint8Array | Float32Array;
      const out = dtype === 'uint8' ? new Uint8ClampedArray(from.length) : new Float32Array(from.length);
      const { size } = this;
      let [x, y]: [Float32Array, Float32Array] = [new Float32Array(size), new Float32Array(size)];
      numbers.forEach((row, i) => {
        const random = new Random(this.seed, 'augment', epoch, row);
        x.set(from.subarray(i * size, (i + 1) * size));
        for (const step of this.steps) if (step(x, y, random) === y) [x, y] = [y, x];
        this.limit(x);
        out.set(x, i * size);
      });
      return new Tensor(dtype, dims, out instanceof Uint8ClampedArray ? new Uint8Array(out.buffer) : out);
    });
  }

  private limit(x: Float32Array): void {
    const { most } = this;
    if (most === undefined) return;
    for (let i = 0; i < x.length; i++) {
      const v = x[i] as number;
      if (v < 0) x[i] = 0;
      else if (v > most) x[i] = most;
    }
  }
}

/** Uniform in [-limit, limit). */
const between = (random: Random, limit: number): number => (2 * random.uniform() - 1) * limit;

/** A whole number from -most to most. */
const whole = (random: Random, most: number): number => random.below(2 * most + 1) - most;

function varyBy(augmentation: Augmentation, planes: Planes | undefined, full: number, scales: () => Float64Array): Vary {
  if (augmentation.kind === 'noise') return noiseBy(augmentation.std, scales());
  const layout = must(planes, 'planes');
  switch (augmentation.kind) {
    case 'flip':
      return (from, to, random) => {
        if (random.uniform() >= augmentation.probability) return from;
        mirror(from, to, layout, augmentation.axis);
        return to;
      };
    case 'shift':
      return (from, to, random) => {
        const [down, right] = [whole(random, augmentation.pixels), whole(random, augmentation.pixels)];
        if (down === 0 && right === 0) return from;
        shift(from, to, layout, down, right);
        return to;
      };
    case 'rotate':
      return warpBy(layout, (random) => {
        const angle = (between(random, augmentation.degrees) / 180) * Math.PI;
        return [Math.cos(angle), -Math.sin(angle)];
      });
    case 'zoom':
      return warpBy(layout, (random) => [1 / (1 + between(random, augmentation.range)), 0]);
    case 'brightness':
      return (x, _, random) => {
        const added = between(random, augmentation.range * full);
        for (let i = 0; i < x.length; i++) x[i] = (x[i] as number) + added;
        return x;
      };
    case 'contrast':
      return (x, _, random) => {
        const factor = 1 + between(random, augmentation.range);
        let sum = 0;
        for (let i = 0; i < x.length; i++) sum += x[i] as number;
        const mean = sum / x.length;
        for (let i = 0; i < x.length; i++) x[i] = mean + ((x[i] as number) - mean) * factor;
        return x;
      };
  }
}

function warpBy(layout: Planes, draw: (random: Random) => readonly [a: number, b: number]): Vary {
  let taps: Taps | undefined;
  return (from, to, random) => {
    const [a, b] = draw(random);
    taps = findTaps(layout, a, b, taps);
    resample(from, to, layout, taps);
    return to;
  };
}

/** Each value's own scale times `std`; a scale of 0 leaves it alone. */
function noiseBy(std: number, scales: Float64Array): Vary {
  const table = normalTable(std);
  return (x, _, random) => {
    for (let i = 0; i < x.length; i += 2) {
      const bits = random.uint32();
      x[i] = (x[i] as number) + (table[bits & 0xffff] as number) * (scales[i] as number);
      if (i + 1 < x.length) x[i + 1] = (x[i + 1] as number) + (table[bits >>> 16] as number) * (scales[i + 1] as number);
    }
    return x;
  };
}

/** The numbers of all rows, part by part. */
function* looks(tensor: Rows): Generator<Float32Array> {
  const rows = countOf(tensor);
  for (let from = 0; from < rows; from += rowsPerLook)
    yield sliceRows(tensor, from, Math.min(from + rowsPerLook, rows)).data as Float32Array;
}

function inUnitRange(rows: Rows): boolean {
  for (const data of looks(rows)) if (data.some((v) => v < 0 || v > 1)) return false;
  return true;
}

/** The standard deviation of each number of a row; what is not there is left out. Two passes, so that large means lose no digits. */
function deviations(rows: Rows, size: number): Float64Array {
  const mean = new Float64Array(size);
  const counts = new Float64Array(size);
  const each = (add: (value: number, i: number) => void) => {
    for (const data of looks(rows))
      for (let at = 0; at < data.length; at++) {
        const value = data[at] as number;
        if (!Number.isNaN(value)) add(value, at % size);
      }
  };
  each((value, i) => {
    mean[i] = (mean[i] as number) + value;
    counts[i] = (counts[i] as number) + 1;
  });
  for (let i = 0; i < size; i++) mean[i] = (mean[i] as number) / Math.max(1, counts[i] as number);
  const squares = new Float64Array(size);
  each((value, i) => {
    squares[i] = (squares[i] as number) + (value - (mean[i] as number)) ** 2;
  });
  return squares.map((sum, i) => Math.sqrt(sum / Math.max(1, counts[i] as number)));
}
