// Two tensors of numbers, element by element, within a tolerance that grows with the number.
import { expect } from 'vitest';
import type { Tensor } from '../../src/onnx/core/tensor.js';

/** |a - b| at most `tolerance` times max(1, |b|); the message names the tensor and the worst element. */
export function expectNear(a: Tensor | undefined, b: Tensor | undefined, tolerance: number, what = 'tensor'): void {
  expect(a?.dims, what).toEqual(b?.dims);
  const [x, y] = [a?.numbers() ?? [], b?.numbers() ?? []];
  const off = y.map((v, i) => Math.abs((x[i] ?? Number.NaN) - v) / Math.max(1, Math.abs(v)));
  const worst = off.findIndex((d) => !(d <= tolerance));
  expect(worst < 0 ? '' : `${what}[${worst}]: ${x[worst]}, expected ${y[worst]} within ${tolerance}`).toBe('');
}
