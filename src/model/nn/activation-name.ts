// Activations by name, as laterals and the inside of a layer take them: options at their defaults. The layers themselves are in layers/activations.ts.
import type * as z from 'zod';
import { InternalError } from '../../onnx/core/errors.js';
import type { Value } from '../../onnx/ir/graph.js';
import type { Ops } from '../../onnx/ops/ops-builder.js';
import * as list from './layers/activations.js';
import { oneOf } from './schema.js';

type List = typeof list;
/**
 * Names of the layers that compute each value, or each axis, by one function.
 * @useDeclaredType
 */
export type ActivationName = List[keyof List]['definition']['kind'];

interface AnyActivation {
  readonly options: z.ZodType;
  apply(g: Ops, o: unknown, x: Value): Value;
}
const activations = new Map<string, AnyActivation>(Object.values(list).map(({ definition }) => [definition.kind, definition]));

/** An activation by name, its options at their defaults. */
export const activationName = oneOf([...activations.keys()].sort() as ActivationName[]);

/** An activation by name lowered, its options at their defaults. */
export function lowerActivation(g: Ops, name: ActivationName, x: Value): Value {
  const found = activations.get(name);
  if (found === undefined) throw new InternalError(`no activation is called ${name}`);
  return found.apply(g, found.options.parse({}), x);
}
