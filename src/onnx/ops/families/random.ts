// Random draws. What reads only a shape has no gradient; a draw whose probabilities are an input is refused.
// Specification: onnx/docs/Operators.md.
import { type DType, dtypeFromCode, dtypes } from '../../core/dtype.js';
import { tensorType } from '../../ir/types.js';
import type { NodeContext, OpRules } from '../op-def.js';
import type { AttributeName } from '../signature.js';
import { requireFloat } from './elementwise.js';

type RandomOp = 'RandomNormal' | 'RandomNormalLike' | 'RandomUniform' | 'RandomUniformLike' | 'Bernoulli' | 'Multinomial';

/** The dtype that an attribute names by its TensorProto number. */
export function dtypeAttribute(c: NodeContext, name: AttributeName<'int'>, fallback: DType): DType {
  const code = c.int(name, dtypes[fallback].code);
  return dtypeFromCode(code) ?? c.fail(`attribute "${name}" is ${code}, which is no dtype`, { got: String(code) });
}

const random = (like: boolean): OpRules => ({
  infer: (c) => [
    like
      ? tensorType(dtypeAttribute(c, 'dtype', c.dtype(0)), c.shape(0))
      : tensorType(dtypeAttribute(c, 'dtype', 'float32'), c.ints('shape')),
  ],
  gradient: 'zero',
});

export const draws: Readonly<Record<RandomOp, OpRules>> = {
  RandomNormal: { ...random(false), traits: ['random'] },
  RandomNormalLike: { ...random(true), traits: ['random'] },
  RandomUniform: { ...random(false), traits: ['random'] },
  RandomUniformLike: { ...random(true), traits: ['random'] },
  // a sample does not move with its probability; estimators of that gradient are the user's choice
  Bernoulli: {
    traits: ['random'],
    infer: (c) => {
      requireFloat(c, 0);
      return [tensorType(dtypeAttribute(c, 'dtype', c.dtype(0)), c.shape(0))];
    },
    gradient: 'unsupported',
  },
  // class numbers: integers
  Multinomial: {
    traits: ['random'],
    infer: (c) => {
      requireFloat(c, 0);
      return [tensorType(dtypeAttribute(c, 'dtype', 'int32'), [c.shape(0)?.[0] ?? null, c.int('sample_size')])];
    },
    gradient: 'zero',
  },
};
