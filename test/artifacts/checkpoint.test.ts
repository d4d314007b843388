// Training checkpoints: written and read back; damaged ones refused in one line; and a hundred thousand mutations, none of which may end in
// anything but a checkpoint or a ModelError.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readCheckpoint } from '../../src/artifacts/checkpoint/read-checkpoint.js';
import type { TrainingCheckpoint } from '../../src/artifacts/checkpoint/schema.js';
import { writeCheckpoint } from '../../src/artifacts/checkpoint/write-checkpoint.js';
import { ModelError } from '../../src/onnx/core/errors.js';
import { Random } from '../../src/onnx/core/random.js';
import { float32, Tensor } from '../../src/onnx/core/tensor.js';

const sample: TrainingCheckpoint = {
  version: 2,
  trainable: new Map([
    ['a/weight', float32([1, 2, 3, 4, 5, 6], [2, 3])],
    ['a/alpha', float32([0.5], [])],
  ]),
  frozen: new Map([['b/mean', float32([7, 8])]]),
  nominal: false,
  optimizer: {
    step: 12n,
    initialRate: 0.5,
    moments: new Map([
      ['a/weight', new Map([['momentum0', float32([0, 1, 0, 1, 0, 1], [2, 3])]])],
      ['a/alpha', new Map([['momentum0', float32([9], [])]])],
    ]),
  },
  properties: new Map<string, bigint | number | string>([
    ['epoch', 3n],
    ['loss', 0.25],
    ['note', 'zwölf'],
  ]),
};

it('holds what was written', () => {
  expect(readCheckpoint(writeCheckpoint(sample))).toEqual(sample);
  const bare: TrainingCheckpoint = { version: 1, trainable: new Map(), frozen: new Map(), nominal: false, properties: new Map() };
  expect(readCheckpoint(writeCheckpoint(bare))).toEqual(bare);
});

it('a nominal checkpoint has names and no data', () => {
  const { optimizer: _, ...rest } = sample;
  const read = readCheckpoint(writeCheckpoint({ ...rest, nominal: true }));
  expect(read.nominal).toBe(true);
  expect([...read.trainable].map(([name, t]) => [name, t.dtype, t.size])).toEqual([
    ['a/weight', 'float32', 0],
    ['a/alpha', 'float32', 0],
  ]);
});

describe('damaged: one line that says what is wrong', () => {
  const whole = writeCheckpoint(sample);
  const view = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const refuses = (bytes: Uint8Array, message: RegExp) => {
    expect(() => readCheckpoint(bytes, 'c')).toThrow(ModelError);
    expect(() => readCheckpoint(bytes, 'c')).toThrow(message);
    expect(() => readCheckpoint(bytes, 'c')).toThrow(/^[^\n]+$/);
  };
  const changed = (change: (bytes: Uint8Array) => void) => {
    const copy = whole.slice();
    change(copy);
    return copy;
  };
  /** Place of a float of the file's data, and of what stands around it. */
  const placeOf = (value: number) => {
    for (let at = 0; at + 4 <= whole.length; at += 4) if (view(whole).getFloat32(at, true) === value) return at;
    throw new Error(`no ${value} in the file`);
  };

  it('empty', () => refuses(new Uint8Array(0), /^c: has 0 bytes, too few for a training checkpoint$/));
  it('truncated anywhere', () => {
    // The last bytes only pad.
    for (let n = 0; n < whole.length - 8; n++)
      expect(() => readCheckpoint(whole.subarray(0, n)), `${n} bytes`).toThrow(ModelError);
    refuses(whole.subarray(0, 60), /^c: .* leads to bytes \d+ to \d+, the file has 60$/);
  });
  it('another identifier', () =>
    refuses(
      changed((b) => b.set([79, 82, 84, 77], 4)),
      /^c: is no training checkpoint, its identifier is "ORTM", expected "ODTC"$/,
    ));
  it('another version', () =>
    refuses(writeCheckpoint({ ...sample, version: 3 as 2 }), /^c: is a checkpoint of version 3, expected 1 or 2$/));
  it('an offset out of range', () =>
    refuses(
      changed((b) => view(b).setUint32(0, 1e6, true)),
      /^c: root leads to bytes 1000000 to/,
    ));
  it('data that do not fit the shape', () =>
    // the byte count stands before 1, 2, ...
    refuses(
      changed((b) => view(b).setUint32(placeOf(2) - 8, 20, true)),
      /^c: module_state.requires_grad_params\[0\] "a\/weight": float32\[2,3\] needs 24 bytes, raw_data has 20$/,
    ));
  it('a moment of another shape', () => {
    const moments = new Map([['a/weight', new Map([['momentum0', float32([1, 2])]])]]);
    refuses(
      writeCheckpoint({ ...sample, optimizer: { step: 1n, initialRate: 0, moments } }),
      /^c: optimizer_groups\[0\].optimizer_states\[0\] "a\/weight": "momentum0" is float32\[2\], its parameter is float32\[2,3\]$/,
    );
  });
  it('a parameter that is trainable and frozen', () =>
    refuses(
      writeCheckpoint({ ...sample, frozen: sample.trainable }),
      /^c: module_state has "a\/weight" among the trainable and the frozen/,
    ));
});

it('any tensors survive', () => {
  const names = fc.uniqueArray(fc.string({ maxLength: 8 }), { maxLength: 5 });
  const dims = fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 4 });
  fc.assert(
    fc.property(names, dims, fc.bigInt({ min: 0n, max: 2n ** 62n }), (list, shape, step) => {
      const trainable = new Map(list.map((name) => [name, Tensor.zeros('float32', shape)]));
      const optimizer = { step, initialRate: 0.125, moments: new Map() };
      const checkpoint: TrainingCheckpoint = { ...sample, trainable, frozen: new Map(), optimizer };
      expect(readCheckpoint(writeCheckpoint(checkpoint))).toEqual(checkpoint);
    }),
    { numRuns: 200 },
  );
});

it('a hundred thousand damaged files give a checkpoint or a ModelError', () => {
  const whole = writeCheckpoint(sample);
  const random = new Random(11, 'checkpoint fuzz');
  const work = whole.slice();
  const view = new DataView(work.buffer);
  let refused = 0;
  for (let i = 0; i < 100_000; i++) {
    work.set(whole);
    for (let k = random.below(3); k >= 0; k--) {
      const at = random.below(whole.length - 4);
      // a byte, a small word (a near offset), any word
      const kind = random.below(3);
      if (kind === 0) work[at] = random.below(256);
      else view.setUint32(at & ~3, kind === 1 ? random.below(whole.length * 2) : random.below(2 ** 31) * 2, true);
    }
    const cut = random.below(4) === 0 ? random.below(whole.length) : whole.length;
    try {
      const { trainable, frozen } = readCheckpoint(work.subarray(0, cut));
      for (const tensor of [...trainable.values(), ...frozen.values()]) {
        if (tensor.bytes.length > whole.length) throw new Error('a tensor is larger than its file');
      }
    } catch (error) {
      if (!(error instanceof ModelError)) throw error;
      refused++;
    }
  }
  expect(refused).toBeGreaterThan(30_000);
  expect(refused).toBeLessThan(100_000);
});
