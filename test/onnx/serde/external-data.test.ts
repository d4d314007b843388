// Weights beside a model: what is written is read, and a stranger's file never leads out of its folder or asks for more than is there.
import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ModelError, must } from '../../../src/onnx/core/errors.js';
import { Tensor } from '../../../src/onnx/core/tensor.js';
import { inspectModel } from '../../../src/onnx/ir/inspect.js';
import type { Model } from '../../../src/onnx/ir/model.js';
import { ops } from '../../../src/onnx/ops/ops.js';
import { loadModel } from '../../../src/onnx/serde/external-data.js';
import { onnx } from '../../../src/onnx/serde/generated/onnx.js';
import { saveModel } from '../../../src/onnx/serde/save-model.js';
import { toBinary } from '../../../src/onnx/serde/to-binary.js';

const folder = () => mkdtempSync(join(tmpdir(), 'prognet-external-'));

/** y = x w + b, w over the threshold of external data, b below it. */
function linear(fill = 0.5): Model {
  const g = ops();
  const w = new Tensor('float32', [32, 32], new Float32Array(1024).fill(fill));
  const b = new Tensor('float32', [32], new Float32Array(32).fill(1));
  g.output(g.gemm(g.input('x', 'float32', ['N', 32]), g.initializer('w', w), g.initializer('b', b)), 'y');
  return g.model();
}

const weights = (model: Model) =>
  model.graph.initializers.map((v) => [v.name, Buffer.from(v.constant?.bytes ?? []).toString('hex')]);

it('what is saved beside is loaded again, and the same model inside and beside is one model', () => {
  const dir = folder();
  saveModel(linear(), join(dir, 'm.onnx'), { externalData: true });
  expect(readdirSync(dir).sort()).toEqual(['m.onnx', 'm.onnx.data']);
  expect(readFileSync(join(dir, 'm.onnx')).length).toBeLessThan(1000);
  expect(weights(loadModel(join(dir, 'm.onnx')))).toEqual(weights(linear()));
  saveModel(linear(), join(dir, 'n.onnx'), { externalData: false });
  expect(Buffer.compare(toBinary(loadModel(join(dir, 'n.onnx'))), toBinary(loadModel(join(dir, 'm.onnx'))))).toBe(0);
});

it('a model saved over another leaves one data file, and never writes into one that an old model reads', () => {
  const dir = folder();
  const file = join(dir, 'm.onnx');
  saveModel(linear(1), file, { externalData: true });
  saveModel(linear(2), file, { externalData: true });
  expect(readdirSync(dir).sort()).toEqual(['m.onnx', 'm.onnx.1.data']);
  expect(weights(loadModel(file))).toEqual(weights(linear(2)));
  saveModel(linear(3), file, { externalData: false });
  expect(readdirSync(dir)).toEqual(['m.onnx']);
});

it('of saves of one path at once, the last is whole and the data of no other stay', async () => {
  const dir = folder();
  const script = join(dir, 'save.mjs');
  const lib = (name: string) => JSON.stringify(new URL(`../../../dist/onnx/${name}`, import.meta.url).href);
  writeFileSync(
    script,
    `import { load, save } from ${lib('node.js')};
     const model = load(${JSON.stringify(join(dir, 'seed.onnx'))});
     for (let i = 0; i < 25; i++) save(model, ${JSON.stringify(join(dir, 'out', 'm.onnx'))}, { externalData: i % 5 > 0 || i === 24 });`,
  );
  mkdirSync(join(dir, 'out'));
  saveModel(linear(), join(dir, 'seed.onnx'));
  const children = Array.from({ length: 3 }, () => spawn(process.execPath, [script], { stdio: ['ignore', 'ignore', 'inherit'] }));
  const codes = await Promise.all(children.map((child) => new Promise((done) => child.on('close', done))));
  expect(codes).toEqual([0, 0, 0]);
  expect(readdirSync(join(dir, 'out'))).toHaveLength(2);
  expect(weights(loadModel(join(dir, 'out', 'm.onnx')))).toEqual(weights(linear()));
});

