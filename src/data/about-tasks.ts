// What a page knows of a network's tasks beside the network: how image files become samples, a handful of samples to try, and what the column's own
// samples look like to it. One safetensors file beside the network, made where the data are.
import * as z from 'zod';
import { decodeSafetensors, encodeSafetensors } from '../formats/safetensors.js';
import { DataError } from '../onnx/core/errors.js';
import type { Tensor } from '../onnx/core/tensor.js';
import { type Domain, domainFigures } from './domain.js';
import { decodingSchema } from './images/decoding.js';

const taskSchema = z.strictObject({
  /** SHA-256 of the column's weights file: of another column nothing here is true. */
  weights: z.string(),
  decoding: decodingSchema.optional(),
  /** What each sample is by its label, in words. */
  labels: z.array(z.string()).optional(),
  domain: domainFigures.optional(),
});
const schema = z.strictObject({
  /** What an image's brightest value is to a network of float32: 1, or 255. */
  white: z.union([z.literal(1), z.literal(255)]),
  /** The sign before the decimals in the tasks' tables. */
  decimal: z.enum(['.', ',']),
  tasks: z.record(z.string(), taskSchema),
});

/** What is known of a task. */
export interface AboutTask extends Omit<z.output<typeof taskSchema>, 'domain'> {
  /** Some of its test data as the network takes them, [N, ...]; `labels` says what each is. */
  readonly samples?: Tensor;
  readonly domain?: Domain;
}

/** What is known of a network's tasks. */
export interface About {
  readonly white: 1 | 255;
  readonly decimal: '.' | ',';
  readonly tasks: ReadonlyMap<string, AboutTask>;
}

const key = 'prognet.about';
const parts = (task: string) => ({ samples: `${task}/samples`, means: `${task}/means`, whitening: `${task}/whitening` });

/** The bytes of the file. */
export function encodeAbout({ tasks, ...rest }: About): Uint8Array {
  const tensors = new Map<string, Tensor>();
  const said = [...tasks].map(([task, { samples, domain, ...rest }]) => {
    const names = parts(task);
    if (samples !== undefined) tensors.set(names.samples, samples);
    if (domain === undefined) return [task, rest] as const;
    const { means, whitening, ...figures } = domain;
    tensors.set(names.means, means).set(names.whitening, whitening);
    return [task, { ...rest, domain: figures }] as const;
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
  const tasks = Object.entries(found.tasks).map(([task, { domain, ...rest }]): [string, AboutTask] => {
    const names = parts(task);
    const [samples, means, whitening] = [tensors.get(names.samples), tensors.get(names.means), tensors.get(names.whitening)];
    const known = domain !== undefined && means !== undefined && whitening !== undefined;
    return [
      task,
      { ...rest, ...(samples !== undefined && { samples }), ...(known && { domain: { ...domain, means, whitening } }) },
    ];
  });
  return { ...found, tasks: new Map(tasks) };
}
