// One test per gradient case.
import { it } from 'vitest';
import { checkGradient } from '../../support/check-gradient.js';
import type { Case } from './gradient-case.js';

/** The vector-Jacobian product of each case against the numeric Jacobian; `done` is told how many entries were compared. */
export function runCases(cases: readonly Case[], done: (entries: number) => void = () => {}): void {
  it.each(cases.map((c) => [c.name, c] as const))('%s', async (_name, c) => {
    done(await checkGradient((g, x) => c.build(g, x), c.inputs, c.options));
  });
}
