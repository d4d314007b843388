// Types of service-lock.mjs, for the test that holds what it wrote.

/** The text of the lock for the service's package.json. */
export declare function serviceLock(): string;
