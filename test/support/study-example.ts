// A study of three tasks, three seeds and four methods whose numbers follow from formulas: for tests of what is computed from a study, and of what draws it.
import { assemble, type Measured, type MeasuredMethod, type StudyMeasured } from '../../src/analysis/study/assemble.js';
import type { StudyResult } from '../../src/analysis/study/result.js';

const tasks = ['plain', 'noisy', 'inverted'];
const epochs = 5;
const seeds = [1, 2, 3];

/** A curve that rises to `top` and is half way after `half` epochs. */
const curve = (top: number, half: number) => Array.from({ length: epochs }, (_, e) => (top * (e + 1)) / (e + 1 + half));

function training(task: number, seed: number, top: number, half: number, trained: number, tests?: readonly number[]): Measured {
  const values = curve(top - 0.01 * seed, half);
  const own = [...(tests ?? []), values.at(-1) ?? 0];
  const places = tests === undefined ? [task] : Array.from({ length: task + 1 }, (_, j) => j);
  return {
    curve: values,
    epoch: epochs,
    tests: new Map(places.map((j, i) => [tasks[j] ?? '', { value: own[i] ?? 0, scores: `${j}/${own[i]}` }])),
    trained,
    seconds: 2 + seed,
  };
}

const bySeed = (of: (seed: number) => Measured) => seeds.map(of);
const top = [0.95, 0.9, 0.85];

/** What each seed reached on the tasks before. */
const kept = (task: number, seed: number, half: (task: number) => number, lost = 0) =>
  Array.from({ length: task }, (_, j) => (curve((top[j] ?? 0) - 0.01 * seed, half(j)).at(-1) ?? 0) - lost * (task - j));

function method(
  name: string,
  about: string,
  half: (task: number) => number,
  parameters: readonly number[],
  { apart = false, lost = 0 } = {},
): MeasuredMethod {
  const trained = parameters.map((n, i) => n - (parameters[i - 1] ?? 0));
  return {
    method: name,
    label: name.startsWith('b') ? name.toUpperCase() : name,
    about,
    kind: name.startsWith('b') ? 'baseline' : 'progressive',
    equal: name.endsWith('-equal') ? { to: 'b3', parameters: 1000, factor: 0.5 } : null,
    sequence: tasks,
    trainings: new Map(
      tasks.map((task, t) => [
        task,
        bySeed((seed) => training(t, seed, top[t] ?? 0, half(t), trained[t] ?? 0, apart ? undefined : kept(t, seed, half, lost))),
      ]),
    ),
    network: parameters,
    apart,
    firstAlone: true,
  };
}

export const exampleMeasured: StudyMeasured = {
  name: 'example',
  versions: { prognet: '0.0.0', onnxruntime: '1.0.0' },
  threads: 1,
  seeds,
  tasks: tasks.map((task) => ({
    task,
    metric: 'accuracy' as const,
    rises: true,
    epochs,
    rows: { training: 900, validation: 100, test: 500 },
  })),
  methods: [
    method('b1', 'one column for each task, alone', () => 1, [1000, 2000, 3000], { apart: true }),
    method('b3', 'one column that is tuned on each task in turn', (t) => 1 / (1 + t), [1000, 1010, 1020], { lost: 0.1 }),
    method('linear', 'a column for each task, with linear laterals', (t) => 1 / (2 + t), [1000, 2500, 4500]),
    method('linear-equal', 'the same with as many parameters as B3', (t) => 1 / (1 + 0.5 * t), [300, 650, 1000]),
  ],
  pairs: [
    {
      method: 'linear',
      label: 'linear',
      of: (source, target) => {
        const [s, t] = [tasks.indexOf(source), tasks.indexOf(target)];
        return bySeed((seed) => training(t, seed, top[t] ?? 0, 1 / (1 + Math.abs(s - t)), 1500));
      },
    },
  ],
  trainings: { count: 42, seconds: 150 },
  notes: ['the numbers follow from formulas'],
};

/** As study.json would hold it. */
export const exampleStudy = (): StudyResult => assemble(exampleMeasured);
