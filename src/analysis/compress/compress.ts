// Several trained columns compressed to one of bounded size: its blocks are trained to give the scores of all of them, each over the samples of its own task,
// and each task keeps a small head over the last block (progress and compress, Schwarz et al. 2018, arXiv 1805.06370). Here all tasks at one time; in-turn.ts
// takes them one after another. The loss is the squared distance of scores, which soft targets of a high temperature come down to (Hinton et al. 2015,
// arXiv 1503.02531, section 2.1).

import { joinRows } from '../../data/rows.js';
import { mapSamples, type Samples } from '../../data/samples.js';
import type { ColumnInput, DescriptionInput } from '../../model/description/description.js';
import { parseDescription } from '../../model/description/parse.js';
import { eachOf, headWidth } from '../../model/heads/heads.js';
import { type Column, columnsOf } from '../../model/progressive/column.js';
import type { Weights } from '../../model/progressive/weights.js';
import { must } from '../../onnx/core/errors.js';
import { Tensor } from '../../onnx/core/tensor.js';
import type { Runtime, SessionOptions } from '../../onnx/runtime/session.js';
import type { TrainEvent } from '../../train/events.js';
import { train } from '../../train/loop.js';
import { networkFeeds } from '../../train/network-input.js';
import { trainSettings } from '../../train/settings.js';
import { type Lesson, lessonOf, type Teacher } from './teachers.js';

/** What is compressed, and how. */
export interface CompressRequest {
  readonly runtime: Runtime;
  readonly session?: SessionOptions;
  /** The description of the network: its inputs are read. */
  readonly description: DescriptionInput;
  /** Blocks and steps of `prepare` of the compressed column; `task` names its parameters. The last block is flat, or a sequence where tasks answer each step. */
  readonly column: Pick<ColumnInput, 'task' | 'blocks' | 'prepare' | 'inputs'>;
  /** All answer samples, or all each step of sequences of one length. */
  readonly teachers: readonly Teacher[];
  readonly epochs: number;
  readonly rate: number;
  readonly seed: number;
  readonly onEvent?: (event: TrainEvent) => void;
  readonly signal?: AbortSignal;
}

/** A dense layer. */
interface Dense {
  readonly weight: Tensor;
  readonly bias: Tensor;
}

/** The compressed column's parameters, and of each task the head over its last block: weight [features, width] and bias [width]. */
export interface Compressed {
  readonly weights: Weights;
  readonly heads: readonly Dense[];
}

/** The column with a head in place, from its description. */
export function learner({ description }: CompressRequest, column: Omit<ColumnInput, 'task'> & { readonly task: string }): Column {
  return columnsOf(parseDescription({ ...description, columns: [column as ColumnInput] })).column(column.task);
}

/** How it is trained. */
export const learnerSettings = ({ epochs, rate, seed }: CompressRequest, { head }: Column) =>
  trainSettings({ epochs, lr: rate, schedule: { kind: 'cosine', final: 0, warmup: 0 } }, seed, head);

/** The weight and the bias of a layer among those of a column, by what its name begins with. */
export function denseOf(weights: Weights, prefix: string): Dense {
  const own = (what: string) => {
    const found = [...weights].find(([name]) => name.startsWith(prefix) && name.endsWith(`/${what}`));
    return must(found?.[1], `${prefix}${what}`);
  };
  return { weight: own('weight'), bias: own('bias') };
}

/** The weights of a column without those of its layers that are called so. */
export const weightsBut = (weights: Weights, ...prefixes: readonly string[]): Weights =>
  new Map([...weights].filter(([name]) => !prefixes.some((prefix) => name.startsWith(prefix))));

