// Random draws. What reads only a shape has no gradient; a draw whose probabilities are an input is refused.
// Specification: onnx/docs/Operators.md.
import { type DType, dtypeFromCode, dtypes } from '../../core/dtype.js';
import { tensorType } from '../../ir/types.js';
import type { NodeContext, OpDef } from '../op-def.js';
import { requireFloat } from './elementwise.js';

export type RandomOp = 'RandomNormal' | 'RandomNormalLike' | 'RandomUniform' | 'RandomUniformLike' | 'Bernoulli' | 'Multinomial';

/** The dtype that an attribute names by its TensorProto number. */
export function dtypeAttribute(c: NodeContext, name: string, fallback: DType): DType {
  const code = c.int(name, dtypes[fallback].code);
  return dtypeFromCode(code) ?? c.fail(`attribute "${name}" is ${code}, which is no dtype`, { got: String(code) });
}

const drawn = { dtype: 'int', seed: 'float' } as const;
const random = (attributes: OpDef['attributes'] & object, like: boolean): OpDef => ({
  versions: [1, 22],
  inputs: like ? 'input' : '',
  outputs: 'output',
  attributes: { ...attributes, ...drawn, ...(like ? {} : { shape: 'ints' }) },
  infer: (c) => [
    like
      ? tensorType(dtypeAttribute(c, 'dtype', c.dtype(0)), c.shape(0))
      : tensorType(dtypeAttribute(c, 'dtype', 'float32'), c.ints('shape')),
  ],
  gradient: 'zero',
});

export const draws: Readonly<Record<RandomOp, OpDef>> = {
  RandomNormal: random({ mean: 'float', scale: 'float' }, false),
  RandomNormalLike: random({ mean: 'float', scale: 'float' }, true),
  RandomUniform: random({ low: 'float', high: 'float' }, false),
  RandomUniformLike: random({ low: 'float', high: 'float' }, true),
  // a sample does not move with its probability; estimators of that gradient are the user's choice
  Bernoulli: {
    versions: [15, 22],
    inputs: 'input',
    outputs: 'output',
    attributes: drawn,
    infer: (c) => {
      requireFloat(c, 0);
      return [tensorType(dtypeAttribute(c, 'dtype', c.dtype(0)), c.shape(0))];
    },
    gradient: 'unsupported',
  },
  // class numbers: integers
  Multinomial: {
    versions: [7, 22],
    inputs: 'input',
    outputs: 'output',
    attributes: { ...drawn, sample_size: 'int' },
    infer: (c) => {
      requireFloat(c, 0);
      return [tensorType(dtypeAttribute(c, 'dtype', 'int32'), [c.shape(0)?.[0] ?? null, c.int('sample_size', 1)])];
    },
    gradient: 'zero',
  },
};
