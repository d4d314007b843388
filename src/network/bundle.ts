// A network as one file: safetensors, with the description in its metadata and the weights of every frozen column as its tensors. Made to
// be carried to where there is no workspace, such as a browser.

import { decodeSafetensors, encodeSafetensors } from '../formats/safetensors.js';
import { parseDescription, toInput } from '../model/description/parse.js';
import type { Weights } from '../model/progressive/weights.js';
import { DataError, must } from '../onnx/core/errors.js';
import type { Tensor } from '../onnx/core/tensor.js';
import { hasDigest, sha256Digest } from '../train/digest.js';
import { Network } from './network.js';

/** Metadata keys; the hash of a column is that of its weights file in a workspace. */
const formatKey = 'prognet.bundle';
const descriptionKey = 'prognet.description';
const hashKey = (task: string): string => `prognet.sha256.${task}`;

/** SHA-256 of the weights file that a workspace would hold; undefined where the platform has no hash (pages that are not served securely). */
export async function columnHash(task: string, weights: Weights): Promise<string | undefined> {
  return hasDigest() ? await sha256Digest(encodeSafetensors(weights, { producer: 'prognet', task })) : undefined;
}

/** The bytes of a bundle; columns that are not trained yet stand in it as descriptions alone. */
export async function writeBundle(network: Network): Promise<Uint8Array> {
  const tensors = new Map<string, Tensor>();
  const metadata: Record<string, string> = {
    [formatKey]: '1',
    [descriptionKey]: JSON.stringify(toInput(network.description)),
  };
  for (const task of network.tasks) {
    const weights = network.weights(task);
    if (weights === undefined) continue;
    const hash = await columnHash(task, weights);
    if (hash !== undefined) metadata[hashKey(task)] = hash;
    for (const [name, tensor] of weights) tensors.set(name, tensor);
  }
  return encodeSafetensors(tensors, metadata);
}

/** True for bytes that begin as safetensors do: a length and then a JSON object. */
export function looksLikeBundle(bytes: Uint8Array): boolean {
  return bytes.length > 8 && bytes[8] === 0x7b;
}

function descriptionOf(metadata: Readonly<Record<string, string>>, file: string): Network {
  const format = metadata[formatKey];
  const text = metadata[descriptionKey];
  if (format === undefined || text === undefined) {
    throw new DataError(`${file}: holds tensors but no prognet network; a bundle is written by prognet bundle`, {
      path: file,
    });
  }
  if (format !== '1') {
    throw new DataError(`${file}: bundle format ${format}, this prognet reads 1`, { path: file, expected: '1', got: format });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new DataError(`${file}: its description is not valid JSON`, { path: file, cause });
  }
  return new Network(toInput(parseDescription(value, file)));
}

/**
 * The network of a bundle. Weights are checked against the description, and against their hashes where the platform can.
 * @throws DataError, DescriptionError or ShapeError in one line
 */
export async function readBundle(bytes: Uint8Array, file = 'bundle'): Promise<Network> {
  const { tensors, metadata } = decodeSafetensors(bytes, file);
  let network = descriptionOf(metadata, file);
  for (const task of network.tasks) {
    const { specs } = network.parameters(task);
    const own = specs.filter((s) => tensors.has(s.name));
    if (own.length === 0) continue;
    network = network.withWeights(task, tensors);
    const said = metadata[hashKey(task)];
    const found = await columnHash(task, must(network.weights(task), task));
    if (said === undefined || found === undefined || said === found) continue;
    throw new DataError(`${file}: the weights of task "${task}" are not those that were frozen (sha256 differs)`, {
      path: file,
      expected: said,
      got: found,
    });
  }
  return network;
}
