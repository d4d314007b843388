// Which inner values of graphs are good taps, what they are called, and how their axes lie. Graphs as exporters write them are in
// scripts/models (docs/models.md); these are the forms one by one.
import { describe, expect, it } from 'vitest';
import { must } from '../../../src/onnx/core/errors.js';
import { Tensor } from '../../../src/onnx/core/tensor.js';
import { spread, type TapCandidate, tapCandidates } from '../../../src/onnx/features/candidates.js';
import { Node, Value } from '../../../src/onnx/ir/graph.js';
import { tensorType } from '../../../src/onnx/ir/types.js';
import { ops } from '../../../src/onnx/ops/ops.js';
import type { Ops } from '../../../src/onnx/ops/ops-builder.js';
import { inferShapes } from '../../../src/onnx/passes/infer-shapes.js';

let weights = 0;
const weight = (g: Ops, dims: number[]) => g.initializer(`w${weights++}`, Tensor.zeros('float32', dims));
const number = (g: Ops, x: number) => g.constant(Tensor.from('float32', [x], []));
const dense = (g: Ops, x: Value, from: number, to: number) => g.matMul(x, weight(g, [from, to]));

/** The candidates of a graph over x, `[depth, what, layout]` by name; `end` is its output. */
function found(shape: (number | string)[], build: (g: Ops, x: Value) => Value, scores = true) {
  const g = ops({ opset: 20 });
  const end = build(g, g.input('x', 'float32', shape));
  g.output(end, 'y');
  inferShapes(g.graph, { opset: 20 });
  return tapCandidates(g.graph, scores ? [end] : undefined);
}

const what = (candidates: readonly TapCandidate[]) => candidates.map((c) => [c.what, c.layout]);
const first = (candidates: readonly TapCandidate[]) => candidates.filter(({ kind }) => kind !== 'classifier');

describe('activations', () => {
  const forms: Readonly<Record<string, readonly [string, (g: Ops, x: Value) => Value]>> = {
    'of one node': ['LeakyRelu', (g, x) => g.leakyRelu(x)],
    'x sigmoid(x)': ['SiLU', (g, x) => g.mul(x, g.sigmoid(x))],
    'x sigmoid(1.7 x)': ['SiLU', (g, x) => g.mul(g.sigmoid(g.mul(x, number(g, 1.7))), x)],
    'x hardsigmoid(x)': ['hard-swish', (g, x) => g.mul(x, g.hardSigmoid(x))],
    'x clip(x + 3) / 6': [
      'hard-swish',
      (g, x) => g.div(g.mul(x, g.clip(g.add(x, number(g, 3)), number(g, 0), number(g, 6))), number(g, 6)),
    ],
    'x (1 + erf) / 2': ['GELU', (g, x) => g.mul(g.mul(x, g.add(g.erf(g.div(x, number(g, 1.41))), number(g, 1))), number(g, 0.5))],
    'x / 2 (1 + tanh)': [
      'GELU',
      (g, x) => {
        const cubed = g.mul(g.pow(x, number(g, 3)), number(g, 0.0447));
        return g.mul(g.mul(x, number(g, 0.5)), g.add(g.tanh(g.mul(g.add(x, cubed), number(g, 0.798))), number(g, 1)));
      },
    ],
    'x tanh(softplus(x))': ['Mish', (g, x) => g.mul(x, g.tanh(g.softplus(x)))],
    'min(max(x, 0), 6)': ['Clip', (g, x) => g.clip(x, number(g, 0), number(g, 6))],
  };
  for (const [form, [name, build]] of Object.entries(forms))
    it(`${form} is one candidate, its last value`, () => {
      let last: Value | undefined;
      const candidates = found(['N', 3, 8, 8], (g, x) => {
        const y = build(g, g.conv(x, weight(g, [4, 3, 3, 3])));
        last = y;
        return g.conv(y, weight(g, [5, 4, 3, 3]));
      });
      expect(what(candidates)).toEqual([[name, 'NCHW']]);
      expect(candidates[0]?.value).toBe(last);
    });

  it('a product of two values is none, nor is a Clip that does not begin at 0', () => {
    const candidates = found(['N', 3, 8, 8], (g, x) => {
      const y = g.conv(x, weight(g, [4, 3, 3, 3]));
      const z = g.mul(g.tanh(g.conv(x, weight(g, [4, 3, 3, 3]))), g.sigmoid(y));
      return g.conv(g.relu(g.clip(z, number(g, -1), number(g, 1))), weight(g, [5, 4, 3, 3]));
    });
    expect(what(candidates)).toEqual([['Relu', 'NCHW']]);
  });

  it('of squeeze-and-excitation are none', () => {
    const candidates = found(['N', 3, 8, 8], (g, x) => {
      const y = g.relu(g.conv(x, weight(g, [4, 3, 3, 3])));
      const narrow = g.relu(g.conv(g.globalAveragePool(y), weight(g, [2, 4, 1, 1])));
      return g.conv(g.mul(y, g.hardSigmoid(g.conv(narrow, weight(g, [4, 2, 1, 1])))), weight(g, [5, 4, 3, 3]));
    });
    expect(candidates.map(({ shape }) => shape)).toEqual([['N', 4, 6, 6]]);
  });
});

