// What the op table says of one op. Families (elementwise.ts, conv.ts, ...) fill it; table.ts joins them.

import { type Bound, beyond, within } from '../core/bounds.js';
import type { DType } from '../core/dtype.js';
import { type ErrorFields, must, ShapeError } from '../core/errors.js';
import { type Dim, normaliseAxis, type Shape } from '../core/shape.js';
import { Tensor } from '../core/tensor.js';
import { type Attribute, type AttributeKind, type Node, Value } from '../ir/graph.js';
import { formatType, type TensorType, type Type, tensorType } from '../ir/types.js';
import type { Ops } from './ops-builder.js';
import type { View } from './rules/pick.js';
import { type AttributeName, type AttributeSpec, type Form, findSignature, formAt, type Signature } from './signature.js';
import type { Trait } from './traits.js';

/**
 * Computes the gradient of the loss by each input, from the gradients by the outputs. One entry per input; null where no gradient flows.
 * A rule may return a gradient of the broadcast shape: the driver reduces it to the input's shape, checks dtype, and adds up.
 */
export type GradientRule = (c: GradientContext) => readonly (Value | null)[];

/**
 * For ops that are functions of others: the outputs, written out in ops of the table, which the driver differentiates. The forward node
 * stays as it is; what the gradient needs of the expansion is computed beside it.
 */
export interface Expansion {
  readonly expand: (c: GradientContext) => readonly Value[];
}

/** What a family says of an op; its inputs, outputs, attributes and versions stand in its signature. */
export interface OpRules {
  /** The version from which on the rules hold, where it is not the one in force at opset 7. */
  readonly since?: number;
  readonly infer: (c: NodeContext) => readonly (Type | undefined)[];
  /**
   * "zero": piecewise constant or no float path. "unsupported": refused by name when a gradient is asked for. "subgraphs": If, Loop and Scan,
   * which onnx/autodiff/control-flow.ts differentiates.
   */
  readonly gradient: GradientRule | Expansion | 'zero' | 'unsupported' | 'subgraphs';
  /** What passes, precisions and imports may rely on (traits.ts). Default: nothing. */
  readonly traits?: readonly Trait[];
  /** Value of the outputs when all inputs are known. undefined: not for these inputs. */
  readonly fold?: (c: NodeContext, inputs: readonly (Tensor | null)[]) => readonly Tensor[] | undefined;
  /** Of ops that lay the elements of the first input out anew, none of them twice: where they stand in a tensor of those dims. undefined: not known. */
  readonly view?: (c: NodeContext, dims: readonly number[]) => View | undefined;
}

/** An op of the table: its signature and its rules, which hold from opset `since` on. */
export interface OpDef extends OpRules {
  readonly signature: Signature;
  readonly since: number;
}

/** A node as seen by shape inference: attributes with defaults, types of inputs, errors that name the node. */
export class NodeContext {
  constructor(
    readonly node: Node,
    readonly opset: number,
  ) {}

  /** Number of inputs given, left-out ones included. */
  get inputCount(): number {
    return this.node.inputs.length;
  }
  get outputCount(): number {
    return this.node.outputs.length;
  }
  has(i: number): boolean {
    return (this.node.inputs[i] ?? null) !== null;
  }
  /** Input i, which must be there. */
  value(i: number): Value {
    const v = this.node.inputs[i];
    if (v === undefined || v === null) return this.fail(`input ${i} is missing`);
    return v;
  }
  /** Type of input i, which must be a tensor. */
  type(i: number): TensorType {
    const v = this.value(i);
    if (v.type?.kind !== 'tensor') return this.fail(`input ${i} ("${v.name}") must be a tensor, it is ${formatType(v.type)}`);
    return v.type;
  }
  dtype(i: number): DType {
    return this.type(i).dtype;
  }
  /** Shape of input i, undefined when its rank is unknown. */
  shape(i: number): Shape | undefined {
    return this.type(i).shape;
  }
  rank(i: number): number | undefined {
    return this.shape(i)?.length;
  }
  /** The data of input i when it is an initializer or comes from a Constant node. */
  constant(i: number): Tensor | undefined {
    const v = this.node.inputs[i];
    return v === undefined || v === null ? undefined : constantOf(v);
  }
  /** The signature of the op in force at this opset; undefined where there is none. */
  get form(): Form | undefined {
    const signature = findSignature(this.node.opType, this.node.domain);
    return signature === undefined ? undefined : formAt(signature, this.opset);
  }
  /** True when the node states the attribute. */
  states(name: AttributeName<AttributeKind>): boolean {
    return this.node.attributes.has(name);
  }
  /**
   * The attribute, else its default; of attributes without a default `fallback`. One that a later version brought has the default there, which
   * is what the older ones do. Without any the attribute must be there.
   */
  int(name: AttributeName<'int'>, fallback?: number): number {
    const a = this.attribute(name, 'int');
    if (a !== undefined) return Number(a.value);
    return this.number(name, fallback);
  }
  float(name: AttributeName<'float'>, fallback?: number): number {
    return this.attribute(name, 'float')?.value ?? this.number(name, fallback);
  }
  string(name: AttributeName<'string'>, fallback?: string): string {
    const a = this.attribute(name, 'string');
    if (a !== undefined) return new TextDecoder().decode(a.value);
    const value = this.defaultOf(name, fallback);
    return typeof value === 'string' ? value : this.missing(name);
  }
  /** The attribute, else its default, undefined without one. */
  ints(name: AttributeName<'ints'>): number[] | undefined {
    const a = this.attribute(name, 'ints');
    if (a !== undefined) return a.value.map(Number);
    const value = this.defaultOf(name, undefined);
    return Array.isArray(value) ? value.map(Number) : undefined;
  }
  private number(name: string, fallback: number | undefined): number {
    const value = this.defaultOf(name, fallback);
    return typeof value === 'number' ? value : this.missing(name);
  }
  private defaultOf(name: string, fallback: number | string | undefined): AttributeSpec['default'] {
    const { opType, domain } = this.node;
    return this.form?.attributes.get(name)?.default ?? fallback ?? findSignature(opType, domain)?.attributes[name]?.default;
  }
  private attribute<K extends AttributeKind>(name: string, kind: K): Extract<Attribute, { kind: K }> | undefined {
    const a = this.node.attributes.get(name);
    if (a === undefined) return undefined;
    if (!isOf(a, kind)) return this.fail(`attribute "${name}" must be ${kind}, it is ${a.kind}`, { expected: kind, got: a.kind });
    return a;
  }
  private missing(name: string): never {
    return this.fail(`attribute "${name}" is missing`, { expected: name });
  }
  /** Throws ShapeError `Op "node": message`. */
  fail(message: string, fields: ErrorFields = {}): never {
    const { opType: op, name } = this.node;
    throw new ShapeError(`${op}${name === '' ? '' : ` "${name}"`}: ${message}`, { ...fields, op, node: name });
  }
  /** A count that the file gives, which must be within the bound. */
  bounded(bound: Bound, count: number, what: string): number {
    return within(bound, count) ? count : this.fail(`${what}: ${beyond(bound, count)}`, { got: String(count) });
  }
  /** An axis counted from the front of a tensor of `rank`; negative ones count from the end. */
  axis(axis: number, rank: number): number {
    try {
      return normaliseAxis(axis, rank);
    } catch (cause) {
      return this.fail(cause instanceof Error ? cause.message : String(cause), { cause });
    }
  }
  /** A result type with the dtype of input i. */
  like(i: number, shape: readonly Dim[] | undefined): TensorType {
    return tensorType(this.dtype(i), shape);
  }
}

