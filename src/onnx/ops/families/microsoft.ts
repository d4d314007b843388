// The ops of domain com.microsoft that ONNX Runtime's training artifacts are made of; nothing else from that domain is ever emitted, and
// none has a gradient. Specification: onnxruntime, docs/ContribOperators.md and orttraining's op definitions.
import { type DType, isFloat } from '../../core/dtype.js';
import { formatType, type Type, tensorType } from '../../ir/types.js';
import type { NodeContext, OpRules } from '../op-def.js';
import type { MicrosoftOp } from '../signature.js';

/** Input i must be a sequence of tensors of one dtype. */
function sequence(c: NodeContext, i: number): Type {
  const { type, name } = c.value(i);
  if (type?.kind !== 'sequence' || type.element?.kind !== 'tensor') {
    return c.fail(`input ${i} ("${name}") must be a sequence of tensors, it is ${formatType(type)}`, {
      expected: 'a sequence of tensors',
      got: formatType(type),
    });
  }
  return type;
}

function single(c: NodeContext, i: number, dtype: DType): void {
  const type = c.type(i);
  const shape = type.shape;
  if (type.dtype === dtype && (shape === undefined || (shape.length <= 1 && (shape[0] ?? 1) === 1))) return;
  c.fail(`input ${i} must be ${dtype}[1], it is ${formatType(type)}`, { expected: `${dtype}[1]`, got: formatType(type) });
}

function sequences(c: NodeContext, ...indices: readonly number[]): void {
  for (const i of indices) sequence(c, i);
}

export const microsoft: Readonly<Record<MicrosoftOp, OpRules>> = {
  // buffer = overwrite ? value : buffer + value, in place
  InPlaceAccumulatorV2: {
    infer: (c) => {
      const [buffer, value] = [c.type(0), c.type(1)];
      const fits =
        isFloat(buffer.dtype) && buffer.dtype === value.dtype && buffer.shape?.join() === (value.shape ?? buffer.shape)?.join();
      if (!fits) {
        const got = `${formatType(buffer)} and ${formatType(value)}`;
        c.fail(`buffer and value must have one float type, they are ${got}`, { expected: formatType(buffer), got });
      }
      if (c.has(2)) single(c, 2, 'bool');
      return [tensorType('bool', [1]), buffer];
    },
    gradient: 'unsupported',
  },
  // all gradients scaled by min(1, max_norm / (norm + 1e-6)), in place
  InplaceClipGradNorm: {
    infer: (c) => [sequence(c, 0)],
    gradient: 'unsupported',
  },
  // m = alpha m + (1 - alpha) g, v = beta v + (1 - beta) g^2, then a step of AdamW: adam_mode 0 as torch.optim, 1 as Hugging Face
  AdamWOptimizer: {
    infer: (c) => {
      single(c, 0, 'float32');
      single(c, 1, 'int64');
      sequences(c, 2, 3, 4, 5);
      return [tensorType('bool', [1]), sequence(c, 2), sequence(c, 4), sequence(c, 5)];
    },
    gradient: 'unsupported',
  },
  // p = p - lr g. Its kernel gives a scalar flag, though the Python tool declares [1]; the wasm runtime dies of that.
  SGDOptimizerV2: {
    infer: (c) => {
      single(c, 0, 'float32');
      sequences(c, 1, 2);
      return [tensorType('bool', []), sequence(c, 1)];
    },
    gradient: 'unsupported',
  },
};
