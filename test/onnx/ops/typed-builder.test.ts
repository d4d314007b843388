// What the builder's methods take: misuse is an error of the compiler, marked here, and refused at its line where nobody compiles.
import { describe, expect, expectTypeOf, it } from 'vitest';
import { Tensor } from '../../../src/onnx/core/tensor.js';
import type { Value } from '../../../src/onnx/ir/graph.js';
import { printGraph } from '../../../src/onnx/ir/print.js';
import type { Methods } from '../../../src/onnx/ops/methods.js';
import { ops } from '../../../src/onnx/ops/ops.js';
import type { OpName } from '../../../src/onnx/ops/signature.js';

type MethodName<K extends string> = K extends Uppercase<K> ? Lowercase<K> : Uncapitalize<K>;

function given() {
  const g = ops();
  return { g, x: g.input('x', 'float32', [2, 3]), w: g.input('w', 'float32', [3, 4]), n: g.input('n', 'int64', [3]) };
}

/** The message of what a line throws. */
function refusal(line: (given_: ReturnType<typeof given>) => unknown): string {
  try {
    line(given());
  } catch (error) {
    if (error instanceof Error && error.name !== 'TypeError') return error.message;
    throw error;
  }
  return 'nothing is refused';
}

describe('what does not compile', () => {
  it('too many inputs, too few', () => {
    // @ts-expect-error one input
    expect(refusal(({ g, x }) => g.relu(x, x))).toBe('Relu "Relu": takes 1 inputs (X), got 2');
    // @ts-expect-error two inputs
    expect(refusal(({ g, x }) => g.gemm(x))).toBe('Gemm "Gemm": takes 2 to 3 inputs (A B C?), got 1');
  });

  it('an attribute of another name or kind', () => {
    // @ts-expect-error transB
    expect(refusal(({ g, x, w }) => g.gemm(x, w, { transb: 1 }))).toBe(
      'Gemm: unknown attribute "transb", known are alpha, beta, transA, transB',
    );
    // @ts-expect-error an int
    expect(refusal(({ g, x, w }) => g.gemm(x, w, { transB: 'yes' }))).toBe('Gemm: attribute "transB" must be int, got string');
    // @ts-expect-error an int
    expect(refusal(({ g, x }) => g.softmax(x, { axis: x }))).toBe('Softmax: attribute "axis" must be int, got object');
    expect(refusal(({ g, x }) => g.softmax(x, { axis: 0.5 }))).toBe('Softmax: attribute "axis" must be int, got number');
  });

  it('a required attribute left out', () => {
    // @ts-expect-error kernel_shape
    expect(refusal(({ g, x }) => g.maxPool(x))).toMatch(/^MaxPool "MaxPool": .*kernel_shape/);
    // @ts-expect-error to
    expect(refusal(({ g, x }) => g.cast(x))).toBe('Cast "Cast": attribute "to" is missing');
    // @ts-expect-error axis
    expect(refusal(({ g, x }) => g.concat(x, x))).toBe('Concat "Concat": attribute "axis" is missing');
  });

  it('attributes before the inputs, or twice', () => {
    // @ts-expect-error attributes come last
    expect(refusal(({ g, x, w }) => g.gemm({ alpha: 1 }, x, w))).toBe(
      'Gemm: input "A" is an object; attributes come once, after the inputs; expected a value of the graph, a number or a list of integers',
    );
    expect(refusal(({ g, x, w }) => g.gemm(x, w, { alpha: 1 }, { beta: 1 }))).toBe(
      'Gemm: input "C" is an object; attributes come once, after the inputs; expected a value of the graph, a number or a list of integers',
    );
  });

  it('what is no operand', () => {
    // @ts-expect-error a Tensor
    expect(refusal(({ g }) => g.relu(Tensor.from('float32', 1)))).toBe(
      'Relu: input "X" is a Tensor, which is an operand by g.constant(tensor); expected a value of the graph, a number or a list of integers',
    );
    // @ts-expect-error a text
    expect(refusal(({ g, x }) => g.add(x, 'one'))).toBe(
      'Add: input "B" is a string; expected a value of the graph, a number or a list of integers',
    );
    // @ts-expect-error null
    expect(refusal(({ g, x }) => g.add(null, x))).toBe('Add "Add": input 0 (A) is missing');
  });

  it('an output that an op does not have', () => {
    // @ts-expect-error Relu has one output
    expect(refusal(({ g, x }) => g.outputs(2).relu(x))).toBe('Relu: has 1 output (Y), asked for 2');
  });
});

