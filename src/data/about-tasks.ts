// What a page knows of a network's tasks beside the network: a handful of samples to try, and how numbers are written in its tables. One safetensors
// file beside the network, made where the data are. What else is known of a column stands in the network's own file.
import * as z from 'zod';
import { decodeSafetensors, encodeSafetensors } from '../formats/safetensors.js';
import { DataError } from '../onnx/core/errors.js';
import type { Tensor } from '../onnx/core/tensor.js';

const taskSchema = z.strictObject({
  /** SHA-256 of the column's weights file: of another column nothing here is true. */
  weights: z.string(),
  /** What each sample is by its label, in words. */
  labels: z.array(z.string()).optional(),
});
const schema = z.strictObject({
  /** The sign before the decimals in the tasks' tables. */
  decimal: z.enum(['.', ',']),
  tasks: z.record(z.string(), taskSchema),
});

/** What is known of a task. */
export interface AboutTask extends z.output<typeof taskSchema> {
  /** Some of its test data as the network takes them, [N, ...], of each input that the task reads; `labels` says what each is. */
  readonly samples?: readonly Tensor[];
}

/** What is known of a network's tasks. */
export interface About {
  readonly decimal: '.' | ',';
  readonly tasks: ReadonlyMap<string, AboutTask>;
}

const key = 'prognet.about';
const samplesOf = (task: string, input: number): string => (input === 0 ? `${task}/samples` : `${task}/samples/${input}`);

/** The bytes of the file. */
export function encodeAbout({ tasks, ...rest }: About): Uint8Array {
  const tensors = new Map<string, Tensor>();
  const said = [...tasks].map(([task, { samples, ...rest }]) => {
    samples?.forEach((tensor, input) => {
      tensors.set(samplesOf(task, input), tensor);
    });
    return [task, rest] as const;
  });
  return encodeSafetensors(tensors, { [key]: JSON.stringify({ ...rest, tasks: Object.fromEntries(said) }) });
}

/** Throws DataError for a file that is no such thing. */
export function decodeAbout(bytes: Uint8Array, file: string): About {
  const { tensors, metadata } = decodeSafetensors(bytes, file);
  let found: z.output<typeof schema>;
  try {
    found = schema.parse(JSON.parse(metadata[key] ?? ''));
  } catch (cause) {
    throw new DataError(`${file}: says nothing of tasks under ${key}`, { path: file, cause });
  }
  const tasks = Object.entries(found.tasks).map(([task, said]): [string, AboutTask] => {
    const samples: Tensor[] = [];
    for (let own = tensors.get(samplesOf(task, 0)); own !== undefined; own = tensors.get(samplesOf(task, samples.length)))
      samples.push(own);
    return [task, { ...said, ...(samples.length > 0 && { samples }) }];
  });
  return { ...found, tasks: new Map(tasks) };
}