/** Trains the column. The heads of all tasks are one layer while it is trained: a step for each task, of which a sample counts its own alone. */
export async function compress(request: CompressRequest): Promise<Compressed> {
  const { runtime, session, column, teachers, onEvent, signal } = request;
  const width = Math.max(...teachers.map(({ head }) => headWidth(head)));
  const { head: leading, scores } = must(teachers[0], 'task');
  const each = eachOf(leading);
  const steps = each === undefined ? 1 : (scores.dims[1] ?? 1);
  const all = [
    { dense: { units: teachers.length * width, ...(each && { each }) } },
    { reshape: [steps * teachers.length, width] },
  ];
  const blocks = [...(column.blocks ?? []), all];
  const trained = learner(request, { ...column, blocks, head: { regress: { outputs: width, each: 'step' } } });
  const lessons = teachers.map(lessonOf);
  const { weights } = await train({
    runtime,
    column: trained,
    frozen: new Map(),
    settings: learnerSettings(request, trained),
    train: { inputs: joinedInputs(trained.inputs, teachers), targets: targetsOf(lessons, width, steps) },
    ...(session && { session }),
    ...(onEvent && { onEvent }),
    ...(signal && { signal }),
  });
  const last = `${column.task}/${blocks.length - 1}/`;
  const head = `${column.task}/head/`;
  const [shared, behind] = [denseOf(weights, last), denseOf(weights, head)];
  return {
    weights: weightsBut(weights, last, head),
    heads: lessons.map(({ scale }, t) => headOf(shared, behind, { at: t * width, width, scale })),
  };
}

/** Samples of all tasks, one after another. Bytes and numbers of float32 become one. */
function joinedInputs(inputs: Parameters<typeof networkFeeds>[0], teachers: readonly Teacher[]): Samples {
  const first = must(teachers[0], 'task').inputs;
  const alike = teachers.every((other) =>
    Object.entries(first).every(([name, { dtype }]) => other.inputs[name]?.dtype === dtype),
  );
  const all = alike ? teachers.map(({ inputs }) => inputs) : teachers.map((teacher) => networkFeeds(inputs, teacher.inputs));
  return mapSamples(must(all[0], 'task'), (_, name) => joinRows(all.map((samples) => must(samples[name], name))));
}

/** float32 [rows, steps of each task, width]: NaN of tasks that a sample is not of, 0 beyond the width of a head. */
function targetsOf(lessons: readonly Lesson[], width: number, steps: number): Tensor {
  const rows = lessons.reduce((n, { targets }) => n + (targets.dims[0] ?? 0), 0);
  const data = new Float32Array(rows * steps * lessons.length * width).fill(Number.NaN);
  let at = 0;
  for (const [t, { targets, scale }] of lessons.entries()) {
    const own = scale.length;
    const values = targets.data as Float32Array;
    for (let from = 0; from < values.length; from += own, at++) {
      const place = (at * lessons.length + t) * width;
      if (Number.isNaN(values[from])) continue;
      data.fill(0, place, place + width);
      data.set(values.subarray(from, from + own), place);
    }
  }
  return new Tensor('float32', [rows, steps * lessons.length, width], data);
}

/** A head in the units of its task. */
export function scaledHead({ weight, bias }: Dense, scale: readonly number[]): Dense {
  const by = ({ dims, data }: Tensor) =>
    new Tensor(
      'float32',
      dims,
      Float32Array.from(data as Float32Array, (v, i) => v * must(scale[i % scale.length], 'scale')),
    );
  return { weight: by(weight), bias: by(bias) };
}

/** Both layers behind the last block, for one task, as one: (x W + b) H + h. */
function headOf(
  shared: Dense,
  behind: Dense,
  { at, width, scale }: { at: number; width: number; scale: readonly number[] },
): Dense {
  const [features = 0, all = 0] = shared.weight.dims;
  const own = scale.length;
  const [w, b, h, c] = [shared.weight, shared.bias, behind.weight, behind.bias].map((t) => t.data as Float32Array) as [
    Float32Array,
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  const through = (value: (k: number) => number, j: number) => {
    let sum = 0;
    for (let k = 0; k < width; k++) sum += value(k) * must(h[k * width + j], 'h');
    return sum;
  };
  const weight = new Float32Array(features * own);
  for (let i = 0; i < features; i++)
    for (let j = 0; j < own; j++) weight[i * own + j] = through((k) => must(w[i * all + at + k], 'w'), j);
  const bias = Float32Array.from({ length: own }, (_, j) => through((k) => must(b[at + k], 'b'), j) + must(c[j], 'c'));
  return scaledHead({ weight: new Tensor('float32', [features, own], weight), bias: new Tensor('float32', [own], bias) }, scale);
}
