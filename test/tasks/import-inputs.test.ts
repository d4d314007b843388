// Models of several inputs, of ids, masks and bytes; a batch that was fixed at 1; inputs that are no samples; sizes that were left open.
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { must } from '../../src/onnx/core/errors.js';
import { int64, Tensor } from '../../src/onnx/core/tensor.js';
import { reduceSum } from '../../src/onnx/ops/families/reduce.js';
import { ops } from '../../src/onnx/ops/ops.js';
import { fromBinary } from '../../src/onnx/serde/from-binary.js';
import { toBinary } from '../../src/onnx/serde/to-binary.js';
import { lastLine, okIn, prognet } from '../cli/support.js';
import { runModel } from '../support/run.js';

const waves = (count: number, by = 1) => Array.from({ length: count }, (_, i) => Math.sin(by * i + 1));

/** A folder with a model; `take` imports it into a workspace there. */
function workspace(bytes: Uint8Array) {
  const root = mkdtempSync(join(tmpdir(), 'prognet-inputs-'));
  const [file, dir] = [join(root, 'm.onnx'), join(root, 'family')];
  writeFileSync(file, bytes);
  mkdirSync(dir);
  const take = (...args: string[]) => prognet('import', file, '--task', 't', '--backbone', '-o', dir, '--json', ...args);
  const run = (...args: string[]) => lastLine(okIn(dir, ...args, '--json'));
  const exported = () => {
    run('export', '--task', 't', '-o', join(dir, 't.onnx'));
    return fromBinary(new Uint8Array(readFileSync(join(dir, 't.onnx'))));
  };
  return { dir, take, run, exported, text: () => readFileSync(join(dir, 'prognet.yaml'), 'utf8') };
}

/** Ids, a mask and bytes into one sum; one input stands before the others that it does not read. */
function encoder(): Uint8Array {
  const g = ops({ name: 'encoder' });
  const unused = g.input('unused', 'float32', ['N', 2]);
  const ids = g.input('input_ids', 'int64', ['N', 'length']);
  const mask = g.input('attention.mask', 'int64', ['N', 'length']);
  const bytes = g.input('pixels', 'uint8', ['N', 4]);
  const table = g.initializer('table', Tensor.from('float32', waves(20), [4, 5]));
  const kept = g.mul(g.gather(table, ids), g.unsqueeze(g.cast(mask, { to: 'float32' }), [2]));
  const tokens = g.relu(kept);
  tokens.name = 'tokens';
  const pooled = g.add(reduceSum(g, tokens, [1], 0), reduceSum(g, g.cast(bytes, { to: 'float32' }), [1], 1));
  pooled.name = 'pooled';
  g.output(pooled, 'y');
  g.output(g.relu(unused), 'aside');
  return toBinary(g.model());
}

