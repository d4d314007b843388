// A model from a function: `graph((g) => ({ loss }))`. The builder of ops with parameters and gradients beside its methods; what the function
// returns are the outputs, under their keys.

import { ModelError } from '../core/errors.js';
import { aFunction, anObject, given } from '../core/given.js';
import type { Tensor } from '../core/tensor.js';
import { Value } from '../ir/graph.js';
import type { Model } from '../ir/model.js';
import { ops } from '../ops/ops.js';
import type { Ops } from '../ops/ops-builder.js';
import { gradient } from './gradient.js';

/** The form of a graph. */
export interface GraphOptions {
  /** Of ai.onnx; 17 by default. */
  readonly opset?: number;
  /** Name of the graph. */
  readonly name?: string;
}

/** A value for each of a list's. */
export type Alike<By extends readonly Value[]> = { readonly [I in keyof By]: Value };

/** What the builder of `graph` has beside the ops. */
export interface Differentiable {
  /** A weight: an initializer of this name, which `gradient` may differentiate by. */
  readonly parameter: (name: string, tensor: Tensor) => Value;
  /**
   * The gradients of a scalar by each of `by`, in order and of their shapes. Throws ShapeError where `of` is no scalar, ModelError that names op
   * and node where an op on the path has no gradient.
   */
  readonly gradient: <const By extends readonly Value[]>(of: Value, by: By) => Alike<By>;
}

/** What the function of `graph` is given. */
export type DifferentiableOps = Ops & Differentiable;

/**
 * Builds a model: `const { model } = graph((g) => { const x = g.input('x', 'float32', ['N', 4]); return { y: g.relu(x) }; })`. Throws ModelError
 * where the function returns no outputs, or something that is no value.
 */
export function graph(
  build: (g: DifferentiableOps) => Readonly<Record<string, Value>>,
  options: GraphOptions = {},
): { readonly model: Model } {
  given('graph', { build, options }, { build: aFunction, options: anObject });
  const g = ops(options);
  const differentiable: Differentiable = {
    parameter: (name, tensor) => g.initializer(name, tensor),
    gradient: gradientsIn(g),
  };
  const found: unknown = build(Object.assign(g, differentiable));
  const outputs = typeof found === 'object' && found !== null && !(found instanceof Value) ? Object.entries(found) : [];
  if (outputs.length === 0) throw new ModelError('graph: the function returned no outputs, expected { name: value }');
  for (const [name, value] of outputs) {
    if (!(value instanceof Value))
      throw new ModelError(`graph: the output "${name}" is ${typeof value}, expected a value of the graph`);
    g.output(value, name);
  }
  return { model: g.model() };
}

/** As many gradients as values that they are by, which the overload says. */
function gradientsIn(g: Ops): Differentiable['gradient'] {
  function each<const By extends readonly Value[]>(of: Value, by: By): Alike<By>;
  function each(of: Value, by: readonly Value[]): readonly Value[] {
    return gradient(g, { of, by });
  }
  return each;
}
