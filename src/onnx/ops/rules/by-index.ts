// Gradients of ops that copy elements to other places, by applying the same op to the flat indices of its input.
import { product } from '../../core/shape.js';
import type { Value } from '../../ir/graph.js';
import type { Ops } from '../ops-builder.js';
import { reshapeLike, shapeOf, sizesOf, typed, zerosLike } from './shape-like.js';

/** Whether an index may stand in several places, whose gradients are then added. */
export type Repeats = 'distinct' | 'repeated';

/** First opset of ScatterElements and ScatterND with reduction = "add". */
export const scatterAddSince = 16;

// y_k = x_i(k) for indices i(k): the same op applied to the indices of x gives i, and dx_i = sum of dy_k with i(k) = i
export function gradientByIndex(g: Ops, x: Value, dy: Value, move: (indices: Value) => Value, repeats: Repeats): Value {
  const count = product(x.shape ?? [null]);
  const size = count === null ? g.size(x) : g.scalar(count, 'int64');
  const indices = move(g.reshape(g.range(0, size, 1), shapeOf(g, x)));
  const flat = (v: Value) => g.reshape(v, [-1]);
  return reshapeLike(g, sumAt(g, size, flat(indices), flat(dy), repeats), x);
}

/** A vector of `size` elements; element i is the sum of the `values` whose index is i. Indices are not negative. */
export function sumAt(g: Ops, size: Value, indices: Value, values: Value, repeats: Repeats): Value {
  if (repeats === 'distinct' || g.opset >= scatterAddSince) {
    const zeros = g.expand(g.scalar(0, values), g.reshape(size, [1]));
    return g.scatterElements(zeros, indices, values, repeats === 'distinct' ? {} : { reduction: 'add' });
  }
  // before ScatterElements could add: a product with the matrix [i = index k]
  const rows = g.unsqueeze(g.range(0, size, 1), [1]);
  const hit = g.cast(g.equal(rows, g.unsqueeze(indices, [0])), { to: values.dtype });
  return g.matMul(hit, values);
}

export interface Rows {
  readonly x: Value;
  readonly axis: number;
  /** Places along the axis, of rank q. */
  readonly indices: Value;
  readonly q: number;
  /** [.., q axes of the indices, ..] */
  readonly dy: Value;
  readonly repeats: Repeats;
}

/** Zeros of the type of x with whole rows of dy added at `indices`: a scatter along the first axis, to which `axis` is turned. */
export function scatterRows(g: Ops, rows: Rows): Value {
  const { x, axis, indices, q, dy, repeats } = rows;
  const rank = x.shape?.length ?? 0;
  const at = g.unsqueeze(indices.dtype === 'int32' ? g.cast(indices, { to: 'int64' }) : indices, [-1]);
  if (repeats === 'repeated' && g.opset < scatterAddSince) return rowsByProduct(g, rows);
  const add = repeats === 'repeated' ? { reduction: 'add' } : {};
  if (axis === 0) return typed(g.scatterND(zerosLike(g, x), at, dy, add), x);
  const others = (n: number) => Array.from({ length: rank }, (_, i) => (i < axis ? i : i + n - 1)).filter((_, i) => i !== axis);
  const turned = g.transpose(dy, { perm: [...Array.from({ length: q }, (_, i) => axis + i), ...others(q)] });
  const front = [axis, ...others(1)];
  const zeros = g.transpose(zerosLike(g, x), { perm: front });
  return typed(g.transpose(g.scatterND(zeros, at, turned, add), { perm: front.map((_, i) => front.indexOf(i)) }), x);
}

/** The same before ScatterND could add: a product with the matrix [i = index k], indices counted from 0. */
function rowsByProduct(g: Ops, { x, axis, indices, q, dy }: Rows): Value {
  const rank = x.shape?.length ?? 0;
  const size = g.squeeze(sizesOf(g, x, axis, axis + 1), [0]);
  const wide = g.reshape(indices.dtype === 'int32' ? g.cast(indices, { to: 'int64' }) : indices, [1, -1]);
  const at = g.where(g.less(wide, 0), g.add(wide, size), wide);
  const places = g.unsqueeze(g.range(0, size, 1), [1]);
  const hit = g.cast(g.equal(places, at), { to: dy.dtype });
  const behind = Array.from({ length: rank - axis - 1 }, (_, i) => axis + q + i);
  const before = Array.from({ length: axis }, (_, i) => i);
  const turned = g.transpose(dy, { perm: [...Array.from({ length: q }, (_, i) => axis + i), ...before, ...behind] });
  const product = g.matMul(hit, g.flatten(turned, { axis: q }));
  const front = [axis, ...before, ...Array.from({ length: rank - axis - 1 }, (_, i) => axis + 1 + i)];
  const sizes = g.concat(
    sizesOf(g, x, axis, axis + 1),
    ...(axis > 0 ? [sizesOf(g, x, 0, axis)] : []),
    ...(axis < rank - 1 ? [sizesOf(g, x, axis + 1)] : []),
    {
      axis: 0,
    },
  );
  const shaped = g.reshape(product, sizes);
  return typed(g.transpose(shaped, { perm: front.map((_, i) => front.indexOf(i)) }), x);
}
