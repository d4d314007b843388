// Exported forms over random networks: nothing superfluous inside, all tasks in one graph as each alone, every opset that is offered,
// and what is served is what was trained.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Description } from '../../../src/model/description/description.js';
import { opsetRange } from '../../../src/model/progressive/forms.js';
import type { Weights } from '../../../src/model/progressive/weights.js';
import { must } from '../../../src/onnx/core/errors.js';
import { Tensor } from '../../../src/onnx/core/tensor.js';
import { type Graph, nodeReads, type Value } from '../../../src/onnx/ir/graph.js';
import { evalGraph, scoresOutput } from '../../../src/train/eval-graph.js';
import { stepInputs } from '../../../src/train/step/step-graph.js';
import { tapGraph } from '../../../src/train/taps/tap-graph.js';
import { tapInputs } from '../../../src/train/taps/tap-inputs.js';
import { columnAt, frozenIn, initialAt, modelOf } from '../../support/by-place.js';
import { columnsOf, describe, images, type RandomNetwork, randomNetwork, targetsOf } from '../../support/random-network.js';
import { runModel } from '../../support/run.js';

interface Sample {
  readonly n: RandomNetwork;
  readonly d: Description;
  readonly weights: Weights[];
}

const check = (body: (s: Sample) => Promise<void>, numRuns = 20) =>
  fc.assert(
    fc.asyncProperty(randomNetwork, (n) => {
      const d = describe(columnsOf(n), n.seed);
      return body({ n, d, weights: [initialAt(d, 0), initialAt(d, 1)] });
    }),
    { numRuns, seed: 11 },
  );
const feeds = { image: images };

/** The values that a graph's outputs depend on. */
function needed(graph: Graph): Set<Value> {
  const found = new Set<Value>(graph.outputs);
  for (const v of found) if (v.producer !== undefined) for (const read of nodeReads(v.producer)) found.add(read);
  return found;
}

it('a task model holds no initializer that its output does not depend on', () =>
  check(async ({ d, weights }) => {
    for (const task of ['a', 'b']) {
      const { graph } = modelOf(d, weights, { tasks: [task] });
      const reached = needed(graph);
      expect(graph.initializers.filter((v) => !reached.has(v)).map((v) => v.name)).toEqual([]);
      expect(graph.nodes.filter((node) => !node.outputs.some((v) => reached.has(v))).map((node) => node.name)).toEqual([]);
    }
  }));

it('every weight that it holds changes what it answers', () =>
  check(async ({ d, weights }) => {
    const before = must((await runModel(modelOf(d, weights, { tasks: ['b'] }), feeds)).b, 'b');
    for (const initializer of modelOf(d, weights, { tasks: ['b'] }).graph.initializers) {
      const from = weights.findIndex((w) => w.has(initializer.name));
      if (from < 0) continue;
      const t = must(weights[from]?.get(initializer.name), initializer.name);
      const data = (t.data as Float32Array).slice();
      data[0] = (data[0] ?? 0) + 0.5;
      const changed = weights.map((w, i) =>
        i === from ? new Map(w).set(initializer.name, new Tensor('float32', t.dims, data)) : w,
      );
      const after = must((await runModel(modelOf(d, changed, { tasks: ['b'] }), feeds)).b, 'b');
      expect(Buffer.compare(after.bytes, before.bytes), initializer.name).not.toBe(0);
    }
  }, 8));

it('all tasks in one graph answer bit for bit as each alone does', () =>
  check(async ({ d, weights }) => {
    const all = await runModel(modelOf(d, weights, { tasks: ['a', 'b'], probabilities: true }), feeds);
    for (const task of ['a', 'b']) {
      const alone = await runModel(modelOf(d, weights, { tasks: [task], probabilities: true }), feeds);
      for (const [name, t] of Object.entries(alone)) expect(Buffer.compare(must(all[name], name).bytes, t.bytes), name).toBe(0);
    }
  }));

it('every opset that is offered gives the same numbers', () =>
  check(async ({ d, weights }) => {
    const base = must((await runModel(modelOf(d, weights, { tasks: ['b'] }), feeds)).b, 'b').numbers();
    for (let opset = opsetRange.min; opset <= opsetRange.max; opset++) {
      const model = modelOf(d, weights, { tasks: ['b'], opset });
      expect([model.opset, model.irVersion]).toEqual([opset, [8, 8, 9, 9, 10, 10, 11, 12, 13][opset - 17]]);
      must((await runModel(model, feeds)).b, 'b')
        .numbers()
        .forEach((v, i) => {
          expect(v).toBeCloseTo(base[i] ?? Number.NaN, 5);
        });
    }
  }, 8));

it('what training evaluates is what is served', () =>
  check(async ({ n, d, weights }) => {
    const column = columnAt(d, 1);
    const inputs = tapInputs(column);
    const dtypes = { image: 'float32' } as const;
    const taps =
      inputs.length === 0
        ? {}
        : await runModel(tapGraph(column.network, inputs, frozenIn(d, weights), dtypes), { [stepInputs.data]: images });
    const evaluated = await runModel(evalGraph(column, inputs, dtypes), {
      [stepInputs.data]: images,
      [stepInputs.targets]: targetsOf(n.head),
      ...taps,
      ...Object.fromEntries(must(weights[1], 'b')),
    });
    const served = must((await runModel(modelOf(d, weights, { tasks: ['b'] }), feeds)).b, 'b').numbers();
    must(evaluated[scoresOutput], 'scores')
      .numbers()
      .forEach((v, i) => {
        expect(v).toBeCloseTo(served[i] ?? Number.NaN, 5);
      });
  }));
