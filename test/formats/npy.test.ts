import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readNpy, writeNpy } from '../../src/formats/npy.js';
import type { DType } from '../../src/onnx/core/dtype.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { expectDataError, onlyDataErrors } from './expect-data-error.js';

const dtypes: DType[] = [
  'float16',
  'float32',
  'float64',
  'int8',
  'int16',
  'int32',
  'int64',
  'uint8',
  'uint16',
  'uint32',
  'uint64',
  'bool',
];
const widths: Partial<Record<DType, number>> = { float16: 2, float32: 4, float64: 8, int16: 2, int32: 4, int64: 8 };

function npy(dict: string, body: ArrayLike<number>, version = 1): Uint8Array {
  const header = Buffer.from(`${dict}\n`);
  const length = version === 1 ? [header.length & 255, header.length >> 8] : [header.length & 255, header.length >> 8, 0, 0];
  return Uint8Array.from([0x93, ...Buffer.from('NUMPY'), version, 0, ...length, ...header, ...Array.from(body)]);
}
const dict = (descr: string, shape: string, fortran = 'False') =>
  `{'descr': '${descr}', 'fortran_order': ${fortran}, 'shape': ${shape}, }`;

/** The environment of scripts/python, else whatever python3 is. */
const own = new URL('../../.venv/bin/python', import.meta.url).pathname;
const python = existsSync(own) ? own : 'python3';
const hasNumpy = (() => {
  try {
    execFileSync(python, ['-c', 'import numpy'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

const anyTensor = fc
  .tuple(fc.constantFrom(...dtypes), fc.array(fc.nat(4), { maxLength: 4 }), fc.uint8Array({ minLength: 8, maxLength: 2048 }))
  .map(([dtype, dims, noise]) => {
    const { bytes } = Tensor.zeros(dtype, dims);
    for (let i = 0; i < bytes.length; i++)
      bytes[i] = dtype === 'bool' ? (noise[i % noise.length] ?? 0) & 1 : (noise[i % noise.length] ?? 0);
    return Tensor.fromBytes(dtype, dims, bytes);
  });

describe('npy', () => {
  test("either of Python's quotes", () => {
    const read = (text: string) => readNpy(npy(text, [1, 0, 2, 0]));
    const double = read('{"descr": "<i2", "fortran_order": False, "shape": (2,), }');
    expect([double.dtype, double.numbers()]).toEqual(['int16', [1, 2]]);
    expect(read(`{"shape": (2,), 'descr': "<i2", 'fortran_order': False}`).numbers()).toEqual([1, 2]);
    expect(() => read(`{'descr": '<i2', 'fortran_order': False, 'shape': (2,)}`)).toThrow("no plain 'descr'");
  });

  test('round trip of any dtype and shape', () => {
    fc.assert(
      fc.property(anyTensor, (tensor) => {
        const file = writeNpy(tensor);
        expect((file[8] ?? 0) + 256 * (file[9] ?? 0) + 10).toBe(Math.ceil(((file[8] ?? 0) + 10) / 64) * 64);
        const back = readNpy(file);
        expect(back.dtype).toBe(tensor.dtype);
        expect(back.dims).toEqual(tensor.dims);
        expect(Buffer.compare(back.bytes, tensor.bytes)).toBe(0);
      }),
      { numRuns: 300 },
    );
  });

  test('the header is what NumPy writes', () => {
    const text = (tensor: Tensor) => Buffer.from(writeNpy(tensor)).toString('latin1', 10).split('}')[0];
    expect(text(Tensor.zeros('float32', [2, 3]))).toBe("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), ");
    expect(text(Tensor.zeros('uint8', [5]))).toBe("{'descr': '|u1', 'fortran_order': False, 'shape': (5,), ");
    expect(text(Tensor.zeros('bool', []))).toBe("{'descr': '|b1', 'fortran_order': False, 'shape': (), ");
  });

  test('big-endian, for every width', () => {
    for (const [dtype, width] of Object.entries(widths)) {
      const code = `${dtype.startsWith('f') ? 'f' : 'i'}${width}`;
      const little = Uint8Array.from({ length: 2 * width }, (_, i) => i + 1);
      const big = Uint8Array.from(little, (_, i) => little[i - (i % width) + width - 1 - (i % width)] ?? 0);
      expect(readNpy(npy(dict(`>${code}`, '(2,)'), big)).bytes).toEqual(readNpy(npy(dict(`<${code}`, '(2,)'), little)).bytes);
    }
    expect(readNpy(npy(dict('>i2', '(1,)'), [1, 2])).numbers()).toEqual([258]);
  });

  test('Fortran order becomes row-major', () => {
    expect(readNpy(npy(dict('|u1', '(2, 3)', 'True'), [1, 4, 2, 5, 3, 6])).numbers()).toEqual([1, 2, 3, 4, 5, 6]);
    const cube = Uint8Array.from({ length: 24 }, (_, flat) => {
      const [i, j, k] = [flat % 2, Math.floor(flat / 2) % 3, Math.floor(flat / 6)];
      return i * 12 + j * 4 + k;
    });
    expect(readNpy(npy(dict('|u1', '(2, 3, 4)', 'True'), cube)).numbers()).toEqual(Array.from({ length: 24 }, (_, i) => i));
    expect(readNpy(npy(dict('|u1', '(0, 4)', 'True'), [])).dims).toEqual([0, 4]);
  });

  test('versions 2 and 3, keys in any order, bool of any nonzero byte', () => {
    expect(readNpy(npy(dict('<u2', '(1,)'), [1, 2], 2)).numbers()).toEqual([513]);
    expect(readNpy(npy("{'shape': (), 'fortran_order': False, 'descr': '|u1'}", [9], 3)).dims).toEqual([]);
    expect(readNpy(npy(dict('|b1', '(3,)'), [0, 1, 7])).numbers()).toEqual([0, 1, 1]);
  });

  test('errors', () => {
    const codes = 'f2 f4 f8 i1 i2 i4 i8 u1 u2 u4 u8 b1';
    expectDataError(() => readNpy(new Uint8Array(20), 'a'), 'a: not an npy file, it does not begin with \\x93NUMPY');
    expectDataError(() => readNpy(npy(dict('<f4', '()'), [], 4), 'a'), 'a: npy version 4 is not supported, expected 1, 2 or 3');
    expectDataError(
      () => readNpy(npy(dict('<f4', '()'), []).subarray(0, 30), 'a'),
      'a: is truncated, its npy header does not fit its 30 bytes',
    );
    expectDataError(
      () => readNpy(npy(dict('<c8', '()'), []), 'a'),
      `a: npy dtype "c8" is not supported, expected one of ${codes}`,
    );
    expectDataError(
      () => readNpy(npy("{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': ()}", []), 'a'),
      `a: npy header has no plain 'descr' (structured arrays are not supported), expected one of ${codes}`,
    );
    expectDataError(
      () => readNpy(npy("{'descr': '<f4', 'shape': ()}", []), 'a'),
      "a: npy header has no 'fortran_order', expected True or False",
    );
    expectDataError(
      () => readNpy(npy(dict('<f4', '(-1,)'), []), 'a'),
      "a: npy header has no 'shape', expected a tuple of integers",
    );
    expectDataError(
      () => readNpy(npy(dict('<f4', '(1,,2)'), []), 'a'),
      'a: npy shape "(1,,2)" is not a tuple of at most 64 integers',
    );
    expectDataError(
      () => readNpy(npy(dict('<f4', '(2, 2)'), [1, 2]), 'a'),
      'a: is truncated, float32 [2,2] takes 16 bytes of data, found 2',
    );
    expectDataError(
      () => readNpy(npy(dict('<f8', '(9007199254740991, 1000)'), []), 'a'),
      'a: shape [9007199254740991,1000] is impossibly large',
    );
    expectDataError(
      () => writeNpy(Tensor.zeros('bfloat16', [1])),
      `npy: dtype bfloat16 cannot be written, expected one of ${dtypes.join(' ')}`,
    );
  });

  test('mutations and truncations only ever throw DataError', () => {
    fc.assert(
      fc.property(
        anyTensor,
        fc.nat(400),
        fc.array(
          fc.tuple(
            fc.nat(140),
            fc.oneof(
              fc.nat(255),
              fc.nat(9).map((d) => 48 + d),
            ),
          ),
          { maxLength: 5 },
        ),
        (tensor, length, edits) => {
          const bytes = writeNpy(tensor).slice(0, length);
          for (const [at, value] of edits) if (at < bytes.length) bytes[at] = value;
          onlyDataErrors(() => readNpy(bytes));
        },
      ),
      { numRuns: 3000 },
    );
  });

  test.skipIf(!hasNumpy)('NumPy reads what is written (skipped where Python has no numpy: sh scripts/python/setup)', () => {
    const dir = mkdtempSync(join(tmpdir(), 'prognet-npy-'));
    writeFileSync(join(dir, 'a.npy'), writeNpy(Tensor.from('int32', [1, 2, 3, 4, 5, 6], [2, 3])));
    const code = `import numpy; a = numpy.load('${join(dir, 'a.npy')}'); print(a.dtype, a.tolist())`;
    expect(execFileSync(python, ['-c', code], { encoding: 'utf8' }).trim()).toBe('int32 [[1, 2, 3], [4, 5, 6]]');
    rmSync(dir, { recursive: true });
  });
});