describe('several inputs', () => {
  it('begin a workspace with their types; what is exported has the bits of the file', async () => {
    const { take, run, exported, text } = workspace(encoder());
    const open = workspace(encoder());
    const left = open.take('--taps', 'tokens,y');
    expect(left).toMatchObject({ status: 0, stderr: '' });
    expect(JSON.parse(left.stdout)).toMatchObject({
      open: ['length'],
      taps: [{ shape: ['length', 5] }, { shape: [5] }],
    });
    expect(open.text()).toMatch(/- \{ name: attention_mask, shape: \[length\], dtype: int64 \}/);
    expect(open.run('verify').tasks).toMatchObject([{ identical: true }]);
    expect(take('--taps', 'tokens,y', '--dim', 'length=6')).toMatchObject({ status: 0, stderr: '' });
    expect(text()).toMatch(/inputs:\n\s+- input_ids\n\s+- attention_mask\n\s+- pixels\n/);
    expect(text()).toMatch(/- \{ name: attention_mask, shape: \[6\], dtype: int64 \}/);
    expect(text()).not.toMatch(/unused/);
    expect(run('verify').tasks).toMatchObject([{ identical: true }]);
    const ids = Tensor.from('int64', [0, 1, 2, 3, 0, 0, 3, 2, 1, 0, 0, 0], [2, 6]);
    const mask = Tensor.from('int64', [1, 1, 1, 1, 0, 0, 1, 1, 1, 0, 0, 0], [2, 6]);
    const pixels = Tensor.from('uint8', [1, 2, 3, 4, 250, 0, 0, 5], [2, 4]);
    const file = fromBinary(encoder());
    const { y } = await runModel(file, {
      unused: Tensor.zeros('float32', [2, 2]),
      input_ids: ids,
      'attention.mask': mask,
      pixels,
    });
    const { t } = await runModel(exported(), { input_ids: ids, attention_mask: mask, pixels });
    expect(Buffer.compare(must(t, 't').bytes, must(y, 'y').bytes)).toBe(0);
  }, 60_000);

  it('are found by name, or by what is said', () => {
    const { dir, take, text } = workspace(encoder());
    const input = `input:
  - { name: ids, shape: [6], dtype: int64 }
  - { name: pixels, shape: [4], dtype: uint8 }
  - { name: mask, shape: [6], dtype: int64 }
`;
    writeFileSync(join(dir, 'prognet.yaml'), `prognet: 1\nname: n\n${input}columns: []\n`);
    const how = ['--taps', 'tokens,y', '--dim', 'length=6'];
    expect(take(...how).stderr).toMatch(
      /its input "input_ids" is none of the network, the network has ids, pixels, mask: add it to the description's input, or say which one it is, --input input_ids=NAME\n$/,
    );
    expect(take(...how, '--input', 'input_ids=ids', '--input', 'attention.mask=pixels').stderr).toMatch(
      /its input "attention\.mask" is int64\[N,6\], the network gives it uint8\[N,4\] \("pixels"\)\n$/,
    );
    expect(take(...how, '--input', 'input_ids=ids', '--input', 'attention.mask=mask')).toMatchObject({ status: 0, stderr: '' });
    expect(text()).toMatch(/inputs:\n\s+- ids\n\s+- mask\n\s+- pixels\n/);
  }, 60_000);
});

/** Steps of a batch of 1, whose shape is written down, and a state beside it. */
function single(mix: boolean): Uint8Array {
  const g = ops({ name: 'single' });
  const x = g.input('x', 'float32', [1, 6]);
  const w = g.reshape(g.initializer('b', Tensor.from('float32', waves(4), [4])), g.ints([1, -1]));
  const h = g.relu(
    g.add(g.matMul(g.reshape(x, g.ints([1, 3, 2])), g.initializer('w', Tensor.from('float32', waves(8), [2, 4]))), w),
  );
  h.name = 'h';
  const flat = g.reshape(h, g.ints(mix ? [3, 4] : [1, -1]));
  const y = g.matMul(flat, g.initializer('v', Tensor.from('float32', waves(mix ? 8 : 24, 2), [mix ? 4 : 12, 2])));
  g.output(mix ? g.unsqueeze(y, [0]) : y, 'y');
  return toBinary(g.model());
}

