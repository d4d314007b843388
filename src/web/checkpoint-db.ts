// Checkpoints of a training in the browser's database, so that a closed tab loses nothing that was saved. One record for each name; a
// transaction replaces it whole or not at all.
import * as z from 'zod';
import { decodeSafetensors, encodeSafetensors } from '../formats/safetensors.js';
import { DataError, must } from '../onnx/core/errors.js';
import type { Checkpoint, CheckpointStore } from '../train/checkpoint.js';
import { stateSchema } from '../train/state-schema.js';
import { browser, type DatabaseLike, type StoreLike } from './worker-types.js';

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

/** One transaction; `work` gives the request whose result is returned once all is written. */
async function transact(
  mode: 'readonly' | 'readwrite',
  work: (store: StoreLike) => { readonly result: unknown },
): Promise<unknown> {
  const db = await open();
  try {
    return await new Promise((resolve, reject) => {
      const transaction = db.transaction(store, mode, { durability: 'strict' });
      const request = work(transaction.objectStore(store));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = () =>
        reject(new DataError(`the browser's database refused: ${transaction.error?.message ?? 'no space is left'}`));
    });
  } finally {
    db.close();
  }
}

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
      const found = await transact('readonly', (s) => s.get(name));
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
      await transact('readwrite', (s) => s.put(value, name));
    },
    drop: async () => {
      await transact('readwrite', (s) => s.delete(name));
    },
  };
}
