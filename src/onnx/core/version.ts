// The version of this package, in one place beside package.json; a test compares the two.
/** The version of this package. */
export const version = '0.1.0';
