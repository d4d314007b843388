// What an export in another precision holds of the model that it begins with: its weights stay in the file of the frozen column.
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { ops } from '../../src/onnx/ops/ops.js';
import { toBinary } from '../../src/onnx/serde/to-binary.js';
import { exportWithPrecision } from '../../src/tasks/export-precision.js';
import { importTask } from '../../src/tasks/import-task.js';
import { loadWorkspace } from '../../src/tasks/load-workspace.js';
import { counting } from '../support/counting.js';
import { runtime } from '../support/run.js';

const dir = mkdtempSync(join(tmpdir(), 'prognet-precision-'));
afterAll(() => rmSync(dir, { recursive: true }));

it('compares with a session that reads the float32 weights from their file, and says the sizes of both files', async () => {
  const g = ops({ name: 'm' });
  const weights = Tensor.from(
    'float32',
    Array.from({ length: 256 * 256 }, (_, i) => Math.sin(i)),
    [256, 256],
  );
  g.output(g.relu(g.matMul(g.input('x', 'float32', ['N', 256]), g.initializer('w', weights))), 'y');
  const [file, family] = [join(dir, 'm.onnx'), join(dir, 'family')];
  writeFileSync(file, toBinary(g.model()));
  await importTask(runtime, family, true, file, { task: 'base', head: 'none', backbone: true });
  const { runtime: counted, models } = counting(runtime);
  const out = join(dir, 'half.onnx');
  const loaded = loadWorkspace(family);
  const { measured } = await exportWithPrecision(loaded, counted, out, { tasks: ['base'] }, { precision: 'fp16' });
  const [float32 = 0, half = 0] = models.map(({ length }) => length);
  expect(models).toHaveLength(2);
  expect(float32).toBeLessThan(weights.byteLength / 10);
  expect(half).toBe(statSync(out).size);
  expect(measured.size.now).toBe(statSync(out).size);
  expect(measured.size.float32).toBeGreaterThan(weights.byteLength);
  expect(measured.tasks).toMatchObject([{ task: 'base', rows: 4 }]);
  expect(measured.tasks[0]?.largestDifference).toBeLessThan(0.01);
});