/** Convolution with a residual, its activation behind the sum. */
const block = (g: Ops, x: Value, from: number, to: number, stride = 1) => {
  const by = (v: Value, a: number, s: number) =>
    g.conv(v, weight(g, [to, a, 3, 3]), undefined, { pads: [1, 1, 1, 1], strides: [s, s] });
  const past = from === to ? x : g.conv(x, weight(g, [to, from, 1, 1]), undefined, { strides: [stride, stride] });
  return g.relu(g.add(by(g.relu(by(x, from, stride)), to, 1), past));
};

describe('residual networks', () => {
  const candidates = found(['N', 3, 16, 16], (g, x) => {
    const one = block(g, block(g, x, 3, 3), 3, 3);
    const two = block(g, block(g, one, 3, 6, 2), 6, 6);
    return dense(g, g.flatten(g.globalAveragePool(two)), 6, 2);
  });

  it('end in blocks and stages, at the activation behind the sum; before the classifier stands a vector', () => {
    expect(candidates.map((c) => `${c.what} ${c.layout} ${c.shape.slice(1).join('x')}`)).toEqual([
      'Relu NCHW 3x16x16',
      'end of a residual block NCHW 3x16x16',
      'Relu NCHW 3x16x16',
      'end of a residual stage NCHW 3x16x16',
      'Relu NCHW 6x8x8',
      'end of a residual block NCHW 6x8x8',
      'Relu NCHW 6x8x8',
      'end of a residual stage NCHW 6x8x8',
      'before the classifier NF 6',
    ]);
  });

  it('depth grows from above 0 to 1 at most', () => {
    const depths = candidates.map(({ depth }) => depth);
    expect(depths).toEqual([...depths].sort((a, b) => a - b));
    expect(depths[0]).toBeGreaterThan(0);
    expect(depths.at(-1)).toBeLessThanOrEqual(1);
  });

  it('are spread evenly, stages first, the last where the graph ends', () => {
    expect(spread(candidates, 2).map((c) => c.what)).toEqual(['end of a residual stage', 'before the classifier']);
    expect(spread(candidates, 1).map((c) => c.what)).toEqual(['before the classifier']);
    expect(spread(candidates, 99)).toHaveLength(candidates.length);
  });
});

/** y = x + attention(x): one head, the mask as a network gets it. */
const attention = (g: Ops, x: Value, mask: Value) => {
  const [q, k, v] = [dense(g, x, 6, 6), dense(g, x, 6, 6), dense(g, x, 6, 6)];
  const scores = g.add(g.matMul(q, g.transpose(k, { perm: [0, 2, 1] })), mask);
  return dense(g, g.matMul(g.softmax(scores, { axis: -1 }), v), 6, 6);
};
const norm = (g: Ops, x: Value) => g.layerNormalization(x, weight(g, [6]), weight(g, [6]), { axis: -1 });
/** As exporters before opset 17 write it. */
const normWritten = (g: Ops, x: Value) => {
  const less = g.sub(x, g.reduceMean(x, g.constant(Tensor.from('int64', [-1], [1])), { keepdims: 1 }));
  const square = g.reduceMean(g.pow(less, number(g, 2)), g.constant(Tensor.from('int64', [-1], [1])), { keepdims: 1 });
  return g.add(g.mul(g.div(less, g.sqrt(g.add(square, number(g, 1e-5)))), weight(g, [6])), weight(g, [6]));
};
const feedForward = (g: Ops, x: Value) => dense(g, g.gelu(dense(g, x, 6, 12)), 12, 6);

