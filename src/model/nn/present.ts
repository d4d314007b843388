// Which steps of a sequence are there, and which only fill it up: read off another input of the network.
import { ShapeError } from '../../onnx/core/errors.js';
import { int64 } from '../../onnx/core/tensor.js';
import type { Value } from '../../onnx/ir/graph.js';
import type { Ops } from '../../onnx/ops/ops-builder.js';
import type { TokenTable } from './layer.js';
import type { Size } from './open-size.js';
import { formatSample, sampleDims } from './sample.js';
import { stepNumbers } from './steps.js';

/** In place of a score that does not count: the least number there is, so that none lies below, and a softmax of such alone is of equals. */
export const uncounted = -3.4028234663852886e38;

/**
 * bool [N, steps] of an input of one number for each step of a sequence (0 fills up; of a text the id that pads), or of one for each sample, how many
 * steps it has. Throws ShapeError.
 */
export function presentOf(g: Ops, input: Value, tokens: TokenTable | undefined, sequence: Value): Value {
  const [steps = 1] = sampleDims(sequence);
  const dims = sampleDims(input);
  if (isCount(dims, steps)) {
    if (input.dtype === 'bool') throw unfit(`bool ${formatSample(input)}`, steps);
    const lengths = g.cast(dims.length === 0 ? g.unsqueeze(input, [1]) : input, { to: 'int64' });
    return g.less(stepNumbers(g, sequence, 'int64', 0, 0), lengths);
  }
  if (dims.length !== 1 || dims[0] !== steps) throw unfit(formatSample(input), steps);
  if (tokens !== undefined) return g.not(g.equal(input, g.constant(int64(tokens.padding.id))));
  return input.dtype === 'bool' ? input : g.cast(input, { to: 'bool' });
}

function unfit(got: string, steps: Size): ShapeError {
  const expected = `[${steps}], one for each step, or a number, how many steps there are`;
  return new ShapeError(`its mask is ${got}, expected ${expected}`, { expected, got });
}

/**
 * int64 [N, steps]: 1, 2, ... of the steps of a sequence that are there, bool [N, steps], and 0 of the others, so that the largest is that of the last. Integers, since
 * float16 counts to 2048 alone.
 */
export function placesOf(g: Ops, present: Value, sequence: Value): Value {
  return g.where(present, stepNumbers(g, sequence, 'int64', 1, 0), g.constant(int64(0)));
}

/** A sequence [N,T,F] with 0 in place of what fills it up, which may be anything, no number among it: products would take that along. `present`: bool [N,T]. */
export const onlyPresent = (g: Ops, present: Value, sequence: Value): Value => g.where(g.unsqueeze(present, [2]), sequence, 0);

/** Whether an input of these sizes has one number for each sample, for so many steps. */
const isCount = (dims: readonly Size[], steps: Size): boolean =>
  dims.length === 0 || (dims.length === 1 && dims[0] === 1 && steps !== 1);

/** Whether an input says how many of so many steps a sample has. */
export const countsSteps = (input: Value, steps: Size): boolean => isCount(sampleDims(input), steps) && input.dtype !== 'bool';

/** int32 [N] of the same input: how many steps there are up to the last that is there. Throws as `presentOf`. */
export function lengthsOf(g: Ops, input: Value, tokens: TokenTable | undefined, sequence: Value): Value {
  const [steps = 1] = sampleDims(sequence);
  if (countsSteps(input, steps)) return g.cast(sampleDims(input).length === 0 ? input : g.squeeze(input, [1]), { to: 'int32' });
  const places = placesOf(g, presentOf(g, input, tokens, sequence), sequence);
  return g.cast(g.reduceMax(places, [1], { keepdims: 0 }), { to: 'int32' });
}