describe('what compiles', () => {
  it('optional inputs left out before the attributes, or by null', () => {
    const { g, x, w } = given();
    g.output(g.gemm(x, w, { transB: 0 }), 'a');
    g.output(g.gemm(x, w, null, { alpha: 2 }), 'b');
    g.output(g.gemm(x, w, g.initializer('c', Tensor.from('float32', [1, 2, 3, 4]))), 'c_');
    expect(printGraph(g.graph)).toMatchInlineSnapshot(`
      "graph graph (x: float32[2,3], w: float32[3,4], n: int64[3]) -> (a, b, c_)
        a: float32[2,4] = Gemm<transB=0>(x, w)
        b: float32[2,4] = Gemm<alpha=2>(x, w)
        c_: float32[2,4] = Gemm(x, w, float32{1,2,3,4})"
    `);
  });

  it('every op of the table has a method, and no other', () => {
    expectTypeOf<keyof Methods<Value>>().toEqualTypeOf<MethodName<Exclude<OpName, 'Constant'>>>();
  });

  it('several outputs, as many values as are asked for', () => {
    const { g, x } = given();
    const [values, places] = g.outputs(2).topK(x, [1]);
    expectTypeOf(values).toEqualTypeOf<Value>();
    expectTypeOf(g.outputs(x.dims.length).split(x, { axis: 0 })).toEqualTypeOf<Value[]>();
    expect([values.dtype, places.dtype]).toEqual(['float32', 'int64']);
  });
});

