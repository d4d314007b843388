import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeSafetensors, encodeSafetensors } from '../../src/formats/safetensors.js';
import { type DType, dtypeNames } from '../../src/onnx/core/dtype.js';
import { DataError } from '../../src/onnx/core/errors.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { messageOf } from '../workspace/support.js';

const lacking: readonly DType[] = ['string', 'complex128', 'uint4', 'int4', 'float4e2m1', 'uint2', 'int2'];
const storable = dtypeNames.filter((d) => !lacking.includes(d));

/** A file with any header text; the length is the text's own unless stated. */
function fileOf(header: string, data: number | Uint8Array = 0, length?: bigint): Uint8Array {
  const json = new TextEncoder().encode(header);
  const rest = typeof data === 'number' ? new Uint8Array(data) : data;
  const out = new Uint8Array(8 + json.length + rest.length);
  new DataView(out.buffer).setBigUint64(0, length ?? BigInt(json.length), true);
  out.set(json, 8);
  out.set(rest, 8 + json.length);
  return out;
}

function failure(header: string, data = 0): string {
  return messageOf(() => decodeSafetensors(fileOf(header, data), 'w.safetensors'));
}

const entry = (dtype: string, shape: string, offsets: string) =>
  `{"dtype":"${dtype}","shape":${shape},"data_offsets":${offsets}}`;

const arbitraryTensor = fc
  .record({ dtype: fc.constantFrom(...storable), dims: fc.array(fc.nat(4), { maxLength: 3 }), seed: fc.nat(255) })
  .map(({ dtype, dims, seed }) => {
    const zero = Tensor.zeros(dtype, dims);
    zero.bytes.forEach((_, i, bytes) => {
      bytes[i] = dtype === 'bool' ? i & 1 : (seed + 31 * i) & 255;
    });
    return zero;
  });

