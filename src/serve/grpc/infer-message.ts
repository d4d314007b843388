// An inference request and its answer as messages of gRPC: elements in typed lists, or as bytes for all inputs together. Answers are bytes, as Triton's are.

import { datatypeOf } from '../../deploy/datatypes.js';
import { byteLength } from '../../onnx/core/dtype.js';
import { elementCount } from '../../onnx/core/shape.js';
import { allocate, Tensor } from '../../onnx/core/tensor.js';
import { fromBytes, toBytes } from '../protocol/binary-elements.js';
import { refuseUnsupported, timeoutOf } from '../protocol/parameters.js';
import { type InputOf, type ServedModel, ServeError, type TensorSpec, type Tensors } from '../served-model.js';
import type { GivenInput, InferRequest } from '../service.js';

/** 64-bit integers come as their digits. */
interface Contents {
  readonly bool_contents: readonly boolean[];
  readonly int_contents: readonly number[];
  readonly int64_contents: readonly string[];
  readonly uint_contents: readonly number[];
  readonly uint64_contents: readonly string[];
  readonly fp32_contents: readonly number[];
  readonly fp64_contents: readonly number[];
  readonly bytes_contents: readonly Buffer[];
}

interface InputTensor {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly string[];
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly contents: Contents | null;
}

/** A ModelInferRequest. */
export interface InferMessage {
  readonly model_name: string;
  readonly model_version: string;
  readonly id: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly inputs: readonly InputTensor[];
  readonly outputs: readonly { readonly name: string; readonly parameters: Readonly<Record<string, unknown>> }[];
  readonly raw_input_contents: readonly Buffer[];
}

const invalid = (message: string): ServeError => new ServeError('invalid', message);

/** The list that holds elements of a datatype. */
const lists: Readonly<Record<string, keyof Contents>> = {
  BOOL: 'bool_contents',
  INT8: 'int_contents',
  INT16: 'int_contents',
  INT32: 'int_contents',
  INT64: 'int64_contents',
  UINT8: 'uint_contents',
  UINT16: 'uint_contents',
  UINT32: 'uint_contents',
  UINT64: 'uint64_contents',
  FP32: 'fp32_contents',
  FP64: 'fp64_contents',
  BYTES: 'bytes_contents',
};

function textOf(bytes: Buffer, name: string, at: number): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw invalid(`inference input '${name}': element ${at} is no valid UTF-8, expected a text`);
  }
}

/** The types by whose lists elements come, as Triton names them. */
const listTypes: Readonly<Record<keyof Contents, string>> = {
  bool_contents: 'BOOL',
  int_contents: 'INT32',
  int64_contents: 'INT64',
  uint_contents: 'UINT32',
  uint64_contents: 'UINT64',
  fp32_contents: 'FP32',
  fp64_contents: 'FP64',
  bytes_contents: 'BYTES',
};
const filled = (contents: Contents | null): (keyof Contents)[] =>
  (Object.keys(listTypes) as (keyof Contents)[]).filter((list) => (contents?.[list].length ?? 0) > 0);

