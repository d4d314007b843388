// Which task a sample is of: entropies by hand, in every kind of head, and what is refused.
import { expect, it } from 'vitest';
import type { ColumnInput } from '../../../src/model/description/description.js';
import { parseDescription } from '../../../src/model/description/parse.js';
import { columnsOf } from '../../../src/model/progressive/column.js';
import { taskModel } from '../../../src/model/progressive/forms.js';
import { initialWeights } from '../../../src/model/progressive/weights.js';
import { must } from '../../../src/onnx/core/errors.js';
import { Random } from '../../../src/onnx/core/random.js';
import { Tensor } from '../../../src/onnx/core/tensor.js';
import { runModel } from '../../support/run.js';

const rows = 200;
const random = new Random(1, 'auto');
const x = Tensor.from(
  'float32',
  Array.from({ length: rows * 3 }, () => 3 * random.normal()),
  [rows, 3],
);

function network(heads: readonly NonNullable<ColumnInput['head']>[]) {
  const columns = heads.map((head, i): ColumnInput => ({ task: `t${i}`, blocks: [[{ dense: 4 }, 'tanh']], head }));
  const all = columnsOf(parseDescription({ prognet: 1, name: 'n', input: { name: 'x', shape: [3] }, columns }));
  return { all, weights: new Map([...all].map((column) => [column.task, initialWeights(column)])) };
}

const entropy = (p: readonly number[]) => -p.reduce((sum, v) => sum + (v === 0 ? 0 : v * Math.log(v)), 0);
const rowsOf = (t: Tensor) => {
  const width = t.dims[1] ?? 1;
  return Array.from({ length: rows }, (_, i) => t.numbers().slice(i * width, (i + 1) * width));
};

it('gives a sample to the task whose answer is least in doubt, with its label', async () => {
  const { all, weights } = network([{ classify: 3 }, { classify: 5 }, { classify: 2 }]);
  const tasks = all.tasks;
  const model = taskModel(all, weights, { tasks, auto: true, probabilities: true });
  expect(model.metadata.get('prognet.auto')).toBe('t0,t1,t2');
  const out = await runModel(model, { x });
  const of = (name: string) => must(out[name], name);
  const doubts = tasks.map((task, t) => rowsOf(of(`${task}_probabilities`)).map((p) => entropy(p) / Math.log([3, 5, 2][t] ?? 1)));
  const labels = tasks.map((task) => of(`${task}_label`).numbers());
  const given = of('auto_task').numbers();
  expect(new Set(given).size).toBe(3);
  for (let i = 0; i < rows; i++) {
    const own = doubts.map((d) => must(d[i], 'doubt'));
    const least = Math.min(...own);
    expect(of('auto_doubt').numbers()[i]).toBeCloseTo(least, 5);
    expect(must(own[must(given[i], 'task')], 'doubt')).toBeCloseTo(least, 5);
    expect(of('auto_label').numbers()[i]).toBe(labels[must(given[i], 'task')]?.[i]);
  }
  // Above the doubt it is none of them; the rest is as it was, and nothing else of the model changes.
  const some = await runModel(taskModel(all, weights, { tasks, auto: { none: 0.5 } }), { x });
  const doubt = of('auto_doubt').numbers();
  expect(must(some.auto_task, 'task').numbers()).toEqual(given.map((t, i) => (must(doubt[i], 'doubt') > 0.5 ? -1 : t)));
  expect(
    must(some.auto_label, 'label')
      .numbers()
      .filter((l) => l === -1).length,
  ).toBe(doubt.filter((d) => d > 0.5).length);
  const plain = await runModel(taskModel(all, weights, { tasks }), { x });
  for (const task of tasks) expect(must(plain[task], task).bytes).toEqual(must(some[task], task).bytes);
});

it('weighs labels by the mean of their entropies, and has no label then', async () => {
  const { all, weights } = network([{ classify: 3 }, { binary: 4 }, { regress: 2 }]);
  const out = await runModel(taskModel(all, weights, { tasks: all.tasks, auto: true, probabilities: true }), { x });
  expect(Object.keys(out)).not.toContain('auto_label');
  const flags = rowsOf(must(out.t1_probabilities, 'probabilities')).map(
    (p) => p.reduce((sum, v) => sum + entropy([v, 1 - v]), 0) / 4 / Math.log(2),
  );
  const classes = rowsOf(must(out.t0_probabilities, 'probabilities')).map((p) => entropy(p) / Math.log(3));
  must(out.auto_doubt, 'doubt')
    .numbers()
    .forEach((d, i) => {
      expect(d).toBeCloseTo(Math.min(must(flags[i], 'flags'), must(classes[i], 'classes')), 4);
    });
});

it('refuses fewer than two tasks, a routed model, and a task called as an output', () => {
  const { all, weights } = network([{ classify: 3 }, { regress: 1 }]);
  expect(() => taskModel(all, weights, { tasks: all.tasks, auto: true })).toThrow(
    'auto: found 1, expected two tasks or more that classify samples',
  );
  const two = network([{ classify: 3 }, { classify: 2 }]);
  expect(() => taskModel(two.all, two.weights, { tasks: two.all.tasks, auto: true, routed: true })).toThrow(
    'auto: a routed model is told the task, expected the model of all tasks',
  );
  const columns: ColumnInput[] = ['a', 'auto_task'].map((task) => ({ task, blocks: [[{ dense: 2 }]], head: { classify: 2 } }));
  const named = columnsOf(parseDescription({ prognet: 1, name: 'n', input: { name: 'x', shape: [3] }, columns }));
  const own = new Map([...named].map((column) => [column.task, initialWeights(column)]));
  expect(() => taskModel(named, own, { tasks: named.tasks, auto: true })).toThrow(
    'auto: the task "auto_task" has the name of an output, expected another name',
  );
});
