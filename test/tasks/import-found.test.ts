// What is found in models whose exporters left it in odd places: taps that cannot be read, branches that a fixed input chooses, states with a batch of 1,
// tables in narrow types, shapes that begin with 1 and are of no sample.
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { importModel } from '../../src/model/progressive/import-model.js';
import { must } from '../../src/onnx/core/errors.js';
import { int64, Tensor } from '../../src/onnx/core/tensor.js';
import type { Value } from '../../src/onnx/ir/graph.js';
import { ops } from '../../src/onnx/ops/ops.js';
import type { Ops } from '../../src/onnx/ops/ops-builder.js';
import { loadModel } from '../../src/onnx/serde/external-data.js';
import { toBinary } from '../../src/onnx/serde/to-binary.js';
import { lastLine, okIn, prognet } from '../cli/support.js';

const waves = (count: number, by = 1) => Array.from({ length: count }, (_, i) => Math.sin(by * i + 1));
const weight = (g: Ops, name: string, ...dims: number[]) =>
  g.initializer(
    name,
    Tensor.from(
      'float32',
      waves(
        dims.reduce((a, b) => a * b, 1),
        3,
      ),
      dims,
    ),
  );
const named = (v: Value, name: string) => Object.assign(v, { name });

/** The folder of a workspace to be, and the import of a model into it. */
function workspace(build: (g: Ops) => void) {
  const root = mkdtempSync(join(tmpdir(), 'prognet-found-'));
  const [file, dir] = [join(root, 'm.onnx'), join(root, 'family')];
  const g = ops({ name: 'm' });
  build(g);
  writeFileSync(file, toBinary(g.model()));
  mkdirSync(dir);
  const take = (...args: string[]) => prognet('import', file, '--task', 't', '--backbone', '-o', dir, '--json', ...args);
  return { dir, take };
}

const tapsOf = ({ stdout }: { readonly stdout: string }): unknown =>
  JSON.parse(stdout).taps.map(({ name }: { name: string }) => name);

describe('taps that nobody named', () => {
  it('are left out, which is said, where their rows are no samples; those that are named are refused', () => {
    const { take } = workspace((g) => {
      const x = g.input('x', 'float32', ['N', 4]);
      const first = named(g.relu(g.matMul(x, weight(g, 'w', 4, 4))), 'first');
      const [, order] = g.op(
        'TopK',
        [g.gather(first, g.constant(int64(0)), { axis: 1 }), g.shape(x, { start: 0, end: 1 })],
        {},
        2,
      );
      const sorted = g.gather(first, must(order, 'order'), { axis: 0 });
      const last = named(g.relu(g.matMul(sorted, weight(g, 'v', 4, 3))), 'sorted');
      g.output(g.matMul(last, weight(g, 'u', 3, 2)), 'y');
    });
    const refused = '"sorted" has no row for each sample: in another order of the samples its rows are others';
    const asked = take('--taps', 'first,sorted');
    expect(asked.status).toBe(2);
    expect(asked.stderr).toContain(`m.onnx: ${refused}\n`);
    const found = take('--taps', 'auto:4');
    expect(found).toMatchObject({ status: 0 });
    expect(found.stderr).toContain(`m.onnx: ${refused}: it is no tap\n`);
    expect(tapsOf(found)).toEqual(['first']);
  }, 60_000);

  it('are left out where ONNX Runtime cannot compute them of any number of samples', () => {
    const { take } = workspace((g) => {
      const x = g.input('x', 'float32', ['N', 4]);
      const first = named(g.relu(g.matMul(x, weight(g, 'w', 4, 4))), 'first');
      const thirds = named(g.relu(g.reshape(first, [3, -1])), 'thirds');
      g.output(g.matMul(g.transpose(thirds), weight(g, 'v', 3, 2)), 'y');
    });
    const found = take('--taps', 'auto:4');
    expect(found).toMatchObject({ status: 0 });
    expect(tapsOf(found)).toEqual(['first']);
  }, 60_000);

  it('are those of the branch that a fixed input chooses', () => {
    const { take, dir } = workspace((g) => {
      const x = g.input('x', 'float32', ['N', 4]);
      const rate = g.input('rate', 'int64', []);
      const branch = (name: string) => {
        const inner = g.subgraph(name);
        const h = named(inner.relu(inner.matMul(x, weight(inner, `${name}/w`, 4, 6))), `${name}/h`);
        inner.output(inner.matMul(h, weight(inner, `${name}/v`, 6, 2)), `${name}/y`);
        return inner.graph;
      };
      const slow = g.equal(rate, g.constant(int64(8000)));
      g.output(must(g.op('If', [slow], { then_branch: branch('slow'), else_branch: branch('fast') })[0], 'y'), 'y');
    });
    const found = take('--fix', 'rate=16000');
    expect(found).toMatchObject({ status: 0, stderr: '' });
    expect(tapsOf(found)).toEqual(['fast/h']);
    expect(lastLine(okIn(dir, 'verify', '--json')).tasks).toMatchObject([{ identical: true }]);
    const model = loadModel(join(dir, '../m.onnx'));
    const of = (rate: number) => ({ task: 't', backbone: true, fixed: new Map([['rate', rate]]), taps: ['slow/h'] });
    expect(importModel(model, of(8000), 'm.onnx').taps).toEqual(['slow/h']);
    expect(() => importModel(model, of(16000), 'm.onnx')).toThrow(/^m\.onnx: computes no "slow\/h", it computes: [^\n]*fast\/h/);
  }, 60_000);
});

