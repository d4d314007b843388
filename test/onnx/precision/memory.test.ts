// What a conversion holds in memory: the weights once, and for int8 the bytes that ONNX Runtime is given. The same script measures VGG-19 whole.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';

type Peaks = Readonly<Record<'weights' | 'idle' | 'session' | 'fp16' | 'int8' | 'int8-dynamic', number>>;

it('another precision takes less than 2.5 times the model, beside Node and what ONNX Runtime takes for its samples', {
  timeout: 120_000,
}, () => {
  const script = join(import.meta.dirname, '../../../scripts/bench/precision-peak.mjs');
  const found: Peaks = JSON.parse(execFileSync(process.execPath, [script, '0.4', '160'], { encoding: 'utf8' }));
  const times = (bytes: number) => bytes / found.weights;
  expect(found.weights).toBeGreaterThan(55e6);
  // the weights are there at least once, or nothing was measured
  for (const precision of ['fp16', 'int8-dynamic'] as const) {
    expect(times(found[precision] - found.idle), precision).toBeGreaterThan(0.8);
    expect(times(found[precision] - found.idle), precision).toBeLessThan(2);
  }
  expect(times(found.int8 - found.session)).toBeLessThan(2.5);
});
