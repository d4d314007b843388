// The folder of a study: trainings/<key>.json, what each training measured, and <key>.safetensors, its weights where others need them; trainings/<key>/, the
// checkpoints of one that is under way; study.json and tables at the end. A key is a hash of all that a training's numbers follow from. Each file is whole at any kill; weights are there before what was measured.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { decodeSafetensors, encodeSafetensorsParts } from '../formats/safetensors.js';
import { PrognetError, UsageError, WorkspaceError } from '../onnx/core/errors.js';
import type { Tensor } from '../onnx/core/tensor.js';
import { writeFileAtomic } from '../onnx/files/atomic-file.js';
import { fileError } from '../onnx/files/file-error.js';
import { makeFolder } from '../onnx/files/folder.js';
import { sha256Tensors } from '../onnx/files/hash.js';
import { acquireLock, type Lock } from '../onnx/files/lock-file.js';
import { readWhole } from '../onnx/files/read-file.js';
import { removeQuietly } from '../onnx/files/temporary.js';
import { type Checkpoint, readNewestCheckpoint, writeCheckpoint } from './checkpoint.js';
import { parseJson, stableJson } from './json.js';

const trainingSchema = z.strictObject({
  key: z.string(),
  /** The metric on the validation part after each epoch. */
  curve: z.array(z.number()),
  /** The epoch whose weights were kept. */
  epoch: z.int(),
  /** Of each task that was asked for: the metric on its test data, and the SHA-256 of all its scores. */
  tests: z.array(z.strictObject({ task: z.string(), value: z.number(), scores: z.string() })),
  /** Parameters of the column. */
  trained: z.int(),
  seconds: z.number(),
  /** SHA-256 of the weights that were kept; absent where nobody needed them. */
  weights: z.string().optional(),
});

/** What a training measured. */
export type StudyTraining = z.infer<typeof trainingSchema>;

const folderName = 'trainings';
const pathOf = (folder: string, key: string, ending: string): string => join(folder, folderName, `${key}.${ending}`);
const underWay = (folder: string, key: string): string => join(folder, folderName, key);

function make(folder: string): void {
  try {
    makeFolder(folder);
  } catch (cause) {
    throw fileError('write', folder, cause);
  }
}

/** Keeps the weights of a training; their hash. @throws WorkspaceError when the disk does not take it */
export function writeStudyWeights(folder: string, key: string, task: string, tensors: ReadonlyMap<string, Tensor>): string {
  writeFileAtomic(pathOf(folder, key, 'safetensors'), encodeSafetensorsParts(tensors, { task }));
  return sha256Tensors(tensors);
}

/** @throws WorkspaceError or DataError for weights that are not there just as they were written */
export function readStudyWeights(
  folder: string,
  key: string,
): { readonly task: string; readonly tensors: ReadonlyMap<string, Tensor> } {
  const path = pathOf(folder, key, 'safetensors');
  const { tensors, metadata } = decodeSafetensors(readWhole(path), path);
  const { task } = metadata;
  if (task === undefined || readTraining(folder, key)?.weights !== sha256Tensors(tensors))
    throw new WorkspaceError(`${path}: changed since it was written; remove it, and the same command trains it anew`, { path });
  return { task, tensors };
}

/** How far a training came that was broken off; undefined where there is nothing that can be read: it begins anew, to the same bits. */
export function readStudyCheckpoint(folder: string, key: string): Checkpoint | undefined {
  try {
    return readNewestCheckpoint(underWay(folder, key))?.checkpoint;
  } catch (error) {
    if (error instanceof PrognetError) return undefined;
    throw error;
  }
}

/** Keeps how far a training is. @throws WorkspaceError when the disk does not take it */
export function writeStudyCheckpoint(folder: string, key: string, checkpoint: Checkpoint): void {
  make(underWay(folder, key));
  writeCheckpoint(underWay(folder, key), checkpoint);
}

/** Undefined where there is none, or none that can be read: it is run again. */
function readTraining(folder: string, key: string): StudyTraining | undefined {
  const path = pathOf(folder, key, 'json');
  try {
    const found = trainingSchema.parse(parseJson(readWhole(path), path));
    return found.key === key ? found : undefined;
  } catch {
    return undefined;
  }
}

export class StudyStore {
  private constructor(
    /** Absolute, or as the process runs. */
    readonly folder: string,
    private readonly lock: Lock,
  ) {}

  /**
   * Opens the folder of a study for this process, or begins it.
   * @throws UsageError for a folder that holds something else, WorkspaceError when a live process holds it
   */
  static open(folder: string): StudyStore {
    if (existsSync(folder) && !existsSync(join(folder, folderName)) && holdsFiles(folder))
      throw new UsageError(`${folder}: holds files of something else, expected an empty folder or that of a study: --output`, {
        path: folder,
      });
    make(join(folder, folderName));
    return new StudyStore(folder, acquireLock(join(folder, 'lock'), join(folder, 'lock')));
  }

  /** A training that was run to its end, its weights among it where they are needed. */
  find(key: string, needsWeights: boolean): StudyTraining | undefined {
    const found = readTraining(this.folder, key);
    if (!needsWeights) return found;
    return found?.weights !== undefined && existsSync(pathOf(this.folder, key, 'safetensors')) ? found : undefined;
  }

  /** Keeps it; its checkpoints go. @throws WorkspaceError when the disk does not take it */
  add(training: StudyTraining): void {
    this.write(join(folderName, `${training.key}.json`), `${stableJson(training)}\n`);
    removeQuietly(underWay(this.folder, training.key));
  }

  /** A file of the folder, whole at once. @throws WorkspaceError when the disk does not take it */
  write(name: string, text: string): void {
    writeFileAtomic(join(this.folder, name), new TextEncoder().encode(text));
  }

  /** Gives the lock back. */
  close(): void {
    this.lock.release();
  }
}

function holdsFiles(folder: string): boolean {
  try {
    return readdirSync(folder).length > 0;
  } catch (cause) {
    throw fileError('read', folder, cause);
  }
}
