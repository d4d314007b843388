// A ModelProto as plain data, for comparison: generated messages with everything kept but what is a matter of form.
//  - fields at their default and empty lists are the same as absent ones (but not the values of attributes, nor dim_value);
//  - tensor data stand in raw_data, whatever field they came in (strings in string_data);
//  - the empty domain is written '' where a file says "ai.onnx";
//  - a negative dim_value is an unknown dimension;
//  - the order of value_info, and value_info that says nothing but a name.
import { dtypeFromCode } from '../../../src/onnx/core/dtype.js';
import { Decoding } from '../../../src/onnx/serde/decoding.js';
import { onnx } from '../../../src/onnx/serde/generated/onnx.js';
import { tensorFromProto } from '../../../src/onnx/serde/tensor-from-proto.js';

export type Plain = string | number | boolean | Plain[] | { [key: string]: Plain };

/** Fields that carry a value of their own, where zero is not the same as absent. */
const kept = new Set([
  'dim_value',
  'f',
  'i',
  's',
  'shape',
  't',
  'g',
  'tensor_type',
  'sequence_type',
  'optional_type',
  'map_type',
]);
const dataFields = new Set(['raw_data', 'float_data', 'int32_data', 'int64_data', 'double_data', 'uint64_data']);

function isHalves(v: object): v is { low: number; high: number } {
  return 'low' in v && 'high' in v;
}

function isEmpty(v: Plain): boolean {
  return v === '' || v === 0 || v === '0' || (typeof v === 'object' && Object.keys(v).length === 0);
}

function plain(value: unknown): Plain {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return Object.is(value, -0) ? '-0' : value;
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) throw new Error(`no plain form of ${String(value)}`);
  if (isHalves(value)) return String((BigInt(value.high | 0) << 32n) | BigInt(value.low >>> 0));
  return message(value);
}

function message(value: object): { [key: string]: Plain } {
  const out: { [key: string]: Plain } = {};
  const tensor = value instanceof onnx.TensorProto && dtypeFromCode(value.data_type ?? 0) !== 'string';
  for (const [key, field] of Object.entries(value)) {
    if (key.startsWith('_') || key.startsWith('$') || field === null || field === undefined) continue;
    if (tensor && dataFields.has(key)) continue;
    const form = plain(field);
    if (!isEmpty(form) || kept.has(key)) out[key] = form;
  }
  if (tensor) out.data = plain(tensorFromProto(value, 'tensor', new Decoding(undefined, undefined)).bytes);
  if (out.domain === 'ai.onnx') delete out.domain;
  if (typeof out.dim_value === 'string' && out.dim_value.startsWith('-')) delete out.dim_value;
  const infos = out.value_info;
  if (Array.isArray(infos)) {
    const said = infos.filter((v) => typeof v === 'object' && Object.keys(v).length > 1);
    out.value_info = said.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  }
  return out;
}

/** The comparable form of an encoded model. */
export function wireForm(bytes: Uint8Array): Plain {
  return plain(onnx.ModelProto.decode(bytes));
}
