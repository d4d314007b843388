// The joint of a block: the one value that what laterals carry is added to. It is found before anything is lowered: the first layer of the block that
// has a joint (inside a residual too), else the block's input (reference: Rusu et al. 2016, Eq. 1 and 2; our decisions are in docs/decisions.md).
import type { Value } from '../../onnx/ir/graph.js';
import type { Init } from './init.js';
import type { Size } from './open-size.js';
import { type Layout, layoutOf, positionsOf, sampleDims } from './sample.js';
import { pointwise, type Window } from './window.js';

/**
 * What a lateral must give at a joint, beside the batch: a flat [width]; [width, ...], as a convolution by this window makes it of `size` positions
 * along each axis; or [...size, width], each position by itself. `init` is how the lateral's last matrix begins, `like` a value of the same layout that has these
 * positions, where their sizes are open.
 */
export type Joint =
  | { readonly along: 'features'; readonly width: number; readonly init: Init }
  | {
      readonly along: 'positions';
      readonly layout: 'channels-first';
      readonly width: number;
      readonly init: Init;
      readonly window: Window;
      readonly size: readonly Size[];
      readonly like?: Value;
    }
  | {
      readonly along: 'positions';
      readonly layout: 'channels-last';
      readonly width: number;
      readonly init: Init;
      readonly size: readonly Size[];
      readonly like?: Value;
    };

/** Makes what is to be added at the joint. */
export type Lateral = (joint: Joint) => Value;

/** The joint of a block whose layers have none: its input x itself. */
export function inputJoint(x: Value, said: Layout | undefined): Joint {
  const { channels: width, size } = positionsOf(sampleDims(x), said);
  const init: Init = { kind: 'he_normal' };
  if (size.length === 0) return { along: 'features', width, init };
  const layout = layoutOf(said);
  if (layout === 'channels-last') return { along: 'positions', layout, width, init, size, like: x };
  return { along: 'positions', layout, width, init, window: pointwise(size.length), size, like: x };
}
