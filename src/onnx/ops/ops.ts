// The typed face of the graph builder: a method per op of the table, `g.matMul(a, b)`, `g.gemm(x, w, b, { transB: 1 })`.
import { InternalError, ModelError, must } from '../core/errors.js';
import { type Tensor, Tensor as TensorClass } from '../core/tensor.js';
import { GraphBuilder, Names } from '../ir/builder.js';
import { type Attribute, type AttributeKind, Graph, Value } from '../ir/graph.js';
import { defaultOpset } from '../ir/model.js';
import { type MicrosoftOp, microsoftDomain } from './families/microsoft.js';
import { inferTypes } from './infer.js';
import { findSignature, formAt, newestForm } from './signature.js';
import { type OpName, table } from './table.js';

/** An attribute as callers write it; the op table tells which kind it becomes. */
export type AttributeInput = number | bigint | string | readonly number[] | readonly string[] | Tensor | Graph;
export type AttributeInputs = Readonly<Record<string, AttributeInput | undefined>>;
type OpArgument = Value | null | undefined | AttributeInputs;

/** `Gemm` to `gemm`, `LSTM` to `lstm`, `MatMul` to `matMul`. */
export type MethodName<K extends string> = K extends Uppercase<K> ? Lowercase<K> : Uncapitalize<K>;

/** Inputs, then optionally the attributes; returns the first output. Constants are made by the builder's own `constant`. */
export type OpMethods = { readonly [K in Exclude<OpName, 'Constant'> as MethodName<K>]: (...args: OpArgument[]) => Value };
export type Ops = OpsBuilder & OpMethods;

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

function toAttribute(op: string, name: string, kind: AttributeKind, input: AttributeInput): Attribute {
  const wrong = () => new ModelError(`${op}: attribute "${name}" must be ${kind}, got ${typeof input}`, { op, expected: kind });
  switch (kind) {
    case 'int':
      if (typeof input !== 'number' && typeof input !== 'bigint') throw wrong();
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
      if (!(input instanceof TensorClass)) throw wrong();
      return { kind, value: input };
    case 'graph':
      if (!(input instanceof Graph)) throw wrong();
      return { kind, value: input };
    default:
      throw new InternalError(`attribute kind ${kind} is not offered by the builder (${op}.${name})`);
  }
}

function toAttributes(opType: string, attributes: AttributeInputs, opset: number, domain = ''): Map<string, Attribute> {
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

export class OpsBuilder extends GraphBuilder {
  /** Adds an op of the table with any number of outputs. */
  op(
    opType: OpName,
    inputs: readonly (Value | null | undefined)[],
    attributes: AttributeInputs = {},
    outputs: number | readonly boolean[] = 1,
  ): Value[] {
    return this.node(opType, inputs, toAttributes(opType, attributes, this.opset), outputs);
  }

  /** Adds one of the com.microsoft ops of training artifacts; returns its first output. */
  microsoft(opType: MicrosoftOp, inputs: readonly Value[], attributes: AttributeInputs = {}): Value {
    const converted = toAttributes(opType, attributes, this.opset, microsoftDomain);
    return must(this.node(opType, inputs, converted, 1, microsoftDomain)[0], `output of ${opType}`);
  }

  /** A builder for a subgraph (If branch, Loop body): its own nodes, this one's names and constants. */
  subgraph(name: string): Ops {
    return withMethods(new OpsBuilder(this.infer, this.opset, this.names, name, this));
  }

  /** A scalar constant of the dtype of `like`, or of the dtype given. */
  scalar(value: number, like: Value | 'float32' | 'float64' | 'int64' | 'int32'): Value {
    const dtype = typeof like === 'string' ? like : like.dtype;
    return this.constant(TensorClass.from(dtype, value));
  }

  /** A constant int64 vector: axes, shapes, starts. */
  ints(values: readonly number[]): Value {
    return this.constant(TensorClass.from('int64', values));
  }
}

const methodNames = new Map<string, OpName>();
for (const name of Object.keys(table) as OpName[]) {
  if (name === 'Constant') continue;
  methodNames.set(name === name.toUpperCase() ? name.toLowerCase() : name.charAt(0).toLowerCase() + name.slice(1), name);
}

function withMethods(builder: OpsBuilder): Ops {
  for (const [method, op] of methodNames) {
    Object.defineProperty(builder, method, {
      value: (...args: OpArgument[]): Value => {
        const last = args.at(-1);
        const isAttributes = last !== null && last !== undefined && !(last instanceof Value);
        const inputs = (isAttributes ? args.slice(0, -1) : args) as (Value | null | undefined)[];
        return must(builder.op(op, inputs, isAttributes ? last : {})[0], `output of ${op}`);
      },
    });
  }
  return builder as Ops;
}

/** Starts a graph. `const g = ops({ opset: 17 }); const y = g.gemm(x, w, b);` */
export function ops(options: { opset?: number; name?: string; names?: Names; graph?: Graph } = {}): Ops {
  return withMethods(
    new OpsBuilder(
      inferTypes,
      options.opset ?? defaultOpset,
      options.names ?? new Names(),
      options.graph ?? options.name ?? 'graph',
    ),
  );
}
