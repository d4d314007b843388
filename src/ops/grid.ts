// Sampling at points of a grid: AffineGrid, GridSample, DeformConv. Specification: onnx/docs/Operators.md. Layout [N, C, spatial...].
import type { Dim, Shape } from '../core/shape.js';
import { Tensor } from '../core/tensor.js';
import type { Value } from '../ir/graph.js';
import { tensorType } from '../ir/types.js';
import { convShape } from './conv.js';
import type { GradientContext, NodeContext, OpDef } from './op-def.js';
import { typed } from './shape-like.js';
import { knownElements } from './shape-value.js';

export type GridOp = 'AffineGrid' | 'GridSample' | 'DeformConv';

function affineGridShape(c: NodeContext): Shape | undefined {
  const size = knownElements(c.value(1));
  if (size === undefined) return undefined;
  const [n = null, , ...spatial]: Dim[] = size;
  return [n, ...spatial, spatial.length];
}

// grid = base theta^T with base the grid of the identity, homogeneous: dtheta = dgrid^T base
function affineGridGradient(c: GradientContext): (Value | null)[] {
  const { g } = c;
  const theta = c.x(0);
  const d = c.y().shape?.length;
  if (d === undefined) return c.fail('the gradient needs a size of known rank');
  const n = d - 2;
  const identity = Array.from({ length: n * (n + 1) }, (_, i) => (i % (n + 2) === 0 ? 1 : 0));
  const eye = g.add(g.mul(theta, g.scalar(0, theta)), g.constant(Tensor.from(theta.dtype, identity, [1, n, n + 1])));
  const flat = (v: Value) => g.reshape(v, g.ints([0, -1, n]));
  const base = flat(g.affineGrid(eye, c.x(1), { align_corners: c.int('align_corners', 0) }));
  const one = g.add(g.mul(g.slice(base, g.ints([0]), g.ints([1]), g.ints([2])), g.scalar(0, base)), g.scalar(1, base));
  const homogeneous = g.concat(base, one, { axis: 2 });
  return [typed(g.matMul(g.transpose(flat(c.dy()), { perm: [0, 2, 1] }), homogeneous), theta), null];
}

export const grid: Readonly<Record<GridOp, OpDef>> = {
  AffineGrid: {
    versions: [20],
    inputs: 'theta size',
    outputs: 'grid',
    attributes: { align_corners: 'int' },
    infer: (c) => [tensorType(c.dtype(0), affineGridShape(c))],
    gradient: affineGridGradient,
  },
  GridSample: {
    versions: [16, 20, 22],
    inputs: 'X grid',
    outputs: 'Y',
    attributes: { align_corners: 'int', mode: 'string', padding_mode: 'string' },
    infer: (c) => {
      const [x, points] = [c.shape(0), c.shape(1)];
      if (x === undefined || points === undefined) return [tensorType(c.dtype(0))];
      return [tensorType(c.dtype(0), [x[0] ?? null, x[1] ?? null, ...points.slice(1, -1)])];
    },
    gradient: 'unsupported',
  },
  DeformConv: {
    versions: [19, 22],
    inputs: 'X W offset B? mask?',
    outputs: 'Y',
    attributes: { dilations: 'ints', group: 'int', kernel_shape: 'ints', offset_group: 'int', pads: 'ints', strides: 'ints' },
    infer: (c) => [tensorType(c.dtype(0), convShape(c))],
    gradient: 'unsupported',
  },
};
