// Values over their own mean and variance, then scaled and shifted by what is learned: layer_norm over a whole sample, a transformer over each step.
import type { Value } from '../../onnx/ir/graph.js';
import type { LayerContext } from './layer.js';
import { knownSizes } from './open-size.js';
import { sampleDims } from './sample.js';

/** From `axis` on, 1 being the first of a sample, or from the end; the parameters are `<prefix>scale` and `<prefix>bias`. */
export function normalised({ g, trainable }: LayerContext, x: Value, axis: number, epsilon: number, prefix = ''): Value {
  const dims = knownSizes(
    sampleDims(x).slice(axis < 0 ? axis : axis - 1),
    'and there is a scale for each value',
    '"rms_norm" normalises each position and "instance_norm" each channel',
  );
  const scale = trainable(`${prefix}scale`, dims, { fill: 1 });
  const bias = trainable(`${prefix}bias`, dims, { fill: 0 });
  return g.layerNormalization(x, scale, bias, { axis, epsilon });
}
