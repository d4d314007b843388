// residual: y = x + f(x), f being the layers that it holds.
import { ShapeError } from '../../../onnx/core/errors.js';
import { composite } from '../layer.js';
import { sampleDims } from '../sample.js';

/**
 * y = x + f(x), f being these layers in order; they must keep the shape.
 * @function
 */
export const residual = composite('residual', {
  doc: 'y = x + f(x), f being these layers in order; they must keep the shape.',
  example: '{ residual: [{ dense: 64 }, relu] }',
  lower: (c, { layers }, x) => {
    const y = c.inside(layers, x);
    const [from, to] = [sampleDims(x), sampleDims(y)];
    if (from.join() !== to.join()) {
      throw new ShapeError(`the layers inside must keep the shape [${from}], they give [${to}]`, {
        expected: `[${from}]`,
        got: `[${to}]`,
      });
    }
    return c.g.add(x, y);
  },
});