describe('transformers', () => {
  const layers = (layer: (g: Ops, x: Value, mask: Value) => Value) =>
    found(['N', 'T', 6], (g, x) => {
      const mask = g.input('mask', 'float32', ['N', 1, 'T']);
      return dense(g, layer(g, layer(g, x, mask), mask), 6, 2);
    });

  it('end a layer at the second sum, normalised before', () => {
    const candidates = layers((g, x, mask) => {
      const one = g.add(x, attention(g, norm(g, x), mask));
      return g.add(one, feedForward(g, norm(g, one)));
    });
    expect(what(candidates).filter(([w]) => w !== 'Gelu')).toEqual([
      ['end of a transformer layer', 'NTF'],
      ['end of a transformer layer', 'NTF'],
    ]);
  });

  for (const [form, by] of Object.entries({ 'in one node': norm, 'written out': normWritten }))
    it(`end it at its normalisation ${form} where that comes after the sum`, () => {
      let last: Value | undefined;
      const candidates = layers((g, x, mask) => {
        const one = by(g, g.add(x, attention(g, x, mask)));
        const two = by(g, g.add(one, feedForward(g, one)));
        last = two;
        return two;
      });
      expect(what(candidates).filter(([w]) => w !== 'Gelu')).toEqual([
        ['end of a transformer layer', 'NTF'],
        ['end of a transformer layer', 'NTF'],
      ]);
      expect(candidates.at(-1)?.value).toBe(last);
    });
});

describe('recurrent layers', () => {
  const lstm = (g: Ops, x: Value): readonly [Value, Value] => {
    const [y, h] = g.op('LSTM', [x, weight(g, [1, 20, 4]), weight(g, [1, 20, 5])], { hidden_size: 5 }, 2);
    return [must(y, 'Y'), must(h, 'Y_h')];
  };
  const axis = (g: Ops, n: number) => g.constant(Tensor.from('int64', [n], [1]));

  it('give a sequence, its batch first where the graph turns it; vectors of the last state', () => {
    const candidates = found(['T', 'N', 4], (g, x) => {
      const [y, h] = lstm(g, x);
      const sequence = g.transpose(g.squeeze(y, axis(g, 1)), { perm: [1, 0, 2] });
      const mean = g.reduceMean(sequence, axis(g, 1), { keepdims: 0 });
      return dense(g, g.add(mean, g.squeeze(h, axis(g, 0))), 5, 2);
    });
    expect(what(candidates).slice(0, 2)).toEqual([
      ['output of LSTM', 'NF'],
      ['output of LSTM', 'NTF'],
    ]);
  });

  it('say it where steps come first', () => {
    const candidates = found(['T', 'N', 4], (g, x) => dense(g, g.squeeze(lstm(g, x)[0], axis(g, 1)), 5, 2));
    expect(what(candidates)).toEqual([['before the classifier', 'TNF']]);
  });
});

