// What the verifier refuses beside signatures because ONNX Runtime does not load it: each model is given to both, and so is a right neighbour.
import * as ort from 'onnxruntime-node';
import { expect, test } from 'vitest';
import { float32 } from '../../../src/onnx/core/tensor.js';
import { type Attribute, Graph, Node, Value } from '../../../src/onnx/ir/graph.js';
import { Model } from '../../../src/onnx/ir/model.js';
import { type Type, tensorType } from '../../../src/onnx/ir/types.js';
import { verifyModel } from '../../../src/onnx/ops/verify-model.js';
import { fromBinary } from '../../../src/onnx/serde/from-binary.js';
import { toBinary } from '../../../src/onnx/serde/to-binary.js';

const bytesOf = (text: string) => new TextEncoder().encode(text);
const int = (value: number): Attribute => ({ kind: 'int', value: BigInt(value) });
const ints = (...value: number[]): Attribute => ({ kind: 'ints', value: value.map(BigInt) });
const text = (value: string): Attribute => ({ kind: 'string', value: bytesOf(value) });
const strings = (...value: string[]): Attribute => ({ kind: 'strings', value: value.map(bytesOf) });
const f = (...shape: (number | null)[]): Type => tensorType('float32', shape);
const i64 = (...shape: (number | null)[]): Type => tensorType('int64', shape);

interface Case {
  readonly op: string;
  readonly inputs: readonly (Type | null)[];
  readonly attributes?: Readonly<Record<string, Attribute>>;
  readonly outputs?: number;
  readonly opset?: number;
  readonly domain?: string;
}

function modelOf({ op, inputs, attributes = {}, outputs = 1, opset = 18, domain = '' }: Case): Model {
  const graph = new Graph('g');
  const values = inputs.map((type, k) => (type === null ? null : new Value(`x${k}`, type)));
  graph.inputs = values.filter((v) => v !== null);
  graph.outputs = Array.from({ length: outputs }, (_, k) => new Value(`y${k}`));
  graph.nodes = [new Node(op, values, graph.outputs, new Map(Object.entries(attributes)), 'n', domain)];
  const model = new Model(graph);
  model.irVersion = opset > 20 ? 11 : 8;
  model.opsets = new Map([['', opset]]);
  if (domain !== '') model.opsets.set(domain, 5);
  return model;
}

