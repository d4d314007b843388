// A network as one file, .prognet: safetensors, with the description in its metadata and the weights of every frozen column as its tensors. Made
// to be carried to where there is no workspace, such as a browser.

import { decodeSafetensors, encodeSafetensors } from '../formats/safetensors.js';
import type { Description } from '../model/description/description.js';
import { parseDescription, toInput } from '../model/description/parse.js';
import { type ColumnFacts, domainKey, type FactsByTask, factsAsMetadata, factsInMetadata } from '../model/progressive/facts.js';
import type { FrozenWeights, Weights } from '../model/progressive/weights.js';
import { DataError } from '../onnx/core/errors.js';
import type { Tensor } from '../onnx/core/tensor.js';
import { hasDigest, sha256Digest } from '../train/digest.js';

/** Metadata keys; the hash of a column is that of its weights file in a workspace. */
const formatKey = 'prognet.bundle';
const descriptionKey = 'prognet.description';
const hashKey = (task: string): string => `prognet.sha256.${task}`;

/** What the file holds. */
export interface NetworkParts {
  readonly description: Description;
  /** By task; a column that is not trained yet has none. */
  readonly frozen: FrozenWeights;
  /** What is known of frozen columns beside their weights. */
  readonly facts: FactsByTask;
}

/** SHA-256 of the weights file that a workspace would hold; undefined where the platform has no hash (pages that are not served securely). */
export async function columnHash(task: string, weights: Weights): Promise<string | undefined> {
  return hasDigest() ? await sha256Digest(encodeSafetensors(weights, { producer: 'prognet', task })) : undefined;
}

/** The bytes of the file; columns that are not trained yet stand in it as descriptions alone. */
export async function encodeNetwork({ description, frozen, facts }: NetworkParts): Promise<Uint8Array> {
  const tensors = new Map<string, Tensor>();
  const metadata: Record<string, string> = { [formatKey]: '1', [descriptionKey]: JSON.stringify(toInput(description)) };
  for (const { task } of description.columns) {
    const weights = frozen.get(task);
    if (weights === undefined) continue;
    const hash = await columnHash(task, weights);
    if (hash !== undefined) metadata[hashKey(task)] = hash;
    const known = facts.get(task) ?? {};
    Object.assign(metadata, factsAsMetadata(task, known));
    if (known.domain !== undefined) metadata[domainKey(task)] = known.domain;
    for (const [name, tensor] of weights) tensors.set(name, tensor);
  }
  return encodeSafetensors(tensors, metadata);
}

/** True for bytes that begin as safetensors do: a length and then a JSON object. */
export function looksLikeNetwork(bytes: Uint8Array): boolean {
  return bytes.length > 8 && bytes[8] === 0x7b;
}

function descriptionOf(metadata: Readonly<Record<string, string>>, file: string): Description {
  const format = metadata[formatKey];
  const text = metadata[descriptionKey];
  if (format === undefined || text === undefined) {
    throw new DataError(`${file}: holds tensors but no prognet network; such a file is written by prognet bundle`, {
      path: file,
    });
  }
  if (format !== '1') {
    throw new DataError(`${file}: network file of format ${format}, this prognet reads 1`, {
      path: file,
      expected: '1',
      got: format,
    });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new DataError(`${file}: its description is not valid JSON`, { path: file, cause });
  }
  return parseDescription(value, file);
}

/** The tensors of the file and the hashes that it states for each task. */
export interface DecodedNetwork {
  readonly description: Description;
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly hashOf: (task: string) => string | undefined;
  readonly factsOf: (task: string) => ColumnFacts;
}

/** Reads the file; whether tensors fit the columns is for the network to check. @throws DataError or DescriptionError in one line */
export function decodeNetwork(bytes: Uint8Array, file: string): DecodedNetwork {
  const { tensors, metadata } = decodeSafetensors(bytes, file);
  const known = new Map(Object.entries(metadata));
  return {
    description: descriptionOf(metadata, file),
    tensors,
    hashOf: (task) => metadata[hashKey(task)],
    factsOf: (task) => factsInMetadata(known, task),
  };
}
