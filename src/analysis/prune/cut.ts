// Weights of a column with units, ranks and sources taken out, in the shapes that the column has without them.

import { behaviourOf } from '../../model/nn/layers.js';
import { jointOf } from '../../model/nn/lower.js';
import type { Column } from '../../model/progressive/column.js';
import { widthsIn } from '../../model/progressive/lateral-strength.js';
import type { Weights } from '../../model/progressive/weights.js';
import { InternalError, must } from '../../onnx/core/errors.js';
import { elementCount } from '../../onnx/core/shape.js';
import { Tensor } from '../../onnx/core/tensor.js';
import { layersOf, producerOf } from './units.js';

/** What stays of a column. */
export interface Kept {
  /** Units that stay, by block, ascending; a block that is not here keeps all. */
  readonly units: ReadonlyMap<number, readonly number[]>;
  /** Features of V that stay, by the block that receives. */
  readonly ranks: ReadonlyMap<number, readonly number[]>;
  /** Sources that stay, by the block that receives; one that is not here keeps all. */
  readonly sources: ReadonlyMap<number, readonly string[]>;
}

/** A tensor of which, along an axis, these indices stay. */
export function along(t: Tensor, axis: number, kept: readonly number[]): Tensor {
  const dims = t.dims.map((d, i) => (i === axis ? kept.length : d));
  const inner = elementCount(t.dims.slice(axis + 1));
  const size = must(t.dims[axis], 'axis');
  const outer = elementCount(t.dims.slice(0, axis));
  const out = Tensor.zeros(t.dtype, dims);
  // Once: a stored tensor is read from its file each time that it is asked.
  const { bytes } = t;
  const unit = inner * (bytes.length / Math.max(1, t.size));
  for (let o = 0; o < outer; o++)
    kept.forEach((index, k) => {
      const from = (o * size + index) * unit;
      out.bytes.set(bytes.subarray(from, from + unit), (o * kept.length + k) * unit);
    });
  return out;
}

/** Channels as they lie in a row of `length`: each with all of its positions. */
function spread(channels: readonly number[], count: number, length: number): number[] {
  const positions = length / count;
  if (!Number.isInteger(positions)) throw new InternalError(`${count} channels in a row of ${length}`);
  return channels.flatMap((c) => Array.from({ length: positions }, (_, p) => c * positions + p));
}

/** Channels that stay of a value on its way, of so many. */
interface Going {
  readonly kept: readonly number[];
  readonly count: number;
}

/** Cuts the weights of `column` to what is kept; `now` is the column without the rest, whose parameters say the shapes. */
export function cut(column: Column, now: Column, weights: Weights, kept: Kept): Map<string, Tensor> {
  const found = new Map(weights);
  const change = (name: string, axis: number, indices: (length: number) => readonly number[]) => {
    const t = found.get(name);
    if (t !== undefined) found.set(name, along(t, axis, indices(must(t.dims[axis], name))));
  };
  let going: Going | undefined;
  for (let block = 0; block <= column.blocks.length; block++) {
    cutLaterals(column, block, kept, change, found);
    const layers = layersOf(column, block);
    const joint = jointOf(layers.map(({ layer }) => layer));
    const producer = producerAt(column, block);
    for (const { index, prefix, layer } of layers) {
      const { channels } = behaviourOf(layer);
      if (channels === 'made') {
        const matrix = layer.kind === 'dense';
        if (going !== undefined) change(`${prefix}/weight`, matrix ? 0 : 1, inRow(going));
        going = undefined;
        const own = kept.units.get(block);
        if (own === undefined || producer !== index) continue;
        const count = must(found.get(`${prefix}/weight`), prefix).dims[matrix ? 1 : 0] ?? 0;
        change(`${prefix}/weight`, matrix ? 1 : 0, () => own);
        change(`${prefix}/bias`, 0, () => own);
        if (joint?.length === 1 && joint[0] === index) cutInto(column, block, own, change, found);
        going = { kept: own, count };
      } else if (going !== undefined)
        for (const what of ['scale', 'bias', 'mean', 'var']) change(`${prefix}/${what}`, 0, inRow(going));
    }
  }
  return new Map(
    now.parameters.specs.map(({ name, shape }) => {
      const own = must(found.get(name), name);
      if (own.dims.join() !== shape.join())
        throw new InternalError(`${name} is [${own.dims}] without what was cut, not [${shape}]`);
      return [name, own];
    }),
  );
}

type Change = (name: string, axis: number, indices: (length: number) => readonly number[]) => void;

const inRow =
  ({ kept, count }: Going) =>
  (length: number) =>
    spread(kept, count, length);
const producerAt = (column: Column, block: number) =>
  block < column.blocks.length ? producerOf(column, block)?.index : undefined;
const prefixOf = ({ task, blocks }: Column, block: number) => `${task}/${block === blocks.length ? 'head' : block}`;

/** What laterals give to units that are gone: U's columns, or its filters. */
function cutInto(column: Column, block: number, units: readonly number[], change: Change, found: Weights): void {
  const prefix = prefixOf(column, block);
  const names = [`${prefix}/adapter/U`, ...column.sourcesInto(block).map((ref) => `${prefix}/lateral/${ref.column.task}/weight`)];
  for (const name of names) {
    const u = found.get(name);
    if (u !== undefined) change(name, u.dims.length === 2 ? 1 : 0, () => units);
  }
}

/** Ranks and sources: of an adapter rows and columns of V and U, of linear laterals whole weights, which nothing names any more. */
function cutLaterals(column: Column, block: number, { ranks, sources }: Kept, change: Change, found: Weights): void {
  const prefix = prefixOf(column, block);
  const v = found.get(`${prefix}/adapter/V`);
  if (v === undefined) return;
  // A matrix of features [features, rank], a convolution of one position [rank, features, 1, ...].
  const [features, rank] = v.dims.length === 2 ? [0, 1] : [1, 0];
  const stay = sources.get(block);
  if (stay !== undefined) {
    const refs = column.sourcesInto(block);
    const join = column.laterals.kind === 'none' ? undefined : column.laterals.join;
    let from = 0;
    const rows = widthsIn(refs, must(v.dims[features], 'features'), join).flatMap((width, i) => {
      const own = Array.from({ length: width }, (_, at) => from + at);
      from += width;
      return stay.includes(must(refs[i], 'source').column.task) ? own : [];
    });
    change(`${prefix}/adapter/V`, features, () => rows);
  }
  const kept = ranks.get(block);
  if (kept === undefined) return;
  change(`${prefix}/adapter/V`, rank, () => kept);
  change(`${prefix}/adapter/V_bias`, 0, () => kept);
  const u = must(found.get(`${prefix}/adapter/U`), 'U');
  change(`${prefix}/adapter/U`, u.dims.length === 2 ? 0 : 1, () => kept);
}
