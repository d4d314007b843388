// NumPy's .npz: a zip of .npy files, stored or deflated.
import { zipSync } from 'fflate';
import type { Tensor } from '../onnx/core/tensor.js';
import { defaultMaxBytes, quote } from './data-error.js';
import { readNpy, writeNpy } from './npy.js';
import { readZip } from './zip.js';

/**
 * Reads every .npy entry; keys are the names without `.npy`, other entries are passed over.
 * @param where names the file in errors
 * @param maxBytes bound on the unpacked size of all entries together
 * @throws DataError for a broken archive or array
 */
export function readNpz(bytes: Uint8Array, where = 'npz data', maxBytes = defaultMaxBytes): Map<string, Tensor> {
  const tensors = new Map<string, Tensor>();
  for (const [name, content] of readZip(bytes, (file) => file.endsWith('.npy'), where, maxBytes)) {
    const key = name.slice(0, -'.npy'.length);
    tensors.set(key, readNpy(content, `${where}: ${quote(key)}`));
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
