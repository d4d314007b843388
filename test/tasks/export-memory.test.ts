// What an export holds in memory: no more of the weights than a piece. The same script measures 1 GB for BENCHMARKS.md (scripts/bench/export-memory.mjs).
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

it('exporting and loading 64 MB take less than that, beside what Node itself takes', () => {
  const script = join(import.meta.dirname, '../../scripts/bench/export-peak.mjs');
  const found: Peaks = JSON.parse(execFileSync(process.execPath, [script, '64'], { encoding: 'utf8' }));
  const times = (peak: number) => (peak - found.idle) / found.weights;
  expect(found.weights).toBeGreaterThan(63e6);
  // Weights that lie in a file are read piece by piece; a model that holds them is read whole, or nothing was measured.
  for (const peak of [found.external, found.inside, found.loadExternal]) expect(times(peak)).toBeLessThan(0.7);
  expect(times(found.loadInside)).toBeGreaterThan(0.7);
  // weights inside a file are aligned by chance: those that are not are copied
  expect(times(found.loadInside)).toBeLessThan(2.2);
});
