// The folder training/ of a fleet as it is read: what the columns of the fleet are trained from, and with which options.
import { join } from 'node:path';
import * as z from 'zod';
import { decodeSafetensors } from '../formats/safetensors.js';
import { headSchema } from '../model/heads/heads.js';
import { DataError, WorkspaceError } from '../onnx/core/errors.js';
import { elementCount } from '../onnx/core/shape.js';
import { Tensor } from '../onnx/core/tensor.js';
import { errorCode } from '../onnx/files/file-error.js';
import { readWhole } from '../onnx/files/read-file.js';
import { parseJson } from '../workspace/json.js';

/** Of training.json. */
export const trainingFormat = 2;

const sizes = z.array(z.int().min(1));
const named = { name: z.string() };

const column = z.union([z.string(), z.int()]);
/** How the table of the exported column is read. */
const tableSchema = z.object({
  label: z.union([column, z.array(column)]).exactOptional(),
  header: z.boolean().exactOptional(),
  delimiter: z.string().exactOptional(),
  decimal: z.enum(['.', ',']).exactOptional(),
  columns: z.array(column).exactOptional(),
  drop: z.array(column).exactOptional(),
  /** Something was done to what the table gave. */
  transform: z.literal(true).exactOptional(),
});

const schema = z.object({
  format: z.literal(trainingFormat),
  inputs: z
    .array(
      z.object({
        ...named,
        dtype: z.enum(['float32', 'float16', 'int64', 'int32', 'uint8', 'bool']),
        shape: sizes,
        data: z.string(),
        /** Of token ids: 0 to one less. */
        vocabulary: z.int().min(1).optional(),
        /** What the columns of a table are called. */
        columns: z.array(z.string()).exactOptional(),
      }),
    )
    .min(1),
  targets: z.object({ dtype: z.enum(['int64', 'float32']), shape: sizes }),
  head: headSchema,
  /** How tables are read, as the `data` entry of the column says. */
  table: tableSchema.optional(),
  loss: z.record(z.string(), z.json()),
  taps: z.array(z.string()),
  carried: z.array(z.object({ ...named, shape: z.array(z.int().min(0)) })).min(1),
  epochs: z.int().min(1),
  batch: z.int().min(1),
  rate: z.number().positive(),
  seed: z.int(),
  optimizer: z.object({
    kind: z.enum(['sgd', 'adam', 'adamw', 'rmsprop']),
    momentum: z.number().exactOptional(),
    nesterov: z.boolean().exactOptional(),
    weightDecay: z.number().exactOptional(),
  }),
});

/** How the columns of a fleet are trained. */
export type FleetTraining = z.output<typeof schema>;

/** Names of the graphs in training/. */
export type TrainingGraph = 'taps' | 'step' | 'loss';

/** Where a file of training/ is. */
export const trainingFile = (folder: string, name: string): string => join(folder, 'training', name);
const again = 'what prognet export --fleet --training writes';

/** What training.json says. Throws WorkspaceError where the fleet was exported without `--training`, DataError for what is no such file. */
export function readTraining(folder: string): FleetTraining {
  const file = trainingFile(folder, 'training.json');
  let bytes: Uint8Array;
  try {
    bytes = readWhole(file);
  } catch (error) {
    if (!(error instanceof WorkspaceError) || errorCode(error.cause) !== 'ENOENT') throw error;
    throw new WorkspaceError(`${folder}: no training/training.json, expected ${again}`, { path: file, expected: again });
  }
  const result = schema.safeParse(parseJson(bytes, file));
  if (result.success) return result.data;
  const { path = [], message = '' } = result.error.issues[0] ?? {};
  throw new DataError(`${file}: ${path.join('.') || 'it'}: ${message}, expected ${again}`, { path: file, expected: again });
}

/** The bytes of a graph. */
export const readGraph = (folder: string, name: TrainingGraph): Uint8Array => readWhole(trainingFile(folder, `${name}.onnx`));

/** What a training begins with: first weights, and the optimizer's state, which is 0. Throws DataError where the file is of another column. */
export function readStart(folder: string, { carried }: FleetTraining): ReadonlyMap<string, Tensor> {
  const file = trainingFile(folder, 'start.safetensors');
  const { tensors } = decodeSafetensors(readWhole(file), file);
  const start = new Map<string, Tensor>();
  for (const { name, shape } of carried) {
    const found = tensors.get(name) ?? new Tensor('float32', shape, new Float32Array(elementCount(shape)));
    if (found.dtype !== 'float32' || found.dims.join() !== shape.join()) {
      const [expected, got] = [`float32 [${shape.join(', ')}]`, `${found.dtype} [${found.dims.join(', ')}]`];
      throw new DataError(`${file}: "${name}" is ${got}, expected ${expected}`, { path: file, expected, got });
    }
    start.set(name, found);
  }
  return start;
}
