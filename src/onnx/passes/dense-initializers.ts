// Sparse initializers and sparse Constants as dense ones: what comes after knows no other. onnx.proto, SparseTensorProto.
import { dtypes } from '../core/dtype.js';
import { ModelError } from '../core/errors.js';
import { elementCount, formatShape } from '../core/shape.js';
import { Tensor } from '../core/tensor.js';
import type { Graph, SparseTensor } from '../ir/graph.js';
import type { Model } from '../ir/model.js';
import { tensorType } from '../ir/types.js';

/** Of all dense forms of a model together, in bytes: a file of a hundred bytes may name a tensor of any size. */
const maxBytes = 2 ** 30;

/**
 * Returns whether there were any, subgraphs and functions included. Throws ModelError that names the tensor where its indices are not of its
 * shape or come twice, where it holds no numbers, and where the dense forms would take more than a GiB.
 */
export function denseInitializers(model: Model): boolean {
  const filling = new Filling();
  for (const graph of [model.graph, ...model.functions.map((f) => f.body)]) filling.graph(graph);
  return filling.any;
}

class Filling {
  any = false;
  private bytes = 0;

  graph(graph: Graph): void {
    for (const { value, data } of graph.sparseInitializers) {
      value.constant = this.dense(`sparse initializer "${value.name}"`, data);
      value.type = tensorType(data.values.dtype, data.dims);
      graph.initializers.push(value);
    }
    graph.sparseInitializers = [];
    for (const node of graph.nodes) {
      const a = node.attributes.get('sparse_value');
      if (node.opType === 'Constant' && a?.kind === 'sparse_tensor') {
        node.attributes.delete('sparse_value');
        node.attributes.set('value', { kind: 'tensor', value: this.dense(`Constant "${node.name}"`, a.value) });
      }
      for (const sub of node.subgraphs) this.graph(sub);
    }
  }

  private dense(what: string, { values, indices, dims }: SparseTensor): Tensor {
    this.any = true;
    const fail: (why: string) => never = (why) => {
      throw new ModelError(`${what}: ${why}`);
    };
    const { dtype } = values;
    if (dtype === 'string') return fail('it holds strings, expected numbers');
    const count = elementCount(dims);
    const held = values.size;
    this.bytes += Math.ceil((count * dtypes[dtype].bits) / 8);
    if (!(this.bytes <= maxBytes)) {
      return fail(
        `${dtype}${formatShape(dims)} and what comes before it take ${this.bytes} bytes dense, expected at most ${maxBytes}`,
      );
    }
    const flat = indices.dims.length === 1;
    if (
      values.dims.length !== 1 ||
      indices.dtype !== 'int64' ||
      indices.dims[0] !== held ||
      !(flat || indices.dims[1] === dims.length)
    )
      fail(
        `its indices are ${indices.dtype}${formatShape(indices.dims)}, expected int64[${held}] or int64[${held},${dims.length}]`,
      );
    const dense = Tensor.zeros(dtype, dims);
    const seen = new Set<number>();
    const [from, to, width] = [values.bytes, dense.bytes, dtypes[dtype].bits / 8];
    if (!Number.isInteger(width)) fail(`${dtype} cannot be made dense`);
    for (let i = 0; i < held; i++) {
      const place = flat
        ? Number(indices.data[i])
        : dims.reduce((at, d, k) => at * d + inside(Number(indices.data[i * dims.length + k]), d), 0);
      if (!(place >= 0 && place < count)) fail(`index ${i} lies outside of ${formatShape(dims)}`);
      if (seen.has(place)) fail(`index ${i} names a place again`);
      seen.add(place);
      to.set(from.subarray(i * width, (i + 1) * width), place * width);
    }
    return dense;
  }
}

/** The index along an axis, NaN outside of it. */
const inside = (i: number, size: number): number => (i >= 0 && i < size ? i : Number.NaN);
