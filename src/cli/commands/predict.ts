// prognet predict

import { writeNpy } from '../../formats/npy.js';
import { writeFileAtomic } from '../../onnx/files/atomic-file.js';
import { loadWorkspace } from '../../tasks/load-workspace.js';
import { predict, readInputs } from '../../tasks/predict.js';
import { namedFiles } from '../../tasks/task-data.js';
import { isTrained, withTrained } from '../../tasks/trained-column.js';
import { refuseOutput } from '../../workspace/output-path.js';
import { note, result } from '../report.js';
import { openRuntime, type RuntimeFlags } from '../runtime.js';

export interface PredictFlags extends RuntimeFlags {
  readonly input: string;
  readonly output?: string;
}

/** The rows of a tensor [D, ...] as lists of numbers. */
function rowsOf(data: ArrayLike<unknown>, count: number): number[][] {
  const width = count === 0 ? 0 : data.length / count;
  return Array.from({ length: count }, (_, i) => Array.from({ length: width }, (_, j) => Number(data[i * width + j])));
}

export async function predictCommand(task: string, options: PredictFlags): Promise<void> {
  const loaded = loadWorkspace(options.workspace ?? '.');
  withTrained(loaded, task);
  if (isTrained(loaded, task)) note(options, `${task} is trained, not frozen`);
  if (options.output !== undefined) refuseOutput(options.output, [options.input, ...namedFiles(loaded)]);
  const inputs = readInputs(options.input, loaded.columns.inputs);
  const { runtime, selection } = await openRuntime(options);
  const { values, kind, labels, names } = await predict(runtime, loaded, task, inputs, {
    providers: [selection?.provider ?? 'cpu'],
  });
  if (options.output !== undefined) writeFileAtomic(options.output, writeNpy(values));
  const count = values.dims[0] ?? 0;
  const shown = rowsOf(values.data, count);
  const labelRows = labels && rowsOf(labels.data, count);
  // classify has one label a row, binary one for each output.
  const oneEach = labels?.dims.length === 1;
  const called = names && labelRows?.map((row) => (oneEach ? names[row[0] ?? 0] : names.filter((_, i) => row[i] === 1)));
  const document = {
    task,
    frozen: loaded.frozen.has(task),
    rows: count,
    ...(labelRows !== undefined && { labels: oneEach ? labelRows.flat() : labelRows }),
    ...(called !== undefined && { names: called }),
    ...(names !== undefined && { classes: names }),
    ...(options.output === undefined ? { [kind]: shown } : { output: options.output }),
  };
  const line = (row: readonly number[], i: number) =>
    [
      ...(labelRows?.[i]?.length ? [`${[called?.[i] ?? labelRows[i]?.join('') ?? []].flat().join('+') || 'none'}:`] : []),
      ...row.map((v) => v.toFixed(4)),
    ].join(' ');
  const text =
    options.output === undefined ? shown.map(line).join('\n') : `${options.output} written: ${kind} float32 [${values.dims}]`;
  result(options, document, text);
}
