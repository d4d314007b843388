// The network's inputs made from data as they are kept. Where a network takes uint8, its columns prepare it themselves and it comes as it is. Where
// it takes float32, uint8 images become 0..1 in the graph, so that they cross the border to the runtime as bytes. Categories are kept as indices, which
// graphs of training take as they are.
import type { Samples } from '../data/samples.js';
import { type Feature, hasCategories } from '../model/description/features.js';
import { tableFeeds } from '../model/progressive/categories.js';
import type { ByInput, InputDtype, NetworkInput } from '../model/progressive/inputs.js';
import type { DType } from '../onnx/core/dtype.js';
import { must } from '../onnx/core/errors.js';
import type { Dim } from '../onnx/core/shape.js';
import { Tensor } from '../onnx/core/tensor.js';
import type { Value } from '../onnx/ir/graph.js';
import type { Ops } from '../onnx/ops/ops-builder.js';

/** Names and dtypes of what a model takes; of a table what its numbers are. */
export type TakenInputs = readonly { readonly name: string; readonly dtype: DType; readonly features?: readonly Feature[] }[];

/** Of data as they are kept: what inputs may be. */
export type KeptDtype = InputDtype;

const kept = ['float32', 'float16', 'int64', 'int32', 'uint8', 'bool'] as const satisfies readonly KeptDtype[];

/** As what data of a dtype are kept. */
export const keptDtype = (dtype: DType): KeptDtype => kept.find((own) => own === dtype) ?? 'float32';

/** The name of the first input's data in the graphs of training; a further input's is `step/data/<input>`. */
export const firstData = 'step/data';

/** Under the names that the graphs of training give to data. */
export function dataFeeds(samples: Samples): Record<string, Tensor> {
  return Object.fromEntries(Object.entries(samples).map(([name, tensor], i) => [dataName(name, i), tensor]));
}

/** Data as inputs of a graph, [rows, ...]. */
export function dataInputs(g: Ops, inputs: readonly NetworkInput[], dtypes: ByInput<DType>, rows: Dim): ByInput<Value> {
  return Object.fromEntries(
    inputs.map(({ name, shape }, i) => [name, g.input(dataName(name, i), must(dtypes[name], name), [rows, ...shape])]),
  );
}

const dataName = (input: string, i: number): string => (i === 0 ? firstData : `${firstData}/${input}`);

/** The inputs, of the dtypes that the network takes, in the shape of each of `data`. */
export function networkInputsFrom(g: Ops, inputs: readonly NetworkInput[], data: ByInput<Value>): ByInput<Value> {
  return Object.fromEntries(inputs.map((input) => [input.name, networkInputFrom(g, input, must(data[input.name], input.name))]));
}

function networkInputFrom(g: Ops, { dtype }: NetworkInput, data: Value): Value {
  if (data.dtype === dtype) return data;
  const x = g.cast(data, { to: 'float32' });
  return data.dtype === 'uint8' ? g.mul(x, 1 / 255) : x;
}

/**
 * The same outside a graph, for models that take the network's inputs. One rounding of v * (1/255), bit-equal to the graph's. Indices of categories
 * become texts again.
 */
export function networkFeeds(inputs: TakenInputs, data: Samples): Samples {
  return Object.assign(
    {},
    ...Object.entries(data).map(([name, tensor]) => {
      const input = inputs.find((other) => other.name === name);
      const features = input?.features;
      return hasCategories(features) ? tableFeeds(name, features, tensor) : { [name]: scaled(input?.dtype, tensor) };
    }),
  );
}

function scaled(dtype: DType | undefined, data: Tensor): Tensor {
  if (data.dtype === 'float32' || data.dtype === dtype || dtype === undefined) return data;
  const factor = data.dtype === 'uint8' ? Math.fround(1 / 255) : 1;
  return new Tensor(
    'float32',
    data.dims,
    Float32Array.from(data.data as Uint8Array, (v) => v * factor),
  );
}
