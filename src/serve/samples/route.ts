// Tasks asked by samples as their users have them, rather than by the tensors of their models: POST /predict/<task>. What is computed is asked of the same
// models, in the same queue and within the same bounds.

import { datatypeOf } from '../../deploy/datatypes.js';
import { writeNpy } from '../../formats/npy.js';
import { must } from '../../onnx/core/errors.js';
import { Tensor } from '../../onnx/core/tensor.js';
import { ServeError, type Tensors } from '../served-model.js';
import type { Caller, Service } from '../service.js';
import type { GivenBody, SampleReader } from './read-samples.js';
import type { Head, Task, TasksFile } from './tasks-file.js';

/** An answer's body and its type. */
export interface WrittenSamples {
  readonly type: string;
  readonly body: string | Uint8Array;
}

/** The numbers of a tensor in lists, one in another by its axes. */
function rowsOf(tensor: Tensor): unknown[] {
  const nested = (data: readonly number[], [, ...dims]: readonly number[]): unknown[] => {
    if (dims.length === 0) return [...data];
    const width = dims.reduce((a, b) => a * b, 1);
    return Array.from({ length: width === 0 ? 0 : data.length / width }, (_, i) =>
      nested(data.slice(i * width, (i + 1) * width), dims),
    );
  };
  return nested(tensor.numbers(), tensor.dims);
}

/** What labels are called: the class of each row or step, or of each the labels that are there. */
function calledOf({ classes }: Head, labels: readonly unknown[] | undefined, flags: boolean): { readonly names?: unknown } {
  if (classes === undefined || labels === undefined) return {};
  const called = (label: unknown): unknown => {
    if (!Array.isArray(label)) return classes[Number(label)];
    return flags && !Array.isArray(label[0]) ? classes.filter((_, i) => label[i] === 1) : label.map(called);
  };
  return { names: labels.map(called) };
}

/** What a task, or one of its heads, answers. */
function answersOf(head: Head, results: Tensors): object {
  const { labels } = head.outputs;
  const answers: Record<string, unknown[]> = {};
  for (const [what, name] of Object.entries(head.outputs)) answers[what] = rowsOf(must(results[name], name));
  const flags = labels !== undefined && results[labels]?.dtype === 'bool';
  return { ...answers, ...calledOf(head, answers.labels, flags) };
}

const onlyHead = ({ outputs = {}, classes }: Task): Head => ({ outputs, ...(classes !== undefined && { classes }) });

/** What a client may know of a task. */
function toldTask({ model: _, feeds: __, outputs, heads, ...said }: Task): object {
  const of = (head: Head) => ({ ...head, outputs: Object.keys(head.outputs) });
  if (heads === undefined) return { ...said, outputs: Object.keys(outputs ?? {}) };
  return { ...said, heads: Object.fromEntries(Object.entries(heads).map(([name, head]) => [name, of(head)])) };
}

/** What the tasks take and answer. */
export const told = ({ tasks, ...inputs }: TasksFile): object => ({ ...inputs, tasks: tasks.map(toldTask) });

/** Answers the samples of a body. @param accept what the client takes. Throws ServeError. */
export async function predicted(
  service: Service,
  reader: SampleReader,
  name: string,
  given: GivenBody,
  accept: string,
  caller: Caller,
): Promise<WrittenSamples> {
  const { tasks } = reader.file;
  const task = tasks.find((one) => one.task === name);
  if (task === undefined)
    throw new ServeError('not-found', `no task "${name.slice(0, 100)}", there are: ${tasks.map((one) => one.task).join(', ')}`);
  const asArray = accept.startsWith('application/x-npy');
  if (task.heads !== undefined && asArray)
    throw new ServeError(
      'not-acceptable',
      `task "${name}" has several heads, whose answers are no one array: expected accept: application/json`,
    );
  const model = service.model(task.model);
  const { feeds, rows, unknown = [], notes = [] } = await reader.read(task, given);
  const ids = Object.entries(task.feeds ?? {}).map(([input, id]) => [input, Tensor.from('int64', [id], [1])] as const);
  const inputs = [...Object.entries(feeds), ...ids].map(([input, tensor]) => ({
    name: input,
    datatype: datatypeOf(tensor.dtype),
    shape: tensor.dims,
    read: () => tensor,
  }));
  const heads = task.heads === undefined ? [onlyHead(task)] : Object.values(task.heads);
  const outputs = heads.flatMap((head) => Object.values(head.outputs));
  const results = await service.infer(model, { id: '', inputs, outputs }, caller);
  if (asArray) {
    const { probabilities, scores = '' } = onlyHead(task).outputs;
    return { type: 'application/x-npy', body: writeNpy(must(results[probabilities ?? scores], 'output')) };
  }
  const answers =
    task.heads === undefined
      ? answersOf(onlyHead(task), results)
      : {
          heads: Object.fromEntries(Object.entries(task.heads).map(([head, own]) => [head, answersOf(own, results)])),
        };
  const beside = { ...(unknown.length > 0 && { unknown }), ...(notes.length > 0 && { notes }) };
  return { type: 'application/json', body: `${JSON.stringify({ task: name, rows, ...answers, ...beside })}\n` };
}
