// normalise: to float32, x' = (x/range - mean) / std per channel, range 255 for uint8 and 1 for float32. Without mean and std (0 and 1)
// uint8 is scaled to 0..1 and float32 stays as it is. mean and std are thus in units of the full range, as torchvision has them.
import * as z from 'zod';
import { DataError } from '../../onnx/core/errors.js';
import { Tensor } from '../../onnx/core/tensor.js';
import { inputData } from '../dataset.js';
import { defineTransform, type TransformContext, withInputs } from './transform.js';

const means = z.union([z.number(), z.array(z.number()).min(1)], { error: 'a number or one number per channel' });
const stds = z.union([z.number().positive(), z.array(z.number().positive()).min(1)], {
  error: 'a number above 0 or one per channel',
});

/** One value per channel. */
function perChannel(
  key: string,
  given: number | number[] | undefined,
  channels: number,
  preset: number,
  context: TransformContext,
) {
  if (typeof given !== 'object') return new Float64Array(channels).fill(given ?? preset);
  if (given.length === channels) return Float64Array.from(given);
  throw new DataError(`${context.path}: normalise.${key} has ${given.length} values, the inputs have ${channels} channels`, {
    path: `${context.path}.normalise.${key}`,
    expected: `${channels} values`,
    got: `${given.length} values`,
  });
}

export const normalise = defineTransform(
  'normalise',
  z
    .strictObject({
      mean: means.optional().describe('One number, or one for each channel; 0 when absent.'),
      std: stds.optional().describe('One number, or one for each channel; 1 when absent.'),
    })
    .describe('(x - mean) / std by channel, as float32; grey levels 0..255 are brought to 0..1 before.'),
  (dataset, options, context) => {
    const from = inputData(dataset);
    const { dims } = dataset.inputs;
    const channels = dims[1] ?? 1;
    const mean = perChannel('mean', options.mean, channels, 0, context);
    const std = perChannel('std', options.std, channels, 1, context);
    const to = new Float32Array(from.length);
    const plane = dims.slice(2).reduce((a, b) => a * b, 1);
    const levels = new Float32Array(256);
    for (let c = 0; c < channels; c++) {
      const m = mean[c] as number;
      const s = std[c] as number;
      if (from instanceof Uint8Array) for (let v = 0; v < 256; v++) levels[v] = (v / 255 - m) / s;
      for (let base = c * plane; base < from.length; base += channels * plane) {
        if (from instanceof Uint8Array) for (let i = base; i < base + plane; i++) to[i] = levels[from[i] as number] as number;
        else for (let i = base; i < base + plane; i++) to[i] = ((from[i] as number) - m) / s;
      }
    }
    return withInputs(dataset, new Tensor('float32', dims, to));
  },
);
