// Models in float16 on ONNX Runtime against float32, and what the graphs look like.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { must } from '../../../src/onnx/core/errors.js';
import { Tensor } from '../../../src/onnx/core/tensor.js';
import { allNodes, type Graph } from '../../../src/onnx/ir/graph.js';
import { printGraph } from '../../../src/onnx/ir/print.js';
import { type Ops, ops } from '../../../src/onnx/ops/ops.js';
import { toFloat16 } from '../../../src/onnx/precision/float16.js';
import { fromHalf, toHalf } from '../../../src/onnx/precision/half.js';
import { convertFloat16 } from '../../../src/onnx/precision/quantize.js';
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
      const found = await runModel(half, { image: halfIo ? toHalf(images).tensor : images });
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
    expect(kept.map((k) => k.reason)).toEqual(['"far" holds 1 number beyond 65504', '"epsilon" lies below 6.1e-5 as a whole']);
    expect(half).toBe(2);
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
