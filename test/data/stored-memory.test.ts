// What data take in memory: beyond the data entry's `memory` not what they are, but blocks of them. The same script measures 4 GB (scripts/bench/large-data.mjs).
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { writeNpy } from '../../src/formats/npy.js';
import { Tensor } from '../../src/onnx/core/tensor.js';

const root = mkdtempSync(join(tmpdir(), 'prognet-memory-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

it('256 MB train with a limit of 16 MB in half of the memory that they take without one, and to the same end', () => {
  const rows = 2 ** 18;
  const pixels = new Uint8Array(rows * 1024);
  const labels = new BigInt64Array(rows);
  for (let i = 0; i < rows; i++) {
    labels[i] = BigInt(i % 4);
    pixels.fill(200, i * 1024 + (i % 4) * 256, i * 1024 + (i % 4) * 256 + 256);
  }
  writeFileSync(join(root, 'x.npy'), writeNpy(new Tensor('uint8', [rows, 1024], pixels)));
  writeFileSync(join(root, 'y.npy'), writeNpy(new Tensor('int64', [rows], labels)));
  const script = join(import.meta.dirname, '../../scripts/bench/large-train.mjs');
  const run = (data: string): { peak: number; before: number; value: number } => {
    const column = `{ task: a, data: ${data}, blocks: [[{ dense: 4 }, relu]], head: { classify: 4 }, train: { epochs: 1, batch: 256, validation: 0.1 } }`;
    const text = `prognet: 1\nname: memory\ninput: { name: x, shape: [1024] }\ncolumns: [${column}]\n`;
    writeFileSync(join(root, 'prognet.yaml'), text);
    return JSON.parse(execFileSync(process.execPath, [script, root], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
  };
  const [inside, kept] = [run('.'), run('{ source: ., memory: 16MB }')];
  const times = ({ peak, before }: typeof kept) => (peak - before) / pixels.length;
  expect([inside.value, kept.value]).toEqual([1, 1]);
  // In memory they are there at least once, or nothing was measured; what both take besides them is 0.5 to 0.7 times their size.
  expect(times(inside)).toBeGreaterThan(1);
  expect(times(kept)).toBeLessThan(times(inside) / 2);
}, 120_000);
