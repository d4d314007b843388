// Several trained columns compressed to one of bounded size: its blocks are trained to give the scores of all of them, each over the samples of its own task,
// and each task keeps a small head over the last block (progress and compress, Schwarz et al. 2018, arXiv 1805.06370, all tasks at one time). The loss is the
// squared distance of scores, which soft targets of a high temperature come down to (Hinton et al. 2015, arXiv 1503.02531, section 2.1).

import { joinRows } from '../data/rows.js';
import { countOf, mapSamples, type Samples } from '../data/samples.js';
import type { ColumnInput, DescriptionInput } from '../model/description/description.js';
import { parseDescription } from '../model/description/parse.js';
import { answersOf, type Head, headWidth } from '../model/heads/heads.js';
import { columnsOf } from '../model/progressive/column.js';
import type { Weights } from '../model/progressive/weights.js';
import { must } from '../onnx/core/errors.js';
import { Tensor } from '../onnx/core/tensor.js';
import type { Runtime, SessionOptions } from '../onnx/runtime/session.js';
import type { TrainEvent } from '../train/events.js';
import { train } from '../train/loop.js';
import { networkFeeds } from '../train/network-input.js';
import { trainSettings } from '../train/settings.js';

/** A task on its way into the compressed column. */
export interface Teacher {
  readonly head: Head;
  /** Training samples of the task. */
  readonly inputs: Samples;
  /** What its column says of them, raw, float32 [rows, width]. */
  readonly scores: Tensor;
}

/** What is compressed, and how. */
export interface CompressRequest {
  readonly runtime: Runtime;
  readonly session?: SessionOptions;
  /** The description of the network: its inputs are read. */
  readonly description: DescriptionInput;
  /** Blocks and steps of `prepare` of the compressed column, whose last block is flat; `task` names its parameters. */
  readonly column: Pick<ColumnInput, 'task' | 'blocks' | 'prepare' | 'inputs'>;
  readonly teachers: readonly Teacher[];
  readonly epochs: number;
  readonly rate: number;
  readonly seed: number;
  readonly onEvent?: (event: TrainEvent) => void;
  readonly signal?: AbortSignal;
}

/** The compressed column's parameters, and of each task the head over its last block: weight [features, width] and bias [width]. */
export interface Compressed {
  readonly weights: Weights;
  readonly heads: readonly { readonly weight: Tensor; readonly bias: Tensor }[];
}

/** Trains the column. The heads of all tasks are one layer while it is trained: a step for each task, of which a sample counts its own alone. */
export async function compress(request: CompressRequest): Promise<Compressed> {
  const { runtime, session, description, column, teachers, epochs, rate, seed, onEvent, signal } = request;
  const width = Math.max(...teachers.map(({ head }) => headWidth(head)));
  const blocks = [...(column.blocks ?? []), [{ dense: teachers.length * width }, { reshape: [teachers.length, width] }]];
  const own = { ...column, blocks, head: { regress: { outputs: width, each: 'step' } } };
  const parsed = parseDescription({ ...description, columns: [own] });
  const trained = columnsOf(parsed).column(column.task);
  const scales = teachers.map(({ head, scores }) => scaleOf(head, scores));
  const { weights } = await train({
    runtime,
    column: trained,
    frozen: new Map(),
    settings: trainSettings({ epochs, lr: rate, schedule: { kind: 'cosine', final: 0, warmup: 0 } }, seed, trained.head),
    train: { inputs: joinedInputs(trained.inputs, teachers), targets: targetsOf(teachers, scales, width) },
    ...(session && { session }),
    ...(onEvent && { onEvent }),
    ...(signal && { signal }),
  });
  const last = `${column.task}/${blocks.length - 1}/`;
  const layer = (prefix: string, what: string) => {
    const found = [...weights].find(([name]) => name.startsWith(prefix) && name.endsWith(`/${what}`));
    return must(found?.[1], `${prefix}${what}`);
  };
  const shared = { dense: layer(last, 'weight'), bias: layer(last, 'bias') };
  const steps = { dense: layer(`${column.task}/head/`, 'weight'), bias: layer(`${column.task}/head/`, 'bias') };
  return {
    weights: new Map([...weights].filter(([name]) => !name.startsWith(last) && !name.startsWith(`${column.task}/head/`))),
    heads: teachers.map(({ head }, t) =>
      headOf(shared, steps, { at: t * width, width, own: headWidth(head), by: must(scales[t], 's') }),
    ),
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

/** Scores of classes mean the same whatever is added to all of them. */
const free = (head: Head): boolean => answersOf(head)?.each === 'class';

/** What is taken off a row of scores. */
const middle = (head: Head, row: readonly number[]): number => (free(head) ? row.reduce((a, b) => a + b, 0) / row.length : 0);

/** Root mean square of a task's scores, so that every task counts alike. */
function scaleOf(head: Head, scores: Tensor): number {
  const width = headWidth(head);
  const values = scores.numbers();
  let sum = 0;
  for (let at = 0; at < values.length; at += width) {
    const row = values.slice(at, at + width);
    const off = middle(head, row);
    for (const v of row) sum += (v - off) ** 2;
  }
  return Math.sqrt(sum / values.length) || 1;
}

/** float32 [rows, tasks, width]: NaN of tasks that a sample is not of, 0 beyond the width of a head. */
function targetsOf(teachers: readonly Teacher[], scales: readonly number[], width: number): Tensor {
  const rows = teachers.reduce((n, { inputs }) => n + countOf(inputs), 0);
  const data = new Float32Array(rows * teachers.length * width).fill(Number.NaN);
  let at = 0;
  for (const [t, { head, scores }] of teachers.entries()) {
    const own = headWidth(head);
    const values = scores.numbers();
    for (let from = 0; from < values.length; from += own, at++) {
      const row = values.slice(from, from + own);
      const off = middle(head, row);
      const place = (at * teachers.length + t) * width;
      for (let j = 0; j < width; j++) data[place + j] = j < own ? ((row[j] ?? 0) - off) / must(scales[t], 'scale') : 0;
    }
  }
  return new Tensor('float32', [rows, teachers.length, width], data);
}

interface Dense {
  readonly dense: Tensor;
  readonly bias: Tensor;
}

/** Both layers behind the last block, for one task, as one: (x W + b) H + h. */
function headOf(
  { dense, bias }: Dense,
  steps: Dense,
  { at, width, own, by }: { at: number; width: number; own: number; by: number },
): { weight: Tensor; bias: Tensor } {
  const [features = 0, all = 0] = dense.dims;
  const [w, b, h, c] = [dense, bias, steps.dense, steps.bias].map((t) => t.data as Float32Array) as [
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
    for (let j = 0; j < own; j++) weight[i * own + j] = by * through((k) => must(w[i * all + at + k], 'w'), j);
  const biases = Float32Array.from({ length: own }, (_, j) => by * (through((k) => must(b[at + k], 'b'), j) + must(c[j], 'c')));
  return { weight: new Tensor('float32', [features, own], weight), bias: new Tensor('float32', [own], biases) };
}
