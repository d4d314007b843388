// The passes that keep every bit, as one.
import { commonSubexpressions } from './common-subexpressions.js';
import { foldConstants } from './fold-constants.js';
import { takeFromConcat } from './fuse/take-from-concat.js';
import { inferShapes } from './infer-shapes.js';
import { joinReshapes } from './join-reshapes.js';
import { type Pass, type PassContext, untilStable } from './pass.js';
import { removeIdentity } from './remove-identity.js';
import { removeUnused } from './remove-unused.js';
import { simplifyArithmetic } from './simplify-arithmetic.js';
import { skipExpand } from './skip-expand.js';
import { takeBranch } from './take-branch.js';

/** For graphs whose weights come in as inputs: every initializer is a constant. */
export const noParameters: PassContext = { parameters: new Set() };

/** Results stay the same bit for bit. Throws ShapeError where a graph does not fit together. */
export const optimise: Pass = untilStable([
  removeUnused,
  inferShapes,
  takeBranch,
  takeFromConcat,
  joinReshapes,
  removeIdentity,
  skipExpand,
  simplifyArithmetic,
  commonSubexpressions,
  foldConstants,
]);
