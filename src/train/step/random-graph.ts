// Random numbers inside a graph, from a counter: the same seed and place give the same number, whatever ran before, which is what makes
// an interrupted run resume bit-identically. ONNX's own RandomUniform has a hidden state.

import { int64 } from '../../onnx/core/tensor.js';
import type { Value } from '../../onnx/ir/graph.js';
import type { Ops } from '../../onnx/ops/ops-builder.js';

/** 2^31 - 1, prime. Products of two residues stay below 2^62, inside int64. */
const P = 2147483647;

/**
 * Uniform [0, 1) float32 in the shape of `like`. `seed` is an int64 scalar of the step, `salt` tells layers apart.
 * Three rounds of x -> (x + a) (x + b) mod P over the element's index; 31 random bits, of which float32 keeps 24.
 */
export function uniformLike(g: Ops, like: Value, seed: Value, salt: number): Value {
  const modulus = g.constant(int64(P));
  const mod = (v: Value) => g.mod(v, modulus);
  const add = (v: Value, n: number) => g.add(v, g.constant(int64(n)));
  const count = g.size(like);
  const index = g.range(g.constant(int64(0)), count, g.constant(int64(1)));
  const key = mod(add(g.mul(mod(seed), g.constant(int64(48271))), salt % P));
  let x = mod(g.add(g.mul(index, g.constant(int64(1103515245))), key));
  for (const c of [12345, 1013904223]) x = mod(g.add(g.mul(x, add(x, c)), key));
  x = mod(g.mul(x, g.constant(int64(16807))));
  return g.reshape(g.mul(g.cast(x, { to: 'float32' }), 1 / (P + 129)), g.shape(like));
}

/** A number for a layer's name. */
export function saltOf(name: string): number {
  let h = 7;
  for (let i = 0; i < name.length; i++) h = (h * 131 + name.charCodeAt(i)) % P;
  return h;
}