function verified(model: Model): string {
  try {
    verifyModel(model);
    return 'passes';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function loads(model: Model): Promise<boolean> {
  try {
    const options = { graphOptimizationLevel: 'disabled', logSeverityLevel: 4, intraOpNumThreads: 1 } as const;
    await (await ort.InferenceSession.create(toBinary(model), options)).release();
    return true;
  } catch {
    return false;
  }
}

const image = f(1, 1, 4, 4);
const lstm = [f(2, 3, 4), f(1, 20, 4), f(1, 20, 5)];
const grams = {
  min_gram_length: int(1),
  max_gram_length: int(2),
  max_skip_count: int(0),
  mode: text('TF'),
  ngram_counts: ints(0, 2),
  ngram_indexes: ints(0, 1, 2),
  pool_int64s: ints(1, 2, 1, 2),
};

/** What both take, what both refuse, and how the verifier says so. */
const rows: readonly (readonly [Case, Case, string])[] = [
  [
    { op: 'Cast', inputs: [f(2)], attributes: { to: int(7) }, opset: 19 },
    { op: 'Cast', inputs: [f(2)], attributes: { to: int(7), saturate: int(0) }, opset: 19 },
    'Cast "n": attribute "saturate" is for casts to float8 alone, this one is to int64',
  ],
  [
    { op: 'QuantizeLinear', inputs: [f(2), f(), tensorType('uint8', [])], attributes: { output_dtype: int(2) }, opset: 21 },
    { op: 'QuantizeLinear', inputs: [f(2), f(), tensorType('uint8', [])], attributes: { output_dtype: int(3) }, opset: 21 },
    'QuantizeLinear "n": output_dtype is int8, y_zero_point is uint8: they must be one',
  ],
  [
    { op: 'Resize', inputs: [image, null, null, i64(4)] },
    { op: 'Resize', inputs: [image, null, null, i64(3)] },
    'Resize "n": sizes names 3 axes, there are 4',
  ],
  [
    { op: 'Resize', inputs: [image, null, null, i64(2)], attributes: { axes: ints(2, 3) } },
    { op: 'Resize', inputs: [image, null, null, i64(null)], attributes: { axes: ints(2, 3) } },
    'Resize "n": how many sizes there are is not known, ONNX Runtime needs it',
  ],
  [
    { op: 'Resize', inputs: [image, null, null, i64(4)], attributes: { keep_aspect_ratio_policy: text('not_larger') } },
    { op: 'Resize', inputs: [image, null, f(4)], attributes: { keep_aspect_ratio_policy: text('not_larger') } },
    'Resize "n": keep_aspect_ratio_policy goes with sizes, scales are given',
  ],
  [
    { op: 'Resize', inputs: [image, null, f(4)], attributes: { mode: text('linear'), nearest_mode: text('down') } },
    { op: 'Resize', inputs: [image, null, f(4)], attributes: { mode: text('nearest'), nearest_mode: text('down') } },
    'Resize "n": attribute "nearest_mode" is "down", expected one of round_prefer_floor, round_prefer_ceil, floor, ceil',
  ],
  [
    { op: 'Conv', inputs: [image, image], attributes: { auto_pad: text('NOTSET'), pads: ints(0, 0, 0, 0) } },
    { op: 'Conv', inputs: [image, image], attributes: { auto_pad: text('VALID'), pads: ints(0, 0, 0, 0) } },
    'Conv "n": it has both auto_pad VALID and pads',
  ],
  [
    { op: 'ConvTranspose', inputs: [image, image], attributes: { auto_pad: text('VALID') } },
    { op: 'ConvTranspose', inputs: [image, image], attributes: { auto_pad: text('VALID'), pads: ints(0, 0, 0, 0) } },
    'ConvTranspose "n": it has both auto_pad VALID and pads',
  ],
  [
    { op: 'MaxPool', inputs: [f(2, 3, 4)], attributes: { kernel_shape: ints(1) } },
    { op: 'MaxPool', inputs: [f(2, 3)], attributes: { kernel_shape: ints() } },
    'MaxPool "n": X has rank 2, expected 3 or more',
  ],
  [
    { op: 'Col2Im', inputs: [f(1, 4, 4), i64(2), i64(2)] },
    { op: 'Col2Im', inputs: [f(1, 4, 4), i64(2), i64(3)] },
    'Col2Im "n": image_shape names 2 axes, block_shape 3',
  ],
  [
    { op: 'Col2Im', inputs: [f(1, 4, 4), i64(2), i64(2)], attributes: { strides: ints(1, 1) } },
    { op: 'Col2Im', inputs: [f(1, 4, 4), i64(2), i64(2)], attributes: { strides: ints(1, 1, 1) } },
    'Col2Im "n": strides must fit 2 axes, got 3',
  ],
  [
    { op: 'LSTM', inputs: lstm, attributes: { hidden_size: int(5), activations: strings('Sigmoid', 'Tanh', 'Tanh') } },
    { op: 'LSTM', inputs: lstm, attributes: { hidden_size: int(5), activations: strings('Sigmoid', 'Tanh') } },
    'LSTM "n": activations names 2 functions, expected 3',
  ],
  [
    { op: 'LSTM', inputs: lstm, attributes: { hidden_size: int(5), activations: strings('sigmoid', 'tanh', 'relu') } },
    { op: 'LSTM', inputs: lstm, attributes: { hidden_size: int(5), activations: strings('Sigmoid', 'Tanh', 'Mish') } },
    'LSTM "n": no activation function "Mish" is known',
  ],
  [
    { op: 'TfIdfVectorizer', inputs: [i64(4)], attributes: grams },
    { op: 'TfIdfVectorizer', inputs: [i64(4)], attributes: { ...grams, max_gram_length: int(3) } },
    'TfIdfVectorizer "n": ngram_counts names 2 lengths, max_gram_length is 3',
  ],
  [
    { op: 'TfIdfVectorizer', inputs: [i64(4)], attributes: grams },
    { op: 'TfIdfVectorizer', inputs: [i64(4)], attributes: { ...grams, pool_int64s: ints() } },
    'TfIdfVectorizer "n": it has neither pool_int64s nor pool_strings',
  ],
  [
    { op: 'SequenceConstruct', inputs: [f(2), f(2)] },
    { op: 'SequenceConstruct', inputs: [f(2), null, f(2)] },
    'SequenceConstruct "n": input 1 (inputs) is missing',
  ],
  [{ op: 'Optional', inputs: [f(2)] }, { op: 'Optional', inputs: [null] }, 'Optional "n": it has neither input nor type'],
  [
    { op: 'TensorScatter', inputs: [f(2, 1, 4, 5), f(2, 1, 1, 5)], attributes: { axis: int(2) }, opset: 24 },
    { op: 'TensorScatter', inputs: [f(2, 1, 4, 5), f(2, 1, 1, 5)], attributes: { axis: int(3) }, opset: 24 },
    'TensorScatter "n": update is [2,1,1,5], past_cache [2,1,4,5]: they differ in more than axis 3',
  ],
  [
    { op: 'Dropout', inputs: [f(2)], outputs: 2, opset: 9 },
    { op: 'Dropout', inputs: [i64(2)], outputs: 2, opset: 9 },
    'Dropout "n": input 0 must be floating-point, it is int64[2]',
  ],
  [
    { op: 'Split', inputs: [f(4)], outputs: 2, attributes: { num_outputs: int(2) } },
    { op: 'Split', inputs: [f(4)], outputs: 2 },
    'Split "n": it has neither split nor num_outputs',
  ],
  [
    { op: 'MaxPool', inputs: [image], attributes: { kernel_shape: ints(2, 2), storage_order: int(1) } },
    { op: 'MaxPool', inputs: [image], attributes: { kernel_shape: ints(2, 2), storage_order: int(2) } },
    'MaxPool "n": attribute "storage_order" is 2, expected 0 to 1',
  ],
  [
    { op: 'Upsample', inputs: [f(1, 2)], attributes: { scales: { kind: 'floats', value: [1, 2] } }, opset: 7 },
    { op: 'Upsample', inputs: [f(1, 2)], attributes: { scales: { kind: 'floats', value: [1, 0.5] } }, opset: 7 },
    'Upsample "n": scales holds 0.5, expected 1 or more',
  ],
  [
    {
      op: 'LabelEncoder',
      domain: 'ai.onnx.ml',
      inputs: [i64(2)],
      attributes: { keys_int64s: ints(1, 2), values_int64s: ints(3, 4) },
    },
    {
      op: 'LabelEncoder',
      domain: 'ai.onnx.ml',
      inputs: [i64(2)],
      attributes: { keys_int64s: ints(1, 2), values_int64s: ints(3) },
    },
    'LabelEncoder "n": it has 2 keys and 1 values',
  ],
];

test.each(rows.map(([right, wrong, message]) => ({ right, wrong, message })))('$message', async ({ right, wrong, message }) => {
  const [good, bad] = [modelOf(right), modelOf(wrong)];
  expect(verified(good)).toBe('passes');
  expect(await loads(good)).toBe(true);
  expect(verified(bad)).toBe(message);
  expect(await loads(bad)).toBe(false);
});

/** x, an op that states no type, and one behind it. */
function chain(second: string, attributes: Readonly<Record<string, Attribute>>, stated: Type): Model {
  const graph = new Graph('g');
  const [x, a, y] = [new Value('x', f(3, 4)), new Value('a'), new Value('y', stated)];
  graph.inputs = [x];
  graph.outputs = [y];
  graph.nodes = [
    new Node('Sqrt', [x], [a], new Map(), 'first'),
    new Node(second, [a], [y], new Map(Object.entries(attributes)), 'n'),
  ];
  return new Model(graph);
}

test('what a node gives is known to those behind it, though the model does not state it, and stays unstated', async () => {
  const wrong = chain('Transpose', { perm: ints(0, 1, 2) }, tensorType('float32'));
  expect(verified(wrong)).toMatch(/^Transpose "n": /);
  expect(await loads(wrong)).toBe(false);
  const contradiction = chain('Relu', {}, tensorType('float64', [3, 4]));
  expect(verified(contradiction)).toBe('Relu "n": output "y" is float64[3,4], inferred is float32[3,4]');
  expect(await loads(contradiction)).toBe(false);
  const right = chain('Relu', {}, f(3, 4));
  expect(verified(right)).toBe('passes');
  expect(right.graph.nodes[0]?.outputs[0]?.type).toBeUndefined();
});

test('declared types are held against the signature where an old form has no rules', async () => {
  const pads = { op: 'Pad', inputs: [tensorType('float64', [2])], attributes: { pads: ints(1, 1) }, opset: 9 };
  const model = modelOf(pads);
  expect(verified(model)).toBe('passes');
  for (const v of model.graph.outputs) v.type = tensorType('float32', [4]);
  expect(verified(model)).toBe('Pad "n": output "y0" is float32[4], inferred is float64[...]');
  expect(await loads(model)).toBe(false);
});

test('an input of a body that has data', () => {
  const body = new Graph('body');
  const [k, cond, s] = [new Value('k', i64()), new Value('c', tensorType('bool', [])), new Value('s', f(1))];
  const [c1, s1] = [new Value('c1'), new Value('s1')];
  body.inputs = [k, cond, s];
  body.nodes = [new Node('Identity', [cond], [c1]), new Node('Identity', [s], [s1])];
  body.outputs = [c1, s1];
  const model = modelOf({ op: 'Loop', inputs: [i64(), null, f(1)], attributes: { body: { kind: 'graph', value: body } } });
  expect(verified(model)).toBe('passes');
  s.constant = float32([1], [1]);
  body.initializers = [s];
  expect(verified(model)).toBe('input "s" of graph "body", a subgraph, has data');
});

test('more axes than any tensor has, of an input that names sizes', () => {
  for (const op of ['Reshape', 'Expand']) {
    expect(verified(modelOf({ op, inputs: [f(2), i64(1e9)] }))).toBe(`${op} "n": input 1: 1000000000 axes, expected 0 to 64`);
  }
  expect(verified(modelOf({ op: 'ConstantOfShape', inputs: [i64(65)] }))).toBe(
    'ConstantOfShape "n": input 0: 65 axes, expected 0 to 64',
  );
});

test('through bytes: nothing is refused that both take', () => {
  expect(verified(fromBinary(toBinary(chain('Relu', {}, f(3, 4)))))).toBe('passes');
});
