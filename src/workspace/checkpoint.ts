// Checkpoints of a run: checkpoint-<generation>.safetensors, each whole or absent, the newest two kept so that a damaged one is no loss.
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { decodeSafetensors, encodeSafetensorsParts } from '../formats/safetensors.js';
import { DataError, PrognetError, WorkspaceError } from '../onnx/core/errors.js';
import type { Tensor } from '../onnx/core/tensor.js';
import { writeFileAtomic } from '../onnx/files/atomic-file.js';
import { errorCode, fileError } from '../onnx/files/file-error.js';
import { sha256, sha256Tensors } from '../onnx/files/hash.js';
import { readWhole } from '../onnx/files/read-file.js';
import { removeQuietly } from '../onnx/files/temporary.js';
import { type Json, parseJson, stableJson } from './json.js';

export interface Checkpoint {
  /** Minibatches done; metrics beyond it are of a future that did not happen. */
  readonly step: number;
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** Whatever else is needed to go on: random state, epoch, best loss. JSON that comes back the same. */
  readonly state: Json;
}

const pattern = /^checkpoint-(\d{1,15})\.safetensors$/;

/** Generations in a folder, newest first. */
export function listGenerations(folder: string): readonly number[] {
  let entries: readonly string[];
  try {
    entries = readdirSync(folder);
  } catch (cause) {
    if (errorCode(cause) === 'ENOENT') return [];
    throw fileError('read', folder, cause);
  }
  return entries
    .map((name) => pattern.exec(name)?.[1])
    .filter((text) => text !== undefined)
    .map(Number)
    .sort((a, b) => b - a);
}

function nameOf(generation: number): string {
  return `checkpoint-${generation}.safetensors`;
}

function contentHash(step: number, state: string, tensors: ReadonlyMap<string, Tensor>): string {
  return sha256(`${step}\n${sha256(state)}\n${sha256Tensors(tensors)}`);
}

/**
 * Writes the next generation and then drops all but it and the one before.
 * @param good a generation known to be whole, kept instead of a newer one that may not be
 * @returns the new generation
 */
export function writeCheckpoint(folder: string, checkpoint: Checkpoint, good?: number): number {
  const { step, tensors } = checkpoint;
  const state = stableJson(checkpoint.state);
  const metadata = { format: 'prognet-checkpoint-1', step: String(step), sha256: contentHash(step, state, tensors), state };
  const before = listGenerations(folder);
  const generation = (before[0] ?? 0) + 1;
  writeFileAtomic(join(folder, nameOf(generation)), encodeSafetensorsParts(tensors, metadata));
  const kept = good !== undefined && before.includes(good) ? good : before[0];
  for (const old of before) if (old !== kept) removeQuietly(join(folder, nameOf(old)));
  return generation;
}

/** @throws DataError or WorkspaceError for anything but a checkpoint just as it was written */
function readCheckpoint(bytes: Uint8Array, file: string): Checkpoint {
  const { tensors, metadata } = decodeSafetensors(bytes, file);
  const { format, step: stepText, state: stateText, sha256: stated } = metadata;
  if (format !== 'prognet-checkpoint-1' || stepText === undefined || stateText === undefined || stated === undefined) {
    throw new DataError(`${file}: is no checkpoint of prognet, its metadata lack format, step, state or sha256`, { path: file });
  }
  const step = Number(stepText);
  if (!/^\d+$/.test(stepText) || !Number.isSafeInteger(step) || contentHash(step, stateText, tensors) !== stated) {
    throw new DataError(`${file}: changed since it was written, its content does not fit its sha256`, {
      path: file,
      expected: stated,
    });
  }
  return { step, tensors, state: parseJson(stateText, file) };
}

/** Removes whole checkpoints of this step and later ones. */
export function dropCheckpointsFrom(folder: string, step: number): void {
  for (const generation of listGenerations(folder)) {
    const file = join(folder, nameOf(generation));
    try {
      if (readCheckpoint(readWhole(file), file).step < step) continue;
    } catch (error) {
      if (!(error instanceof PrognetError)) throw error;
      continue;
    }
    try {
      rmSync(file, { force: true });
    } catch (cause) {
      throw fileError('remove', file, cause);
    }
  }
}

export interface LoadedCheckpoint {
  readonly checkpoint: Checkpoint;
  readonly generation: number;
  /** One line for each newer generation that could not be read. */
  readonly notes: readonly string[];
}

/**
 * The newest checkpoint that is whole, or undefined when none was written.
 * @param shown the folder as messages name it
 * @throws WorkspaceError when there are some and none can be read
 */
export function readNewestCheckpoint(folder: string, shown = folder): LoadedCheckpoint | undefined {
  const generations = listGenerations(folder);
  const problems: string[] = [];
  for (const generation of generations) {
    const name = nameOf(generation);
    try {
      const checkpoint = readCheckpoint(readWhole(join(folder, name)), `${shown}/${name}`);
      const notes = problems.map((problem) => `${problem}; going on from step ${checkpoint.step} of ${shown}/${name}`);
      return { checkpoint, generation, notes };
    } catch (error) {
      if (!(error instanceof PrognetError)) throw error;
      problems.push(error.message);
    }
  }
  if (generations.length === 0) return undefined;
  throw new WorkspaceError(`${shown}: no checkpoint can be read (${problems.join('; ')}), train anew without resuming`, {
    path: shown,
  });
}
