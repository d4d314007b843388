// What every decoder needs: the name of the file for error messages, and the door to external data. Decoders trust nothing they read:
// whatever is wrong with the bytes is a ModelError of one line.
import { type ErrorFields, ModelError } from '../core/errors.js';
import type { StoredBytes } from '../core/stored-tensor.js';
import type { onnx } from './generated/onnx.js';
import { fromHalves, type Halves } from './int64.js';

/** Where a tensor's bytes stand outside the model: TensorProto.external_data, checked. */
export interface ExternalReference {
  /** As in the file: a path relative to the model's folder. Not to be trusted. */
  readonly location: string;
  /** Where the bytes begin in the file. */
  readonly offset: number;
  /** How many bytes there are. */
  readonly length: number;
}

/** Reads exactly `length` bytes at `offset`, at once or when they are asked for, or throws ModelError. */
export type LoadExternal = (reference: ExternalReference) => Uint8Array | StoredBytes;

/** The same for bytes that were decoded from `offset` of their memory on. */
export type LoadInside = (offset: number, length: number) => Uint8Array | StoredBytes;

export class Decoding {
  constructor(
    /** Begins every message; undefined when the bytes have no name. */
    readonly file: string | undefined,
    readonly loadExternal: LoadExternal | undefined,
    /** The bytes may be changed. */
    readonly owned: boolean = false,
    /** Reads raw data from the file again, of which nothing is then held. */
    readonly loadInside?: LoadInside,
  ) {}

  /** A ModelError `file: message`. */
  error(message: string, fields: ErrorFields = {}): ModelError {
    const { file } = this;
    return file === undefined
      ? new ModelError(message, fields)
      : new ModelError(`${file}: ${message}`, { path: file, ...fields });
  }

  /** A 64-bit integer that must be a non-negative size. */
  size(value: Halves | number, what: string): number {
    const n = fromHalves(value);
    if (n < 0n) throw this.error(`${what} is negative: ${n}`);
    if (n > BigInt(Number.MAX_SAFE_INTEGER)) throw this.error(`${what} is beyond 2^53: ${n}`);
    return Number(n);
  }

  /** metadata_props and its like. A key given twice keeps its last value. */
  entries(list: readonly onnx.StringStringEntryProto.$Properties[] | null | undefined): Map<string, string> {
    return new Map((list ?? []).map((e) => [e.key ?? '', e.value ?? '']));
  }
}
