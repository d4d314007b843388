// Models in float16 on ONNX Runtime against float32, and what the graphs look like.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { must } from '../../../src/onnx/core/errors.js';
import { Tensor } from '../../../src/onnx/core/tensor.js';
import { allNodes, type Graph, Node, Value } from '../../../src/onnx/ir/graph.js';
import { printGraph } from '../../../src/onnx/ir/print.js';
import { tensorType } from '../../../src/onnx/ir/types.js';
import { ops } from '../../../src/onnx/ops/ops.js';
import type { Ops } from '../../../src/onnx/ops/ops-builder.js';
import { toFloat16 } from '../../../src/onnx/precision/float16.js';
import { fromHalf, toHalf } from '../../../src/onnx/precision/half.js';
import { convertFloat16, quantize } from '../../../src/onnx/precision/quantize.js';
import { initialAt, modelOf } from '../../support/by-place.js';
import { expectNear } from '../../support/expect-near.js';
import { columnsOf, images, describe as network, normals, randomNetwork } from '../../support/random-network.js';
import { runModel } from '../../support/run.js';

const casts = (graph: Graph) => [...allNodes(graph)].filter((n) => n.opType === 'Cast');

/** A network of one product, and whatever stands behind it. */
function small(body: (g: Ops) => void) {
  const g = ops();
  body(g);
  return g.model();
}

it('random networks answer as in float32, within what 11 bits hold', () =>
  fc.assert(
    fc.asyncProperty(randomNetwork, fc.boolean(), async (n, halfIo) => {
      const d = network(columnsOf(n), n.seed);
      const weights = [initialAt(d, 0), initialAt(d, 1)];
      const model = modelOf(d, weights, { tasks: ['a', 'b'], probabilities: true });
      const before = printGraph(model.graph);
      const { model: half } = convertFloat16(model, { halfIo });
      expect(printGraph(model.graph)).toBe(before);
      const expected = await runModel(model, { image: images });
      const found = await runModel(half, { image: halfIo ? toHalf(images) : images });
      for (const [name, t] of Object.entries(expected)) {
        const now = must(found[name], name);
        expect(now.dtype, name).toBe(t.dtype === 'float32' && halfIo ? 'float16' : t.dtype);
        if (name.endsWith('_label')) continue;
        // a few roundings of 2^-11 each
        expectNear(fromHalf(now), t, 0.01, name);
      }
      const kinds = half.graph.initializers.map((v) => v.dtype);
      expect(kinds.filter((k) => k === 'float16').length).toBeGreaterThan(3);
      // one Cast for a value and direction
      const read = casts(half.graph).map((c) => `${must(c.inputs[0], 'input').name}>${must(c.outputs[0], 'output').dtype}`);
      expect(new Set(read).size).toBe(read.length);
    }),
    { numRuns: 25, seed: 4 },
  ));

