// As much of the browser's API as the library touches; TypeScript's own DOM types would make Node's code see a browser everywhere.
import type { Database } from './transact.js';

/** A message from a worker. */
export interface MessageLike {
  /** What was sent. */
  readonly data: unknown;
}

/** A Worker, or the global of a worker. */
export interface Port {
  /** Sends a message; `transfer` lists what is handed over rather than copied. */
  postMessage(message: unknown, transfer?: readonly ArrayBuffer[]): void;
  /** Listens to its messages or errors. */
  addEventListener(
    type: 'message' | 'error' | 'messageerror',
    listener: (event: MessageLike & { message?: string }) => void,
  ): void;
}

/** As much of a worker as is used here. */
export interface WorkerLike extends Port {
  /** Ends the worker. */
  terminate(): void;
}

/** A Blob or a File. */
export interface BlobLike {
  /** Bytes. */
  readonly size: number;
  /** Its name, where it has one. */
  readonly name?: string;
  /** All of its bytes. */
  arrayBuffer(): Promise<ArrayBuffer>;
}

interface BrowserGlobal {
  readonly Worker?: new (url: URL, options: { readonly type: 'module'; readonly name?: string }) => WorkerLike;
  readonly indexedDB?: IndexedDatabaseFactory;
  /** In a worker: how it was called by who made it. */
  readonly name?: string;
  /** In a worker. */
  readonly postMessage?: Port['postMessage'];
  readonly addEventListener?: Port['addEventListener'];
}

interface RequestLike<T> {
  readonly result: T;
  readonly error: Error | null;
  onsuccess: (() => void) | null;
  onerror: (() => void) | null;
}
export interface OpenRequest extends RequestLike<DatabaseLike> {
  onupgradeneeded: (() => void) | null;
}
export interface IndexedDatabaseFactory {
  open(name: string, version: number): OpenRequest;
}
export interface StoreLike {
  get(key: string): RequestLike<unknown>;
  put(value: unknown, key: string): RequestLike<unknown>;
  delete(key: string): RequestLike<unknown>;
}
export interface DatabaseLike extends Database<StoreLike> {
  createObjectStore(name: string): unknown;
}

export const browser: BrowserGlobal = globalThis as BrowserGlobal;
