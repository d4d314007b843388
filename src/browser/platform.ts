// As much of the browser's API as the library touches; TypeScript's own DOM types would make Node's code see a browser everywhere.
import type { Database } from './transact.js';

export interface MessageLike {
  readonly data: unknown;
}

/** A Worker, or the global of a worker. */
export interface Port {
  postMessage(message: unknown, transfer?: readonly ArrayBuffer[]): void;
  addEventListener(
    type: 'message' | 'error' | 'messageerror',
    listener: (event: MessageLike & { message?: string }) => void,
  ): void;
}

export interface WorkerLike extends Port {
  terminate(): void;
}

/** A Blob or a File. */
export interface BlobLike {
  readonly size: number;
  readonly name?: string;
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