it('the data file that a killed save leaves goes with the next, one that a model reads stays', () => {
  const dir = folder();
  const file = join(dir, 'm.onnx');
  saveModel(linear(1), file, { externalData: true });
  // Killed before the model that names m.onnx.1.data was there; m.onnx.7.data belongs to a copy that somebody made.
  for (const name of ['m.onnx.1.data', 'm.onnx.7.data']) writeFileSync(join(dir, name), 'x');
  writeFileSync(join(dir, '.m.onnx.pending'), '["m.onnx.1.data","m.onnx.data","../secret","seed.onnx"]');
  writeFileSync(join(dir, 'seed.onnx'), '');
  saveModel(linear(2), file, { externalData: true });
  expect(readdirSync(dir).sort()).toEqual(['m.onnx', 'm.onnx.1.data', 'm.onnx.7.data', 'seed.onnx']);
  expect(weights(loadModel(file))).toEqual(weights(linear(2)));
});

it('a model that is a link reads data beside it that are links to where it lies, and no others', () => {
  const dir = folder();
  for (const name of ['blobs', 'snapshots', 'snapshots/1']) mkdirSync(join(dir, name));
  const saved = join(dir, 'snapshots', '1', 'm.onnx');
  saveModel(linear(), saved, { externalData: true });
  for (const name of ['m.onnx', 'm.onnx.data']) {
    renameSync(join(dir, 'snapshots', '1', name), join(dir, 'blobs', `hash-of-${name}`));
    symlinkSync(join('..', '..', 'blobs', `hash-of-${name}`), join(dir, 'snapshots', '1', name));
  }
  expect(weights(loadModel(saved))).toEqual(weights(linear()));
  rmSync(join(dir, 'snapshots', '1', 'm.onnx.data'));
  renameSync(join(dir, 'blobs', 'hash-of-m.onnx.data'), join(dir, 'elsewhere'));
  symlinkSync(join(dir, 'elsewhere'), join(dir, 'snapshots', '1', 'm.onnx.data'));
  expect(() => loadModel(saved)).toThrow(/"m\.onnx\.data" leads out of the model's folder/);
});

it('a model saved over a link replaces what it leads to, and its data lie there', () => {
  const dir = folder();
  mkdirSync(join(dir, 'real'));
  saveModel(linear(1), join(dir, 'real', 'm.onnx'));
  symlinkSync(join(dir, 'real', 'm.onnx'), join(dir, 'link.onnx'));
  saveModel(linear(2), join(dir, 'link.onnx'), { externalData: true });
  expect(readdirSync(join(dir, 'real')).sort()).toEqual(['m.onnx', 'm.onnx.data']);
  expect(weights(loadModel(join(dir, 'link.onnx')))).toEqual(weights(linear(2)));
});

it('equal tensors are written once', () => {
  const dir = folder();
  const g = ops();
  const shared = new Tensor('float32', [64, 64], new Float32Array(4096).fill(2));
  const [u, v] = [g.initializer('u', shared), g.initializer('v', shared)];
  g.output(g.matMul(g.matMul(g.input('x', 'float32', ['N', 64]), u), v), 'y');
  saveModel(g.model(), join(dir, 'm.onnx'), { externalData: true });
  expect(readFileSync(join(dir, 'm.onnx.data')).length).toBe(4 * 4096);
});

it('a folder that cannot be written is one line, and nothing is left behind', () => {
  expect(() => saveModel(linear(), '/proc/none/m.onnx', { externalData: true })).toThrow(
    /^cannot write \/proc\/none\/m\.onnx: the folder \/proc\/none does not exist$/,
  );
});

/** A model whose weight w says that its data stand at these external_data entries. */
function pointing(dir: string, entries: Readonly<Record<string, string>>): string {
  const proto = onnx.ModelProto.decode(toBinary(linear()));
  const w = proto.graph?.initializer?.find((t) => t.name === 'w');
  if (w === undefined || w === null) throw new Error('the model has no w');
  w.raw_data = new Uint8Array();
  w.data_location = onnx.TensorProto.DataLocation.EXTERNAL;
  w.external_data = Object.entries(entries).map(([key, value]) => new onnx.StringStringEntryProto({ key, value }));
  const file = join(dir, 'model', 'm.onnx');
  mkdirSync(join(dir, 'model'), { recursive: true });
  writeFileSync(file, onnx.ModelProto.encode(proto).finish());
  return file;
}

/** A folder `model` beside a secret that is large enough to be a weight. */
function withSecret(): string {
  const dir = folder();
  mkdirSync(join(dir, 'model', 'inner'), { recursive: true });
  mkdirSync(join(dir, 'model-twin'));
  for (const place of ['secret', 'model/inside', 'model/inner/deep', 'model-twin/secret'])
    writeFileSync(join(dir, place), new Uint8Array(4096));
  symlinkSync(join(dir, 'secret'), join(dir, 'model', 'link'));
  symlinkSync(dir, join(dir, 'model', 'up'));
  symlinkSync(join(dir, 'model', 'inside'), join(dir, 'model', 'fair-link'));
  symlinkSync('loop', join(dir, 'model', 'loop'));
  return dir;
}

it('reads inside its folder, also in a folder below and by a link that stays', () => {
  const dir = withSecret();
  for (const location of ['inside', 'inner/deep', './inside', 'fair-link'])
    expect(loadModel(pointing(dir, { location })).graph.initializers).toHaveLength(2);
  expect(loadModel(pointing(dir, { location: 'inside', offset: '0', length: '4096' })).graph.initializers).toHaveLength(2);
});

it.each([
  [{ location: '../secret' }, /leads out of the model's folder/],
  [{ location: 'inner/../../secret' }, /leads out of the model's folder/],
  [{ location: '..\\secret' }, /leads out of the model's folder/],
  [{ location: '../model-twin/secret' }, /leads out of the model's folder/],
  [{ location: '/etc/hostname' }, /is an absolute path; it must be relative/],
  [{ location: 'C:\\secret' }, /is an absolute path; it must be relative/],
  [{ location: '\\\\server\\share' }, /is an absolute path; it must be relative/],
  [{ location: 'link' }, /leads out of the model's folder/],
  [{ location: 'up/secret' }, /leads out of the model's folder/],
  [{ location: 'loop' }, /cannot be read: .*ELOOP/],
  [{ location: 'in\0side' }, /leads out of the model's folder/],
  [{ location: '' }, /"w"/],
  [{ location: '.' }, /leads out of the model's folder/],
  [{ location: 'inner' }, /is not a file/],
  [{ location: 'missing' }, /cannot be read: no such file or directory/],
  [{}, /"w"/],
  [{ location: 'inside', offset: '1' }, /bytes 1 to 4097 are asked for/],
  [{ location: 'inside', offset: '-1' }, /external offset must be a non-negative integer, it is "-1"/],
  [{ location: 'inside', offset: '1e3' }, /external offset must be a non-negative integer/],
  [{ location: 'inside', length: '9007199254740993' }, /external length must be a non-negative integer/],
  [{ location: 'inside', length: '4' }, /needs 4096 bytes/],
  [{ location: 'inside', offset: '9007199254740991', length: '4096' }, /asked for/],
])('refuses %j', (entries, message) => {
  const file = pointing(withSecret(), entries);
  let error: unknown;
  try {
    loadModel(file);
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(ModelError);
  expect((error as Error).message).toMatch(message);
  expect((error as Error).message).not.toContain('\n');
});

it('a size that no file has is refused before anything is allocated', () => {
  const dir = withSecret();
  const proto = onnx.ModelProto.decode(readFileSync(pointing(dir, { location: 'inside' })));
  const w = proto.graph?.initializer?.find((t) => t.name === 'w');
  if (w) w.dims = [1e12, 4];
  const file = join(dir, 'model', 'huge.onnx');
  writeFileSync(file, onnx.ModelProto.encode(proto).finish());
  expect(() => loadModel(file)).toThrow(ModelError);
});

it('any location is read inside or refused: what lies outside stays unread', () => {
  const dir = withSecret();
  writeFileSync(join(dir, 'secret'), new Uint8Array(4096).fill(7));
  const piece = fc.constantFrom(
    '..',
    '.',
    'inner',
    'up',
    'link',
    'secret',
    'model',
    'inside',
    '',
    '~',
    '%2e%2e',
    '\u2025',
    'inner\\..',
  );
  const location = fc.array(piece, { minLength: 1, maxLength: 5 }).map((p) => p.join('/'));
  fc.assert(
    fc.property(location, (where) => {
      try {
        const w = loadModel(pointing(dir, { location: where })).graph.initializers.find((v) => v.name === 'w');
        expect(w?.constant?.bytes[0]).toBe(0);
      } catch (error) {
        expect(error).toBeInstanceOf(ModelError);
      }
    }),
    { numRuns: 400, seed: 5 },
  );
  expect(existsSync(join(dir, 'secret'))).toBe(true);
});

describe('weights that are left in their file', () => {
  const saved = () => {
    const dir = folder();
    const large = new Tensor('float32', [64, 512], Float32Array.from({ length: 64 * 512 }, Math.sin));
    const g = ops();
    g.output(g.matMul(g.input('x', 'float32', ['N', 64]), g.initializer('w', large)), 'y');
    saveModel(g.model(), join(dir, 'm.onnx'), { externalData: true });
    const [w] = loadModel(join(dir, 'm.onnx'), () => {}, true).graph.initializers;
    return { dir, large, stored: must(w?.constant, 'w') };
  };

  it('are tensors as others', () => {
    const { large, stored } = saved();
    expect([stored.dtype, stored.dims, stored.size, stored.byteLength]).toEqual(['float32', [64, 512], 64 * 512, 4 * 64 * 512]);
    expect(Buffer.compare(stored.bytes, large.bytes)).toBe(0);
    expect(stored.reshape([512, 64]).data).toEqual(large.data);
    expect(structuredClone({ ...stored })).toEqual({ dtype: 'float32', dims: [64, 512], data: large.data });
  });

  it('must be what they were', () => {
    const { dir, stored } = saved();
    writeFileSync(join(dir, 'm.onnx.data'), new Uint8Array(4 * 64 * 512));
    expect(() => stored.data).toThrow(
      /m\.onnx: initializer "w": its external data "m\.onnx\.data" was written anew meanwhile, begin again$/,
    );
    rmSync(join(dir, 'm.onnx.data'));
    expect(() => stored.bytes).toThrow(/its external data "m\.onnx\.data" cannot be read: no such file or directory/);
  });

  it('are not read for a summary: 3 GB of them', () => {
    const dir = withSecret();
    const proto = onnx.ModelProto.decode(readFileSync(pointing(dir, { location: 'large' })));
    const w = must(
      proto.graph?.initializer?.find((t) => t.name === 'w'),
      'w',
    );
    w.dims = [750_000, 1024];
    const file = join(dir, 'model', 'huge.onnx');
    writeFileSync(file, onnx.ModelProto.encode(proto).finish());
    writeFileSync(join(dir, 'model', 'large'), '');
    truncateSync(join(dir, 'model', 'large'), 750_000 * 4096);
    const before = process.memoryUsage().rss;
    const { parameters } = inspectModel(loadModel(file, () => {}, true));
    expect(parameters).toEqual({ count: 750_000 * 1024 + 32, bytes: 750_000 * 4096 + 128 });
    expect(process.memoryUsage().rss - before).toBeLessThan(2 ** 28);
  });
});
