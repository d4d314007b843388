// Targets of heads that answer each step: the forms that they may have in arrays and tables, and what is refused.
import { expect, it } from 'vitest';
import { stepTargets } from '../../src/data/step-targets.js';
import { Tensor } from '../../src/onnx/core/tensor.js';

const classify = { kind: 'classify', size: 3, steps: 2 } as const;
const binary = { kind: 'binary', size: 2, steps: 2 } as const;
const regress = { kind: 'regress', size: 1, steps: 2 } as const;
const { NaN: none } = Number;

it('classes become int64 [D,T], numbers float32 [D,T,k]', () => {
  const classes = stepTargets(Tensor.from('float32', [0, -100, 2, 1], [2, 2]), classify, 'y');
  expect([classes.dtype, classes.dims, classes.numbers()]).toEqual(['int64', [2, 2], [0, -100, 2, 1]]);
  expect(stepTargets(classes, classify, 'y').numbers()).toEqual([0, -100, 2, 1]);
  const numbers = stepTargets(Tensor.from('float32', [0.5, none, 2, 1], [2, 2]), regress, 'y');
  expect([numbers.dtype, numbers.dims, numbers.numbers()]).toEqual(['float32', [2, 2, 1], [0.5, none, 2, 1]]);
  expect(stepTargets(Tensor.from('int64', [2, 1]), { ...classify, steps: 1 }, 'y').dims).toEqual([2, 1]);
});

it('a part of others may have no step that counts', () => {
  expect(stepTargets(Tensor.from('float32', [-100, -100], [1, 2]), classify, 'y', 0).dims).toEqual([1, 2]);
});

it.each([
  [classify, [0, 1], [2], 'targets are [2], a classify head of 3 at each of 2 steps needs [2,2]'],
  [binary, [0, 1, 1, 0], [2, 2], 'targets are [2,2], a binary head of 2 at each of 2 steps needs [2,2,2]'],
  [classify, [0, 3, 1, 1], [2, 2], 'label 3 at [0,1] is out of range, expected 0..2, or -100 where a step does not count'],
  [classify, [0, 1, 0.5, 1], [2, 2], 'label 0.5 at [1,0] is out of range, expected 0..2, or -100 where a step does not count'],
  [classify, [-100, -100], [1, 2], 'no step counts, each is -100; expected some with a target'],
  [regress, [none, none], [1, 2], 'no step counts, each is NaN; expected some with a target'],
  [binary, [0, 1, 1, 2], [1, 2, 2], 'target 2 at [0,1,1] is out of range, a binary head needs 0..1'],
  [
    binary,
    [0, 1, 1, none],
    [1, 2, 2],
    'holds some numbers of a step alone at [0,1,1], expected all numbers of a step, or NaN in place of each where it does not count',
  ],
] as const)('%j refuses %j', (head, values, dims, message) => {
  expect(() => stepTargets(Tensor.from('float32', [...values], [...dims]), head, 'y')).toThrow(`y: ${message}`);
});
