// The TypeScript function of a layer or a head: it gives what YAML would, and carries the definition that all else is derived from.

export interface KindFunction<K extends string, A extends readonly unknown[], R, D> {
  (...args: A): { [P in K]: R };
  /** @internal All that the toolchain knows of it. */
  readonly definition: D;
}

/** The function of this kind: `call` turns its arguments into options as written. */
export function kindFunction<const K extends string, A extends readonly unknown[], R, D>(
  kind: K,
  call: (...args: A) => R,
  definition: D,
): KindFunction<K, A, R, D> {
  // TypeScript gives a computed key the type string.
  const write = (...args: A) => ({ [kind]: call(...args) }) as { [P in K]: R };
  return Object.assign(write, { definition });
}
