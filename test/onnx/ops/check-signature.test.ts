// The verifier against signatures: what a node of a model may look like at the model's opset, and each way to break it named in a line.
import { describe, expect, test } from 'vitest';
import { grad } from '../../../src/onnx/autodiff/grad.js';
import { ModelError } from '../../../src/onnx/core/errors.js';
import { float32 } from '../../../src/onnx/core/tensor.js';
import { type Attribute, Graph, Node, Value } from '../../../src/onnx/ir/graph.js';
import { Model } from '../../../src/onnx/ir/model.js';
import { type Type, tensorType } from '../../../src/onnx/ir/types.js';
import { verifyModel } from '../../../src/onnx/ops/verify-model.js';
import { fromBinary } from '../../../src/onnx/serde/from-binary.js';
import { toBinary } from '../../../src/onnx/serde/to-binary.js';

const utf8 = (text: string) => new TextEncoder().encode(text);
const int = (value: number): Attribute => ({ kind: 'int', value: BigInt(value) });
const float = (value: number): Attribute => ({ kind: 'float', value });
const text = (value: string): Attribute => ({ kind: 'string', value: utf8(value) });
const f = tensorType('float32', [2, 3]);
const i = tensorType('int64', [2]);

interface Described {
  readonly opset?: number;
  readonly domain?: string;
  readonly version?: number;
  readonly outputs?: number;
}

/** A model of one node "n", whose inputs are those of the graph; null for those left out. */
function model(
  opType: string,
  inputs: readonly (Type | null)[],
  attributes: Record<string, Attribute> = {},
  more: Described = {},
) {
  const graph = new Graph('g');
  const values = inputs.map((type, k) => (type === null ? null : new Value(`x${k}`, type)));
  const outputs = Array.from({ length: more.outputs ?? 1 }, (_, k) => new Value(`y${k}`));
  graph.inputs = values.filter((v) => v !== null);
  graph.nodes = [new Node(opType, values, outputs, new Map(Object.entries(attributes)), 'n', more.domain ?? '')];
  graph.outputs = outputs;
  const out = new Model(graph);
  out.opsets = new Map([['', more.opset ?? 17]]);
  if (more.domain !== undefined) out.opsets.set(more.domain, more.version ?? 1);
  return out;
}

/** What the verifier says of the model; '' where it has nothing to say. */
function said(m: Model): string {
  try {
    verifyModel(m);
  } catch (error) {
    expect(error).toBeInstanceOf(ModelError);
    const { message } = error as ModelError;
    expect(message).not.toContain('\n');
    return message;
  }
  return '';
}

describe('attributes', () => {
  test('an unknown one', () => {
    expect(said(model('Relu', [f], { nonsense: int(1) }))).toBe('Relu "n": unknown attribute "nonsense", known are none');
    expect(said(model('Gemm', [f, f], { transb: int(1) }))).toBe(
      'Gemm "n": unknown attribute "transb", known are alpha, beta, transA, transB',
    );
  });

  test('one that is private to a tool is let be, as by onnx.checker', () => {
    expect(said(model('Relu', [f], { __note: int(1) }))).toBe('');
  });

  test.each([
    ['Softmax', { axis: float(0) }, 'axis', 'int', 'float'],
    ['Transpose', { perm: { kind: 'floats', value: [1, 0] } as Attribute }, 'perm', 'ints', 'floats'],
    ['Cast', { to: text('float') }, 'to', 'int', 'string'],
    ['LeakyRelu', { alpha: int(1) }, 'alpha', 'float', 'int'],
  ])('%s: a kind that is not the one of the schema', (op, attributes, name, right, wrong) => {
    expect(said(model(op, [f], attributes))).toBe(`${op} "n": attribute "${name}" must be ${right}, it is ${wrong}`);
  });

  test.each([
    ['Cast', [f], 'to'],
    ['MaxPool', [tensorType('float32', [1, 1, 4, 4])], 'kernel_shape'],
    ['If', [tensorType('bool', [])], 'else_branch'],
    ['MaxRoiPool', [tensorType('float32', [1, 1, 4, 4]), tensorType('float32', [1, 5])], 'pooled_shape'],
    ['TfIdfVectorizer', [tensorType('int64', [2])], 'max_gram_length'],
  ])('%s without a required one', (op, inputs, name) => {
    expect(said(model(op, inputs))).toBe(`${op} "n": attribute "${name}" is missing`);
  });
});

