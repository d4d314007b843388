// What importing a model holds in memory, and what is done with its column: beside ONNX Runtime's own session of the file. The same script measures
// VGG-19 whole.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';

type Work = 'session' | 'import' | 'verify' | 'train' | 'predict' | 'export';
interface Found {
  readonly file: number;
  readonly peaks: Readonly<Record<Work, number>>;
}

it('import, verify, a column over it and predict take less than 1.3 times the file beyond ONNX Runtime, export a part of it', {
  timeout: 240_000,
}, () => {
  const script = join(import.meta.dirname, '../../scripts/bench/import-peak.mjs');
  const { file, peaks }: Found = JSON.parse(execFileSync(process.execPath, [script, '0.45', '224'], { encoding: 'utf8' }));
  expect(file).toBeGreaterThan(100e6);
  // the session holds the weights at least once, or nothing was measured
  expect(peaks.session / file).toBeGreaterThan(0.9);
  for (const work of ['import', 'verify', 'train', 'predict'] as const)
    expect((peaks[work] - peaks.session) / file, work).toBeLessThan(1.3);
  expect((peaks.verify - peaks.session) / file).toBeLessThan(0.5);
  expect(peaks.export / file).toBeLessThan(0.5);
});