describe('layouts', () => {
  it('channels last are found through the turns around a convolution', () => {
    const candidates = found(['N', 8, 8, 3], (g, x) => {
      const y = g.conv(g.transpose(x, { perm: [0, 3, 1, 2] }), weight(g, [4, 3, 1, 1]));
      return g.reduceMean(g.relu(g.transpose(y, { perm: [0, 2, 3, 1] })), g.constant(Tensor.from('int64', [1, 2], [2])));
    });
    expect(what(candidates)).toEqual([['Relu', 'NHWC']]);
  });

  it('channels last are found by a normalisation of the last axis', () => {
    const candidates = found(['N', 8, 8, 6], (g, x) => g.reduceMean(g.relu(norm(g, x)), undefined));
    expect(what(candidates)).toEqual([['Relu', 'NHWC']]);
  });

  it('rows of a table are features of a sequence', () => {
    const g = ops({ opset: 20 });
    const ids = g.input('ids', 'int64', ['N', 'T']);
    g.output(g.reduceMean(g.relu(g.gather(weight(g, [9, 6]), ids)), undefined), 'y');
    expect(what(tapCandidates(g.graph))).toEqual([['Relu', 'NTF']]);
  });

  it('are not guessed where nothing tells them', () => {
    expect(what(found(['N', 8, 8, 6], (g, x) => g.reduceMean(g.relu(x), undefined)))).toEqual([['Relu', undefined]]);
  });

  it('are not guessed where products go along two axes, unless a normalisation says which holds the features', () => {
    const mixer = (normed: boolean) =>
      found(['N', 8, 6], (g, x) => {
        const steps = { perm: [0, 2, 1] };
        const features = g.relu(dense(g, normed ? norm(g, x) : x, 6, 6));
        const mixed = g.transpose(dense(g, g.transpose(features, steps), 8, 8), steps);
        return g.reduceMean(g.add(normed ? norm(g, mixed) : mixed, features), undefined);
      });
    expect(new Set(mixer(false).map((c) => c.layout))).toEqual(new Set([undefined]));
    expect(new Set(mixer(true).map((c) => c.layout))).toEqual(new Set(['NTF']));
  });
});

it('branches that are joined along their channels are a candidate, tokens put before others are none', () => {
  const joined = found(['N', 3, 8, 8], (g, x) => {
    const branch = () => g.conv(x, weight(g, [4, 3, 1, 1]));
    return g.globalAveragePool(g.concat(branch(), branch(), { axis: 1 }));
  });
  expect(what(joined)).toEqual([['branches joined', 'NCHW']]);
  const beside = found(['N', 3, 8, 8], (g, x) => {
    const branch = () => g.conv(x, weight(g, [4, 3, 1, 1]));
    return g.globalAveragePool(g.relu(g.concat(branch(), branch(), { axis: 2 })));
  });
  expect(what(beside)).toEqual([['Relu', 'NCHW']]);
});

it('ops that nothing is known of may stand between, and values of unknown rank are left out', () => {
  const candidates = found(['N', 3, 8, 8], (g, x) => {
    const y = g.relu(g.conv(x, weight(g, [4, 3, 1, 1])));
    const unknown = new Value('strange', tensorType('float32', ['N', 4, 8, 8]));
    g.graph.nodes.push(new Node('Strange', [y], [unknown], new Map(), 's', 'some.where'));
    const lost = new Value('lost', tensorType('float32'));
    g.graph.nodes.push(new Node('Strange', [unknown], [lost], new Map(), 't', 'some.where'));
    return g.add(g.relu(g.conv(unknown, weight(g, [4, 4, 1, 1]))), g.relu(lost));
  });
  expect(what(candidates)).toEqual([
    ['Relu', 'NCHW'],
    ['Relu', 'NCHW'],
  ]);
});

it('a backbone ends at the end of its last layer; scores are no candidate', () => {
  const build = (g: Ops, x: Value) => block(g, block(g, x, 3, 3), 3, 3);
  expect(first(found(['N', 3, 16, 16], build, false)).map((c) => c.what)).toContain('end of a residual stage');
  expect(first(found(['N', 3, 16, 16], build)).map((c) => c.what)).not.toContain('end of a residual stage');
});

it('what is neither is an output of a layer', () => {
  expect(what(found(['N', 4], (g, x) => g.softmax(dense(g, dense(g, x, 4, 4), 4, 3), { axis: 1 })))).toEqual([
    ['before the classifier', 'NF'],
  ]);
  const pair = found(['N', 4], (g, x) => g.add(dense(g, x, 4, 3), dense(g, g.neg(x), 4, 3)));
  expect(what(pair)).toEqual([
    ['output of MatMul', 'NF'],
    ['output of MatMul', 'NF'],
  ]);
});