describe('arity', () => {
  test('too many inputs, too few, one left out', () => {
    expect(said(model('Relu', [f, f]))).toBe('Relu "n": takes 1 inputs (X), got 2');
    expect(said(model('MatMul', [f]))).toBe('MatMul "n": takes 2 inputs (A B), got 1');
    expect(said(model('Gemm', [null, f]))).toBe('Gemm "n": input 0 (A) is missing');
  });

  test('surplus outputs', () => {
    expect(said(model('Relu', [f], {}, { outputs: 2 }))).toBe('Relu "n": gives 1 output (Y), the node has 2');
  });

  test('a Loop without carried values', () => {
    const body = new Graph('body');
    const [k, cond] = [new Value('k', tensorType('int64', [])), new Value('c', tensorType('bool', []))];
    const [kept, row] = [new Value('kept'), new Value('row')];
    body.inputs = [k, cond];
    body.nodes = [new Node('Identity', [cond], [kept]), new Node('Identity', [k], [row])];
    body.outputs = [kept, row];
    const loop = (opset: number) =>
      model('Loop', [tensorType('int64', []), null], { body: { kind: 'graph', value: body } }, { opset });
    expect(said(loop(17))).toBe('');
    // one was needed before opset 11
    expect(said(loop(10))).toBe('Loop "n": takes 3 or more inputs (M? cond? v_initial*), got 2');
  });
});

describe('types', () => {
  test('float indices', () => {
    expect(said(model('Gather', [f, f]))).toBe('Gather "n": indices must be int64 or int32, they are float32');
    expect(said(model('GatherND', [f, tensorType('float32', [2, 1])]))).toBe(
      'GatherND "n": indices must be int64 or int32, they are float32',
    );
  });

  test('one variable, two types', () => {
    expect(said(model('MatMul', [f, tensorType('float64', [3, 2])]))).toBe(
      'MatMul "n": dtypes differ, input 0 is float32, input 1 is float64',
    );
    expect(said(model('Conv', [tensorType('float32', [1, 1, 3, 3]), tensorType('float64', [1, 1, 3, 3])]))).toMatch(
      /^Conv "n": /,
    );
  });

  test('what a later version takes is refused at an older opset', () => {
    expect(said(model('Relu', [tensorType('int32', [2])], {}, { opset: 13 }))).toBe(
      'Relu "n": input 0 (X) must be one of float32, float64, float16, bfloat16, it is int32[2]',
    );
    expect(said(model('Relu', [tensorType('int32', [2])], {}, { opset: 14 }))).toBe('');
  });
});

