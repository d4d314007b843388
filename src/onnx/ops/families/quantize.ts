// Quantisation. What is rounded to integers has no gradient; DequantizeLinear has one by its scale. Specification: onnx/docs/Operators.md.
import { type DType, dtypeFromCode } from '../../core/dtype.js';
import { must } from '../../core/errors.js';
import type { Value } from '../../ir/graph.js';
import { tensorType } from '../../ir/types.js';
import type { GradientContext, NodeContext, OpRules } from '../op-def.js';
import { reshapeLike, shapeOf } from '../rules/shape-like.js';
import { convShape } from './conv.js';
import { castLike } from './elementwise.js';
import { matMulShape } from './matmul.js';
import { reduceBy, reduceSum } from './reduce.js';

type QuantizeOp =
  | 'QuantizeLinear'
  | 'DequantizeLinear'
  | 'DynamicQuantizeLinear'
  | 'QLinearConv'
  | 'QLinearMatMul'
  | 'ConvInteger'
  | 'MatMulInteger';

function quantizedType(c: NodeContext): DType {
  const stated = outputDType(c);
  if (!c.has(2)) return stated ?? 'uint8';
  const zero = c.dtype(2);
  if (stated !== undefined && stated !== zero)
    c.fail(`output_dtype is ${stated}, y_zero_point is ${zero}: they must be one`, { expected: zero, got: stated });
  return zero;
}

/** What `output_dtype` says; undefined for 0, which is its default. */
function outputDType(c: NodeContext): DType | undefined {
  const code = c.int('output_dtype');
  if (code === 0) return undefined;
  return dtypeFromCode(code) ?? c.fail(`attribute "output_dtype" is ${code}, which is no dtype`, { got: String(code) });
}

// y = (x - zero) scale: dscale is the sum of (x - zero) dy over what shares a scale: the whole tensor, an axis, or blocks of an axis
function dequantizeGradient(c: GradientContext): (Value | null)[] {
  const { g } = c;
  const scale = c.x(1);
  const dy = castLike(g, c.dy(), scale);
  const [rank, scales] = [c.rank(0), c.rank(1)];
  if (rank === undefined || scales === undefined) return c.fail('the gradient needs inputs of known rank');
  const size = c.int('block_size');
  const axis = scales === 0 ? 0 : c.axis(c.int('axis'), Math.max(rank, 1));
  const attributes = {
    axis: c.opset >= 13 && scales > 0 ? c.int('axis') : undefined,
    block_size: size > 0 ? size : undefined,
  };
  const ones = g.expand(g.scalar(1, scale), shapeOf(g, scale));
  const each = g.mul(dy, must(g.op('DequantizeLinear', [c.x(0), ones, c.has(2) ? c.x(2) : null], attributes)[0], 'output'));
  if (size === 0) {
    const shared = Array.from({ length: rank }, (_, i) => i).filter((i) => scale.shape?.[0] === 1 || scales === 0 || i !== axis);
    return [null, reshapeLike(g, reduceSum(g, each, shared, 0), scale), null];
  }
  // the last block may be short: filled with zeros, every block has block_size elements
  const [whole, blocks] = [c.shape(0)?.[axis], c.shape(1)?.[axis]];
  if (typeof whole !== 'number' || typeof blocks !== 'number')
    return c.fail('its gradient needs a known size of the blocked axis');
  const fill = Array.from({ length: 2 * rank }, (_, i) => (i === rank + axis ? blocks * size - whole : 0));
  const padded = whole === blocks * size ? each : g.pad(each, fill);
  const shape = (c.shape(0) ?? []).flatMap((d, i) => (i === axis ? [blocks, size] : [typeof d === 'number' ? d : -1]));
  if (shape.filter((d) => d === -1).length > 1) return c.fail('its gradient needs known sizes, but for one');
  return [null, reduceSum(g, g.reshape(padded, shape), [axis + 1], 0), null];
}

// The integers get no gradient: they stand for themselves.
function expandDynamicScale(c: GradientContext): Value[] {
  const { g } = c;
  const x = c.x(0);
  const high = g.max(reduceBy(g, 'ReduceMax', x, 'all', 0), 0);
  const low = g.min(reduceBy(g, 'ReduceMin', x, 'all', 0), 0);
  return [c.y(0), g.div(g.sub(high, low), 255), c.y(2)];
}

export const quantize: Readonly<Record<QuantizeOp, OpRules>> = {
  QuantizeLinear: {
    traits: ['keepsAnswers'],
    infer: (c) => [tensorType(quantizedType(c), c.shape(0))],
    gradient: 'zero',
  },
  DequantizeLinear: {
    traits: ['keepsAnswers'],
    infer: (c) => [tensorType(outputDType(c) ?? c.dtype(1), c.shape(0))],
    gradient: dequantizeGradient,
  },
  // y and y_zero_point are integers; y_scale = (max(x, 0) - min(x, 0)) / 255 over all of x has a gradient, by its extrema
  DynamicQuantizeLinear: {
    infer: (c) => [tensorType('uint8', c.shape(0)), tensorType('float32', []), tensorType('uint8', [])],
    gradient: { expand: expandDynamicScale },
  },
  QLinearConv: {
    infer: (c) => [tensorType(c.dtype(7), convShape(c, 3, 8))],
    gradient: 'zero',
  },
  QLinearMatMul: {
    infer: (c) => [tensorType(c.dtype(7), matMulShape(c, c.shape(0), c.shape(3)))],
    gradient: 'zero',
  },
  ConvInteger: {
    infer: (c) => [tensorType('int32', convShape(c, 1, 4))],
    gradient: 'zero',
  },
  MatMulInteger: {
    infer: (c) => [tensorType('int32', matMulShape(c, c.shape(0), c.shape(1)))],
    gradient: 'zero',
  },
};
