// The typed face of the graph builder: a method per op, `g.matMul(a, b)`, `g.gemm(x, w, b, { transB: 1 })`, `g.mul(x, 0.5)`. methods.ts lists the
// methods, typed-builder.ts says what they take. It knows signatures alone: the rules, which themselves build graphs, come from ops.ts.

import { ModelError, must } from '../core/errors.js';
import { Tensor } from '../core/tensor.js';
import { GraphBuilder } from '../ir/builder.js';
import type { Value } from '../ir/graph.js';
import { type AttributeInputs, toAttributes } from './attribute-inputs.js';
import type { Methods, SeveralMethods } from './methods.js';
import { isAttributes, olderAttributes, toInputs } from './operands.js';
import { findSignature, formAt, type MicrosoftOp, microsoftDomain, type OpName } from './signature.js';
import { signatures } from './signatures.js';
import type { OptionalOperand, Results } from './typed-builder.js';

/** The builder of graphs: a method for each op of ai.onnx, beside those of OpsBuilder. */
export type Ops = OpsBuilder & Methods<Value>;

/** What the builder has beside a method for each op. */
export class OpsBuilder extends GraphBuilder {
  /**
   * Adds an op that is named at the run, with any number of outputs. Types do not check its inputs and attributes; a method of the same op does.
   * `outputs` counts them; false in a list leaves an optional one out.
   */
  op(
    opType: OpName,
    operands: readonly OptionalOperand[],
    attributes: AttributeInputs = {},
    outputs: number | readonly boolean[] = 1,
  ): Value[] {
    checkOutputs(opType, this.opset, outputs);
    const { rest, attributes: older } = olderAttributes(opType, this.opset, operands);
    const inputs = toInputs(opType, this.opset, rest, (t) => this.constant(t));
    const written = toAttributes(opType, { ...older, ...attributes }, this.opset);
    return this.node(opType, inputs, written, outputs);
  }

  /** The methods with the first `count` outputs: `const [values, places] = g.outputs(2).topK(x, [5])`. */
  outputs<N extends number>(count: N): SeveralMethods<Results<N>> {
    return several(this, count) as SeveralMethods<Results<N>>;
  }

  /** Adds one of the com.microsoft ops of training artifacts; returns its first output. */
  microsoft(opType: MicrosoftOp, inputs: readonly Value[], attributes: AttributeInputs = {}): Value {
    const converted = toAttributes(opType, attributes, this.opset, microsoftDomain);
    return must(this.node(opType, inputs, converted, 1, microsoftDomain)[0], `output of ${opType}`);
  }

  /** A builder for a subgraph (If branch, Loop body): its own nodes, this one's names and constants. */
  subgraph(name: string): Ops {
    return typed(this.infer, this.opset, this.names, name, this);
  }

  /** A scalar constant of the dtype of `like`, or of the dtype given. A number as an operand is the same where an operand beside it has the dtype. */
  scalar(value: number, like: Value | 'float32' | 'float64' | 'int64' | 'int32'): Value {
    const dtype = typeof like === 'string' ? like : like.dtype;
    return this.constant(Tensor.from(dtype, value));
  }

  /** A constant int64 vector: axes, shapes, starts. A list as an operand is the same where the op wants one. */
  ints(values: readonly number[]): Value {
    return this.constant(Tensor.from('int64', values));
  }
}

function checkOutputs(opType: OpName, opset: number, outputs: number | readonly boolean[]): void {
  const signature = findSignature(opType);
  const known = signature && formAt(signature, opset)?.outputs;
  const asked = typeof outputs === 'number' ? outputs : outputs.length;
  if (known === undefined || asked <= known.length || known.at(-1)?.variadic === true) return;
  const names = known.map(({ name }) => name).join(', ');
  throw new ModelError(`${opType}: has ${known.length} output${known.length === 1 ? '' : 's'} (${names}), asked for ${asked}`, {
    op: opType,
    expected: String(known.length),
    got: String(asked),
  });
}

const methodNames: readonly (readonly [string, OpName])[] = (Object.keys(signatures) as (keyof typeof signatures)[])
  .filter((name): name is OpName => name !== 'Constant' && findSignature(name)?.deprecated === undefined)
  .map((name) => [name === name.toUpperCase() ? name.toLowerCase() : name.charAt(0).toLowerCase() + name.slice(1), name]);

type Call<T> = (of: T, op: OpName, operands: readonly OptionalOperand[], attributes: AttributeInputs | undefined) => unknown;

/**
 * Gives a class a method for each op, which tells the inputs from the attributes after them. An object has a method of its own once it is read: a
 * graph uses few of them.
 */
function withMethods<T extends object>(prototype: T, call: Call<T>): void {
  for (const [method, op] of methodNames) {
    Object.defineProperty(prototype, method, {
      get(this: T) {
        const value = (...args: (OptionalOperand | AttributeInputs)[]) => {
          const last = args.at(-1);
          return isAttributes(last)
            ? call(this, op, args.slice(0, -1) as OptionalOperand[], last as AttributeInputs)
            : call(this, op, args as OptionalOperand[], undefined);
        };
        Object.defineProperty(this, method, { value });
        return value;
      },
    });
  }
}

/** The builder with its methods. */
class TypedBuilder extends OpsBuilder {}
withMethods(TypedBuilder.prototype, (g, op, inputs, attributes) => must(g.op(op, inputs, attributes)[0], `output of ${op}`));

/** The methods of a builder that give the first `count` outputs. */
class Several {
  constructor(
    readonly builder: OpsBuilder,
    readonly count: number,
  ) {}
}
withMethods(Several.prototype, ({ builder, count }, op, inputs, attributes) => builder.op(op, inputs, attributes, count));

function several(builder: OpsBuilder, count: number): object {
  return new Several(builder, count);
}

/** Starts a builder with its methods. */
export function typed(...options: ConstructorParameters<typeof OpsBuilder>): Ops {
  return new TypedBuilder(...options) as Ops;
}
