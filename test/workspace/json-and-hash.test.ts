import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DataError, InternalError } from '../../src/onnx/core/errors.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { sha256, sha256Tensors } from '../../src/onnx/files/hash.js';
import { firstDifference, parseJson, stableJson } from '../../src/workspace/json.js';
import { messageOf } from './support.js';

describe('stableJson', () => {
  it('sorts keys, at any indent', () => {
    expect(stableJson({ b: [1, {}], a: { 10: 'x', 2: null }, u: undefined, e: [] })).toBe(
      '{"a":{"10":"x","2":null},"b":[1,{}],"e":[]}',
    );
    expect(stableJson({ b: [1], a: {} }, 2)).toBe('{\n  "a": {},\n  "b": [\n    1\n  ]\n}');
  });

  it('comes back the same, -0 included', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(0, 2), (value, indent) => {
        const text = stableJson(value, indent);
        if (text.includes('__proto__')) return;
        expect(stableJson(parseJson(text, 'x'))).toBe(stableJson(value));
      }),
      { numRuns: 500 },
    );
    expect(Object.is(parseJson(stableJson(-0), 'x'), -0)).toBe(true);
  });

  it.each([
    [{ a: Number.NaN }, 'internal: a is NaN, which JSON cannot hold'],
    [[1, Number.POSITIVE_INFINITY], 'internal: [1] is Infinity, which JSON cannot hold'],
    [{ a: [1n] }, 'internal: a[0] is a bigint, which JSON cannot hold'],
    [[undefined], 'internal: [0] is undefined, which JSON cannot hold'],
    [new Map(), 'internal: the value is an instance of a class, which JSON cannot hold'],
  ])('refuses %s', (value, message) => {
    expect(() => stableJson(value)).toThrow(new InternalError(message.replace('internal: ', '')));
  });
});

describe('parseJson', () => {
  it('refuses what is no JSON, is too deep, too large or would set a prototype', () => {
    expect(messageOf(() => parseJson('{', 'f'))).toMatch(/^f: not valid JSON, /);
    expect(messageOf(() => parseJson(new Uint8Array([0x22, 0xff, 0x22]), 'f'))).toMatch(/^f: not valid JSON, The encoded data/);
    expect(messageOf(() => parseJson('{"a":{"__proto__":1}}', 'f'))).toBe(
      'f: not valid JSON, the key "__proto__" is not allowed',
    );
    expect(messageOf(() => parseJson('{"a":1e999}', 'f'))).toBe('f: not valid JSON, a is a number beyond 1.8e308');
    expect(messageOf(() => parseJson('['.repeat(1e5) + ']'.repeat(1e5), 'f'))).toBe(
      'f: not valid JSON, nested deeper than 100 levels',
    );
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          parseJson(text, 'f');
        } catch (error) {
          expect(error).toBeInstanceOf(DataError);
        }
      }),
    );
  });
});

describe('firstDifference', () => {
  it('names the place', () => {
    expect(firstDifference({ a: [1, { b: 2 }] }, { a: [1, { b: 3 }] })).toBe('a[1].b: was 2, is 3');
    expect(firstDifference({ a: 1 }, { a: 1, 'x y': 'z' })).toBe('["x y"]: was nothing, is "z"');
    expect(firstDifference({ a: 1 }, { a: 1 })).toBeUndefined();
  });
});

describe('sha256', () => {
  it('is that of FIPS 180-4, in pieces too', () => {
    const abc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
    expect(sha256('abc')).toBe(abc);
    expect(sha256([new Uint8Array([97]), new Uint8Array([98, 99])])).toBe(abc);
  });

  it('of tensors depends on name, dtype, dims, bytes and order', () => {
    const a = Tensor.from('float32', [1, 2]);
    const b = Tensor.from('int32', [0, 0], [2]);
    const all = [
      new Map([['a', a]]),
      new Map([['b', a]]),
      new Map([['a', a.reshape([2, 1])]]),
      new Map([['a', b]]),
      new Map([['a', Tensor.from('float32', [1, 3])]]),
      new Map([['a', new Tensor('string', [2], ['1', '2'])]]),
      new Map([['a', new Tensor('string', [2], ['1,', '2'])]]),
      new Map([['a', a], ['b', b]]), // biome-ignore format: one case a line
      new Map([['b', b], ['a', a]]), // biome-ignore format: one case a line
      new Map(),
    ].map(sha256Tensors);
    expect(new Set(all).size).toBe(all.length);
    expect(sha256Tensors(new Map([['a', Tensor.from('float32', [1, 2])]]))).toBe(all[0]);
  });
});
