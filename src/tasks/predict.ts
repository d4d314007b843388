// Answers of a frozen or trained task for inputs, one sample or many, run by run: no more of inputs and answers is in memory than that.

import type { Answered } from '../data/answer-rows.js';
import { withFollowing } from '../data/following.js';
import { joinRows, sliceRows } from '../data/rows.js';
import { countOf, mapSamples, type Samples } from '../data/samples.js';
import { answersOf, type Head, isSeveral, outputLabels } from '../model/heads/heads.js';
import { outputNames } from '../model/heads/output-names.js';
import { outputsBegin } from '../model/heads/several.js';
import { taskModel } from '../model/progressive/forms.js';
import { DataError, must, stopIfAborted } from '../onnx/core/errors.js';
import type { Tensor } from '../onnx/core/tensor.js';
import type { Runtime, SessionOptions } from '../onnx/runtime/session.js';
import { sessionModel } from '../onnx/serde/session-model.js';
import { allOutputsOf, rowsPerRun } from '../train/outputs.js';
import { fitInputs } from '../train/prepare-data.js';
import { BesideSeen } from '../train/seen.js';
import { factsOf } from './facts-of.js';
import type { InputParts } from './inputs/parts.js';
import { type Pause, pause } from './inputs/pipe.js';
import { type LoadedWorkspace, weightsOf } from './load-workspace.js';
import { withTrained } from './trained-column.js';

export interface PredictOptions extends SessionOptions {
  /** Hears, once all is answered, which numbers are far from all that the column was trained on, a line each. */
  readonly onNote?: ((line: string) => void) | undefined;
  /** Whether rows are answered as soon as inputs pause, in a run of their own, whose last bits may be others. */
  readonly prompt?: boolean;
  readonly signal?: AbortSignal;
}

/** Runs the model that the task is or would be exported as over inputs, each [D, ...]. Throws DataError at the first part that does not fit. */
export async function* predict(
  runtime: Runtime,
  opened: LoadedWorkspace,
  task: string,
  parts: InputParts | readonly Samples[],
  options: PredictOptions,
): AsyncGenerator<Answered> {
  const { onNote, prompt = false, signal, ...own } = options;
  const loaded = withTrained(opened, task);
  const column = loaded.columns.column(task);
  const where = `inputs of task "${task}"`;
  const beside = new BesideSeen(column.inputs, factsOf(loaded).get(task)?.trained?.seen ?? {}, where);
  const fitted = async function* () {
    let first = 0;
    for await (const part of parts) {
      stopIfAborted(signal);
      if (part === pause) {
        if (prompt) yield pause;
        continue;
      }
      fitInputs(column, part, where, first);
      beside.add(part);
      first += countOf(part);
      yield withFollowing(column.inputs, part, where);
    }
  };
  const model = taskModel(loaded.columns, weightsOf(loaded), { tasks: [task], probabilities: true, joined: true });
  const { bytes, options: from } = sessionModel(model, runtime);
  const session = await runtime.createSession(bytes, { ...own, ...from });
  const asked = outputsFor(task, column.head);
  try {
    let before: string | undefined;
    for await (const run of runsOf(fitted())) {
      stopIfAborted(signal);
      const answered = asked.answered(await allOutputsOf(session, asked.names, column.inputs, run));
      const own = answered.values.dims.slice(1).join();
      before ??= own;
      if (own !== before) throw ofOtherSize(where, before, own);
      yield answered;
    }
    for (const line of beside.lines()) onNote?.(line);
  } finally {
    await session.release();
  }
}

/** Rows of one table, or of one array, have one size. */
function ofOtherSize(where: string, expected: string, got: string): DataError {
  const text = `samples of other sizes have other steps: answers are [${expected}], then [${got}]`;
  return new DataError(`${where}: ${text}, expected samples of one size at a time`, { expected, got });
}

/** The outputs that are an answer, and what they say. */
interface AskedOutputs {
  readonly names: readonly string[];
  readonly answered: (outputs: ReadonlyMap<string, Tensor>) => Answered;
}

function outputsFor(task: string, head: Head): AskedOutputs {
  if (!isSeveral(head)) return outputsOfHead(task, head);
  const each = head.heads.map(({ name, head: own }) => [name, outputsOfHead(outputsBegin(task, name), own)] as const);
  return {
    names: [task, ...each.flatMap(([, { names }]) => names)],
    answered: (outputs) => ({
      kind: 'values',
      values: must(outputs.get(task), task),
      heads: Object.fromEntries(each.map(([name, own]) => [name, own.answered(outputs)])),
    }),
  };
}

function outputsOfHead(begin: string, head: Head): AskedOutputs {
  const called = outputLabels(head);
  const names = called !== undefined && { names: called };
  const { probabilities, label } = outputNames(begin);
  const of = (outputs: ReadonlyMap<string, Tensor>, name: string) => must(outputs.get(name), name);
  if (answersOf(head) === undefined)
    return { names: [begin], answered: (outputs) => ({ kind: 'values', values: of(outputs, begin), ...names }) };
  return {
    names: [probabilities, label],
    answered: (outputs) => ({
      kind: 'probabilities',
      values: of(outputs, probabilities),
      labels: of(outputs, label),
      ...names,
    }),
  };
}

const shapeOf = (samples: Samples): string =>
  Object.values(samples)
    .map(({ dims }) => dims.slice(1).join())
    .join(';');

/** Parts as runs of so many rows as all evaluation takes; fewer before a pause, before rows of another size and at the end. */
async function* runsOf(parts: AsyncIterable<Samples | Pause>): AsyncGenerator<Samples> {
  let rest: Samples | undefined;
  for await (const part of parts) {
    if (part === pause) {
      if (rest !== undefined) yield rest;
      rest = undefined;
      continue;
    }
    const count = countOf(part);
    if (rest !== undefined && shapeOf(rest) !== shapeOf(part)) {
      yield rest;
      rest = undefined;
    }
    const slice = (from: number, to: number) => mapSamples(part, (rows) => sliceRows(rows, from, to));
    // What was left fills one run; the others are views.
    let from = rest === undefined ? 0 : Math.min(rowsPerRun - countOf(rest), count);
    if (rest !== undefined) {
      const more = slice(0, from);
      rest = mapSamples(rest, (rows, name) => joinRows([rows, must(more[name], name)]));
      if (countOf(rest) < rowsPerRun) continue;
      yield rest;
    }
    for (; from + rowsPerRun <= count; from += rowsPerRun) yield slice(from, from + rowsPerRun);
    rest = from === count ? undefined : slice(from, count);
  }
  if (rest !== undefined) yield rest;
}
