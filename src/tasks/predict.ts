// Answers of a frozen or trained task for inputs from a file: .npy or IDX, one sample or many.

import { datasetFrom } from '../data/from-arrays.js';
import type { Samples } from '../data/samples.js';
import { readIdx } from '../formats/gzip-idx.js';
import { readNpy } from '../formats/npy.js';
import { answersOf, outputLabels } from '../model/heads/heads.js';
import { outputNames } from '../model/heads/output-names.js';
import { taskModel } from '../model/progressive/forms.js';
import { type NetworkInput, onlyOf } from '../model/progressive/inputs.js';
import { DataError, must } from '../onnx/core/errors.js';
import { Tensor } from '../onnx/core/tensor.js';
import { readWhole } from '../onnx/files/read-file.js';
import type { Runtime, SessionOptions } from '../onnx/runtime/session.js';
import { toBinary } from '../onnx/serde/to-binary.js';
import { outputsOf } from '../train/outputs.js';
import { fitInputs } from '../train/prepare-data.js';
import { type LoadedWorkspace, weightsOf } from './load-workspace.js';
import { withTrained } from './trained-column.js';

export interface Prediction {
  /** Probabilities [D, k] of a classify or binary head; the numbers themselves of a regress head. */
  readonly values: Tensor;
  readonly kind: 'probabilities' | 'values';
  /** classify: int64 [D]; binary: bool [D, k]; regress: none. */
  readonly labels?: Tensor;
  /** What the outputs are called. */
  readonly names?: readonly string[];
}

const withoutOnes = (dims: readonly number[]): string => dims.filter((d) => d !== 1).join();

/** By what the file begins with: 0x93 NUMPY, or 0 0 of IDX, or gzip's 0x1f 0x8b around that. */
function readArray(bytes: Uint8Array, file: string): Tensor {
  if (bytes[0] === 0x93 || /\.npy$/i.test(file)) return readNpy(bytes, file);
  const [a, b] = bytes;
  if ((a === 0 && b === 0) || (a === 0x1f && b === 0x8b)) return readIdx(bytes, file);
  throw new DataError(`${file}: is neither .npy nor IDX, expected one array of inputs as .npy or IDX`, {
    path: file,
    expected: '.npy or IDX',
  });
}

/** The array of a file as the network's only input [D, ...shape]: axes of size 1 may be missing, and the batch of a single sample. Throws DataError. */
export function readInputs(file: string, inputs: readonly NetworkInput[]): Samples {
  const { name, shape } = onlyOf(inputs);
  const bytes = readWhole(file);
  const array = readArray(bytes, file);
  const { dims } = array;
  const batched = dims.length > 0 && withoutOnes(dims.slice(1)) === withoutOnes(shape);
  const single = dims.join() === shape.join() || (!batched && withoutOnes(dims) === withoutOnes(shape));
  // [1,28,28] for [1,28,28] is a sample rather than a batch of images without channels; both are the same bytes.
  const count = single ? 1 : (dims[0] ?? 0);
  if (!batched && !single) {
    const expected = `[D${shape.map((d) => `,${d}`).join('')}]`;
    throw new DataError(`${file}: holds shape [${dims}], expected ${expected}`, { path: file, expected, got: `[${dims}]` });
  }
  const samples = array.reshape([count, ...shape]);
  const where = { inputs: file, targets: file };
  return { [name]: datasetFrom(samples, Tensor.zeros('int64', [count]), where).inputs.reshape([count, ...shape]) };
}

/** Runs the model that the task is or would be exported as over `inputs`, each [D, ...]. */
export async function predict(
  runtime: Runtime,
  opened: LoadedWorkspace,
  task: string,
  inputs: Samples,
  options: SessionOptions,
): Promise<Prediction> {
  const loaded = withTrained(opened, task);
  const column = loaded.columns.column(task);
  fitInputs(column, inputs, `inputs of task "${task}"`);
  const model = taskModel(loaded.columns, weightsOf(loaded), { tasks: [task], probabilities: true });
  const session = await runtime.createSession(toBinary(model), options);
  try {
    const called = outputLabels(column.head);
    const names = called === undefined ? {} : { names: called };
    if (answersOf(column.head) === undefined)
      return { kind: 'values', values: await outputsOf(session, task, column.inputs, inputs), ...names };
    const { probabilities, label } = outputNames(task);
    const values = await outputsOf(session, probabilities, column.inputs, inputs);
    const labels = must(await outputsOf(session, label, column.inputs, inputs), 'labels');
    return { kind: 'probabilities', values, labels, ...names };
  } finally {
    await session.release();
  }
}
