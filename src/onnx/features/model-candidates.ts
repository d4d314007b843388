// The candidates of a model as it comes from a file: functions inlined, older forms brought up, types inferred, on a copy without the file's weights
// being touched. What cannot be brought up is looked at as it stands.
import { ModelError, ShapeError } from '../core/errors.js';
import type { Value } from '../ir/graph.js';
import { cloneModel, type Model } from '../ir/model.js';
import { inferShapes } from '../passes/infer-shapes.js';
import { inlineFunctions } from '../passes/inline-functions.js';
import { modernise } from '../passes/modernise.js';
import { type TapCandidate, tapCandidates } from './candidates.js';

/** In the order of their depth; `scores` names where the graph is left, by default its outputs. */
export function modelCandidates(model: Model, scores?: readonly string[]): TapCandidate[] {
  const copy = readable(model);
  const values = new Map<string, Value>();
  for (const node of copy.graph.nodes) for (const v of node.outputs) values.set(v.name, v);
  return tapCandidates(
    copy.graph,
    scores?.flatMap((name) => values.get(name) ?? []),
  );
}

/** With the most that can be known of its types. */
function readable(model: Model): Model {
  for (const pass of [modernise, inlineFunctions]) {
    const copy = cloneModel(model);
    try {
      pass(copy);
      inferShapes(copy.graph, { opset: copy.opset });
      return copy;
    } catch (error) {
      if (!(error instanceof ModelError || error instanceof ShapeError)) throw error;
    }
  }
  return cloneModel(model);
}
