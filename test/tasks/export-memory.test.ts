// What an export holds in memory: the weights once. The same script measures 1 GB for BENCHMARKS.md (scripts/bench/export-memory.mjs).
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';

interface Peaks {
  readonly weights: number;
  readonly idle: number;
  readonly external: number;
  readonly inside: number;
  readonly loadExternal: number;
  readonly loadInside: number;
}

it('exporting and loading 64 MB take less than 1.4 times that, beside what Node itself takes', () => {
  const script = join(import.meta.dirname, '../../scripts/bench/export-peak.mjs');
  const found: Peaks = JSON.parse(execFileSync(process.execPath, [script, '64'], { encoding: 'utf8' }));
  const times = (peak: number) => (peak - found.idle) / found.weights;
  expect(found.weights).toBeGreaterThan(63e6);
  // Part of the weights is in memory at some time, or nothing was measured; those that lie in a file are read one by one.
  for (const peak of [found.external, found.inside]) {
    expect(times(peak)).toBeGreaterThan(0.3);
    expect(times(peak)).toBeLessThan(1.4);
  }
  expect(times(found.loadExternal)).toBeLessThan(1.4);
  // weights inside a file are aligned by chance: those that are not are copied
  expect(times(found.loadInside)).toBeLessThan(2.2);
});
