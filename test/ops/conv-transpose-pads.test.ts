// ConvTranspose whose pads come from auto_pad or output_shape, with an odd total that one side must take.
import { at, type Case, runCases, values } from './gradient-case.js';

const inputs = [values([1, 2, 3, 3], { dtype: 'float32' }), values([2, 2, 3, 3], { dtype: 'float32' })];
const row = (name: string, attributes: Readonly<Record<string, string | readonly number[]>>, opset: number): Case => ({
  name: `${name}, opset ${opset}`,
  inputs,
  options: { opset },
  build: (g, x) => g.convTranspose(at(x), at(x, 1), { strides: [2, 2], kernel_shape: [3, 3], ...attributes }),
});

runCases(
  [17, 22].flatMap((opset) => [
    row('SAME_UPPER', { auto_pad: 'SAME_UPPER' }, opset),
    row('SAME_LOWER', { auto_pad: 'SAME_LOWER' }, opset),
    row('output_shape', { output_shape: [6, 6] }, opset),
  ]),
);
