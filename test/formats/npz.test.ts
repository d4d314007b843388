import fc from 'fast-check';
import { zipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import { writeNpy } from '../../src/formats/npy.js';
import { npzKeys, readNpz, writeNpz } from '../../src/formats/npz.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { expectDataError, onlyDataErrors } from './expect-data-error.js';

const arrays = new Map([
  ['x', Tensor.from('float32', [1, 2, 3, 4], [2, 2])],
  ['y', Tensor.from('int64', [7, -8])],
]);

/** Byte offsets of a signature. */
function find(bytes: Uint8Array, signature: number[]): number[] {
  return Array.from(bytes.keys()).filter((i) => signature.every((byte, k) => bytes[i + k] === byte));
}
const directory = (bytes: Uint8Array) => find(bytes, [0x50, 0x4b, 1, 2])[0] ?? 0;
const end = (bytes: Uint8Array) => find(bytes, [0x50, 0x4b, 5, 6])[0] ?? 0;

function edited(bytes: Uint8Array, edit: (view: DataView, bytes: Uint8Array) => void): Uint8Array {
  const copy = bytes.slice();
  edit(new DataView(copy.buffer), copy);
  return copy;
}

describe('npz', () => {
  test.each([true, false])('round trip, compressed: %s', (compress) => {
    const file = writeNpz(arrays, compress);
    expect(file).toEqual(writeNpz(arrays, compress));
    const back = readNpz(file);
    expect([...back.keys()]).toEqual(['x', 'y']);
    for (const [name, tensor] of arrays) {
      expect(back.get(name)?.dims).toEqual(tensor.dims);
      expect(back.get(name)?.data).toEqual(tensor.data);
    }
  });

  test('odd names and other entries', () => {
    const npy = writeNpy(Tensor.from('uint8', [1]));
    const odd = new Map([
      ['__proto__', Tensor.from('uint8', [1])],
      ['ünï', Tensor.from('uint8', [2])],
    ]);
    expect([...readNpz(writeNpz(odd)).keys()].toSorted()).toEqual(['__proto__', 'ünï']);
    expect([...readNpz(zipSync({ 'a.npy': npy, 'readme.txt': npy })).keys()]).toEqual(['a']);
    expect(readNpz(zipSync({})).size).toBe(0);
  });

  test('arrays that are not wanted may be of any dtype', () => {
    const text = Buffer.from(writeNpy(Tensor.from('uint8', [1, 2]))).toString('latin1');
    const of = (descr: string) => Buffer.from(text.replace('|u1', descr), 'latin1');
    const dates = ['|S2', '<U1', '|O', '<M8[D]', '<m8', '<c8', '>f4'].map((descr, i) => [`other${i}.npy`, of(descr)]);
    const file = zipSync({ ...Object.fromEntries(dates), 'x.npy': writeNpy(Tensor.from('uint8', [1])) });
    expect([...readNpz(file, 'a', 2 ** 20, (key) => key === 'x').keys()]).toEqual(['x']);
    expect(npzKeys(file)).toEqual([...dates.map((_, i) => `other${i}`), 'x']);
    expect(() => readNpz(file, 'a')).toThrow('a: "other0": npy dtype "S2" is not supported');
  });

  test('errors', () => {
    const file = writeNpz(arrays);
    const stored = writeNpz(arrays, false);
    const none = 'a: not a zip archive or truncated, it has no end-of-central-directory record';
    expectDataError(() => readNpz(new Uint8Array(5), 'a'), none);
    expectDataError(() => readNpz(file.subarray(0, file.length - 1), 'a'), none);
    const packed = new DataView(file.buffer).getUint32(directory(file) + 20, true);
    const at = directory(file);
    const zip64 = edited(file, (view, b) => view.setUint16(end(b) + 10, 0xffff, true));
    expectDataError(() => readNpz(zip64, 'a'), 'a: zip64 archives are not supported');
    const lost = edited(file, (view, b) => view.setUint32(end(b) + 16, 5, true));
    expectDataError(() => readNpz(lost, 'a'), 'a: zip directory is broken at byte 5, entry 0 of 2');
    const long = edited(file, (view) => view.setUint16(at + 28, 60000, true));
    expectDataError(() => readNpz(long, 'a'), `a: zip directory is broken at byte ${at}, entry 0 of 2 is too long`);
    const encrypted = edited(file, (view) => view.setUint16(at + 8, 1, true));
    expectDataError(() => readNpz(encrypted, 'a'), 'a: zip entry "x.npy" is encrypted');
    const method = edited(file, (view) => view.setUint16(at + 10, 14, true));
    expectDataError(() => readNpz(method, 'a'), 'a: zip entry "x.npy" has compression method 14, expected 0 or 8');
    const bomb = edited(file, (view) => view.setUint32(at + 24, 1e9, true));
    expectDataError(
      () => readNpz(bomb, 'a'),
      `a: zip entry "x.npy" claims 1000000000 bytes from ${packed}, deflate cannot do that`,
    );
    const small = edited(file, (view) => view.setUint32(at + 24, 5, true));
    expectDataError(() => readNpz(small, 'a'), 'a: zip entry "x.npy" unpacks to more than its 5 bytes');
    const crc = edited(file, (view) => view.setUint32(at + 16, 5, true));
    expectDataError(() => readNpz(crc, 'a'), 'a: zip entry "x.npy" is damaged, its size or CRC-32 does not match');
    const local = edited(file, (view) => view.setUint32(at + 42, 1, true));
    expectDataError(() => readNpz(local, 'a'), 'a: zip entry "x.npy" has no local header at byte 1');
    const cut = edited(stored, (view, b) => view.setUint32(directory(b) + 20, 1e6, true));
    expectDataError(
      () => readNpz(cut, 'a'),
      `a: zip entry "x.npy" is truncated, 1000000 bytes at 35 do not fit ${stored.length}`,
    );
    expectDataError(() => readNpz(file, 'a', 100), 'a: unpacks to 288 bytes, more than the limit of 100');
    const broken = edited(file, (_, b) => b.fill(7, 35, 36));
    expectDataError(() => readNpz(broken, 'a'), 'a: zip entry "x.npy" is broken, invalid block type');
    const twice = edited(file, (_, b) => {
      const second = find(b, [0x50, 0x4b, 1, 2])[1] ?? 0;
      b[second + 46] = 'x'.charCodeAt(0);
    });
    expectDataError(() => readNpz(twice, 'a'), 'a: zip entry "x.npy" stands twice');
    expectDataError(
      () => readNpz(zipSync({ 'x.npy': new Uint8Array(30) }), 'a'),
      'a: "x": not an npy file, it does not begin with \\x93NUMPY',
    );
  });

  test('mutations and truncations only ever throw DataError', () => {
    const files = [writeNpz(arrays), writeNpz(arrays, false)];
    fc.assert(
      fc.property(
        fc.constantFrom(...files),
        fc.option(fc.nat(700), { freq: 4 }),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 5 }),
        (file, length, edits) => {
          const bytes = file.slice(0, length ?? undefined);
          for (const [at, value] of edits) if (bytes.length > 0) bytes[at % bytes.length] = value;
          onlyDataErrors(() => readNpz(bytes));
        },
      ),
      { numRuns: 5000 },
    );
  });
});