function isOf<K extends AttributeKind>(a: Attribute, kind: K): a is Extract<Attribute, { kind: K }> {
  return a.kind === kind;
}

/** A node as seen by its gradient rule. */
export class GradientContext extends NodeContext {
  constructor(
    node: Node,
    opset: number,
    /** Adds nodes of the gradient. */
    readonly g: Ops,
    private readonly outputGradients: readonly (Value | null)[],
    /** True when the gradient by input i is wanted; a rule may skip the others (return null). */
    readonly needs: (i: number) => boolean,
  ) {
    super(node, opset);
  }
  /** Input i. */
  x(i: number): Value {
    return this.value(i);
  }
  /** Output i of the forward node. */
  y(i = 0): Value {
    const v = this.node.outputs[i];
    return v === undefined ? this.fail(`output ${i} is missing`) : v;
  }
  /** Output i of the forward node, which is asked for when the node left it out. */
  output(i: number, type: Type): Value {
    const { outputs } = this.node;
    const first = must(
      outputs.find((v) => v.name !== ''),
      'output of the node',
    );
    for (let k = outputs.length; k <= i; k++) outputs.push(new Value(''));
    const v = must(outputs[i], 'output');
    if (v.name === '') {
      v.name = this.g.names.unique(`${first.name}/out${i}`);
      v.type = type;
      v.producer = this.node;
    }
    return v;
  }
  /** Gradient by output i; null when the loss does not depend on it. */
  dyOrNull(i: number): Value | null {
    return this.outputGradients[i] ?? null;
  }
  /** Gradient by output i, for rules that run only where it is there (single-output ops: always). */
  dy(i = 0): Value {
    return this.outputGradients[i] ?? this.fail(`internal: gradient by output ${i} is missing`);
  }
}

/** The tensor of a Constant node, whichever of its attributes holds it; none of a sparse one. */
export function tensorOfConstant(node: Node): Tensor | undefined {
  for (const [name, a] of node.attributes) {
    if (a.kind === 'tensor') return a.value;
    if (name === 'value_float' && a.kind === 'float') return Tensor.from('float32', a.value);
    if (name === 'value_floats' && a.kind === 'floats') return Tensor.from('float32', a.value);
    if (name === 'value_int' && a.kind === 'int') return new Tensor('int64', [], BigInt64Array.of(a.value));
    if (name === 'value_ints' && a.kind === 'ints') return new Tensor('int64', [a.value.length], BigInt64Array.from(a.value));
    if (name === 'value_string' && a.kind === 'string') return new Tensor('string', [], [new TextDecoder().decode(a.value)]);
    if (name === 'value_strings' && a.kind === 'strings') {
      const strings = a.value.map((s) => new TextDecoder().decode(s));
      return new Tensor('string', [strings.length], strings);
    }
  }
  return undefined;
}

/** The tensor behind a value when it is known: an initializer that callers cannot override, or a Constant node's. */
export function constantOf(v: Value): Tensor | undefined {
  if (v.constant !== undefined) return v.overridable ? undefined : v.constant;
  const node = v.producer;
  return node?.opType === 'Constant' && (node.domain === '' || node.domain === 'ai.onnx') ? tensorOfConstant(node) : undefined;
}
