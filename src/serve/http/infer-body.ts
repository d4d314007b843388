// The body of an inference request over HTTP: JSON, or JSON with the bytes of tensors behind it (Triton's extension binary_tensor_data); and the answer in
// the same two forms.
import * as z from 'zod';
import { datatypeOf } from '../../deploy/datatypes.js';
import { fromBytes, toBytes } from '../protocol/binary-elements.js';
import { fromJson, toJson } from '../protocol/json-elements.js';
import { refuseUnsupported, timeoutOf } from '../protocol/parameters.js';
import { type ServedModel, ServeError, type Tensors } from '../served-model.js';
import type { GivenInput, InferRequest } from '../service.js';

/** Carries how many bytes of a body are its JSON. */
export const headerLength = 'inference-header-content-length';

const parameters = z.record(z.string(), z.unknown()).optional();
/** Sizes whose product is a number of elements that a machine could hold. */
const shape = z
  .array(
    z
      .number()
      .int()
      .min(0)
      .max(2 ** 31 - 1),
  )
  .max(32)
  .refine((sizes) => sizes.reduce((a, b) => a * b, 1) <= 2 ** 40);
const schema = z.object({
  id: z.string().max(1024).optional(),
  parameters,
  inputs: z
    .array(z.object({ name: z.string(), datatype: z.string(), shape, parameters, data: z.unknown().optional() }))
    .max(4096),
  outputs: z
    .array(z.object({ name: z.string(), parameters }))
    .max(4096)
    .optional(),
});
type Body = z.output<typeof schema>;

const extensionsAt = 'at /v2';

const invalid = (message: string): ServeError => new ServeError('invalid', message);

/** A request, and which of its outputs are asked for as bytes. */
export interface ReadRequest {
  readonly request: InferRequest;
  readonly binary: (output: string) => boolean;
}

const decoder = new TextDecoder('utf-8', { fatal: true });

function parsed(text: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(text));
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    throw invalid(`failed to parse the request JSON buffer: ${said}`);
  }
}

function checked(text: Uint8Array): Body {
  const found = schema.safeParse(parsed(text));
  if (found.success) return found.data;
  const [issue] = found.error.issues;
  throw invalid(`failed to parse the inference request: ${issue?.path.join('.') || 'the body'}: ${issue?.message}`);
}

/** Heads of bodies with bytes behind them: a client sends the same one again and again. By their bytes as Latin-1. */
const heads = new Map<string, Body>();
/** How many of them are kept, each of at most so many bytes. */
const [mostHeads, longestHead] = [256, 2048];

/** The JSON before bytes of tensors. Throws ServeError. */
function headOf(bytes: Uint8Array): Body {
  if (bytes.length > longestHead) return checked(bytes);
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  const known = heads.get(text);
  if (known !== undefined) return known;
  const found = checked(bytes);
  // One that names itself comes once.
  if (found.id !== undefined) return found;
  if (heads.size >= mostHeads) heads.clear();
  heads.set(text, found);
  return found;
}

/** The length of the JSON before the bytes of tensors. */
function jsonLength(header: string | undefined, all: number): number {
  if (header === undefined) return all;
  const length = /^\d{1,10}$/.test(header) ? Number(header) : Number.NaN;
  if (length >= 0 && length <= all) return length;
  throw invalid(`inference header size should be in range (0, ${all}), got: ${header}`);
}

/** Reads a body. @param header the value of Inference-Header-Content-Length. @param model its name, for refusals. Throws ServeError. */
export function readRequest(body: Uint8Array, header: string | undefined, model: string): ReadRequest {
  const length = jsonLength(header, body.length);
  const { id = '', parameters: all, inputs, outputs } = header === undefined ? checked(body) : headOf(body.subarray(0, length));
  refuseUnsupported(all, extensionsAt);
  let at = length;
  const given = inputs.map((input): GivenInput => {
    const { name, datatype, shape: sizes, data, parameters: own } = input;
    refuseUnsupported(own, extensionsAt);
    const size = own?.binary_data_size;
    if (size !== undefined && data !== undefined)
      throw invalid(`input '${name}' has both 'data' and 'binary_data_size', expected one`);
    if (size === undefined) {
      if (data === undefined) throw invalid(`input '${name}' has neither 'data' nor 'binary_data_size'`);
      return { name, datatype, shape: sizes, read: (spec) => fromJson(spec, sizes, data) };
    }
    if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0 || at + size > body.length)
      throw invalid(
        Number.isSafeInteger(size) && Number(size) >= 0
          ? `unexpected size for input '${name}', expecting ${at + Number(size) - body.length} additional bytes for model '${model}'`
          : `input '${name}': binary_data_size is ${JSON.stringify(size)}, expected a number of bytes`,
      );
    const bytes = body.subarray(at, at + size);
    at += size;
    return { name, datatype, shape: sizes, read: (spec, of) => fromBytes(spec, sizes, bytes, of) };
  });
  if (at !== body.length) throw invalid(`unexpected additional input data for model '${model}'`);
  for (const { parameters: own } of outputs ?? []) refuseUnsupported(own, extensionsAt);
  const names = outputs && [...new Set(outputs.map(({ name }) => name))];
  const chosen = new Map(outputs?.map(({ name, parameters: own }) => [name, own?.binary_data]));
  const other = all?.binary_data_output === true;
  return {
    // No output is what clients send who want all.
    request: {
      id,
      inputs: given,
      ...(names !== undefined && names.length > 0 && { outputs: names }),
      ...timeoutOf(all?.timeout),
    },
    binary: (name) => {
      const own = chosen.get(name);
      return own === undefined ? other : own === true;
    },
  };
}

/** An answer's body; `jsonLength` where bytes of tensors follow its JSON. */
export interface WrittenAnswer {
  readonly body: Buffer | string;
  readonly jsonLength?: number;
}

export function writeAnswer(model: ServedModel, { request, binary }: ReadRequest, outputs: Tensors): WrittenAnswer {
  const bytes: Uint8Array[] = [];
  const names = request.outputs ?? model.outputs.map(({ name }) => name);
  const written = names.map((name) => {
    const tensor = outputs[name];
    if (tensor === undefined) throw new ServeError('internal', `model '${model.name}' gave no output '${name}'`);
    const begin = `{"name":${JSON.stringify(name)},"datatype":"${datatypeOf(tensor.dtype)}","shape":[${tensor.dims.join()}]`;
    if (!binary(name)) return `${begin},"data":${toJson(name, tensor)}}`;
    const own = toBytes(tensor);
    bytes.push(own);
    return `${begin},"parameters":{"binary_data_size":${own.length}}}`;
  });
  const id = request.id === '' ? '' : `"id":${JSON.stringify(request.id)},`;
  const json = `{${id}"model_name":${JSON.stringify(model.name)},"model_version":"${model.version}","outputs":[${written.join()}]}`;
  if (bytes.length === 0) return { body: json };
  const head = Buffer.from(json);
  return { body: Buffer.concat([head, ...bytes]), jsonLength: head.length };
}
