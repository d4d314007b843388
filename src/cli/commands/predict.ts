// prognet predict
import type { Answered } from '../../data/answer-rows.js';
import { inputsBrought } from '../../data/following.js';
import { withLabels } from '../../data/heads.js';
import { answerLines } from '../../data/step-answer-rows.js';
import { UsageError } from '../../onnx/core/errors.js';
import { GrowingFile } from '../../onnx/files/atomic-file.js';
import { decodingOf } from '../../tasks/decoding-of.js';
import { type InputFormat, inputFormats, stdin } from '../../tasks/inputs/asked-file.js';
import { type AskedInputs, readInputs } from '../../tasks/inputs/read-inputs.js';
import { loadWorkspace } from '../../tasks/load-workspace.js';
import { predict } from '../../tasks/predict.js';
import { dataSpecOf, namedFiles } from '../../tasks/task-data.js';
import { isTrained, withTrained } from '../../tasks/trained-column.js';
import { readingFor } from '../../train/prepare-data.js';
import { refuseOutput } from '../../workspace/output-path.js';
import { type AnswerFormat, formatOf } from '../answers/formats.js';
import { type AnswerWriter, answerWriter, documentWriter, toFile, toStdout } from '../answers/writers.js';
import { interruptible } from '../interruptible.js';
import { note, result } from '../report.js';
import { openRuntime, type RuntimeFlags } from '../runtime.js';

export interface PredictFlags extends RuntimeFlags {
  readonly input: string;
  readonly output?: string;
  readonly format?: string;
  readonly inputFormat?: string;
}

function inputFormatOf(text: string | undefined): InputFormat | undefined {
  const found = inputFormats.find((format) => format === text);
  if (text === undefined || found !== undefined) return found;
  const expected = inputFormats.join(', ');
  throw new UsageError(`--input-format: found "${text}", expected one of ${expected}`, {
    path: '--input-format',
    expected,
    got: text,
  });
}

export async function predictCommand(task: string, options: PredictFlags): Promise<void> {
  const { output } = options;
  const format = formatOf(options.format, output);
  if (options.json === true && output === undefined && format !== undefined && format !== 'json')
    throw new UsageError(`--format ${format} beside --json, expected one of them`, { path: '--format', got: format });
  await interruptible(options, 'stopping, no file is written', (signal) => answer(task, options, format, signal));
}

async function answer(task: string, options: PredictFlags, format: AnswerFormat | undefined, signal: AbortSignal): Promise<void> {
  const { input, output } = options;
  const loaded = loadWorkspace(options.workspace ?? '.');
  const asked = withTrained(loaded, task);
  if (isTrained(loaded, task)) note(options, `${task} is trained, not frozen`);
  const reads = [...(input === stdin ? [] : [input]), ...namedFiles(loaded)];
  if (output !== undefined) refuseOutput(output, reads);
  const column = loaded.columns.column(task);
  const spec = dataSpecOf(loaded, column);
  const { head, missing } = readingFor(column);
  const data = withLabels(spec, head.heads);
  const notes: string[] = [];
  const onNote = (line: string) => {
    notes.push(line);
    note(options, line);
  };
  const reading: AskedInputs = {
    path: input,
    format: inputFormatOf(options.inputFormat),
    decoding: decodingOf(asked, task),
    missing,
    ...(data !== undefined && { data }),
    onNote,
    signal,
  };
  const { runtime, selection } = await openRuntime(options);
  if (head.heads !== undefined && (format === 'npy' || (output !== undefined && format === undefined)))
    throw new UsageError(
      `task "${task}" has several heads, whose answers are no one array: expected --format json, jsonl, csv or text`,
      {
        path: '--format',
        got: 'npy',
      },
    );
  const shown = options.json === true ? 'json' : (format ?? 'text');
  const how = {
    providers: [selection?.provider ?? 'cpu'],
    onNote,
    signal,
    prompt: output === undefined && ['text', 'jsonl', 'csv'].includes(shown),
  };
  const answers = predict(runtime, loaded, task, readInputs(reading, inputsBrought(loaded.columns.column(task).inputs)), how);
  const about = { task, frozen: loaded.frozen.has(task) };
  if (output === undefined) {
    await written(answers, [answerWriter(shown, toStdout, about)], notes);
    return;
  }
  const as = format ?? 'npy';
  const file = new GrowingFile(output);
  try {
    const document = options.json === true ? [documentWriter(toStdout, { ...about, output })] : [];
    const into = answerWriter(as, toFile(file, output), about);
    const { kind, dims } = await written(answers, [into, ...document], notes, () => file.commit());
    const what = as === 'npy' ? `${kind} float32 [${dims}]` : `${dims[0]} rows as ${as}`;
    if (options.json !== true) result(options, undefined, `${output} written: ${what}`);
  } finally {
    file.abandon();
  }
}

/** All answers handed to the writers; `whole` is called when the first of them has all. Kind and shape of the numbers. */
async function written(
  answers: AsyncIterable<Answered>,
  [main, ...others]: readonly [AnswerWriter, ...AnswerWriter[]],
  notes: readonly string[],
  whole = () => {},
): Promise<{ readonly kind: string; readonly dims: readonly number[] }> {
  let [kind, dims, count]: [string, readonly number[], number] = ['values', [], 0];
  try {
    for await (const run of answers) {
      const rows = answerLines(run);
      for (const writer of [main, ...others]) await writer.add(rows, run);
      [kind, dims] = [run.kind, run.values.dims.slice(1)];
      count += rows.count;
    }
    await main.end(notes);
    whole();
    for (const writer of others) await writer.end(notes);
    return { kind, dims: [count, ...dims] };
  } finally {
    for (const writer of [main, ...others]) writer.close();
  }
}
