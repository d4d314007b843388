// What is deployed: models with their signatures. A deployment is the files of a folder, by path; who writes them is workspace/output-folder.ts.
import type { BytePieces } from '../onnx/files/write-all.js';
import type { Model } from '../onnx/ir/model.js';

/** One exported model that is served: a task, or several in one graph. */
export interface ServedModel {
  /** Of the task, or of the network for several. */
  readonly name: string;
  readonly tasks: readonly string[];
  /** One of the tasks is computed, the one that the input task_id names. */
  readonly routed: boolean;
  readonly model: Model;
  /** By task the inputs in which values may be missing, since it fills them. */
  readonly filled: ReadonlyMap<string, readonly string[]>;
  /** By task the most that whole numbers of its inputs may be: a number, or the name of an open size. */
  readonly most: ReadonlyMap<string, Readonly<Record<string, number | string>>>;
}

/** Path with forward slashes to content. */
export type Files = ReadonlyMap<string, Uint8Array>;

/** With models among them, whose pieces are read from the files of their weights when they are written. */
export type ServedFiles = ReadonlyMap<string, BytePieces>;

export const text = (content: string): Uint8Array => new TextEncoder().encode(content);
