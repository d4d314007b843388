// A column of a fleet as one file, columns/<name>.safetensors: its weights by the names of the fleet's models, and in the metadata its record, the text of column.json. So it holds what a
// frozen column holds: the hash of its weights, the columns that it was trained over by their hashes, and the proof.
import { decodeSafetensors, encodeSafetensors, type SafetensorsFile } from '../formats/safetensors.js';
import { DataError } from '../onnx/core/errors.js';
import type { Tensor } from '../onnx/core/tensor.js';
import { sha256, shortHash } from '../onnx/files/hash.js';
import type { ColumnRecord } from '../workspace/column-record.js';
import { readRecord } from '../workspace/column-record.js';
import { type FrozenColumn, weightsFile } from '../workspace/column-store.js';
import { stableJson } from '../workspace/json.js';
import type { FleetWeight } from './forms.js';
import { fleetName, ownName } from './forms.js';

/** What the columns of a fleet have in common. */
export interface FleetShape {
  /** What of a column decides its graph, as stable text. */
  readonly column: string;
  /** SHA-256 of the weights of the columns that they stand on, by task. */
  readonly sources: Readonly<Record<string, string>>;
  /** Their weights, as the models take them. */
  readonly weights: readonly FleetWeight[];
}

/** What a column's file holds. */
export function columnTensors({ record, tensors }: FrozenColumn): SafetensorsFile {
  return {
    tensors: new Map([...tensors].map(([name, tensor]) => [fleetName(record.task, name), tensor])),
    metadata: { producer: 'prognet', task: record.task, column: stableJson(record) },
  };
}

/** The bytes of a column's file. */
export function encodeColumn(column: FrozenColumn): Uint8Array {
  const { tensors, metadata } = columnTensors(column);
  return encodeSafetensors(tensors, metadata);
}

/** What the header of a column's file says; the tensors have the names of the models' inputs, in the order of the fleet's weights. */
export interface ColumnHead {
  readonly record: ColumnRecord;
  readonly tensors: ReadonlyMap<string, Tensor>;
}

const failing =
  (file: string): Fail =>
  (what, expected, got) =>
    new DataError(`${file}: ${what}, expected ${expected}`, { path: file, expected, ...(got !== undefined && { got }) });

/**
 * Whether a column fits a fleet, by its header: elements of its tensors are not looked at.
 * @param file names it in errors
 * @throws DataError for a file that is no column, and a column of another shape or over another base
 */
export function columnHead({ tensors, metadata }: SafetensorsFile, name: string, shape: FleetShape, file: string): ColumnHead {
  const fail = failing(file);
  const { column: text, task } = metadata;
  if (text === undefined || task === undefined)
    throw fail('has no record of a column', 'a column of a fleet, as prognet fleet add writes');
  const record = readRecord(text, `${file}: column`);
  if (record.task !== task) throw fail(`holds the record of "${record.task}"`, `that of "${task}"`, record.task);
  if (task !== name) throw fail(`holds the column "${task}"`, `the column "${name}", as the file is called`, task);
  refuseOther(record, shape, fail);
  const ordered = new Map<string, Tensor>();
  for (const { name: wanted, dtype, shape: dims } of shape.weights) {
    const tensor = tensors.get(wanted);
    if (tensor === undefined) throw fail(`has no weight "${wanted}"`, `${dtype} [${dims.join(', ')}]`);
    if (tensor.dtype !== dtype || tensor.dims.join() !== dims.join())
      throw fail(`"${wanted}" is ${tensor.dtype} [${tensor.dims.join(', ')}]`, `${dtype} [${dims.join(', ')}]`);
    ordered.set(wanted, tensor);
  }
  const extra = [...tensors.keys()].find((own) => !ordered.has(own));
  if (extra !== undefined) throw fail(`holds "${extra}", which is no weight of this fleet`, `${ordered.size} weights`, extra);
  return { record, tensors: ordered };
}

/**
 * Reads a column's file for a fleet; the tensors have the names of the models' inputs, in the order of the fleet's weights.
 * @param file names it in errors
 * @throws DataError as `columnHead`, and for weights that were changed
 */
export function decodeColumn(bytes: Uint8Array, name: string, shape: FleetShape, file: string): FrozenColumn {
  const all = decodeSafetensors(bytes, file);
  const { record, tensors } = columnHead(all, name, shape, file);
  const own = new Map([...all.tensors].map(([key, tensor]) => [ownName(name, key), tensor]));
  const found = sha256(weightsFile(name, own));
  if (found !== record.sha256.weights)
    throw failing(file)(
      `its weights were changed, sha256 ${shortHash(found)}..`,
      `${shortHash(record.sha256.weights)}.., as its record says`,
      found,
    );
  return { record, tensors: new Map(tensors) };
}

type Fail = (what: string, expected: string, got?: string) => DataError;

/** A column means nothing over another base. */
function refuseOther({ description, sources }: ColumnRecord, shape: FleetShape, fail: Fail): void {
  if (description !== shape.column) throw fail('is a column of another shape', 'one of the shape of this fleet', description);
  for (const task of new Set([...Object.keys(sources), ...Object.keys(shape.sources)])) {
    const [was, now] = [sources[task] ?? 'none', shape.sources[task] ?? 'none'];
    if (was === now) continue;
    throw fail(
      `was trained over another column "${task}", sha256 ${shortHash(was)}..`,
      `${shortHash(now)}.., which this fleet stands on`,
      was,
    );
  }
}
