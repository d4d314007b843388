// Types of service-lock.mjs, for the test that holds what it wrote.

/** Each lock's file, and the package that it takes beside the service's own. */
export declare const locks: Readonly<Record<string, string | undefined>>;
/** The text of the lock for the service's package.json, with one package more. */
export declare function serviceLock(more?: string): string;