describe('numbers and lists', () => {
  it('a number is a scalar of the dtype beside it', () => {
    const { g, x, n } = given();
    g.output(g.mul(x, 0.5), 'half');
    g.output(g.sub(1, x), 'rest');
    g.output(g.add(n, 1), 'next');
    g.output(g.clip(x, 0, 6), 'clipped');
    g.output(g.pow(x, 2), 'square');
    g.output(g.where(g.greater(x, 0), x, 0), 'positive');
    g.output(g.gather(x, 1, { axis: 0 }), 'row');
    expect(printGraph(g.graph)).toMatchInlineSnapshot(`
      "graph graph (x: float32[2,3], w: float32[3,4], n: int64[3]) -> (half, rest, next, clipped, square, positive, row)
        half: float32[2,3] = Mul(x, float32(0.5))
        rest: float32[2,3] = Sub(float32(1), x)
        next: int64[3] = Add(n, int64(1))
        clipped: float32[2,3] = Clip(x, float32(0), float32(6))
        square: float32[2,3] = Pow(x, float32(2))
        Greater/out: bool[2,3] = Greater(x, float32(0))
        positive: float32[2,3] = Where(Greater/out, x, float32(0))
        row: float32[3] = Gather<axis=0>(x, int64(1))"
    `);
  });

  it('a list of integers is an int64 vector where the op wants one', () => {
    const { g, x, n } = given();
    g.output(g.reduceSum(x, [1], { keepdims: 0 }), 'sum');
    g.output(g.reshape(x, [0, -1]), 'shaped');
    g.output(g.slice(x, [0], [1], [1]), 'part');
    g.output(g.concat([1], n, [4, 5], { axis: 0 }), 'joined');
    expect(printGraph(g.graph)).toMatchInlineSnapshot(`
      "graph graph (x: float32[2,3], w: float32[3,4], n: int64[3]) -> (sum, shaped, part, joined)
        sum: float32[2] = ReduceSum<keepdims=0>(x, int64{1})
        shaped: float32[2,3] = Reshape(x, int64{0,-1})
        part: float32[2,1] = Slice(x, int64{0}, int64{1}, int64{1})
        joined: int64[6] = Concat<axis=0>(int64{1}, n, int64{4,5})"
    `);
  });

  it('at older opsets a list is the attribute that the input was', () => {
    const g = ops({ opset: 12 });
    const x = g.input('x', 'float32', [2, 3]);
    g.output(g.reduceSum(x, [1], { keepdims: 0 }), 'sum');
    g.output(g.reduceMax(x, [0, 1]), 'max');
    expect(printGraph(g.graph)).toMatchInlineSnapshot(`
      "graph graph (x: float32[2,3]) -> (sum, max)
        sum: float32[2] = ReduceSum<axes=[1], keepdims=0>(x)
        max: float32[1,1] = ReduceMax<axes=[0,1]>(x)"
    `);
  });

  it('a number whose dtype is open is refused', () => {
    expect(refusal(({ g }) => g.range(0, 5, 1))).toBe(
      `Range: input "start" is the number 0, whose dtype nothing beside it says; expected a value, such as g.scalar(0, 'float32')`,
    );
    expect(refusal(({ g, x }) => g.where(g.greater(x, 0), 1, 0))).toBe(
      `Where: input "X" is the number 1, whose dtype nothing beside it says; expected a value, such as g.scalar(1, 'float32')`,
    );
    expect(refusal(({ g, n }) => g.mul(n, 0.5))).toBe('Mul: input "B" is the number 0.5, but "A" is int64; expected an integer');
    expect(refusal(({ g, x }) => g.quantizeLinear(x, 0.5, 3))).toBe(
      `QuantizeLinear: input "y_zero_point" is the number 3, whose dtype nothing beside it says; expected a value, such as g.scalar(3, 'float32')`,
    );
  });

  it('a list where other numbers may be meant is refused', () => {
    expect(refusal(({ g, x }) => g.add(x, [1, 2, 3]))).toBe(
      'Add: input "B" is a list, which is an int64 vector, but "A" is float32; expected a value, such as g.constant(Tensor.from(dtype, list))',
    );
    expect(refusal(({ g }) => g.relu([1, 2]))).toBe(
      'Relu: input "X" is a list, which is an int64 vector, but this input may have another dtype; expected a value, such as g.constant(Tensor.from(dtype, list))',
    );
    expect(refusal(({ g, x }) => g.resize(x, null, [1, 2]))).toMatch(/^Resize: input "scales" is a list/);
    expect(refusal(({ g, x }) => g.reduceSum(x, [0.5]))).toBe(
      'ReduceSum: input "axes" is a list of number; expected a value of the graph, a number or a list of integers',
    );
  });
});

describe('dtypes', () => {
  it('are names', () => {
    const { g, x } = given();
    g.output(g.cast(x, { to: 'float64' }), 'wide');
    g.output(g.randomNormalLike(x, { dtype: 'float16' }), 'drawn');
    expect(printGraph(g.graph)).toMatchInlineSnapshot(`
      "graph graph (x: float32[2,3], w: float32[3,4], n: int64[3]) -> (wide, drawn)
        wide: float64[2,3] = Cast<to=float64>(x)
        drawn: float16[2,3] = RandomNormalLike<dtype=float16>(x)"
    `);
  });

  it('are no numbers of ONNX', () => {
    // @ts-expect-error a name
    expect(refusal(({ g, x }) => g.cast(x, { to: 1 }))).toBe(`Cast: attribute "to" is the name of a dtype, 'float32', got 1`);
    // @ts-expect-error a dtype
    expect(refusal(({ g, x }) => g.cast(x, { to: 'float' }))).toBe(
      `Cast: attribute "to" is the name of a dtype, such as 'float32', got 'float'`,
    );
  });
});
