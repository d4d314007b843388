// A lesson: a task's name, its classes and examples, and what becomes of them for training: a part of each class held out, the rest varied.

import { Random } from '../onnx/core/random.js';
import { Tensor } from '../web.js';
import { lackingOf, type SampleShape, samplesTensors } from './input-shape.js';
import { varied } from './vary.js';

export interface LessonClass {
  readonly name: string;
  readonly examples: readonly Float32Array[];
}

export interface Lesson {
  readonly task: string;
  /** What its examples are, once there is one. */
  readonly sample?: SampleShape | undefined;
  readonly classes: readonly LessonClass[];
  /** Passes over the examples; undefined: as many as some 360 steps take. */
  readonly epochs?: number | undefined;
  readonly rate: number;
  /** Small shifts, turns and sizes of each example are trained on too. */
  readonly vary: boolean;
}

export const freshLesson: Lesson = {
  task: '',
  classes: [
    { name: 'A', examples: [] },
    { name: 'B', examples: [] },
  ],
  rate: 0.004,
  vary: true,
};

/** What training takes, all of it plain data that a database keeps. */
export interface LessonData {
  readonly inputs: Float32Array;
  readonly targets: readonly number[];
  readonly heldOutInputs: Float32Array;
  readonly heldOutTargets: readonly number[];
  readonly batch: number;
  readonly epochs: number;
}

/** From this many examples of a class on, a fifth of them is held out. */
const enoughToHoldOut = 5;
const heldOutPart = 0.2;
/** Examples of a class that variation fills up to. */
const varyTo = 240;
const mostCopies = 24;
const stepsWanted = 360;

/** Why a lesson cannot begin yet; undefined when it can. */
export function lacking({ task, classes }: Lesson, taken: readonly string[], sample: SampleShape): string | undefined {
  if (task.trim() === '') return 'Give the task a name.';
  if (!/^[A-Za-z][A-Za-z0-9_-]*$/.test(task)) return 'The name begins with a letter; letters, digits, “-” and “_” may follow.';
  if (taken.includes(task)) return `There is a task “${task}” already; its column is frozen for good.`;
  if (classes.length < 2) return 'A task needs two classes at least.';
  const names = classes.map((c) => c.name.trim());
  if (names.includes('')) return 'Give each class a name.';
  if (new Set(names).size < names.length) return 'Two classes have the same name.';
  const poor = classes.find((c) => c.examples.length < 2);
  if (poor !== undefined) return `Class “${poor.name}” needs two examples at least.`;
  // The proof asks every task about examples.
  const all = sample.inputs.map(({ name }) => name);
  const open = classes.map(
    ({ name, examples }) => [name, new Set(examples.flatMap((row) => lackingOf(row, sample, all)))] as const,
  );
  const [found] = open.filter(([, inputs]) => inputs.size > 0);
  return found === undefined ? undefined : `An example of “${found[0]}” has no ${[...found[1]].join(', ')}.`;
}

/** Splits and varies, the same for the same lesson. */
export function lessonData(lesson: Lesson, { size, inputs, first: { image } }: SampleShape): LessonData {
  const random = new Random(1, 'lesson');
  const [train, held]: [{ row: Float32Array; label: number }[], { row: Float32Array; label: number }[]] = [[], []];
  for (const [label, { examples }] of lesson.classes.entries()) {
    const out = examples.length < enoughToHoldOut ? 0 : Math.max(1, Math.round(examples.length * heldOutPart));
    const order = [...random.permutation(examples.length)];
    for (const [i, index] of order.entries()) {
      const row = examples[index];
      if (row !== undefined) (i < out ? held : train).push({ row, label });
    }
    if (!lesson.vary || image === undefined || inputs.length > 1) continue;
    const own = train.filter((e) => e.label === label);
    const copies = Math.min(mostCopies, Math.ceil(varyTo / own.length) - 1);
    for (let copy = 0; copy < copies; copy++) for (const { row } of own) train.push({ row: varied(row, image, random), label });
  }
  const joined = (list: readonly { row: Float32Array }[]) => {
    const whole = new Float32Array(list.length * size);
    for (const [i, { row }] of list.entries()) whole.set(row, i * size);
    return whole;
  };
  const batch = Math.min(32, train.length);
  const epochs = lesson.epochs ?? Math.min(40, Math.max(4, Math.ceil((stepsWanted * batch) / train.length)));
  return {
    inputs: joined(train),
    targets: train.map((e) => e.label),
    heldOutInputs: joined(held),
    heldOutTargets: held.map((e) => e.label),
    batch,
    epochs,
  };
}

/** Samples [N, ...shape], of the inputs of these names, and labels as tensors. */
export function tensorsOf(inputs: Float32Array, targets: readonly number[], sample: SampleShape, names?: readonly string[]) {
  return { inputs: samplesTensors(inputs, sample, names), targets: Tensor.from('int64', targets) };
}

const probeExamples = 48;
const probeNoise = 16;

/** What the trained tasks are asked before and after: examples of the lesson, and noise that looks like none. */
export function probes(
  lesson: Lesson,
  { size, inputs, first: { shape } }: SampleShape,
): Float32Array & { readonly length: number } {
  const rows = lesson.classes.flatMap(({ examples }) => examples.slice(0, Math.ceil(probeExamples / lesson.classes.length)));
  const random = new Random(2, `probes ${shape}`);
  // Of several inputs noise would hold numbers that some of them do not.
  const out = new Float32Array((rows.length + (inputs.length > 1 ? 0 : probeNoise)) * size);
  for (const [i, row] of rows.entries()) out.set(row, i * size);
  for (let i = rows.length * size; i < out.length; i++) out[i] = random.uniform();
  return out;
}
