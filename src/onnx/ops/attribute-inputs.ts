// Attributes as callers of the builder write them: numbers, texts, lists, and names for dtypes. The signature says which kind each becomes.

import { type DType, dtypeFromCode, dtypeNames, dtypes } from '../core/dtype.js';
import { InternalError, ModelError, must } from '../core/errors.js';
import { Tensor } from '../core/tensor.js';
import { isDTypeAttribute } from '../ir/dtype-attributes.js';
import { type Attribute, type AttributeKind, Graph } from '../ir/graph.js';
import { findSignature, formAt, newestForm } from './signature.js';

/** An attribute as it is written. */
export type AttributeInput = number | bigint | string | readonly number[] | readonly string[] | Tensor | Graph;
/** Attributes as they are written, by name. */
export type AttributeInputs = Readonly<Record<string, AttributeInput | undefined>>;

interface ListElements {
  readonly number: number;
  readonly string: string;
}

function isListOf<K extends keyof ListElements>(
  input: AttributeInput,
  element: K,
): input is readonly ListElements[K][] & AttributeInput {
  return Array.isArray(input) && input.every((v) => typeof v === element);
}

/** The dtype that is named. */
function toDType(op: string, name: string, input: AttributeInput): DType {
  const found = dtypeNames.find((dtype) => dtype === input);
  if (found !== undefined) return found;
  const numbered = typeof input === 'number' ? dtypeFromCode(input) : undefined;
  throw new ModelError(
    `${op}: attribute "${name}" is the name of a dtype, ${numbered === undefined ? `such as 'float32'` : `'${numbered}'`}, got ${typeof input === 'string' ? `'${input}'` : typeof input === 'object' ? 'an object' : input}`,
    { op, expected: dtypeNames.join(', '), got: String(input) },
  );
}

function toAttribute(op: string, name: string, kind: AttributeKind, input: AttributeInput): Attribute {
  const wrong = () => new ModelError(`${op}: attribute "${name}" must be ${kind}, got ${typeof input}`, { op, expected: kind });
  switch (kind) {
    case 'int':
      if (isDTypeAttribute(name)) return { kind, value: BigInt(dtypes[toDType(op, name, input)].code) };
      if (typeof input !== 'bigint' && !(typeof input === 'number' && Number.isSafeInteger(input))) throw wrong();
      return { kind, value: BigInt(input) };
    case 'float':
      if (typeof input !== 'number') throw wrong();
      return { kind, value: input };
    case 'string':
      if (typeof input !== 'string') throw wrong();
      return { kind, value: new TextEncoder().encode(input) };
    case 'ints':
      if (!isListOf(input, 'number')) throw wrong();
      return { kind, value: input.map(BigInt) };
    case 'floats':
      if (!isListOf(input, 'number')) throw wrong();
      return { kind, value: [...input] };
    case 'strings':
      if (!isListOf(input, 'string')) throw wrong();
      return { kind, value: input.map((s) => new TextEncoder().encode(s)) };
    case 'tensor':
      if (!(input instanceof Tensor)) throw wrong();
      return { kind, value: input };
    case 'graph':
      if (!(input instanceof Graph)) throw wrong();
      return { kind, value: input };
    default:
      throw new InternalError(`attribute kind ${kind} is not offered by the builder (${op}.${name})`);
  }
}

/** The attributes by name; `undefined` leaves one out. Throws ModelError for a name that the op does not have, and for a value of another kind. */
export function toAttributes(opType: string, attributes: AttributeInputs, opset: number, domain = ''): Map<string, Attribute> {
  const signature = must(findSignature(opType, domain), opType);
  const kinds = (formAt(signature, opset) ?? newestForm(signature)).attributes;
  const converted = new Map<string, Attribute>();
  for (const [name, input] of Object.entries(attributes)) {
    if (input === undefined) continue;
    const kind = kinds.get(name)?.kind;
    if (kind === undefined) {
      throw new ModelError(`${opType}: unknown attribute "${name}", known are ${[...kinds.keys()].join(', ') || 'none'}`, {
        op: opType,
      });
    }
    converted.set(name, toAttribute(opType, name, kind, input));
  }
  return converted;
}
