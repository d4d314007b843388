// One transaction of the browser's database, for the worker's checkpoints and for what the page of prognet studio keeps. Each opens a database of
// its own.

type Event = 'complete' | 'abort';

/** What is used of an IDBDatabase, whose stores are `S`. */
export interface Database<S> {
  transaction(
    store: string,
    mode: 'readonly' | 'readwrite',
    options: { durability: 'strict' },
  ): {
    objectStore(name: string): S;
    readonly error: Error | null;
    addEventListener(event: Event, listener: () => void): void;
  };
  close(): void;
}

/**
 * Opens, makes one transaction of one store, closes. `work` gives the request whose result is returned once all is written. Rejects with what
 * `refused` makes of the database's error.
 */
export async function transact<S, T>(
  open: () => Promise<Database<S>>,
  store: string,
  mode: 'readonly' | 'readwrite',
  work: (store: S) => { readonly result: T },
  refused: (error: Error | null) => unknown,
): Promise<T> {
  const db = await open();
  try {
    return await new Promise((resolve, reject) => {
      const transaction = db.transaction(store, mode, { durability: 'strict' });
      const request = work(transaction.objectStore(store));
      transaction.addEventListener('complete', () => resolve(request.result));
      transaction.addEventListener('abort', () => reject(refused(transaction.error)));
    });
  } finally {
    db.close();
  }
}