describe('the graph', () => {
  it('casts where it must, once for two readers, and keeps the names of weights and signature', () => {
    const model = small((g) => {
      const x = g.input('x', 'float32', ['N', 4]);
      const h = g.relu(g.gemm(x, g.initializer('w', normals(1, [4, 4])), g.initializer('b', normals(2, [4]))));
      const p = g.softmax(h, { axis: 1 });
      g.output(g.add(g.reduceSum(h, g.ints([1]), { keepdims: 1 }), p), 'y');
    });
    expect(printGraph(toFloat16(model).model.graph, { canonical: true })).toMatchInlineSnapshot(`
      "graph graph (x: float32[N,4]) -> (y)
        w: float16[4,4]
        %1: float16[N,4] = Cast<to=float16>(x)
        %2: float16[N,4] = Gemm(%1, w, float16{14905,47941,14936,48178})
        %3: float16[N,4] = Relu(%2)
        %4: float32[N,4] = Cast<to=float32>(%3)
        %5: float32[N,4] = Softmax<axis=1>(%4)
        %6: float32[N,1] = ReduceSum<keepdims=1>(%4, int64{1})
        %7: float16[N,1] = Cast<to=float16>(%6)
        %8: float16[N,4] = Cast<to=float16>(%5)
        %9: float16[N,4] = Add(%7, %8)
        y: float32[N,4] = Cast<to=float32>(%9)"
    `);
  });

  it('keeps float32 where a constant does not fit, and says which', () => {
    const model = small((g) => {
      const x = g.input('x', 'float32', ['N', 2]);
      const far = g.mul(x, g.initializer('far', Tensor.from('float32', [1e6, 1])));
      const safe = g.add(far, g.initializer('epsilon', Tensor.from('float32', 1e-9)));
      g.output(g.add(g.div(x, safe), g.initializer('one', Tensor.from('float32', [1, 1]))), 'y');
    });
    const { kept, half, model: converted } = toFloat16(model);
    // The sum and the quotient read what far has made.
    expect(kept.map((k) => [k.op, k.reason])).toEqual(
      ['Mul', 'Add', 'Div'].map((op) => [op, '"far" holds 1 number beyond 65504']),
    );
    expect(half).toBe(1);
    expect(converted.graph.initializers.map((v) => [v.name, v.dtype])).toEqual([
      ['far', 'float32'],
      ['epsilon', 'float32'],
      ['one', 'float16'],
    ]);
  });

  it('keeps float32 where calibration met numbers that float16 does not hold', async () => {
    const model = small((g) => {
      const x = g.input('x', 'float32', ['N', 2]);
      const big = g.mul(x, g.initializer('k', Tensor.from('float32', [1000, 1000])));
      g.output(g.div(g.mul(big, big), g.initializer('d', Tensor.from('float32', [5e4, 5e4]))), 'y');
    });
    const square = must(model.graph.nodes[1]?.outputs[0], 'square').name;
    const x = Tensor.from('float32', [3, 2], [1, 2]);
    expect(toFloat16(model)).toMatchObject({ half: 3, kept: [] });
    const { model: safe, kept, half } = toFloat16(model, { magnitudes: new Map([[square, 9e6]]) });
    expect(kept.map((k) => k.reason)).toEqual(Array(2).fill(`"${square}" reaches 9.00e+6`));
    expect(half).toBe(1);
    expectNear((await runModel(safe, { x })).y, (await runModel(model, { x })).y, 0.01);
  });

  it('goes into the branches of an If, and casts what they share once, outside', async () => {
    const model = small((g) => {
      const x = g.input('x', 'float32', ['N', 4]);
      const condition = g.input('c', 'bool', []);
      const w = g.initializer('w', normals(1, [4, 4]));
      const h = g.matMul(x, w);
      const branch = (name: string, body: (b: Ops) => ReturnType<Ops['relu']>) => {
        const b = g.subgraph(name);
        b.output(body(b));
        return b.graph;
      };
      const taken = branch('then', (b) => b.relu(b.matMul(h, w)));
      const other = branch('else', (b) => b.softmax(h, { axis: 1 }));
      g.output(must(g.op('If', [condition], { then_branch: taken, else_branch: other })[0], 'If'), 'y');
      g.output(g.reduceSum(h, g.ints([1])), 'sum');
    });
    const { model: half } = toFloat16(model);
    // x, h to float32 for both Softmax and ReduceSum, the else branch to float16, y back
    expect(casts(half.graph)).toHaveLength(4);
    const x = normals(9, [3, 4]);
    for (const c of [1, 0]) {
      const feeds = { x, c: new Tensor('bool', [], Uint8Array.of(c)) };
      const [a, b] = [await runModel(model, feeds), await runModel(half, feeds)];
      for (const name of ['y', 'sum']) expectNear(b[name], a[name], 0.01, name);
    }
  });

  it('leaves what a Loop carries in float32', async () => {
    const model = small((g) => {
      const x = g.input('x', 'float32', [2, 2]);
      const w = g.initializer('w', normals(1, [2, 2]));
      const b = g.subgraph('body');
      b.input('i', 'int64', []);
      const go = b.input('go', 'bool', []);
      const h = b.input('h', 'float32', [2, 2]);
      b.output(b.identity(go));
      b.output(b.tanh(b.matMul(h, w)));
      const start = g.matMul(x, w);
      g.output(must(g.op('Loop', [g.scalar(3, 'int64'), null, start], { body: b.graph })[0], 'Loop'), 'y');
    });
    const x = normals(9, [2, 2]);
    const [a, b] = [await runModel(model, { x }), await runModel(toFloat16(model).model, { x })];
    expectNear(b.y, a.y, 0.01);
  });
});