describe('versions', () => {
  test('an attribute that became an input', () => {
    const axes: Attribute = { kind: 'ints', value: [1n] };
    expect(said(model('ReduceSum', [f], { axes }, { opset: 12 }))).toBe('');
    expect(said(model('ReduceSum', [f], { axes }, { opset: 13 }))).toBe(
      'ReduceSum "n": unknown attribute "axes", known are keepdims, noop_with_empty_axes',
    );
    expect(said(model('ReduceSum', [f, i], {}, { opset: 12 }))).toBe('ReduceSum "n": takes 1 inputs (data), got 2');
  });

  test('an op without rules is checked as well, until the opset at which it ends', () => {
    const scales = tensorType('float32', [2]);
    expect(said(model('Upsample', [f, scales], {}, { opset: 9 }))).toBe('');
    expect(said(model('Upsample', [f], {}, { opset: 9 }))).toBe('Upsample "n": takes 2 inputs (X scales), got 1');
    expect(said(model('Upsample', [f, scales], {}, { opset: 11 }))).toBe(
      'Upsample "n": is deprecated in ai.onnx from opset 10 on, the model has 11: Resize takes its place',
    );
  });

  test('deprecated ops say until when they were there and what takes their place', () => {
    const scatter = (opset: number) => model('Scatter', [f, tensorType('int64', [2, 3]), f], {}, { opset });
    expect(said(scatter(10))).toBe('');
    for (const opset of [11, 13, 26]) {
      expect(said(scatter(opset))).toBe(
        `Scatter "n": is deprecated in ai.onnx from opset 11 on, the model has ${opset}: ScatterElements takes its place`,
      );
    }
  });

  test('an op before the opset that brought it, also where that is 7 or less', () => {
    expect(said(model('Gelu', [f], {}, { opset: 17 }))).toBe('Gelu "n": ai.onnx has this op from opset 20 on, the model has 17');
    expect(said(model('Asin', [f], {}, { opset: 6 }))).toBe('Asin "n": ai.onnx has this op from opset 7 on, the model has 6');
    expect(said(model('Relu', [f], {}, { opset: 0 }))).toBe('Relu "n": ai.onnx has this op from opset 1 on, the model has 0');
  });

  test('what ONNX Runtime has in ai.onnx beside ONNX is taken where it is', () => {
    expect(said(model('LayerNormalization', [f, tensorType('float32', [3])], {}, { opset: 11 }))).toBe('');
    expect(said(model('SimplifiedLayerNormalization', [f, tensorType('float32', [3])]))).toBe('');
    expect(said(model('ThresholdedRelu', [f], {}, { opset: 9 }))).toBe('');
    expect(said(model('Affine', [f], {}, { opset: 9 }))).toBe('');
    expect(said(model('Affine', [f], {}, { opset: 10 }))).toBe('Affine "n": ai.onnx has no such op');
  });

  test.each([
    ['', 26],
    ['ai.onnx.ml', 5],
    ['com.microsoft', 1],
    ['ai.onnx.preview.training', 1],
  ])('%s newer than what is known is refused, used or not', (domain, newest) => {
    const m = model('Relu', [f]);
    m.opsets.set(domain, newest);
    expect(said(m)).toBe('');
    m.opsets.set(domain, newest + 1);
    expect(said(m)).toBe(`the model imports ${domain || 'ai.onnx'} ${newest + 1}, expected at most ${newest}`);
  });

  test('a format newer than what is known', () => {
    const m = model('Relu', [f]);
    m.irVersion = 13;
    expect(said(m)).toBe('');
    m.irVersion = 14;
    expect(said(m)).toBe('the model is of IR version 14, expected at most 13');
  });

  test('each domain is held to its own version', () => {
    const normalizer = model('Normalizer', [f], { norm: text('L1') }, { domain: 'ai.onnx.ml', version: 1, opset: 26 });
    normalizer.opsets.set('com.microsoft', 1);
    expect(said(normalizer)).toBe('');
    const tree = model('TreeEnsemble', [f], {}, { domain: 'ai.onnx.ml', version: 3, opset: 26 });
    expect(said(tree)).toBe('TreeEnsemble "n": ai.onnx.ml has this op from opset 5 on, the model has 3');
    expect(said(model('FusedMatMul', [f, f], {}, { domain: 'com.microsoft', version: 0 }))).toBe(
      'FusedMatMul "n": com.microsoft has this op from opset 1 on, the model has 0',
    );
  });

  test('a domain that is not imported is named, whatever its op is', () => {
    const missing = model('Scatter', [f, tensorType('int64', [2, 3]), f]);
    missing.opsets = new Map([['ai.onnx.ml', 3]]);
    expect(said(missing)).toBe('Scatter "n": the model imports no opset of domain ai.onnx');
    const ml = model('Normalizer', [f], {}, { domain: 'ai.onnx.ml' });
    ml.opsets.delete('ai.onnx.ml');
    expect(said(ml)).toBe('Normalizer "n": the model imports no opset of domain ai.onnx.ml');
  });
});