describe('a round trip', () => {
  it('keeps names, order, dtypes, dims, bytes and metadata, whatever they are', () => {
    const names = fc.uniqueArray(
      fc.oneof(
        fc.string({ unit: 'grapheme', maxLength: 8 }),
        fc.constantFrom('__proto__', 'constructor', '10', '2', 'a"b', 'a\\', '{:'),
      ),
      { maxLength: 8 },
    );
    fc.assert(
      fc.property(names, fc.array(arbitraryTensor, { minLength: 8, maxLength: 8 }), fc.string(), (keys, values, text) => {
        const tensors = new Map<string, Tensor>();
        keys
          .filter((k) => k !== '__metadata__')
          .forEach((k, i) => {
            const value = values[i];
            // Tensors without elements have no place of their own in the data, hence no order.
            if (value !== undefined && value.size > 0) tensors.set(k, value);
          });
        const bytes = encodeSafetensors(tensors, { text, state: '{}' });
        expect(encodeSafetensors(tensors, { text, state: '{}' })).toEqual(bytes);
        const read = decodeSafetensors(bytes);
        expect(read.metadata).toEqual({ text, state: '{}' });
        expect([...read.tensors.keys()]).toEqual([...tensors.keys()]);
        for (const [name, tensor] of tensors) {
          const got = read.tensors.get(name);
          expect([got?.dtype, got?.dims]).toEqual([tensor.dtype, tensor.dims]);
          expect(got?.bytes).toEqual(tensor.bytes);
        }
      }),
      { numRuns: 300 },
    );
  });

  it.each(storable)('%s, also without elements', (dtype) => {
    const tensors = new Map([
      ['full', Tensor.zeros(dtype, [2, 3])],
      ['none', Tensor.zeros(dtype, [0, 3])],
      ['one', Tensor.zeros(dtype, [])],
    ]);
    const read = decodeSafetensors(encodeSafetensors(tensors)).tensors;
    for (const [name, tensor] of tensors) expect(read.get(name)).toEqual(tensor);
  });

  it('has these very bytes', () => {
    const bytes = encodeSafetensors(new Map([['w', Tensor.from('float32', [1, 2])]]), { producer: 'prognet' });
    const header = '{"__metadata__":{"producer":"prognet"},"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}    ';
    expect(new TextDecoder().decode(bytes.subarray(8, -8))).toBe(header);
    expect([...bytes.subarray(0, 8)]).toEqual([96, 0, 0, 0, 0, 0, 0, 0]);
    expect([...bytes.subarray(-8)]).toEqual([0, 0, 128, 63, 0, 0, 0, 64]);
  });

  it('reads what Python writes (safetensors 0.8.0, save_file)', () => {
    const python =
      '+AAAAAAAAAB7Il9fbWV0YWRhdGFfXyI6eyJrIjoidiJ9LCJlIjp7ImR0eXBlIjoiSTY0Iiwic2hhcGUiOlswLDJdLCJkYXRhX29mZnNldHMiOlswLDBdfSwiYSI6eyJkdHlwZSI6IkYzMiIsInNoYXBlIjpbMiwzXSwiZGF0YV9vZmZzZXRzIjpbMCwyNF19LCJoIjp7ImR0eXBlIjoiRjE2Iiwic2hhcGUiOlszXSwiZGF0YV9vZmZzZXRzIjpbMjQsMzBdfSwiYiI6eyJkdHlwZSI6IkJPT0wiLCJzaGFwZSI6WzNdLCJkYXRhX29mZnNldHMiOlszMCwzM119fQAAAAAAAIA/AAAAQAAAQEAAAIBAAACgQAA8ADwAPAEAAQ==';
    const { tensors, metadata } = decodeSafetensors(Buffer.from(python, 'base64'));
    expect(metadata).toEqual({ k: 'v' });
    expect([...tensors.keys()]).toEqual(['e', 'a', 'h', 'b']);
    expect(tensors.get('a')).toEqual(Tensor.from('float32', [0, 1, 2, 3, 4, 5], [2, 3]));
    expect(tensors.get('b')).toEqual(Tensor.from('bool', [1, 0, 1]));
    expect(tensors.get('h')).toEqual(new Tensor('float16', [3], new Uint16Array(3).fill(0x3c00)));
    expect(tensors.get('e')).toEqual(Tensor.zeros('int64', [0, 2]));
  });

  it('shares memory where the data are aligned and copies where they are not, of a Buffer too', () => {
    const bytes = encodeSafetensors(
      new Map([
        ['a', Tensor.from('float64', [1, 2])],
        ['b', Tensor.from('uint8', [3])],
        ['c', Tensor.from('float32', [4])],
      ]),
    );
    const { tensors } = decodeSafetensors(bytes);
    expect(tensors.get('a')?.bytes.buffer).toBe(bytes.buffer);
    expect(tensors.get('b')?.bytes.buffer).toBe(bytes.buffer);
    expect(tensors.get('c')?.bytes.buffer).not.toBe(bytes.buffer);
    expect(tensors.get('c')?.numbers()).toEqual([4]);
    const shifted = Buffer.alloc(bytes.length + 1);
    shifted.set(bytes, 1);
    expect(decodeSafetensors(shifted.subarray(1)).tensors.get('a')?.numbers()).toEqual([1, 2]);
  });
});

describe('encoding refuses', () => {
  it.each(lacking)('%s', (dtype) => {
    const tensor = dtype === 'string' ? new Tensor('string', [1], ['x']) : Tensor.zeros(dtype, [2]);
    expect(messageOf(() => encodeSafetensors(new Map([['w', tensor]])))).toBe(
      `tensor "w": safetensors has no dtype ${dtype}, expected one of float64, float32, float16, bfloat16, int64, int32, int16, int8, uint64, uint32, uint16, uint8, bool, complex64, float8e4m3fn, float8e4m3fnuz, float8e5m2, float8e5m2fnuz, float8e8m0`,
    );
  });

  it('names that the format or Unicode does not allow', () => {
    const t = Tensor.from('float32', [1]);
    expect(messageOf(() => encodeSafetensors(new Map([['__metadata__', t]])))).toBe(
      'tensor "__metadata__": safetensors keeps this name for itself',
    );
    expect(messageOf(() => encodeSafetensors(new Map([['a\ud800', t]])))).toBe(
      'tensor "a\\ud800": the name is not valid Unicode',
    );
  });
});

