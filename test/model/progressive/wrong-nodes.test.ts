// Nodes that are not what their schema allows, through all that takes a stranger's model: each is refused in one line that names the node and what is wrong,
// whatever the opset, and never read as if it were not there.
import { describe, expect, test } from 'vitest';
import { importModel } from '../../../src/model/progressive/import-model.js';
import { grad } from '../../../src/onnx/autodiff/grad.js';
import { PrognetError } from '../../../src/onnx/core/errors.js';
import { float32 } from '../../../src/onnx/core/tensor.js';
import { type Attribute, Graph, Node, Value } from '../../../src/onnx/ir/graph.js';
import { Model } from '../../../src/onnx/ir/model.js';
import { tensorType } from '../../../src/onnx/ir/types.js';
import { verifyModel } from '../../../src/onnx/ops/verify-model.js';
import { quantize } from '../../../src/onnx/precision/quantize.js';
import { fromBinary } from '../../../src/onnx/serde/from-binary.js';
import { toBinary } from '../../../src/onnx/serde/to-binary.js';

const int = (value: number): Attribute => ({ kind: 'int', value: BigInt(value) });
const float = (value: number): Attribute => ({ kind: 'float', value });
const text = (value: string): Attribute => ({ kind: 'string', value: new TextEncoder().encode(value) });
const floats = (...value: number[]): Attribute => ({ kind: 'floats', value });

interface Wrong {
  readonly op: string;
  readonly attributes?: Readonly<Record<string, Attribute>>;
  readonly outputs?: number;
  readonly opset?: number;
}

/** x [N, 4], a dense layer, ReLU, the node "wrong", a dense layer, as the bytes of a file. */
function file({ op, attributes = {}, outputs = 1, opset = 17 }: Wrong): Uint8Array {
  const graph = new Graph('g');
  const weight = (name: string) => {
    const w = new Value(name, tensorType('float32', [4, 4]));
    w.constant = float32(
      Array.from({ length: 16 }, (_, i) => i / 16),
      [4, 4],
    );
    graph.initializers.push(w);
    return w;
  };
  const x = new Value('x', tensorType('float32', ['N', 4]));
  const v = (name: string) => new Value(name);
  const [a, b, d] = [v('a'), v('b'), v('d')];
  const made = Array.from({ length: outputs }, (_, i) => v(`c${i}`));
  graph.inputs = [x];
  graph.nodes = [
    new Node('MatMul', [x, weight('w1')], [a], new Map(), 'first'),
    new Node('Relu', [a], [b], new Map(), 'relu'),
    new Node(op, [b], made, new Map(Object.entries(attributes)), 'wrong'),
    new Node('MatMul', [made[0] ?? null, weight('w2')], [d], new Map(), 'last'),
  ];
  graph.outputs = [d];
  const model = new Model(graph);
  model.opsets = new Map([['', opset]]);
  return toBinary(model);
}

const ways: Readonly<Record<string, (bytes: Uint8Array) => unknown>> = {
  verifyModel: (bytes) => verifyModel(fromBinary(bytes)),
  grad: (bytes) => grad(fromBinary(bytes), { of: 'd', by: ['x'] }),
  'grad, forward mode': (bytes) => grad(fromBinary(bytes), { of: 'd', by: ['x'], mode: 'jvp' }),
  import: (bytes) => importModel(fromBinary(bytes), { task: 't' }, 'm.onnx'),
  'quantize, fp16': (bytes) => quantize(undefined, fromBinary(bytes), { precision: 'fp16' }),
  'quantize, int8-dynamic': (bytes) => quantize(undefined, fromBinary(bytes), { precision: 'int8-dynamic' }),
};

/** The message that refuses; '' for none. */
async function said(way: (bytes: Uint8Array) => unknown, bytes: Uint8Array): Promise<string> {
  try {
    await way(bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(PrognetError);
    const { message } = error as PrognetError;
    expect(message).not.toContain('\n');
    return message;
  }
  return '';
}

describe.each(Object.entries(ways))('%s', (name, way) => {
  // Import names the file.
  const where = name === 'import' ? 'm.onnx: ' : '';
  test.each<Wrong>([
    { op: 'LeakyRelu', attributes: { alpha: float(0.1) } },
    { op: 'Softmax', opset: 12 },
  ])('a right node passes: $op', async (right) => {
    expect(await said(way, file(right))).toBe('');
  });

  test.each<Wrong & { readonly message: string }>([
    { op: 'Softmax', attributes: { axis: float(0) }, message: 'attribute "axis" must be int, it is float' },
    { op: 'Transpose', attributes: { perm: floats(0, 1) }, message: 'attribute "perm" must be ints, it is floats' },
    { op: 'Cast', attributes: { to: text('FLOAT') }, message: 'attribute "to" must be int, it is string' },
    { op: 'LeakyRelu', attributes: { alpha: int(1) }, message: 'attribute "alpha" must be float, it is int' },
    { op: 'Relu', attributes: { slope: float(1) }, message: 'unknown attribute "slope", known are none' },
    { op: 'Relu', outputs: 2, message: 'gives 1 output (Y), the node has 2' },
    { op: 'Softmax', attributes: { axis: float(0) }, opset: 12, message: 'attribute "axis" must be int, it is float' },
    { op: 'Clip', attributes: { min: int(0) }, opset: 9, message: 'attribute "min" must be float, it is int' },
    { op: 'Squeeze', attributes: { axes: floats(0) }, opset: 11, message: 'attribute "axes" must be ints, it is floats' },
    {
      op: 'Clip',
      attributes: { min: float(0) },
      opset: 13,
      message: 'unknown attribute "min", known are none',
    },
    { op: 'Relu', attributes: { slope: float(1) }, opset: 9, message: 'unknown attribute "slope", known are none' },
    { op: 'Relu', outputs: 2, opset: 9, message: 'gives 1 output (Y), the node has 2' },
    {
      op: 'Upsample',
      opset: 13,
      message: 'is deprecated in ai.onnx from opset 10 on, the model has 13: Resize takes its place',
    },
    {
      op: 'Upsample',
      opset: 17,
      message: 'is deprecated in ai.onnx from opset 10 on, the model has 17: Resize takes its place',
    },
  ])('$op of opset $opset: $message', async ({ message, ...wrong }) => {
    expect(await said(way, file(wrong))).toBe(`${where}${wrong.op} "wrong": ${message}`);
  });
});
