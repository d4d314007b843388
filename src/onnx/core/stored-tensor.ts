// Tensors whose elements stand elsewhere until somebody asks for them, as in a file. What reads them is the caller's; who uses them sees tensors.
import { byteLength, type DType } from './dtype.js';
import { elementCount } from './shape.js';
import { allocate, Tensor, type TensorData } from './tensor.js';

/** Bytes that are read when they are needed, and again when they were let go meanwhile. */
export interface StoredBytes {
  /** The same bytes each time; throws where they can no longer be had. */
  readonly read: () => Uint8Array;
  /** The same in pieces that follow each other, each good until the next; where this is absent, `read` gives them at once. */
  readonly pieces?: () => Iterable<Uint8Array>;
  /** Where they stand, when that is a file: who can read files need not ask for them. */
  readonly at?: { readonly path: string; readonly offset: number };
}

/** A tensor of numbers whose elements are read when they are first asked for, and let go when nobody holds them. */
export class StoredTensor extends Tensor {
  /** No property that can be seen: a copy of a tensor has its elements. */
  readonly #stored: StoredBytes;

  constructor(dtype: DType, dims: readonly number[], stored: StoredBytes) {
    super(dtype, [0], allocate(dtype, 0));
    this.#stored = stored;
    let held: WeakRef<TensorData & object> | undefined;
    const data = (): TensorData => {
      const known = held?.deref();
      if (known !== undefined) return known;
      const { data } = Tensor.fromBytes(dtype, dims, stored.read());
      held = new WeakRef(data);
      return data;
    };
    Object.defineProperties(this, {
      dims: { value: dims, enumerable: true },
      data: { get: data, enumerable: true },
    });
  }

  /** Where its elements stand, little-endian and without gaps, when that is a file. */
  get at(): StoredBytes['at'] {
    return this.#stored.at;
  }

  /** Read anew, and let go by whoever copies them: what `data` gives is held until the work at hand ends. */
  override get bytes(): Uint8Array {
    return this.#stored.read();
  }

  /** The same in pieces, each good until the next. */
  pieces(): Iterable<Uint8Array> {
    return this.#stored.pieces?.() ?? [this.#stored.read()];
  }

  override get byteLength(): number {
    return byteLength(this.dtype, elementCount(this.dims));
  }
}

/** The bytes of a tensor for who hashes or writes them: in pieces that are good until the next, where they are read for it. */
export const bytePieces = (tensor: Tensor): Iterable<Uint8Array> =>
  tensor instanceof StoredTensor ? tensor.pieces() : [tensor.bytes];
