// Where layers get their parameters from while they are lowered. The same lowering makes a training step (parameters are values of the
// step), an exported model (initializers) or a count of parameters, by what `parameter` returns.
import type { DType } from '../../onnx/core/dtype.js';
import { must } from '../../onnx/core/errors.js';
import type { Value } from '../../onnx/ir/graph.js';
import type { Ops } from '../../onnx/ops/ops-builder.js';
import type { ParameterInit } from './init.js';

/** A parameter of a column: its name, its shape, how it begins. */
export interface ParameterSpec {
  /** `<task>/<block>/<layer>/weight` */
  readonly name: string;
  /** The type of its elements: float32 when absent; an imported column may have others. */
  readonly dtype?: DType;
  /** Its shape; all sizes are known. */
  readonly shape: readonly number[];
  /** How its values begin. */
  readonly init: ParameterInit;
  /** "statistic": state that no gradient reaches (batch_norm's running mean and variance). */
  readonly role: 'trainable' | 'statistic';
  /** Rows that a minibatch must have for the statistic to be one; left out, one is enough. */
  readonly minRows?: number;
}

export interface LayerScope {
  readonly g: Ops;
  /** Dropout drops and batch_norm uses the minibatch's own statistics. Frozen columns are never lowered so. */
  readonly training: boolean;
  parameter(spec: ParameterSpec): Value;
  /** Several scalars as one column [n, 1], where the scope has them so; undefined: each by `parameter`. */
  scalars?(specs: readonly ParameterSpec[]): Value | undefined;
  /** The value a statistic has after this step. */
  update(name: string, next: Value): void;
  /** Uniform [0, 1) numbers in the shape of `like`, fresh each step; `name` is the layer's. */
  random(name: string, like: Value): Value;
}

/** A scope in inference mode: parameters from a function, nothing updated, nothing random. */
export function inferenceScope(g: Ops, parameter: (spec: ParameterSpec) => Value): LayerScope {
  return { g, training: false, parameter, update: () => {}, random: (_, like) => like };
}

/** Scalar parameters as one column [n, 1]. */
export function scalars(scope: LayerScope, specs: readonly ParameterSpec[]): Value {
  const { g } = scope;
  const own = scope.scalars?.(specs);
  if (own !== undefined) return own;
  const cells = specs.map((spec) => g.reshape(scope.parameter(spec), [1, 1]));
  return must(g.op('Concat', cells, { axis: 0 })[0], 'scalars');
}

/** A parameter that training changes. */
export function trainable(scope: LayerScope, name: string, shape: readonly number[], init: ParameterInit): Value {
  return scope.parameter({ name, shape, init, role: 'trainable' });
}
