// Ranks that a model leaves open: a gradient has what ONNX Runtime needs to load it, or is refused.
import { describe, expect, test } from 'vitest';
import { grad } from '../../../src/onnx/autodiff/grad.js';
import { must } from '../../../src/onnx/core/errors.js';
import type { Shape } from '../../../src/onnx/core/shape.js';
import { Tensor } from '../../../src/onnx/core/tensor.js';
import type { Value } from '../../../src/onnx/ir/graph.js';
import type { Model } from '../../../src/onnx/ir/model.js';
import { ops } from '../../../src/onnx/ops/ops.js';
import { runModel } from '../../support/run.js';

const waves = (...dims: number[]) =>
  Tensor.from(
    'float32',
    Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(1.3 * i + 0.4)),
    dims,
  );

const inputs = { X: [4, 2, 3], W: [1, 0, 3], R: [1, 0, 2], B: [1, 0], initial_h: [1, 2, 2], initial_c: [1, 2, 2] };

describe.each([
  ['RNN', 1],
  ['GRU', 3],
  ['LSTM', 4],
] as const)('%s', (op, gates) => {
  const names = Object.keys(inputs).filter((n) => op === 'LSTM' || n !== 'initial_c') as (keyof typeof inputs)[];
  const dims = (name: keyof typeof inputs) =>
    inputs[name].map((d, i) => (d === 0 ? (name === 'B' && i === 1 ? 4 : 2) * gates : d));
  const feeds = Object.fromEntries(names.map((n) => [n, waves(...dims(n))]));
  const gradient = (open: readonly string[]) => {
    const g = ops();
    const [x, w, r, b, h, c] = names.map((n) => g.input(n, 'float32', open.includes(n) ? undefined : dims(n)));
    const [, last] = g.op(op, [x, w, r, b, null, h, c] as Value[], { hidden_size: 2 }, 2);
    g.output(g.reduceSum(g.tanh(last as Value), g.ints([0, 1, 2]), { keepdims: 0 }), 'loss');
    return grad(g.model(), { of: 'loss', by: names });
  };
  test.each([...names.map((n) => [n]), names])('of unknown rank: %s', async (...open) => {
    const [want, got] = [await runModel(gradient([]), feeds), await runModel(gradient(open), feeds)];
    for (const name of names) {
      const [a, e] = [got[`grad/${name}`]?.numbers() ?? [], want[`grad/${name}`]?.numbers() ?? []];
      expect(a.length, name).toBe(e.length);
      for (const [i, v] of e.entries()) expect(Math.abs((a[i] ?? Number.NaN) - v), name).toBeLessThan(1e-6);
    }
  });
});

/** Loops and Scans over values of the shapes given. */
const iterations: Readonly<Record<string, (shape: Shape | undefined, rank: Shape | undefined) => Model>> = {
  Loop: (shape) => {
    const g = ops();
    const x = g.input('x', 'float32', shape);
    const body = g.subgraph('body');
    body.input('i', 'int64', []);
    const more = body.input('more', 'bool', []);
    const carried = body.input('carried', 'float32', shape);
    body.output(body.identity(more));
    const next = body.tanh(body.mul(carried, x));
    body.output(next);
    body.output(body.exp(next));
    const [last, all] = g.op('Loop', [g.scalar(3, 'int64'), null, x], { body: body.graph }, 2);
    g.output(
      g.add(g.reduceSum(last as Value, undefined, { keepdims: 0 }), g.reduceSum(all as Value, undefined, { keepdims: 0 })),
      'loss',
    );
    return g.model();
  },
  Scan: (shape, row) => {
    const g = ops();
    const x = g.input('x', 'float32', shape);
    const body = g.subgraph('body');
    const state = body.input('state', 'float32', row);
    const each = body.input('each', 'float32', row);
    const next = body.tanh(body.add(state, body.mul(each, each)));
    body.output(next);
    body.output(body.exp(next));
    const [last, all] = g.op('Scan', [g.reduceMax(x, { keepdims: 0 }), x], { body: body.graph, num_scan_inputs: 1 }, 2);
    g.output(
      g.add(g.reduceSum(last as Value, undefined, { keepdims: 0 }), g.reduceSum(all as Value, undefined, { keepdims: 0 })),
      'loss',
    );
    return g.model();
  },
};

test.each(Object.keys(iterations))(
  '%s over values of unknown rank is refused, of known rank ONNX Runtime loads it',
  async (name) => {
    const build = must(iterations[name], name);
    expect(() => grad(build(undefined, undefined), { of: 'loss', by: ['x'] })).toThrow(
      /^Scan "[^"]+": the rank of output 0 of its body \("[^"]+"\) is not known, ONNX Runtime needs it$/,
    );
    const open = name === 'Scan' ? build([null], undefined) : build([null], []);
    const want = await runModel(grad(build(['N'], []), { of: 'loss', by: ['x'] }), { x: waves(3) });
    const found = await runModel(grad(open, { of: 'loss', by: ['x'] }), { x: waves(3) });
    expect(found['grad/x']?.numbers()).toEqual(want['grad/x']?.numbers());
  },
);
