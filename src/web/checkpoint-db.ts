// Checkpoints of a training in the browser's database, so that a closed tab loses nothing that was saved. One record for each name; a
// transaction replaces it whole or not at all.
import * as z from 'zod';
import { browser, type DatabaseLike, type StoreLike } from '../browser/platform.js';
import { transact } from '../browser/transact.js';
import { decodeSafetensors, encodeSafetensors } from '../formats/safetensors.js';
import { DataError, must } from '../onnx/core/errors.js';
import type { Checkpoint, CheckpointStore } from '../train/checkpoint.js';
import { stateSchema } from '../train/state-schema.js';

const database = 'prognet';
const store = 'checkpoints';
const recordSchema = z.object({ state: z.string(), tensors: z.instanceof(Uint8Array), identity: z.string().optional() });

function open(): Promise<DatabaseLike> {
  return new Promise((resolve, reject) => {
    const request = must(browser.indexedDB, 'indexedDB').open(database, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(store);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () =>
      reject(new DataError(`the browser's database cannot be opened: ${request.error?.message ?? 'unknown'}`));
  });
}

const inStore = <T>(mode: 'readonly' | 'readwrite', work: (store: StoreLike) => { readonly result: T }): Promise<T> =>
  transact(
    open,
    store,
    mode,
    work,
    (error) => new DataError(`the browser's database refused: ${error?.message ?? 'no space is left'}`),
  );

/** Whether this browser can keep checkpoints. */
export const hasCheckpoints = browser.indexedDB !== undefined;

/** A store whose record can be forgotten. */
export interface CheckpointRecord extends CheckpointStore {
  drop(): Promise<void>;
}

/** `identity` tells the training: a record of another one is refused, never gone on with. */
export function checkpointStore(name: string, identity?: string): CheckpointRecord {
  return {
    load: async () => {
      const found = await inStore('readonly', (s) => s.get(name));
      if (found === undefined) return undefined;
      const record = recordSchema.safeParse(found);
      if (!record.success) throw new DataError(`checkpoint "${name}" in the browser's database is damaged`);
      if (identity !== undefined && record.data.identity !== undefined && record.data.identity !== identity) {
        throw new DataError(
          `checkpoint "${name}" belongs to another training (column, settings, data or frozen columns differ): forget it, or choose another name`,
          { got: name },
        );
      }
      const { tensors } = decodeSafetensors(record.data.tensors, `checkpoint "${name}"`);
      return { state: stateSchema.parse(JSON.parse(record.data.state)), tensors };
    },
    save: async ({ state, tensors }: Checkpoint) => {
      const value = {
        state: JSON.stringify(state),
        tensors: encodeSafetensors(tensors),
        ...(identity !== undefined && { identity }),
      };
      await inStore('readwrite', (s) => s.put(value, name));
    },
    drop: async () => {
      await inStore('readwrite', (s) => s.delete(name));
    },
  };
}
