// What a method of the builder takes, computed from the op's signature: `g.gemm(x, w, { transB: 1 })` compiles, `{ transb: 1 }` does not. Types
// alone; ops.ts makes the methods, operands.ts and attribute-inputs.ts read what they are called with.

import type { DType } from '../core/dtype.js';
import type { Tensor } from '../core/tensor.js';
import type { DTypeAttribute } from '../ir/dtype-attributes.js';
import type { Graph, SparseTensor, Value } from '../ir/graph.js';
import type { Type } from '../ir/types.js';
import type { signatures } from './signatures.js';

/** A value; a number, which is a scalar of the dtype of the tensor beside it; a list of integers, which is an int64 vector. */
export type Operand = Value | number | readonly number[];
/** An input that may be left out, by null as well. */
export type OptionalOperand = Operand | null | undefined;

/** How an attribute of each kind is written. */
interface Written {
  readonly int: number | bigint;
  readonly float: number;
  readonly string: string;
  readonly tensor: Tensor;
  readonly graph: Graph;
  readonly sparse_tensor: SparseTensor;
  readonly type: Type;
  readonly ints: readonly number[];
  readonly floats: readonly number[];
  readonly strings: readonly string[];
}

type Signatures = typeof signatures;

type WrittenAs<A, N> = N extends DTypeAttribute
  ? DType
  : A extends { readonly kind: infer K extends keyof Written }
    ? Written[K]
    : never;
type NeededNames<A> = { [N in keyof A]: A[N] extends { readonly required: true } ? N : never }[keyof A];
type AttributesOf<A> = { readonly [N in NeededNames<A>]: WrittenAs<A[N], N> } & {
  readonly [N in Exclude<keyof A, NeededNames<A>>]?: WrittenAs<A[N], N> | undefined;
} extends infer All
  ? { [N in keyof All]: All[N] }
  : never;

/** `A B C?`, attributes that may be left out: an optional input's place may hold the attributes. */
type Free<Names extends string, A> = Names extends ''
  ? [attributes?: A]
  : Names extends `${infer First} ${infer Rest}`
    ? FreeStep<First, Rest, A>
    : FreeStep<Names, '', A>;
type FreeStep<First extends string, Rest extends string, A> = First extends `${string}*${string}`
  ? [...inputs: OptionalOperand[]] | [...inputs: OptionalOperand[], attributes: A]
  : First extends `${string}?`
    ? [input?: OptionalOperand | A, ...Free<Rest, A>]
    : [input: Operand, ...Free<Rest, A>];

/** `A B C?` before attributes that must be there, or where there are none: a form for each number of inputs. */
type Fixed<Names extends string, Last extends readonly unknown[], Given extends readonly unknown[] = []> = Names extends ''
  ? [...Given, ...Last]
  : Names extends `${infer First} ${infer Rest}`
    ? FixedStep<First, Rest, Last, Given>
    : FixedStep<Names, '', Last, Given>;
type FixedStep<
  First extends string,
  Rest extends string,
  Last extends readonly unknown[],
  Given extends readonly unknown[],
> = First extends `${string}*${string}`
  ? [...Given, ...inputs: OptionalOperand[], ...Last]
  : First extends `${string}?`
    ? [...Given, ...Last] | Fixed<Rest, Last, [...Given, input: OptionalOperand]>
    : Fixed<Rest, Last, [...Given, input: Operand]>;

interface Signature {
  readonly inputs: string;
  readonly attributes: object;
}
type Arguments<S extends Signature> = keyof S['attributes'] extends never
  ? Fixed<S['inputs'], []>
  : [NeededNames<S['attributes']>] extends [never]
    ? Free<S['inputs'], AttributesOf<S['attributes']>>
    : Fixed<S['inputs'], [attributes: AttributesOf<S['attributes']>]>;

/** The method of one op: inputs, then the attributes. */
export type Method<Op extends keyof Signatures, Result> = (...args: Arguments<Signatures[Op]>) => Result;

/** `N` values, or a list where the number is not known before the run. */
export type Results<N extends number, Found extends readonly Value[] = []> = number extends N
  ? Value[]
  : Found['length'] extends N
    ? Found
    : Results<N, readonly [...Found, Value]>;