describe('other domains', () => {
  test('ai.onnx.ml is checked in the version that the model imports', () => {
    const ml = { domain: 'ai.onnx.ml', version: 3 };
    expect(said(model('Normalizer', [f], { norm: text('L1') }, ml))).toBe('');
    expect(said(model('Normalizer', [f], { kind: text('L1') }, ml))).toBe(
      'Normalizer "n": unknown attribute "kind", known are norm',
    );
    const tree = (version: number) =>
      model('TreeEnsembleRegressor', [f], { base_values_as_tensor: { kind: 'tensor', value: float32([1]) } }, { ...ml, version });
    expect(said(tree(3))).toBe('');
    expect(said(tree(1))).toMatch(/^TreeEnsembleRegressor "n": unknown attribute "base_values_as_tensor"/);
    expect(said(tree(5))).toBe(
      'TreeEnsembleRegressor "n": is deprecated in ai.onnx.ml from opset 5 on, the model has 5: TreeEnsemble takes its place',
    );
  });

  test('com.microsoft is checked; its values have unknown types, and no gradient goes through', () => {
    const microsoft = { domain: 'com.microsoft' };
    expect(said(model('FusedMatMul', [f, f], { alpha: float(2) }, microsoft))).toBe('');
    expect(said(model('FusedMatMul', [f, f], { alpha: int(2) }, microsoft))).toBe(
      'FusedMatMul "n": attribute "alpha" must be float, it is int',
    );
    expect(said(model('FusedMatMul', [f], {}, microsoft))).toBe('FusedMatMul "n": takes 2 inputs (A B), got 1');
    const fused = model('FusedMatMul', [tensorType('float32', [1, 1]), tensorType('float32', [1, 1])], {}, microsoft);
    fused.graph.outputs.forEach((v) => {
      v.type = tensorType('float32', [1, 1]);
    });
    expect(said(fromBinary(toBinary(fused)))).toBe('');
    expect(() => grad(fused, { of: 'y0', by: ['x0'] })).toThrow(
      'com.microsoft::FusedMatMul "n": no gradient is known for this op',
    );
  });

  test('ops of a domain that no schema tells of are carried', () => {
    expect(said(model('Thing', [f, f], { any: int(1) }, { domain: 'my.domain' }))).toBe('');
  });

  test.each(['', 'ai.onnx.ml', 'com.microsoft'])('an op that %s does not have', (domain) => {
    const spelled = domain || 'ai.onnx';
    expect(said(model('Thing', [f], {}, domain === '' ? {} : { domain }))).toBe(`Thing "n": ${spelled} has no such op`);
  });

  test('a call of a function of the model is no such op', () => {
    const m = model('Thing', [f]);
    const x = new Value('x');
    const body = new Graph('Thing');
    const y = new Value('y');
    body.inputs = [x];
    body.nodes = [new Node('Relu', [x], [y])];
    body.outputs = [y];
    const thing = {
      domain: '',
      name: 'Thing',
      overload: '',
      attributes: [],
      attributeDefaults: new Map(),
      body,
      opsets: new Map([['', 17]]),
    };
    m.functions = [thing];
    expect(said(m)).toBe('');
    body.nodes = [new Node('Relu', [x], [y], new Map([['axis', int(0)]]), 'inner')];
    y.producer = body.nodes[0];
    expect(said(m)).toBe('Relu "inner": unknown attribute "axis", known are none');
  });

  test.each(['constructor', '__proto__', 'toString', 'hasOwnProperty'])('an op called %s is an unknown one', (name) => {
    const carried = (domain: string) => fromBinary(toBinary(model(name, [f], { constructor: int(1) }, domain ? { domain } : {})));
    expect(said(carried(''))).toBe(`${name} "n": ai.onnx has no such op`);
    expect(said(carried('my.domain'))).toBe('');
    expect(said(model('Relu', [f], { constructor: int(1) }))).toBe('Relu "n": unknown attribute "constructor", known are none');
  });
});

describe('values of attributes', () => {
  const image = tensorType('float32', [1, 1, 4, 4]);
  test.each<[string, readonly (Type | null)[], string, Attribute, string, number?]>([
    [
      'BitShift',
      [tensorType('uint8', [2]), tensorType('uint8', [2])],
      'direction',
      text('left'),
      '"left", expected one of LEFT, RIGHT',
    ],
    ['Mod', [f, f], 'fmod', int(2), '2, expected 0 to 1'],
    ['CumSum', [f, tensorType('int64', [])], 'reverse', int(-1), '-1, expected 0 to 1'],
    ['Pad', [f, tensorType('int64', [4])], 'mode', text('mirror'), '"mirror", expected one of constant, reflect, edge, wrap'],
    ['Gelu', [f], 'approximate', text('erf'), '"erf", expected one of none, tanh', 20],
    [
      'GridSample',
      [image, tensorType('float32', [1, 4, 4, 2])],
      'mode',
      text('linear'),
      '"linear", expected one of bilinear, nearest, bicubic',
      16,
    ],
    [
      'GridSample',
      [image, tensorType('float32', [1, 4, 4, 2])],
      'mode',
      text('bilinear'),
      '"bilinear", expected one of linear, nearest, cubic',
      20,
    ],
  ])('%s', (op, inputs, name, value, why, opset = 17) => {
    expect(said(model(op, inputs, { [name]: value }, { opset }))).toBe(`${op} "n": attribute "${name}" is ${why}`);
  });
});
