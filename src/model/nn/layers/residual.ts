// residual: y = x + f(x), f being the layers that it holds. Where f changes the shape, what x becomes on the way around is said or learned.
import { ShapeError } from '../../../onnx/core/errors.js';
import type { Value } from '../../../onnx/ir/graph.js';
import { convolutionWeights, convolve } from '../convolution.js';
import type { Init } from '../init.js';
import { type AnyLayer, composite, type LayerContext } from '../layer.js';
import { type Size, shrunk } from '../open-size.js';
import { layoutOf, type Positions, positionsOf, sampleDims } from '../sample.js';
import { pointwise, type Window } from '../window.js';

const init: Init = { kind: 'he_normal' };

/**
 * y = x + f(x), f being these layers in order; they keep the shape, or x is projected too.
 * @function
 */
export const residual = composite('residual', {
  doc: 'y = x + f(x), f being these layers in order; they keep the shape, or x is projected too.',
  example: '{ residual: [{ dense: 64 }, relu] }',
  lower: (c, { layers, shortcut, project }, x) => {
    const y = c.inside(layers, x);
    const layout = readsSequence(c, layers) ? 'channels-last' : c.layout;
    const taken = { ...c, layout };
    const around =
      shortcut !== undefined ? c.inside(shortcut, x, 'shortcut') : project === true ? projected(taken, x, y, layers) : x;
    const [from, to] = [sampleDims(around), sampleDims(y)];
    const different = from.join() !== to.join();
    if (different && shortcut !== undefined)
      throw new ShapeError(`the layers inside give [${to}], its shortcut [${from}]: both must have one shape`, {
        expected: `[${to}]`,
        got: `[${from}]`,
      });
    if (different)
      throw new ShapeError(`the layers inside must keep the shape [${from}], they give [${to}]: project: true takes x along`, {
        expected: `[${from}]`,
        got: `[${to}]`,
      });
    const goneAround = shortcut === undefined ? layout : c.layoutAfter(shortcut);
    if (from.length > 1 && layoutOf(c.layoutAfter(layers)) !== layoutOf(goneAround))
      throw new ShapeError('channels stand first on one way and last on the other', { got: `[${to}]` });
    return c.g.add(around, y);
  },
});

/** Whether these layers give a sequence and read x as one, where nothing before has said what it is. */
function readsSequence({ layout, layoutAfter }: LayerContext, layers: readonly AnyLayer[]): boolean {
  const turns = layers.some(({ kind }, i) => kind === 'to_sequence' || layoutAfter(layers.slice(0, i + 1)) === 'channels-first');
  return layout === undefined && layoutAfter(layers) === 'channels-last' && !turns;
}

/** x brought to the shape of y: as it is where they agree, else by a matrix of its features or a convolution of one position that steps. */
function projected(c: LayerContext, x: Value, y: Value, layers: Parameters<LayerContext['layoutAfter']>[0]): Value {
  const { g, layout } = c;
  if (sampleDims(x).join() === sampleDims(y).join()) return x;
  const last = layoutOf(layout) === 'channels-last';
  const from = positionsOf(sampleDims(x), layout);
  const to = positionsOf(sampleDims(y), c.layoutAfter(layers));
  const stride = stepsBetween(from, to);
  if (last || from.size.length === 0) {
    if (stride?.some((s) => s !== 1) !== false) throw unfit(x, y);
    const fans = { by: init, fanIn: from.channels, fanOut: to.channels };
    return g.matMul(x, c.trainable('project/weight', [from.channels, to.channels], fans));
  }
  if (stride === undefined) throw unfit(x, y);
  const window: Window = { ...pointwise(from.size.length), stride };
  const { shape, fanIn, fanOut } = convolutionWeights(window, from.channels, to.channels);
  const weight = c.trainable('project/weight', shape, { by: init, fanIn, fanOut });
  return convolve(g, x, weight, undefined, { window, size: from.size });
}

/** Steps along each axis that leave as many positions as `to` has; undefined where none do. */
function stepsBetween(from: Positions, to: Positions): number[] | undefined {
  if (from.size.length !== to.size.length) return undefined;
  const steps = from.size.map((n, i) => stepBetween(n, to.size[i] ?? 1));
  return steps.every((s) => s !== undefined) ? steps : undefined;
}

/** The same along an axis; of sizes that are open one of few. */
function stepBetween(from: Size, to: Size): number | undefined {
  const tried = typeof from === 'number' && typeof to === 'number' ? [Math.ceil(from / to)] : [1, 2, 3, 4, 5, 6, 7, 8];
  return tried.find((s) => s > 0 && shrunk(from, 0, s) === to);
}

const unfit = (x: Value, y: Value): ShapeError =>
  new ShapeError(
    `no 1x1 convolution or matrix takes [${sampleDims(x)}] to [${sampleDims(y)}]: say the layers that do as "shortcut"`,
    { expected: `[${sampleDims(y)}]`, got: `[${sampleDims(x)}]` },
  );
