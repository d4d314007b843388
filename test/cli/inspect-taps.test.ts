// `prognet inspect model.onnx` lists what later columns could read; of models that prognet exported it does not.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { save } from '../../src/onnx/node.js';
import { ops } from '../../src/onnx/ops/ops.js';
import { okIn, workspace, yaml } from './support.js';

it('lists taps with depth, shape, layout and what they are; all of them as JSON', () => {
  const dir = mkdtempSync(join(tmpdir(), 'prognet-inspect-'));
  const g = ops({ opset: 17 });
  const weight = (name: string, dims: number[]) => g.initializer(name, Tensor.zeros('float32', dims));
  let x = g.input('x', 'float32', ['N', 3, 8, 8]);
  for (let i = 0; i < 24; i++) x = g.relu(g.conv(x, weight(`w${i}`, [4, i === 0 ? 3 : 4, 1, 1])));
  g.output(g.gemm(g.flatten(g.globalAveragePool(x)), weight('v', [4, 2])), 'y');
  const file = join(dir, 'model.onnx');
  save(g.model(), file);
  const text = okIn(dir, 'inspect', file);
  expect(text).toMatch(/^taps to import \(depth, name, shape, layout, what it is, 20 of 25; all with --json\)$/m);
  expect(text).toMatch(/^ {2}0\.04 {2}Relu\/out +\[N,4,8,8\] {2}NCHW, channels first {2}Relu$/m);
  expect(text).toMatch(/^ {2}0\.\d\d {2}Flatten\/out +\[N,4\] +NF, vector +before the classifier$/m);
  expect(text.split('\n').filter((line) => /^ {2}[01]\.\d\d {2}/.test(line))).toHaveLength(20);
  const { taps } = JSON.parse(okIn(dir, 'inspect', file, '--json'));
  expect(taps).toHaveLength(25);
  expect(taps[0]).toEqual({ name: 'Relu/out', depth: expect.any(Number), what: 'Relu', shape: ['N', 4, 8, 8], layout: 'NCHW' });
});

it('lists none of what prognet exported', () => {
  const dir = workspace(yaml('', 1));
  okIn(dir, 'train', 'a', '--freeze', '--quiet');
  okIn(dir, 'export', '--task', 'a', '-o', join(dir, 'a.onnx'), '--quiet');
  expect(okIn(dir, 'inspect', join(dir, 'a.onnx'))).not.toContain('taps');
});
