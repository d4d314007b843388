// How strongly a trained column listens to each earlier one, read off its lateral weights.
import { must } from '../../onnx/core/errors.js';
import type { Tensor } from '../../onnx/core/tensor.js';
import type { Join } from '../description/lateral-schema.js';
import { leastCount } from '../nn/open-size.js';
import { positionsOf } from '../nn/sample.js';
import type { Column, TapRef } from './column.js';
import { tapLayout } from './lowering.js';
import type { Weights } from './weights.js';

/** How much a block takes from an earlier column. */
export interface LateralStrength {
  /** The block that receives; the number of the column's blocks stands for the head. */
  readonly into: number;
  /** The earlier task. */
  readonly source: string;
  /** The source's block whose tap is read. */
  readonly sourceBlock: number;
  /** The form of the lateral. */
  readonly kind: 'linear' | 'adapter';
  /** Adapter: the source's scale. */
  readonly alpha?: number;
  /** Frobenius norm: linear, of U; adapter, of the source's part of V. */
  readonly norm: number;
  /** What a tap of independent features of mean square 1 becomes: root mean square of U h (linear), of alpha V h (adapter). */
  readonly gain: number;
}

/** Frobenius norm of a matrix's rows (axis 0) or columns (axis 1) in [from, to); further axes must be of length 1. */
function partNorm(v: Tensor, axis: 0 | 1, from: number, to: number): number {
  const [rows = 0, columns = 0] = v.dims;
  // Once: a stored tensor is read from its file each time that it is asked.
  const { data } = v;
  let sum = 0;
  for (let feature = from; feature < to; feature++)
    for (let other = 0; other < (axis === 0 ? columns : rows); other++)
      sum += Number(data[axis === 0 ? feature * columns + other : other * columns + feature]) ** 2;
  return Math.sqrt(sum);
}

function norm(t: Tensor): number {
  let sum = 0;
  for (const v of t.data) sum += Number(v) ** 2;
  return Math.sqrt(sum);
}

/** Channels of a tap. */
const channelsOf = (ref: TapRef): number => positionsOf(ref.column.tapShape(ref.block), tapLayout(ref)).channels;

/** All values of taps. */
const featuresOf = (refs: readonly TapRef[]): number =>
  refs.reduce((sum, { column, block }) => sum + leastCount(column.tapShape(block)), 0);

/** What each source has of the `total` channels that an adapter's V reads, by how fit-tap.ts brings it there. */
export function widthsIn(sources: readonly TapRef[], total: number, join: Join | undefined): number[] {
  const isSequence = (ref: TapRef) => ref.column.tapShape(ref.block).length === 2 && tapLayout(ref) === 'channels-last';
  const flattened = (ref: TapRef) => join === 'flatten' || (join === undefined && !isSequence(ref));
  // Into features. Positions keep their channels, and where both are as many, each source has as many either way.
  const widths = sources.map((ref) => (flattened(ref) ? featuresOf([ref]) : channelsOf(ref)));
  return widths.reduce((a, b) => a + b, 0) === total ? widths : sources.map(channelsOf);
}

/** The laterals of a column with their strengths, by target block and then source. */
export function lateralStrengths(column: Column, weights: Weights): LateralStrength[] {
  const { task, blocks, laterals } = column;
  if (laterals.kind === 'none') return [];
  const weight = (name: string) => must(weights.get(name), name);
  const found: LateralStrength[] = [];
  for (const into of column.receiving) {
    const prefix = `${task}/${into === blocks.length ? 'head' : into}`;
    let feature = 0;
    const sources = column.sourcesInto(into);
    for (const [i, ref] of sources.entries()) {
      const source = ref.column.task;
      const place = { into, source, sourceBlock: ref.block };
      if (laterals.kind === 'linear') {
        // Dense: [features, units]. Convolution: [filters, channels, ...], a transposed one [channels, filters, ...].
        const u = weight(`${prefix}/lateral/${source}/weight`);
        const size = norm(u);
        const [first = 1, second = 1] = u.dims;
        const from = laterals.join === 'flatten' ? featuresOf([ref]) : channelsOf(ref);
        const units = u.dims.length > 2 && second === from ? first : second;
        found.push({ ...place, kind: 'linear', norm: size, gain: size / Math.sqrt(units) });
      } else {
        // Features: V [features, rank]. A convolution: V [rank, channels, 1, ...].
        const v = weight(`${prefix}/adapter/V`);
        const image = v.dims.length > 2;
        const width = must(widthsIn(sources, must(v.dims[image ? 1 : 0], 'features'), laterals.join)[i], source);
        const size = partNorm(v, image ? 1 : 0, feature, feature + width);
        feature += width;
        const alpha = Number(weight(`${prefix}/adapter/alpha/${source}`).data[0]);
        const rank = must(image ? v.dims[0] : v.dims[1], 'rank');
        found.push({ ...place, kind: 'adapter', alpha, norm: size, gain: (Math.abs(alpha) * size) / Math.sqrt(rank) });
      }
    }
  }
  return found;
}