/** Throws ServeError for elements that are not of the type or not as many as the shape has. */
function fromContents(
  { name, dtype }: TensorSpec,
  datatype: string,
  shape: readonly number[],
  contents: Contents | null,
  { model, begin }: InputOf,
): Tensor {
  const list = lists[datatype];
  if (list === undefined)
    throw invalid(`inference input '${name}': ${datatype} has no typed contents, expected raw_input_contents`);
  const other = filled(contents).find((one) => one !== list);
  if (other !== undefined)
    throw invalid(
      `unexpected explicit tensor data for input tensor '${name}' for model '${model}' of type '${listTypes[other]}', expected datatype '${datatype}'`,
    );
  const elements = contents?.[list] ?? [];
  const count = elementCount(shape);
  if (elements.length === 0 && count > 0)
    throw invalid(`unable to find data for input tensor '${name}' for model '${model}' in request.`);
  if (elements.length !== count) {
    const sizes = [count, elements.length].map((n) => (dtype === 'string' ? n : byteLength(dtype, n)));
    throw invalid(
      dtype === 'string'
        ? `${begin}expected ${sizes[0]} string elements for inference input '${name}' for model '${model}', got ${sizes[1]}`
        : `${begin}input byte size mismatch for input '${name}' for model '${model}'. Expected ${sizes[0]}, got ${sizes[1]}`,
    );
  }
  if (dtype === 'string') {
    return new Tensor(
      dtype,
      shape,
      elements.map((bytes, i) => textOf(bytes as Buffer, name, i)),
    );
  }
  const data = allocate(dtype, count);
  const wide = list === 'int64_contents' || list === 'uint64_contents';
  elements.forEach((value, i) => {
    // An array of bigints takes bigints, as the list says.
    data[i] = (wide ? BigInt(value as string) : Number(value)) as number;
    if (list.startsWith('uint') || list.startsWith('int')) {
      if (String(data[i]) === String(value)) return;
      throw invalid(`inference input '${name}': element ${i} is ${value}, which ${datatype} does not hold`);
    }
  });
  return new Tensor(dtype, shape, data);
}

/** Sizes as numbers. Throws ServeError. */
function sizesOf({ name, shape }: InputTensor): readonly number[] {
  const sizes = shape.map(Number);
  const fit = sizes.every((size) => Number.isSafeInteger(size) && size >= 0 && size < 2 ** 31) && sizes.length <= 32;
  if (fit && sizes.reduce((a, b) => a * b, 1) <= 2 ** 40) return sizes;
  throw invalid(`input '${name}': its shape [${shape}] is none, expected sizes from 0`);
}

const extensionsAt = 'of ServerMetadata';

/** The value of a parameter, in whichever of its fields it came. */
const chosenOf = (parameter: unknown): unknown => {
  const { parameter_choice: choice, ...values } = (parameter ?? {}) as Record<string, unknown>;
  return typeof choice === 'string' ? values[choice] : undefined;
};

/** Throws ServeError. */
export function readMessage(message: InferMessage): InferRequest {
  const { model_name: model, id, parameters, inputs, outputs, raw_input_contents: raw } = message;
  refuseUnsupported(parameters, extensionsAt);
  for (const { parameters: own } of [...inputs, ...outputs]) refuseUnsupported(own, extensionsAt);
  if (raw.length > inputs.length)
    throw invalid(`expected ${inputs.length} raw_input_contents, one for each input, got ${raw.length}`);
  const twice = raw.length > 0 && inputs.find(({ contents }) => filled(contents).length > 0);
  if (twice)
    throw invalid(`contents field must not be specified when using raw_input_contents for '${twice.name}' for model '${model}'`);
  const given = inputs.map((input, i): GivenInput => {
    const { name, datatype, contents } = input;
    const shape = sizesOf(input);
    const bytes = raw[i];
    return {
      name,
      datatype,
      shape,
      read: (spec, of) =>
        bytes === undefined ? fromContents(spec, datatype, shape, contents, of) : fromBytes(spec, shape, bytes, of),
    };
  });
  const names = [...new Set(outputs.map(({ name }) => name))];
  return { id, inputs: given, ...(names.length > 0 && { outputs: names }), ...timeoutOf(chosenOf(parameters.timeout)) };
}

/** A ModelInferResponse. */
export function answerMessage(model: ServedModel, request: InferRequest, outputs: Tensors) {
  const names = request.outputs ?? model.outputs.map(({ name }) => name);
  const tensors = names.map((name) => {
    const tensor = outputs[name];
    if (tensor === undefined) throw new ServeError('internal', `model '${model.name}' gave no output '${name}'`);
    return { name, tensor };
  });
  return {
    model_name: model.name,
    model_version: model.version,
    id: request.id,
    outputs: tensors.map(({ name, tensor }) => ({ name, datatype: datatypeOf(tensor.dtype), shape: tensor.dims })),
    raw_output_contents: tensors.map(({ tensor }) => toBytes(tensor)),
  };
}