describe('a batch of 1', () => {
  it('is opened where the graph allows it', async () => {
    const { take, run, exported } = workspace(single(false));
    expect(take('--taps', 'h,y')).toMatchObject({ status: 0, stderr: '' });
    expect(run('verify').tasks).toMatchObject([{ identical: true }]);
    const rows = Tensor.from('float32', waves(18, 3), [3, 6]);
    const { t } = await runModel(exported(), { x: rows });
    const found = must(t, 't').numbers();
    for (const [i, at] of [0, 6, 12].entries()) {
      const { y } = await runModel(fromBinary(single(false)), {
        x: Tensor.from('float32', rows.numbers().slice(at, at + 6), [1, 6]),
      });
      for (const [k, v] of must(y, 'y').numbers().entries()) expect(found[2 * i + k]).toBeCloseTo(v, 5);
    }
  }, 60_000);

  it('is refused where it does not', () => {
    const { take } = workspace(single(true));
    const { status, stderr } = take('--taps', 'h', '--scores', 'y');
    expect(status).toBe(2);
    expect(stderr).toMatch(/m\.onnx: [^\n]*Reshape[^\n]*\n$/);
  });

  it('is refused where a sample sees the others, however little', () => {
    const g = ops({ name: 'leaking' });
    const x = g.input('x', 'float32', [1, 6]);
    const w = g.initializer('w', Tensor.from('float32', waves(36, 3), [6, 6]));
    const others = g.mul(g.reduceMean(x, [0], { keepdims: 1 }), 1e-6);
    g.output(g.relu(g.add(g.matMul(x, w), others)), 'h');
    const { take } = workspace(toBinary(g.model()));
    const { status, stderr } = take('--taps', 'h');
    expect(stderr).toMatch(/m\.onnx: its batch is 1 and cannot be opened: "h" of a sample changes with the others\n$/);
    expect(status).toBe(2);
  });
});

describe('samples of an open batch', () => {
  it('that are sorted by length are refused: a row is another sample there', () => {
    const g = ops({ name: 'sorting' });
    const x = g.input('x', 'float32', ['N', 6]);
    const lengths = g.input('lengths', 'int64', ['N']);
    const [, order] = g.op('TopK', [lengths, g.shape(lengths, { start: 0, end: 1 })], {}, 2);
    g.output(g.relu(g.gather(x, must(order, 'order'), { axis: 0 })), 'h');
    const { status, stderr } = workspace(toBinary(g.model())).take('--taps', 'h');
    expect(stderr).toMatch(/m\.onnx: "h" has no row for each sample: in another order of the samples its rows are others\n$/);
    expect(status).toBe(2);
  });

  it('that change with each other are taken, and that is said', () => {
    const g = ops({ name: 'mean' });
    const x = g.input('x', 'float32', ['N', 6]);
    g.output(g.relu(g.sub(x, g.mul(g.reduceMean(x, [0], { keepdims: 1 }), 0.5))), 'h');
    const { status, stderr } = workspace(toBinary(g.model())).take('--taps', 'h');
    expect(stderr).toMatch(/"h" of a sample changes with the others of its batch, by up to 0\.\d+: so do answers made of it/);
    expect(status).toBe(0);
  });
});

describe('inputs that are no samples', () => {
  function rated(): Uint8Array {
    const g = ops({ name: 'rated' });
    const x = g.input('x', 'float32', ['N', 4]);
    const state = g.input('state', 'float32', [2, 'N', 4]);
    const rate = g.input('rate', 'int64', []);
    const scaled = g.div(x, g.cast(rate, { to: 'float32' }));
    const y = g.relu(g.add(scaled, g.gather(state, g.constant(int64(0)), { axis: 0 })));
    g.output(y, 'y');
    return toBinary(g.model());
  }

  it('get a value', async () => {
    const { take, exported } = workspace(rated());
    expect(take('--taps', 'y').stderr).toMatch(
      /its input "state" is float32\[2,N,4\], without a row for each sample: say what it is, --fix state=VALUE\n$/,
    );
    expect(take('--taps', 'y', '--fix', 'state=0').stderr).toMatch(
      /"rate" is int64\[\], without a row for each sample: say what it is, --fix rate=VALUE\n$/,
    );
    expect(take('--taps', 'y', '--fix', 'speed=1').stderr).toMatch(/has no input "speed", it has x, state, rate\n$/);
    expect(take('--taps', 'y', '--fix', 'state=0.5', '--fix', 'rate=4')).toMatchObject({ status: 0, stderr: '' });
    const { t } = await runModel(exported(), { x: Tensor.from('float32', [[4, -8, 0, 1]].flat(), [1, 4]) });
    expect(must(t, 't').numbers()).toEqual([1.5, 0, 0.5, 0.75]);
  }, 60_000);
});
