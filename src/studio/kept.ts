// What the page keeps in the browser's database, so that a closed tab loses nothing: the network as it was taught here, and the lesson under
// way, whose checkpoints the worker keeps. Each under the hash of the network that the page came with.
import { transact } from '../browser/transact.js';
import type { ColumnInput } from '../web.js';
import type { SampleShape } from './input-shape.js';
import type { LessonData } from './lesson.js';
import type { KeptEvidence } from './proof.js';
import type { Provider } from './state.js';

export interface KeptNetwork {
  readonly title: string;
  /** A .prognet file, or an ONNX model. */
  readonly bytes: Uint8Array;
}

/** Everything by which another tab goes on and ends with the same bits. */
export interface KeptLesson {
  readonly task: string;
  readonly column: ColumnInput;
  readonly data: LessonData;
  /** What its examples are; absent in what an earlier version of the page kept. */
  readonly sample?: SampleShape;
  readonly rate: number;
  readonly provider: Provider;
  /** Name of the worker's checkpoint. */
  readonly checkpoint: string;
  readonly probes: Float32Array;
  /** The trained tasks before the lesson began. */
  readonly before: readonly KeptEvidence[];
}

type Store = 'networks' | 'lessons';

function database(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open('prognet-studio', 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore('networks' satisfies Store);
      request.result.createObjectStore('lessons' satisfies Store);
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

const inStore = <T>(store: Store, mode: 'readonly' | 'readwrite', work: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> =>
  transact(database, store, mode, work, (error) => error);

/** Typed by what `put` takes; only this page writes here. */
export interface Shelf<T> {
  get(): Promise<T | undefined>;
  put(value: T): Promise<void>;
  drop(): Promise<void>;
}

function shelf<T>(store: Store, key: string): Shelf<T> {
  return {
    get: () => inStore<T | undefined>(store, 'readonly', (s) => s.get(key)),
    put: async (value) => {
      await inStore(store, 'readwrite', (s) => s.put(value, key));
    },
    drop: async () => {
      await inStore(store, 'readwrite', (s) => s.delete(key));
    },
  };
}

export const keptNetwork = (key: string): Shelf<KeptNetwork> => shelf('networks', key);
export const keptLesson = (key: string): Shelf<KeptLesson> => shelf('lessons', key);

const lock = 'prognet-studio training';

/** Runs `work` as the only tab that trains. @returns undefined where another one does */
export async function alone<T>(work: () => Promise<T>): Promise<T | undefined> {
  return await navigator.locks.request(lock, { ifAvailable: true }, (held) => (held === null ? undefined : work()));
}