describe('a number beyond float16, wherever it comes from', () => {
  const huge = () => Tensor.from('float32', [1e6, -1e6]);
  const float = (value: number) => new Map([['value_float', { kind: 'float', value } as const]]);
  /** The value, and what of it must be finite. */
  const rows: [string, (g: Ops, x: Value) => Value][] = [
    ['an initializer', (g) => g.initializer('huge', huge())],
    ['a Constant node', (g) => must(g.node('Constant', [], new Map([['value', { kind: 'tensor', value: huge() }]]))[0], 'c')],
    ['a Constant of a float', (g) => must(g.node('Constant', [], float(1e6))[0], 'c')],
    ['Expand', (g, x) => g.expand(g.initializer('huge', Tensor.from('float32', 1e6)), g.shape(x))],
    ['Reshape and Unsqueeze', (g) => g.unsqueeze(g.reshape(g.initializer('huge', huge()), [2]), [0])],
    ['Concat', (g, x) => g.concat(x, g.initializer('huge', huge().reshape([1, 2])), { axis: 0 })],
    ['Gather', (g) => g.gather(g.initializer('huge', huge()), g.ints([1, 0]), { axis: 0 })],
    ['ConstantOfShape', (g, x) => must(g.op('ConstantOfShape', [g.shape(x)], { value: Tensor.from('float32', [1e6]) })[0], 'c')],
    ['Cast of an integer', (g) => g.cast(g.initializer('count', Tensor.from('int64', [100000, 3])), { to: 'float32' })],
    [
      'Cast of a Constant of an int',
      (g) =>
        g.cast(must(g.node('Constant', [], new Map([['value_int', { kind: 'int', value: 100000n } as const]]))[0], 'c'), {
          to: 'float32',
        }),
    ],
    ['the reciprocal of a constant', (g, x) => g.mul(x, g.reciprocal(g.initializer('least', Tensor.from('float32', [1e-6, 1]))))],
    ['the exponential of a constant', (g, x) => g.mul(x, g.exp(g.initializer('power', Tensor.from('float32', [12, -1]))))],
    ['the bound of a Clip', (g, x) => g.clip(x, g.initializer('least', Tensor.from('float32', 1e6)))],
    ['Where', (g, x) => g.where(g.greater(x, 0), x, g.initializer('huge', huge()))],
    ['a product', (g, x) => g.mul(x, g.initializer('huge', huge()))],
    [
      'a branch',
      (g, x) => {
        const [a, b] = [g.subgraph('a'), g.subgraph('b')];
        a.output(a.identity(a.initializer('huge', huge())));
        b.output(b.relu(x));
        return must(
          g.op('If', [g.greater(g.reduceMax(x, { keepdims: 0 }), -100)], { then_branch: a.graph, else_branch: b.graph })[0],
          'y',
        );
      },
    ],
    [
      'a branch that outputs its initializer',
      (g, x) => {
        const [a, b] = [g.subgraph('a'), g.subgraph('b')];
        a.output(a.initializer('huge', huge()));
        b.output(b.relu(b.tanh(x)));
        return must(
          g.op('If', [g.greater(g.reduceMax(x, { keepdims: 0 }), -100)], { then_branch: a.graph, else_branch: b.graph })[0],
          'y',
        );
      },
    ],
    [
      'a Loop',
      (g, x) => {
        const body = g.subgraph('body');
        body.input('i', 'int64', []);
        const more = body.input('more', 'bool', []);
        body.input('carried', 'float32', ['N', 2]);
        body.output(body.identity(more));
        body.output(body.expand(body.initializer('huge', huge()), body.shape(x)));
        return must(g.op('Loop', [g.scalar(2, 'int64'), null, x], { body: body.graph })[0], 'y');
      },
    ],
  ];
  it.each(rows)('%s', async (_, build) => {
    const model = small((g) => {
      const x = g.input('x', 'float32', ['N', 2]);
      const h = g.relu(g.tanh(x));
      const v = build(g, h);
      g.output(g.mul(g.leakyRelu(g.mul(v, 1)), g.initializer('small', Tensor.from('float32', [1e-3, 1e-3]))), 'y');
    });
    const x = normals(7, [3, 2]);
    const { model: half, notes } = await quantize(undefined, model, { precision: 'fp16' });
    expectNear(must((await runModel(half, { x })).y, 'y'), must((await runModel(model, { x })).y, 'y'), 0.01, 'y');
    expect(notes.length).toBeGreaterThan(0);
  });

  it('in a function of the model', async () => {
    const f = ops();
    f.graph.outputs.push(f.mul(f.input('a', 'float32'), must(f.node('Constant', [], float(1e6))[0], 'c')));
    const model = small((g) => {
      const y = new Value('scaled', tensorType('float32', ['N', 2]));
      g.graph.nodes.push(new Node('Scale', [g.input('x', 'float32', ['N', 2])], [y], new Map(), '', 'my.functions'));
      g.output(g.mul(g.relu(y), g.initializer('small', Tensor.from('float32', [1e-4, 1e-4]))), 'y');
    });
    model.opsets.set('my.functions', 1);
    model.functions.push({
      domain: 'my.functions',
      name: 'Scale',
      overload: '',
      attributes: [],
      attributeDefaults: new Map(),
      body: f.graph,
      opsets: new Map([['', 17]]),
    });
    const x = normals(7, [3, 2]);
    const { model: half } = await quantize(undefined, model, { precision: 'fp16' });
    expectNear(must((await runModel(half, { x })).y, 'y'), must((await runModel(model, { x })).y, 'y'), 0.01, 'y');
  });

  it('refuses an output in float16 that cannot be one', () => {
    const model = small((g) => {
      g.output(g.mul(g.input('x', 'float32', ['N', 2]), g.initializer('huge', huge())), 'y');
    });
    expect(() => toFloat16(model, { halfIo: true })).toThrow(
      'fp16: the output "y" cannot be float16, "huge" holds 2 numbers beyond 65504',
    );
  });

  it('compares with such a number in float32', async () => {
    const model = small((g) => {
      const h = g.relu(g.input('x', 'float32', ['N', 2]));
      g.output(g.cast(g.greater(h, g.initializer('least', Tensor.from('float32', 1e-8))), { to: 'float32' }), 'y');
    });
    const x = Tensor.from('float32', [1e-7, 1], [1, 2]);
    expect((await runModel(toFloat16(model).model, { x })).y?.numbers()).toHaveLength(2);
    expect(toFloat16(model).kept.map((k) => k.reason)).toEqual(['"least" lies below 6.1e-5 as a whole']);
  });
});