describe('decoding refuses', () => {
  it('what is too short for its own header, before anything is allocated', () => {
    const decode = (bytes: Uint8Array) => messageOf(() => decodeSafetensors(bytes, 'w.safetensors'));
    expect(decode(new Uint8Array(5))).toBe('w.safetensors: only 5 bytes, a header takes at least 8');
    expect(decode(fileOf('{}', 0, 3n))).toBe(
      'w.safetensors: the header is said to take 3 bytes, the file has 2 after its first 8',
    );
    expect(decode(fileOf('{}', 0, 100_000_001n))).toBe(
      'w.safetensors: the header is said to take 100000001 bytes, the format allows 100000000',
    );
    expect(decode(fileOf('{}', 0, 2n ** 64n - 1n))).toBe(
      'w.safetensors: the header is said to take 18446744073709551615 bytes, the format allows 100000000',
    );
  });

  it('a header that is no JSON object', () => {
    expect(failure('')).toBe('w.safetensors: the header does not begin with "{"');
    expect(failure('[]')).toBe('w.safetensors: the header does not begin with "{"');
    expect(failure(' {}')).toBe('w.safetensors: the header does not begin with "{"');
    expect(failure('{"a":}')).toMatch(/^w\.safetensors: the header is not valid JSON, Unexpected token/);
    const broken = fileOf('{"  ":1}');
    broken[10] = 0xff;
    expect(messageOf(() => decodeSafetensors(broken, 'w'))).toMatch(
      /^w: the header is not valid JSON, The encoded data was not valid/,
    );
    expect(failure(`{"a":${entry('U8', '[0]', '[0,0]')},"a":${entry('U8', '[0]', '[0,0]')}}`)).toBe(
      'w.safetensors: the header names a tensor twice',
    );
  });

  it('metadata that are not strings', () => {
    expect(failure('{"__metadata__":7}')).toBe('w.safetensors: __metadata__ is no object');
    expect(failure('{"__metadata__":{"a":7}}')).toBe('w.safetensors: __metadata__ "a" is no string');
    expect(failure('{"__metadata__":{"__proto__":"x"}}')).toBe(
      'w.safetensors: the key "__proto__" in __metadata__ is not allowed',
    );
  });

  it('entries that say too little, too much or nonsense', () => {
    const w = (value: string, data = 4) => failure(`{"w":${value}}`, data);
    expect(w('7')).toBe('w.safetensors: tensor "w": its entry is no object, expected { dtype, shape, data_offsets }');
    expect(w('{"x":1}')).toBe('w.safetensors: tensor "w": unknown key "x", expected { dtype, shape, data_offsets }');
    expect(w('{"__proto__":{"dtype":"F32"}}')).toBe(
      'w.safetensors: tensor "w": unknown key "__proto__", expected { dtype, shape, data_offsets }',
    );
    const list =
      'F64, F32, F16, BF16, I64, I32, I16, I8, U64, U32, U16, U8, BOOL, C64, F8_E4M3, F8_E4M3FNUZ, F8_E5M2, F8_E5M2FNUZ, F8_E8M0';
    expect(w('{}')).toBe(`w.safetensors: tensor "w": dtype is missing or no string, expected one of ${list}`);
    expect(w(entry('F4', '[8]', '[0,4]'))).toBe(`w.safetensors: tensor "w": dtype is "F4", expected one of ${list}`);
    expect(w('{"dtype":"F32"}')).toBe('w.safetensors: tensor "w": shape is missing or no list, expected a list of sizes');
    for (const [shape, found] of [
      ['[-1]', '-1'],
      ['[1.5]', '1.5'],
      ['["1"]', 'what is no number'],
      ['[[[]]]', 'what is no number'],
      ['[9007199254740993]', '9007199254740992'],
    ]) {
      expect(w(entry('F32', shape ?? '', '[0,4]'))).toBe(
        `w.safetensors: tensor "w": shape holds ${found}, expected integers of 0 and more`,
      );
    }
    expect(w(entry('F32', '[3037000500,3037000500]', '[0,4]'))).toBe(
      'w.safetensors: tensor "w": its shape has more than 2^53 elements, expected at most 4 bytes',
    );
    for (const offsets of ['7', '[0]', '[0,4,8]', '[-1,3]', '[0,"4"]']) {
      expect(w(entry('F32', '[1]', offsets))).toBe(
        'w.safetensors: tensor "w": data_offsets is no pair of sizes, expected [begin, end]',
      );
    }
    expect(w(entry('F32', '[1]', '[4,0]'))).toBe(
      'w.safetensors: tensor "w": data_offsets [4,0] lie outside the data, expected a range within [0,4]',
    );
    expect(w(entry('F32', '[2]', '[0,8]'))).toBe(
      'w.safetensors: tensor "w": data_offsets [0,8] lie outside the data, expected a range within [0,4]',
    );
    expect(w(entry('F32', '[2]', '[0,4]'))).toBe(
      'w.safetensors: tensor "w": data_offsets [0,4] hold 4 bytes, expected 8 for F32 of shape [2]',
    );
  });

  it('gaps, overlaps and bytes that belong to no tensor', () => {
    const two = (a: string, b: string, data: number) =>
      failure(`{"a":${entry('U8', '[2]', a)},"b":${entry('U8', '[2]', b)}}`, data);
    expect(two('[0,2]', '[1,3]', 4)).toBe(
      'w.safetensors: tensor "b": overlaps the tensor before it, its data begin at 1, expected 2',
    );
    expect(two('[0,2]', '[0,2]', 2)).toBe(
      'w.safetensors: tensor "b": overlaps the tensor before it, its data begin at 0, expected 2',
    );
    expect(two('[3,5]', '[0,2]', 5)).toBe('w.safetensors: tensor "a": leaves a gap before it, its data begin at 3, expected 2');
    expect(two('[0,2]', '[2,4]', 5)).toBe('w.safetensors: 1 bytes at the end belong to no tensor');
  });

  it('anything else, and never with another error', () => {
    const good = encodeSafetensors(
      new Map([
        ['a', Tensor.from('float32', [1, 2, 3])],
        ['b', Tensor.from('int64', [4])],
      ]),
      { k: 'v' },
    );
    const tolerated = (bytes: Uint8Array) => {
      try {
        decodeSafetensors(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(DataError);
        expect(error instanceof Error ? error.message : '').not.toMatch(/[\n\r]/);
      }
    };
    const changes = fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(changes, fc.nat(good.length), (list, cut) => {
        const bytes = good.slice();
        for (const [at, value] of list) bytes[at] = value;
        tolerated(bytes);
        tolerated(bytes.subarray(0, cut));
      }),
      { numRuns: 3000 },
    );
    fc.assert(
      fc.property(fc.json(), fc.uint8Array(), (json, data) => tolerated(fileOf(json, data))),
      { numRuns: 1000 },
    );
    const info = fc.record(
      {
        dtype: fc.oneof(fc.constantFrom('F32', 'U8'), fc.jsonValue()),
        shape: fc.oneof(fc.array(fc.oneof(fc.nat(3), fc.double())), fc.jsonValue()),
        data_offsets: fc.oneof(fc.tuple(fc.nat(20), fc.nat(20)), fc.jsonValue()),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.dictionary(fc.string(), info), fc.nat(20), (header, data) =>
        tolerated(fileOf(JSON.stringify(header), data)),
      ),
      { numRuns: 2000 },
    );
    tolerated(fileOf(`{"w":${'['.repeat(200_000)}${']'.repeat(200_000)}}`));
    tolerated(fileOf(`{"w":{"dtype":"F32","shape":[${'['.repeat(200_000)}${']'.repeat(200_000)}],"data_offsets":[0,0]}}`));
  });
});
