// Constant folding of elementwise ops: the integer arithmetic of shape computations, and float arithmetic that IEEE 754 rounds exactly
// (+ - * / sqrt), so that a folded graph gives the same bits as the runtime. Transcendental functions are left to the runtime.

import { within } from '../../core/bounds.js';
import type { DType } from '../../core/dtype.js';
import { broadcastShapes, elementCount, isStatic } from '../../core/shape.js';
import { allocate, Tensor } from '../../core/tensor.js';
import type { OpDef } from '../op-def.js';

type Fold = NonNullable<OpDef['fold']>;
type Element = number | bigint;

/** Dtypes whose elements stand in `Tensor.data` as their own values (halves and packed types do not). */
const readable: ReadonlySet<DType> = new Set<DType>(['float32', 'float64', 'int32', 'int64', 'bool']);

/** Strides of a tensor read at the broadcast shape `dims`: 0 along axes that repeat. */
function stridesAt(t: Tensor, dims: readonly number[]): number[] {
  const lead = dims.length - t.dims.length;
  const strides = dims.map(() => 0);
  let step = 1;
  for (let i = t.dims.length - 1; i >= 0; i--) {
    const d = t.dims[i] ?? 1;
    strides[i + lead] = d === 1 ? 0 : step;
    step *= d;
  }
  return strides;
}

/** Applies `f` to the broadcast elements of the inputs. undefined when an input is unknown, not readable, or `f` gives no value. */
export function foldElements(
  inputs: readonly (Tensor | null)[],
  dtype: DType,
  f: (elements: readonly Element[]) => Element | boolean | undefined,
): [Tensor] | undefined {
  const tensors: Tensor[] = [];
  for (const t of inputs) {
    if (t === null || !readable.has(t.dtype)) return undefined;
    tensors.push(t);
  }
  const dims = tensors.map((t): readonly (number | string | null)[] => t.dims).reduce(broadcastShapes);
  if (!isStatic(dims)) return undefined;
  const strides = tensors.map((t) => stridesAt(t, dims));
  const count = elementCount(dims);
  if (!within('constant', count) && tensors.every((t) => t.size < count)) return undefined;
  const data = allocate(dtype, count);
  const elements: Element[] = tensors.map(() => 0);
  for (let i = 0; i < count; i++) {
    tensors.forEach((t, k) => {
      let rest = i;
      let at = 0;
      for (let axis = dims.length - 1; axis >= 0; axis--) {
        const d = dims[axis] ?? 1;
        at += (rest % d) * (strides[k]?.[axis] ?? 0);
        rest = Math.floor(rest / d);
      }
      elements[k] = t.data[at] as Element;
    });
    const v = f(elements);
    if (v === undefined) return undefined;
    data[i] = dtype === 'int64' ? BigInt(v) : Number(v);
  }
  return [new Tensor(dtype, dims, data)];
}

/** Folding of arithmetic: on int64 and int32 with wrap-around, on float32 and float64. A missing function: not folded for that kind. */
export function foldArithmetic(kernels: {
  readonly int?: (...x: bigint[]) => bigint | undefined;
  readonly float?: (...x: number[]) => number;
}): Fold {
  const { int, float } = kernels;
  return (c, inputs) => {
    const dtype = c.dtype(0);
    if (dtype === 'int64' || dtype === 'int32') {
      if (int === undefined) return undefined;
      const bits = dtype === 'int64' ? 64 : 32;
      return foldElements(inputs, dtype, (x) => {
        const v = int(...x.map(BigInt));
        return v === undefined ? undefined : BigInt.asIntN(bits, v);
      });
    }
    if (float === undefined || (dtype !== 'float32' && dtype !== 'float64')) return undefined;
    return foldElements(inputs, dtype, (x) => float(...x.map(Number)));
  };
}

/** Folding of a comparison or a logical op to bool. */
export function foldToBool(f: (...x: Element[]) => boolean): Fold {
  return (_c, inputs) => foldElements(inputs, 'bool', (x) => f(...x));
}