describe('a batch of 1', () => {
  it('is opened in the state of a recurrent layer too, whose second axis it is', () => {
    const { take } = workspace((g) => {
      const x = g.input('x', 'float32', [1, 5, 3]);
      const state = g.input('state', 'float32', [1, 1, 4]);
      const steps = g.transpose(x, { perm: [1, 0, 2] });
      const parts = [steps, weight(g, 'w', 1, 12, 3), weight(g, 'r', 1, 12, 4), null, null, state];
      const [, last] = g.op('GRU', parts, { hidden_size: 4 }, 2);
      g.output(named(g.relu(g.squeeze(must(last, 'last'), [0])), 'h'), 'h');
    });
    const asked = take('--taps', 'h');
    expect(asked.status).toBe(2);
    expect(asked.stderr).toMatch(
      /m\.onnx: its input "state" is float32\[1,1,4\], what a recurrent layer begins with: say what it is, --fix state=VALUE\n$/,
    );
    expect(take('--taps', 'h', '--fix', 'state=0.25')).toMatchObject({ status: 0, stderr: '' });
  }, 60_000);

  it('leaves shapes alone that begin with 1 and hold no row for each sample', () => {
    const { take } = workspace((g) => {
      const x = g.input('x', 'float32', [1, 4]);
      const nothing = g.mul(g.reduceMax(x, undefined, { keepdims: 0 }), 0);
      const bias = g.reshape(g.add(weight(g, 'b', 4), nothing), [1, -1]);
      g.output(named(g.relu(g.add(x, bias)), 'h'), 'h');
    });
    expect(take('--taps', 'h')).toMatchObject({ status: 0, stderr: '' });
  }, 60_000);
});

it('a large table in a narrow type, which a Cast widens, is a weight and no part of the graph', () => {
  const { take } = workspace((g) => {
    const x = g.input('x', 'float32', ['N', 64]);
    const table = Tensor.from(
      'int8',
      waves(64 * 64).map((v) => Math.round(100 * v)),
      [64, 64],
    );
    g.output(named(g.relu(g.matMul(x, g.cast(g.initializer('table', table), { to: 'float32' }))), 'h'), 'h');
  });
  const found = take('--taps', 'h');
  expect(found).toMatchObject({ status: 0, stderr: '' });
  expect(JSON.parse(found.stdout).parameters).toBe(64 * 64);
}, 60_000);

it('shapes that do not fit are told with the name of the file', () => {
  const { take } = workspace((g) => {
    const x = g.input('x', 'float32', ['N', 'T', 4]);
    g.output(named(g.relu(g.add(x, weight(g, 'p', 1, 8, 4))), 'h'), 'h');
  });
  const { status, stderr } = take('--taps', 'h', '--dim', 'T=9');
  expect(stderr).toMatch(/^prognet: [^:]*m\.onnx: Add "[^"]*": shapes \[N,9,4\] and \[1,8,4\] do not broadcast\n$/);
  expect(status).toBe(2);
}, 60_000);

it('axes that nobody can know are asked for by the layouts of so many axes', () => {
  const { take } = workspace((g) => {
    const x = g.input('x', 'float32', ['N', 6, 6]);
    g.output(named(g.relu(g.mul(x, weight(g, 'w', 6, 6))), 'h'), 'h');
  });
  expect(take('--taps', 'h').stderr).toMatch(/say it by --layout h=NTF or NCL\n$/);
  const wrong = workspace((g) => {
    const x = g.input('x', 'float32', ['N', 6, 6]);
    g.output(named(g.relu(g.mul(x, weight(g, 'w', 6, 6))), 'h'), 'h');
  }).take('--taps', 'h', '--layout', 'h=NHWC');
  expect(wrong.stderr).toMatch(/the tap "h" is float32\[N,6,6\], its layout cannot be NHWC, expected NTF or NCL\n$/);
  expect(wrong.status).toBe(2);
}, 60_000);
