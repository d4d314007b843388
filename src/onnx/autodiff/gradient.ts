// Differentiation of a graph into standard ONNX ops: reverse mode, and forward mode made of two reverse ones.

import { must, ShapeError } from '../core/errors.js';
import { anObject, either, given, listOf, optional } from '../core/given.js';
import { formatShape, isStatic } from '../core/shape.js';
import { aGraph, aValue, Value } from '../ir/graph.js';
import type { Ops } from '../ops/ops-builder.js';
import { zerosLike } from '../ops/rules/shape-like.js';
import { backpropagate, type OnRule } from './backpropagate.js';

/** What is differentiated by what. */
export interface GradientRequest {
  /** The values to differentiate; usually one scalar loss. */
  readonly of: Value | readonly Value[];
  /** What to differentiate by: inputs, initializers or any values of the graph. */
  readonly by: readonly Value[];
  /** Gradients by `of` (the vector of the vector-Jacobian product), of the same shapes. Where left out: ones, for scalars only. */
  readonly seed?: Value | readonly (Value | undefined)[];
  /** Hears what each rule gives, for passes that want to know what a gradient is of: its nodes do not say it. */
  readonly onRule?: OnRule;
}

/**
 * Appends the gradient of `of` by each of `by` to the builder's graph; returns one value per `by`, of its shape and dtype. A value that
 * `of` does not depend on gets zeros. May be applied to its own results. Throws ModelError that names op and node where an op on the path
 * has no gradient.
 */
export function gradient(g: Ops, request: GradientRequest): Value[] {
  given('gradient', { g, request }, { ...requested, 'request.seed': optional(either(aValue, listOf(optional(aValue)))) });
  const of = severalOf(request.of);
  const seeds = seedsOf(g, of, request.seed);
  const pairs = of.map((v, i) => [v, must(seeds[i], 'seed')] as const);
  const ds = backpropagate(g, [...g.graph.nodes], pairs, request.by, request.onRule);
  return ds.map((d, i) => d ?? zerosLike(g, must(request.by[i], 'value')));
}

/** A vector-Jacobian product. */
export interface VectorRequest {
  /** The values whose Jacobian it is. */
  readonly of: Value | readonly Value[];
  /** What the Jacobian is taken by: inputs, initializers or any values of the graph. */
  readonly by: readonly Value[];
  /** One vector per `of`, of its shape. */
  readonly vectors: Value | readonly Value[];
}

/** Reverse mode: appends the vectors times the Jacobian of `of` by `by`; returns one value per `by`, of its shape. */
export function vjp(g: Ops, request: VectorRequest): Value[] {
  given('vjp', { g, request }, { ...requested, 'request.vectors': values });
  const { of, by, vectors } = request;
  return gradient(g, { of, by, seed: vectors });
}

/** A Jacobian-vector product. */
export interface TangentRequest {
  /** The values whose Jacobian it is. */
  readonly of: Value | readonly Value[];
  /** What the Jacobian is taken by: inputs, initializers or any values of the graph. */
  readonly by: readonly Value[];
  /** Directions: one tangent per `by`, of its shape. */
  readonly tangents: readonly Value[];
}

/**
 * Forward mode: appends the Jacobian of `of` by `by` times the tangents; returns one value per `of`. With u a vector in the space of `of`,
 * u^T J is linear in u and its gradient by u, seeded with the tangents, is J t: so every rule of the op table serves both modes. What the
 * first differentiation leaves that nothing reads is removed by passes/remove-unused.
 */
export function jvp(g: Ops, request: TangentRequest): Value[] {
  given('jvp', { g, request }, { ...requested, 'request.tangents': listOf(aValue) });
  const of = severalOf(request.of);
  const u = of.map((v) => zerosLike(g, v));
  const pulled = gradient(g, { of, by: request.by, seed: u });
  return gradient(g, { of: pulled, by: u, seed: request.tangents });
}

function severalOf<T>(v: Value | readonly T[]): readonly (Value | T)[] {
  return v instanceof Value ? [v] : v;
}

/** True for a shape of one element, which needs no seed. */
export function isScalar(v: Value): boolean {
  return isStatic(v.shape) && v.shape.every((d) => d === 1);
}

function seedsOf(g: Ops, of: readonly Value[], seed: GradientRequest['seed'] = of.map(() => undefined)): readonly Value[] {
  const list = severalOf(seed);
  if (list.length !== of.length) throw new ShapeError(`gradient: ${of.length} outputs need as many seeds, got ${list.length}`);
  return of.map((v, i) => {
    const given = list[i];
    if (given !== undefined) return given;
    if (!isScalar(v)) {
      throw new ShapeError(
        `gradient of "${v.name}": a scalar is needed, its shape is ${formatShape(v.shape)}; give a seed for a vector-Jacobian product`,
      );
    }
    const one = g.scalar(1, v);
    return v.shape?.length === 0 ? one : g.expand(one, v.dims);
  });
}

const values = either(aValue, listOf(aValue));
const requested = { g: anObject, 'g.graph': aGraph, request: anObject, 'request.of': values, 'request.by': listOf(aValue) };
