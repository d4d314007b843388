// All passes in order, again and again until none finds anything: what one removes lets another see more.
import { isFloat } from '../core/dtype.js';
import type { Graph, Value } from '../ir/graph.js';
import { defaultOpset } from '../ir/model.js';
import { commonSubexpressions } from './common-subexpressions.js';
import { foldConstants } from './fold-constants.js';
import { takeFromConcat } from './fuse/take-from-concat.js';
import { inferShapes } from './infer-shapes.js';
import { joinReshapes } from './join-reshapes.js';
import { removeIdentity } from './remove-identity.js';
import { removeUnused } from './remove-unused.js';
import { simplifyArithmetic } from './simplify-arithmetic.js';
import { skipExpand } from './skip-expand.js';

export interface OptimiseOptions {
  /** Initializers that are weights, stay as they are and keep their names; others are constants. Default: all of floats. */
  readonly parameters?: ReadonlySet<Value>;
}

/** For graphs whose weights come in as inputs: every initializer is a constant. */
export const noParameters: OptimiseOptions = { parameters: new Set() };

/** Each pass walks the whole graph, so few rounds do; the bound only keeps a defect from looping for ever. */
const maxRounds = 16;

/**
 * Changes the graph in place, subgraphs included; returns whether it changed. Inputs and outputs keep their names and order, results stay the
 * same bit for bit. `opset`: the ai.onnx version of the model. Throws ShapeError where a graph does not fit together.
 */
export function optimise(graph: Graph, opset: number = defaultOpset, options: OptimiseOptions = {}): boolean {
  const { parameters } = options;
  const named = parameters && new Set([...parameters].filter((v) => v.constant !== undefined && isFloat(v.constant.dtype)));
  const passes: readonly ((g: Graph) => boolean)[] = [
    removeUnused,
    (g) => inferShapes(g, opset),
    takeFromConcat,
    joinReshapes,
    (g) => removeIdentity(g, opset),
    skipExpand,
    (g) => simplifyArithmetic(g, parameters),
    (g) => commonSubexpressions(g, parameters),
    (g) => foldConstants(g, { opset, ...(named && { named }) }),
  ];
  let any = false;
  for (let round = 0; round < maxRounds; round++) {
    let changed = false;
    for (const pass of passes) if (pass(graph)) changed = true;
    if (!changed) break;
    any = true;
  }
  return any;
}