describe('a divisor below float16', () => {
  const float = (g: Ops, value: number) =>
    must(g.node('Constant', [], new Map([['value_float', { kind: 'float', value } as const]]))[0], 'c');
  it.each<[string, (g: Ops, x: Value) => Value]>([
    ['an epsilon that is added', (g, x) => g.div(x, g.add(x, float(g, 1e-12)))],
    ['an epsilon as the least', (g, x) => g.div(x, g.max(x, float(g, 1e-12)))],
    ['an epsilon that is computed', (g, x) => g.div(x, g.add(x, g.exp(g.initializer('power', Tensor.from('float32', -30)))))],
    [
      'an epsilon under a root',
      (g, x) => g.div(x, g.sqrt(g.add(g.mul(x, x), g.initializer('epsilon', Tensor.from('float32', 1e-20))))),
    ],
    ['an epsilon as the bound of a Clip', (g, x) => g.div(x, g.reshape(g.clip(x, float(g, 1e-9)), [-1, 2]))],
    ['a constant with one such number', (g, x) => g.div(x, g.initializer('by', Tensor.from('float32', [1e-8, 1])))],
  ])('%s', async (_, build) => {
    const model = small((g) => {
      const h = g.relu(g.input('x', 'float32', ['N', 2]));
      g.output(g.mul(build(g, h), g.initializer('small', Tensor.from('float32', [1e-3, 1e-3]))), 'y');
    });
    const x = Tensor.from('float32', [-1, 2, 0, 1, 0.5, 0], [3, 2]);
    const { model: half, notes } = await quantize(undefined, model, { precision: 'fp16' });
    const [found, want] = [await runModel(half, { x }), await runModel(model, { x })];
    expect(want.y?.numbers().every(Number.isFinite)).toBe(true);
    expectNear(must(found.y, 'y'), must(want.y, 'y'), 0.01, 'y');
    // ONNX Runtime on the CPU computes float16 in float32, so that the numbers alone would not tell.
    const divisions = [...allNodes(half.graph)].filter((n) => n.opType === 'Div');
    expect(divisions.map((n) => n.outputs[0]?.dtype)).toEqual(['float32']);
    expect(notes.join()).toMatch(
      /Div "Div" stays float32: "[^"]*" divides by (?:numbers from [0-9.e-]+ on, which float16 makes 0|1 number that float16 makes 0)/,
    );
  });
});

