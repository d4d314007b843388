// What a step carries: which parameters stand side by side in one vector, how they go in and come out, and how layers read and update them.
import { expect, it } from 'vitest';
import type { ParameterSpec } from '../../../src/model/nn/scope.js';
import { Tensor } from '../../../src/onnx/core/tensor.js';
import { ops } from '../../../src/onnx/ops/ops.js';
import { optimizer } from '../../../src/train/optim/optimizer.js';
import { CarriedState } from '../../../src/train/step/carried-state.js';
import { runModel } from '../../support/run.js';

const spec = (name: string, shape: readonly number[], role: ParameterSpec['role'] = 'trainable'): ParameterSpec => ({
  name,
  shape,
  init: { fill: 0 },
  role,
});
const specs = [spec('a', [2, 3]), spec('large', [300, 300]), spec('b', []), spec('mean', [3], 'statistic'), spec('c', [2])];
const sgd = optimizer({ kind: 'sgd', momentum: 0.5 });
const told = (list: CarriedState['inside']) => list.map(({ name, shape }) => `${name} [${shape}]`);

it('small parameters are one vector in the Loop, their slots too; outside each has its name', () => {
  const state = new CarriedState(specs, sgd, true);
  const [slot = ''] = sgd.slots;
  expect(told(state.inside)).toEqual([
    'large [300,300]',
    'small [9]',
    'mean [3]',
    `large/${slot} [300,300]`,
    `small/${slot} [9]`,
  ]);
  expect(told(state.outside)).toEqual([
    'a [2,3]',
    'large [300,300]',
    'b []',
    'mean [3]',
    'c [2]',
    `a/${slot} [2,3]`,
    `large/${slot} [300,300]`,
    `b/${slot} []`,
    `c/${slot} [2]`,
  ]);
});

it('without a Loop, and where there is one small parameter alone, each is its own', () => {
  const apart = new CarriedState(specs, sgd, false);
  expect(apart.inside.map(({ name }) => name).slice(0, 5)).toEqual(['a', 'large', 'b', 'c', 'mean']);
  const single = new CarriedState([spec('a', [2, 3]), spec('large', [300, 300])], optimizer({ kind: 'sgd' }), true);
  expect(told(single.inside)).toEqual(['a [2,3]', 'large [300,300]']);
});

it('what goes in comes out, each under its name and in its shape', async () => {
  const few = specs.filter(({ name }) => name !== 'large');
  const state = new CarriedState(few, sgd, true);
  const g = ops();
  const outer = new Map(state.outside.map(({ name, shape }) => [name, g.input(name, 'float32', shape)]));
  const inner = state.enter(g, outer);
  expect(inner.map((v) => v.shape)).toEqual(state.inside.map(({ shape }) => shape));
  for (const [name, v] of state.leave(g, inner)) g.output(v.producer === undefined ? g.identity(v) : v, `${name}/next`);
  const given = Object.fromEntries(
    state.outside.map(({ name, shape }, k) => {
      const size = shape.reduce((a, b) => a * b, 1);
      return [
        name,
        Tensor.from(
          'float32',
          Array.from({ length: size }, (_, i) => 10 * k + i),
          shape,
        ),
      ];
    }),
  );
  const found = await runModel(g.model(), given);
  for (const [name, t] of Object.entries(given)) {
    expect(found[`${name}/next`]?.dims, name).toEqual(t.dims);
    expect(found[`${name}/next`]?.numbers(), name).toEqual(t.numbers());
  }
});

it('neighbours of one vector are read as one column; what are no neighbours are not', () => {
  const state = new CarriedState([spec('x', []), spec('y', []), spec('z', [2]), spec('w', [])], sgd, true);
  const g = ops();
  const step = state.step(
    g,
    state.inside.map(({ name, shape }) => g.input(name, 'float32', shape)),
  );
  const scope = step.scope((_, like) => like);
  expect(scope.scalars?.([spec('x', []), spec('y', [])])?.shape).toEqual([2, 1]);
  expect(scope.scalars?.([spec('y', []), spec('w', [])])).toBeUndefined();
  expect(scope.parameter(spec('z', [2])).shape).toEqual([2]);
  expect(scope.training).toBe(true);
});

it('a step moves what has a gradient by the rule, a statistic to what its layer says', async () => {
  const state = new CarriedState([spec('p', [2]), spec('q', [1]), spec('mean', [1], 'statistic')], sgd, true);
  const g = ops();
  const step = state.step(
    g,
    state.inside.map(({ name, shape }) => g.input(name, 'float32', shape)),
  );
  const scope = step.scope((_, like) => like);
  for (const s of [spec('p', [2]), spec('q', [1])]) scope.parameter(s);
  scope.update('mean', g.add(scope.parameter(spec('mean', [1], 'statistic')), 1));
  const by = step.by();
  const gradients = by.map((v, i) => g.constant(Tensor.from('float32', Array(v.dims[0] ?? 1).fill(i + 1), v.dims)));
  const scalars = sgd.scalars(0.1, 1).map((v) => g.constant(Tensor.from('float32', [v], [])));
  step.after(gradients, scalars, state.inside).forEach((v, i) => {
    g.output(v, `${state.inside[i]?.name}/next`);
  });
  const feeds = Object.fromEntries(state.inside.map(({ name, shape }) => [name, Tensor.zeros('float32', shape)]));
  const found = await runModel(g.model(), feeds);
  const near = (name: string, expected: readonly number[]) =>
    found[name]?.numbers().forEach((v, i) => {
      expect(v, `${name}[${i}]`).toBeCloseTo(expected[i] ?? Number.NaN, 6);
    });
  near('small/next', [-0.1, -0.1, -0.2]);
  near(`small/${sgd.slots[0]}/next`, [1, 1, 2]);
  near('mean/next', [1]);
  expect(Object.keys(found)).toHaveLength(3);
});
