// NumPy's .npz: a zip of .npy files, stored or deflated.
import { zipSync } from 'fflate';
import type { Tensor } from '../onnx/core/tensor.js';
import { defaultMaxBytes, quote } from './data-error.js';
import { readNpy, writeNpy } from './npy.js';
import { readZip, zipNames } from './zip.js';

/** The key of an entry: its name without `.npy`; undefined for what is no array. */
function keyOf(entry: string): string | undefined {
  return entry.endsWith('.npy') ? entry.slice(0, -'.npy'.length) : undefined;
}

/** The keys of the arrays in an archive, none of them read. Throws DataError for a broken directory. */
export function npzKeys(bytes: Uint8Array, where = 'npz data'): string[] {
  return zipNames(bytes, where).flatMap((entry) => keyOf(entry) ?? []);
}

/**
 * Reads the arrays whose key `wanted` accepts; the others may be of dtypes that are not supported here.
 * @param where names the file in errors
 * @param maxBytes bound on the unpacked size of these arrays together
 * @throws DataError for a broken archive or array
 */
export function readNpz(
  bytes: Uint8Array,
  where = 'npz data',
  maxBytes = defaultMaxBytes,
  wanted: (key: string) => boolean = () => true,
): Map<string, Tensor> {
  const isWanted = (entry: string): boolean => {
    const key = keyOf(entry);
    return key !== undefined && wanted(key);
  };
  const tensors = new Map<string, Tensor>();
  for (const [entry, content] of readZip(bytes, isWanted, where, maxBytes)) {
    const key = keyOf(entry) ?? entry;
    // What was unpacked is ours, what was stored is a part of the file.
    tensors.set(key, readNpy(content, `${where}: ${quote(key)}`, content.buffer !== bytes.buffer));
  }
  return tensors;
}

/**
 * Writes an archive that numpy.load reads. The same tensors give the same bytes (the time stamps are 1980-01-01).
 * @param compress deflate the entries, as numpy.savez_compressed does; else they are stored
 * @throws DataError for dtypes that NumPy does not have
 */
export function writeNpz(tensors: ReadonlyMap<string, Tensor>, compress = true): Uint8Array {
  const files = Object.fromEntries([...tensors].map(([name, tensor]) => [`${name}.npy`, writeNpy(tensor)]));
  return zipSync(files, { level: compress ? 6 : 0, mtime: new Date(1980, 0, 1) });
}
