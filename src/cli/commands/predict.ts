// prognet predict
import { AnswerRows } from '../../data/answer-rows.js';
import type { ImageBytes } from '../../data/images/decode-all.js';
import { UsageError } from '../../onnx/core/errors.js';
import { writeFileAtomic } from '../../onnx/files/atomic-file.js';
import { decodeInputs, decodingOf, imagesIn } from '../../tasks/decoding-of.js';
import { hubInputs } from '../../tasks/hub-inputs.js';
import { loadWorkspace } from '../../tasks/load-workspace.js';
import { predict } from '../../tasks/predict.js';
import { type InputFormat, inputFormats, openAsked, readInputs, stdin } from '../../tasks/read-inputs.js';
import type { ReadingInputs } from '../../tasks/sheets.js';
import { dataSpecOf, namedFiles } from '../../tasks/task-data.js';
import { isTrained, withTrained } from '../../tasks/trained-column.js';
import { readingFor } from '../../train/prepare-data.js';
import { refuseOutput } from '../../workspace/output-path.js';
import { formatOf } from '../answer-formats.js';
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
  const { input, output } = options;
  const format = formatOf(options.format, output);
  if (options.json === true && output === undefined && format !== undefined && format !== 'json')
    throw new UsageError(`--format ${format} beside --json, expected one of them`, { path: '--format', got: format });
  const loaded = loadWorkspace(options.workspace ?? '.');
  const asked = withTrained(loaded, task);
  if (isTrained(loaded, task)) note(options, `${task} is trained, not frozen`);
  const reads = [...(input === stdin ? [] : [input]), ...namedFiles(loaded)];
  if (output !== undefined) refuseOutput(output, reads);
  const column = loaded.columns.column(task);
  const spec = dataSpecOf(loaded, column);
  const notes: string[] = [];
  const reading: ReadingInputs = {
    missing: readingFor(column).missing,
    ...(typeof spec === 'object' && { data: spec }),
    onNote: (line) => {
      notes.push(line);
      note(options, line);
    },
  };
  const taken = loaded.columns.inputs;
  const decode = (images: readonly ImageBytes[]) => decodeInputs(images, taken, decodingOf(asked, task), input);
  const read = async () => {
    const dataset = input === stdin ? undefined : await hubInputs(input, taken, reading, decode);
    if (dataset !== undefined) return dataset;
    const folder = imagesIn(input);
    if (folder !== undefined) return await decode(folder);
    const file = openAsked(input, inputFormatOf(options.inputFormat), taken);
    const { name, bytes, format } = file;
    return format === 'image' ? await decode([{ name, bytes: async () => bytes }]) : await readInputs(file, taken, reading);
  };
  const inputs = await read();
  const { runtime, selection } = await openRuntime(options);
  const answers = await predict(runtime, loaded, task, inputs, { providers: [selection?.provider ?? 'cpu'] });
  for (const line of answers.notes) reading.onNote?.(line);
  const rows = new AnswerRows(task, answers, loaded.frozen.has(task), notes);
  if (output === undefined) {
    const shown = options.json === true ? 'json' : (format ?? 'text');
    if (shown === 'text' || shown === 'json') result({ json: shown === 'json' }, rows.document(), rows.text());
    else process.stdout.write(rows.bytes(shown));
    return;
  }
  const written = format ?? 'npy';
  writeFileAtomic(output, written === 'text' ? new TextEncoder().encode(`${rows.text()}\n`) : rows.bytes(written));
  const what = written === 'npy' ? `${answers.kind} float32 [${answers.values.dims}]` : `${rows.count} rows as ${written}`;
  result(options, rows.document(output), `${output} written: ${what}`);
}
