// The routed form: for each task_id bit for bit what that task's own model answers, and only that computed.
import fc from 'fast-check';
import { expect, describe as group, it } from 'vitest';
import { parseDescription } from '../../../src/model/description/parse.js';
import { must } from '../../../src/onnx/core/errors.js';
import { int64, Tensor } from '../../../src/onnx/core/tensor.js';
import { allNodes, type Graph, type Value } from '../../../src/onnx/ir/graph.js';
import { initialAt, modelOf } from '../../support/by-place.js';
import { columnsOf, describe, images, randomNetwork } from '../../support/random-network.js';
import { runModel, sessionOf } from '../../support/run.js';

/** Four columns of different heads and bodies, laterals of both kinds. */
const four = parseDescription({
  prognet: 1,
  name: 'four',
  seed: 3,
  input: { name: 'image', shape: [1, 4, 4] },
  columns: [
    {
      task: 'a',
      blocks: [
        ['flatten', { dense: 6 }, 'tanh'],
        [{ dense: 5 }, 'relu'],
      ],
      head: { classify: 3 },
    },
    { task: 'b', like: 'a', laterals: { kind: 'adapter', rank: 4 }, head: { classify: 2 } },
    {
      task: 'c',
      blocks: [
        [{ conv2d: { filters: 3, kernel: 3, padding: 'same' } }, 'relu'],
        [{ conv2d: { filters: 4, kernel: 3 } }, 'relu'],
      ],
      head: { classify: 3 },
    },
    { task: 'd', like: 'c', laterals: { kind: 'adapter', rank: 2 } },
  ],
});
const weights = four.columns.map((_, i) => initialAt(four, i));
const tasks = four.columns.map((c) => c.task);
const routed = () => modelOf(four, weights, { tasks, routed: true });

it('answers as each task alone, bit for bit, over random networks', () =>
  fc.assert(
    fc.asyncProperty(randomNetwork, async (n) => {
      const d = describe(columnsOf(n), n.seed);
      const w = d.columns.map((_, i) => initialAt(d, i));
      const session = await sessionOf(modelOf(d, w, { tasks: ['a', 'b'], routed: true }));
      for (const [i, task] of ['a', 'b'].entries()) {
        const alone = must((await runModel(modelOf(d, w, { tasks: [task] }), { image: images }))[task], task);
        const { scores } = await session.run({ image: images, task_id: int64([i]) });
        expect(scores?.dims).toEqual(alone.dims);
        expect(Buffer.compare(must(scores, 'scores').bytes, alone.bytes), task).toBe(0);
      }
      await session.release();
    }),
    { numRuns: 25, seed: 23 },
  ));

