import { execFileSync } from 'node:child_process';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readIdx } from '../../src/formats/gzip-idx.js';
import { expectDataError, onlyDataErrors } from './expect-data-error.js';

const idx = (type: number, dims: number[], body: ArrayLike<number>): Uint8Array => {
  const out = new Uint8Array(4 + 4 * dims.length + body.length);
  out.set([0, 0, type, dims.length]);
  dims.forEach((d, i) => {
    new DataView(out.buffer).setUint32(4 + 4 * i, d);
  });
  out.set(body, 4 + 4 * dims.length);
  return out;
};

describe('readIdx', () => {
  test.each([
    [0x08, 'uint8', [1, 255], [1, 255]],
    [0x09, 'int8', [1, 255], [1, -1]],
    [0x0b, 'int16', [0x01, 0x02, 0xff, 0xfe], [258, -2]],
    [0x0c, 'int32', [0, 0, 1, 0, 0xff, 0xff, 0xff, 0xff], [256, -1]],
    [0x0d, 'float32', [0x3f, 0x80, 0, 0, 0xc0, 0, 0, 0], [1, -2]],
    [0x0e, 'float64', [0x3f, 0xf0, 0, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0], [1, -2]],
  ])('type 0x%s, plain and gzip', (type, dtype, body, values) => {
    for (const bytes of [idx(type, [2, 1], body), gzipSync(idx(type, [2, 1], body))]) {
      const tensor = readIdx(bytes);
      expect(tensor.dtype).toBe(dtype);
      expect(tensor.dims).toEqual([2, 1]);
      expect(tensor.numbers()).toEqual(values);
    }
  });

  test('does not share memory with the file', () => {
    for (const bytes of [idx(0x0b, [1], [0, 7]), Buffer.from(idx(0x0b, [1], [0, 7]))]) {
      const tensor = readIdx(bytes);
      expect(bytes[9]).toBe(7);
      bytes.fill(0);
      expect(tensor.numbers()).toEqual([7]);
    }
  });

  test('a gzip is unpacked into the memory of its tensor, and the process takes no more than that', () => {
    for (const type of [0x08, 0x0b]) {
      const packed = gzipSync(idx(type, [500_000], new Uint8Array(type === 8 ? 500_000 : 1_000_000)));
      const { bytes } = readIdx(packed);
      expect(bytes.buffer.byteLength - bytes.length).toBeLessThan(100);
    }
    const reader = new URL('../../dist/formats/gzip-idx.js', import.meta.url).href;
    const peak = (count: number) => {
      const packed = gzipSync(idx(8, [count], new Uint8Array(count)));
      const script = `import { readIdx } from ${JSON.stringify(reader)};
        readIdx(new Uint8Array(Buffer.from('${packed.toString('base64')}', 'base64')));
        console.log(process.resourceUsage().maxRSS * 1024);`;
      return Number(execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' }));
    };
    const count = 60_000_000;
    expect(peak(count) - peak(1000)).toBeLessThan(1.4 * count);
  });

  test('errors', () => {
    expectDataError(() => readIdx(new Uint8Array(3), 'a'), 'a: not an IDX file, only 3 bytes');
    expectDataError(
      () => readIdx(Buffer.from('GIF89a'), 'a'),
      'a: not an IDX file, begins with 0x47494638, expected 0x0000 and a type of 08, 09, 0b, 0c, 0d or 0e',
    );
    expectDataError(() => readIdx(idx(8, [], []), 'a'), 'a: IDX rank is 0, expected at least 1');
    expectDataError(
      () => readIdx(idx(8, [1, 1], []).subarray(0, 8), 'a'),
      'a: is truncated, an IDX header of rank 2 takes 12 bytes, found 8',
    );
    expectDataError(() => readIdx(idx(8, [4], [1, 2]), 'a'), 'a: is truncated, uint8 [4] takes 4 bytes of data, found 2');
    expectDataError(() => readIdx(idx(8, [1], [1, 2]), 'a'), 'a: has trailing bytes, uint8 [1] takes 1 bytes of data, found 2');
    const huge = [0xffffffff, 0xffffffff];
    expectDataError(() => readIdx(idx(8, huge, []), 'a'), 'a: shape [4294967295,4294967295] is impossibly large');
    expectDataError(() => readIdx(gzipSync(idx(8, huge, [])), 'a'), 'a: shape [4294967295,4294967295] is impossibly large');
  });

  test('gzip is unpacked no further than its header declares or the limit allows', () => {
    const bomb = gzipSync(idx(8, [4], new Uint8Array(50_000_000)));
    expectDataError(() => readIdx(bomb, 'a'), 'a: gzip unpacks to more than the expected 12 bytes');
    const large = gzipSync(idx(8, [3000], new Uint8Array(3000)));
    expectDataError(() => readIdx(large, 'a', 1000), 'a: declares 3008 bytes, more than the limit of 1000');
    expectDataError(() => readIdx(large.subarray(0, 20), 'a'), 'a: bad gzip data, unexpected end of file');
  });

  test('mutations and truncations only ever throw DataError', () => {
    const plain = idx(0x0b, [3, 2, 2], new Uint8Array(24).fill(9));
    const sources = [plain, new Uint8Array(gzipSync(plain))];
    fc.assert(
      fc.property(
        fc.constantFrom(...sources),
        fc.nat(100),
        fc.array(fc.tuple(fc.nat(60), fc.nat(255)), { maxLength: 6 }),
        (source, length, edits) => {
          const bytes = source.slice(0, length);
          for (const [at, value] of edits) if (at < bytes.length) bytes[at] = value;
          onlyDataErrors(() => readIdx(bytes));
        },
      ),
      { numRuns: 3000 },
    );
  });

  test('garbage only ever throws DataError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.boolean(), (bytes, marked) => {
        if (marked) bytes.set([0x1f, 0x8b].slice(0, bytes.length));
        onlyDataErrors(() => readIdx(bytes));
      }),
      { numRuns: 1000 },
    );
  });
});