describe('names', () => {
  it('of values and tasks that end as ours do', async () => {
    const model = small((g) => {
      const x = g.input('x', 'float32', ['N', 2]);
      const w = g.initializer('w', normals(1, [2, 2]));
      const b = g.initializer('w_fp16', normals(2, [2]));
      for (const name of ['a', 'a_fp16', 'a_fp16_fp32', 'x_fp16', 'a_fp32']) g.output(g.relu(g.gemm(x, w, b)), name);
    });
    const x = normals(3, [3, 2]);
    for (const halfIo of [false, true]) {
      const found = await runModel(toFloat16(model, { halfIo }).model, { x: halfIo ? toHalf(x) : x });
      for (const [name, t] of Object.entries(await runModel(model, { x })))
        expectNear(fromHalf(must(found[name], name)), t, 0.01, name);
    }
  });
});

it('a weight that is read in both precisions beside one of the name of its twin', async () => {
  const model = small((g) => {
    const x = g.input('x', 'float32', ['N', 2]);
    const w = g.initializer('w', normals(1, [2, 2]));
    const twin = g.initializer('w_fp16', normals(2, [2, 2]));
    g.output(g.add(g.matMul(g.matMul(x, w), twin), g.reduceSum(w, g.ints([0]))), 'y');
  });
  const x = normals(3, [3, 2]);
  const { model: half } = toFloat16(model);
  expectNear(must((await runModel(half, { x })).y, 'y'), must((await runModel(model, { x })).y, 'y'), 0.01, 'y');
  const names = half.graph.initializers.map((v) => v.name);
  expect(new Set(names).size).toBe(names.length);
});

describe('a model that is float16 in parts', () => {
  const model = () =>
    small((g) => {
      const x = g.input('x', 'float32', ['N', 2]);
      const z = g.input('z', 'float16', ['N', 2]);
      const w = g.initializer('w', toHalf(normals(1, [2, 2])));
      const h = g.matMul(g.cast(x, { to: 'float16' }), w);
      // Softmax is kept in float32 of what was float32, and stays float16 where it was.
      const p = g.softmax(g.add(h, z), { axis: 1 });
      const body = g.subgraph('body');
      body.input('i', 'int64', []);
      const more = body.input('more', 'bool', []);
      const carried = body.input('carried', 'float16', ['N', 2]);
      body.output(body.identity(more));
      body.output(body.add(carried, p));
      const [looped] = g.op('Loop', [g.scalar(2, 'int64'), null, h], { body: body.graph });
      const [a, b] = [g.subgraph('a'), g.subgraph('b')];
      a.output(a.softmax(must(looped, 'loop')));
      b.output(b.relu(h));
      const [either] = g.op('If', [g.greater(g.reduceMax(x, { keepdims: 0 }), 0)], {
        then_branch: a.graph,
        else_branch: b.graph,
      });
      g.output(must(either, 'if'), 'half');
      const [like] = g.op('CastLike', [x, z]);
      g.output(g.mul(must(like, 'like'), g.softmax(g.reduceSum(p, g.ints([1]), { keepdims: 1 }))), 'liked');
      g.output(g.softmax(g.add(g.gemm(g.cast(h, { to: 'float32' }), g.initializer('v', normals(4, [2, 2]))), x)), 'y');
    });

  it.each([false, true])('keeps its signature, and its numbers (halfIo %s)', async (halfIo) => {
    const [x, z] = [normals(5, [3, 2]), toHalf(normals(6, [3, 2]))];
    const { model: half } = await quantize(undefined, model(), { precision: 'fp16', halfIo });
    expect(half.graph.inputs.map((v) => v.dtype)).toEqual([halfIo ? 'float16' : 'float32', 'float16']);
    const found = await runModel(half, { x: halfIo ? toHalf(x) : x, z });
    for (const [name, t] of Object.entries(await runModel(model(), { x, z }))) {
      expect(found[name]?.dtype, name).toBe(halfIo ? 'float16' : t.dtype);
      expectNear(fromHalf(must(found[name], name)), fromHalf(t), 0.01, name);
    }
  });
});