group('four tasks', () => {
  it('give their own scores', async () => {
    const session = await sessionOf(routed());
    for (const [i, task] of tasks.entries()) {
      const alone = must((await runModel(modelOf(four, weights, { tasks: [task] }), { image: images }))[task], task);
      const { scores } = await session.run({ image: images, task_id: int64([i]) });
      expect(Buffer.compare(must(scores, 'scores').bytes, alone.bytes), task).toBe(0);
    }
    await session.release();
  });

  it('refuse ids out of range and several ids at once', async () => {
    const session = await sessionOf(routed());
    for (const id of [-5, -4, -1, 4, 2 ** 40])
      await expect(session.run({ image: images, task_id: int64([id]) }), String(id)).rejects.toThrow(/indices|index/);
    for (const ids of [[0, 1], [0, 0], []])
      await expect(session.run({ image: images, task_id: int64(ids) }), String(ids)).rejects.toThrow(/task_id/);
    await session.release();
  });

  it('hold each weight once, in the branch that reads it, and each node in the branch whose tasks all need it', () => {
    const { graph } = routed();
    const graphs: Graph[] = [graph, ...[...allNodes(graph)].flatMap((n) => n.subgraphs)];
    const named = graphs
      .flatMap((g) => g.initializers.map((v) => v.name))
      .filter((name) => tasks.includes(name.split('/')[0] ?? ''));
    expect([...named].sort()).toEqual(weights.flatMap((w) => [...w.keys()]).sort());
    for (const g of graphs) {
      const own = new Set<Value | null>(g.initializers);
      for (const node of g.nodes)
        for (const v of node.inputs)
          if (v?.constant !== undefined && tasks.includes(v.name.split('/')[0] ?? '')) expect(own.has(v), v.name).toBe(true);
    }
    // all read column a, b's blocks are read by c and d, c's by d: each If splits off one task
    const inside = (g: Graph): string[] =>
      g.nodes.filter((n) => /Gemm|Conv|If/.test(n.opType)).map((n) => n.name.replace(/_\d+$/, ''));
    expect(graphs.map((g) => [g.name, ...inside(g)].join(' '))).toMatchInlineSnapshot(`
      [
        "four a/0/dense/Gemm a/1/dense/Gemm If",
        "tasks_0 a/head/dense/Gemm",
        "tasks_1_2_3 b/0/dense/Gemm b/1/dense/Gemm b/1/dense/b/1/lateral/Gemm If",
        "tasks_1 b/head/dense/Gemm b/head/dense/b/head/lateral/Gemm",
        "tasks_2_3 c/0/conv2d/Conv c/1/conv2d/Conv c/1/conv2d/c/1/lateral/Conv c/1/conv2d/c/1/lateral/Conv If",
        "tasks_2 c/head/dense/Gemm",
        "tasks_3 d/0/conv2d/Conv d/1/conv2d/Conv d/1/conv2d/d/1/lateral/Conv d/1/conv2d/d/1/lateral/Conv d/head/dense/Gemm d/head/dense/d/head/lateral/Gemm",
      ]
    `);
  });

  it('state the width where it is the same for all', () => {
    const shape = (names: string[]) => modelOf(four, weights, { tasks: names, routed: true }).graph.outputs[0]?.shape;
    expect(shape(['a', 'c'])).toEqual(['N', 3]);
    expect(shape(['a', 'b'])).toEqual(['N', null]);
  });

  it('give probabilities and labels', async () => {
    const session = await sessionOf(modelOf(four, weights, { tasks, routed: true, probabilities: true }));
    for (const [i, task] of tasks.entries()) {
      const alone = await runModel(modelOf(four, weights, { tasks: [task], probabilities: true }), { image: images });
      const found = await session.run({ image: images, task_id: int64([i]) });
      for (const [name, t] of Object.entries({ scores: task, probabilities: `${task}_probabilities`, label: `${task}_label` }))
        expect(Buffer.compare(must(found[name], name).bytes, must(alone[t], t).bytes), t).toBe(0);
    }
    await session.release();
  });
});

it('one task alone is refused', () => {
  expect(() => modelOf(four, weights, { tasks: ['a'], routed: true })).toThrow('a routed model needs two tasks or more');
});

it('probabilities of heads that have none are refused', () => {
  const d = parseDescription({
    prognet: 1,
    name: 'mixed',
    input: { name: 'x', shape: [2] },
    columns: [
      { task: 'a', blocks: [[{ dense: 2 }]], head: { classify: 2 } },
      { task: 'b', like: 'a', head: { regress: 1 } },
    ],
  });
  const w = d.columns.map((_, i) => initialAt(d, i));
  expect(() => modelOf(d, w, { tasks: ['a', 'b'], routed: true, probabilities: true })).toThrow(
    'probabilities of a routed model need heads of one kind, all classify or all binary: choose tasks of one kind, another form, or no probabilities',
  );
});
it('an input with the name of an output is refused', () => {
  const columns = [{ task: 'a', blocks: [[{ dense: 2 }]], head: { classify: 2 } }];
  const d = parseDescription({ prognet: 1, name: 'n', input: { name: 'scores', shape: [2] }, columns });
  expect(() => modelOf(d, [initialAt(d, 0)], { tasks: ['a'], routed: true })).toThrow('the input "scores" has the name');
});

it('runs many rows at once', async () => {
  const rows = new Tensor('float32', [3, 1, 4, 4], new Float32Array(48).fill(0.25));
  const { scores } = await runModel(routed(), { image: rows, task_id: int64([1]) });
  expect(scores?.dims).toEqual([3, 2]);
});
