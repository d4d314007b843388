// The joint of a block: the one value that what laterals carry is added to. It is found before anything is lowered: the first layer of the block that
// has a joint (inside a residual too), else the block's input (reference: Rusu et al. 2016, Eq. 1 and 2; our decisions are in docs/decisions.md).
import type { Value } from '../../onnx/ir/graph.js';
import type { Init } from './init.js';
import { sampleDims } from './sample.js';
import { pointwise, type Window } from './window.js';

/**
 * What a lateral must give at a joint, beside the batch: a flat [width]; or an image of `width` channels, as a convolution by this window makes
 * it from images of height and width `size`. `init` is how the lateral's last matrix begins.
 */
export type Joint =
  | { readonly along: 'features'; readonly width: number; readonly init: Init }
  | {
      readonly along: 'image';
      readonly width: number;
      readonly init: Init;
      readonly window: Window;
      readonly size: readonly [number, number];
    };

/** Makes what is to be added at the joint. */
export type Lateral = (joint: Joint) => Value;

/** The joint of a block whose layers have none: its input x itself. Undefined where that is neither flat nor an image. */
export function inputJoint(x: Value): Joint | undefined {
  const [width = 1, h, w, more] = sampleDims(x);
  const init: Init = { kind: 'he_normal' };
  if (more !== undefined || (h !== undefined && w === undefined)) return undefined;
  if (h === undefined || w === undefined) return { along: 'features', width, init };
  return { along: 'image', width, init, window: pointwise, size: [h, w] };
}
