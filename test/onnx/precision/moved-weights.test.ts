// Weights that are moved, looked up or read by recurrent layers: what becomes of them in each precision, and how near the answers stay.
import { expect, it, test } from 'vitest';
import { must } from '../../../src/onnx/core/errors.js';
import { int64, Tensor } from '../../../src/onnx/core/tensor.js';
import { allNodes, type Value } from '../../../src/onnx/ir/graph.js';
import { cloneModel, type Model } from '../../../src/onnx/ir/model.js';
import { ops } from '../../../src/onnx/ops/ops.js';
import type { Ops } from '../../../src/onnx/ops/ops-builder.js';
import { toDynamicInt8 } from '../../../src/onnx/precision/dynamic-int8.js';
import { foldMovements } from '../../../src/onnx/precision/fold-movements.js';
import { type QuantizeOptions, quantize } from '../../../src/onnx/precision/quantize.js';
import { toBinary } from '../../../src/onnx/serde/to-binary.js';
import { normals } from '../../support/random-network.js';
import { runModel, runtime } from '../../support/run.js';

type Feeds = Record<string, Tensor>;

const norm = (t: readonly number[]) => Math.sqrt(t.reduce((s, v) => s + v * v, 0));

/** |found - expected| / |expected| of all outputs, the worst. */
async function distance(model: Model, quantized: Model, feeds: Feeds): Promise<number> {
  const [expected, found] = [await runModel(model, feeds), await runModel(quantized, feeds)];
  const each = Object.entries(expected).map(([name, t]) => {
    const now = must(found[name], name).numbers();
    return norm(t.numbers().map((v, i) => v - (now[i] ?? Number.NaN))) / norm(t.numbers());
  });
  return Math.max(...each);
}

/** How many bytes of 100 are left, and how far the answers are off. */
async function outcome(model: Model, feeds: Feeds, precision: QuantizeOptions['precision']) {
  const options: QuantizeOptions = precision === 'int8' ? { precision, samples: [feeds] } : { precision };
  const { model: now, notes } = await quantize(runtime, model, options);
  const percent = (100 * toBinary(now).length) / toBinary(model).length;
  return {
    now,
    notes,
    percent,
    distance: await distance(model, now, feeds),
    opTypes: [...allNodes(now.graph)].map((n) => n.opType),
  };
}

const ids = (dims: readonly number[], below: number) =>
  new Tensor(
    'int64',
    dims,
    BigInt64Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, i) => BigInt((i * 7919 + 3) % below)),
  );

const each = ['fp16', 'int8', 'int8-dynamic'] as const;
/** Sizes that are promised, in per cent, and how far answers may be off. */
const bars = { fp16: [52, 0.01], int8: [28, 0.05], 'int8-dynamic': [28, 0.05] } as const;

/** A table, then a product whose weight stands transposed, as PyTorch's exporter leaves it. */
function embedding(tied = false): { model: Model; feeds: Feeds } {
  const g = ops();
  const table = g.initializer('table', normals(1, [2000, 64]));
  const x = g.gather(table, g.input('ids', 'int64', ['N', 'T']));
  const h = g.relu(g.matMul(x, g.transpose(g.initializer('w', normals(2, [64, 64])), { perm: [1, 0] })));
  g.output(tied ? g.matMul(h, g.transpose(table, { perm: [1, 0] })) : h, 'y');
  return { model: g.model(), feeds: { ids: ids([3, 5], 2000) } };
}

/** Weights as small as trained ones are: a recurrence of larger ones is chaos. */
function small(seed: number, dims: number[]): Tensor {
  return new Tensor(
    'float32',
    dims,
    (normals(seed, dims).data as Float32Array).map((v) => v / 10),
  );
}

function recurrent(op: 'LSTM' | 'GRU' | 'RNN', directions = 1): { model: Model; feeds: Feeds } {
  const g = ops();
  const [gates, hidden, features] = [{ LSTM: 4, GRU: 3, RNN: 1 }[op], 96, 64];
  const size = 0.1;
  const small = (seed: number, dims: number[]) => {
    const t = normals(seed, dims);
    return new Tensor(
      'float32',
      dims,
      Float32Array.from(t.data as Float32Array, (v) => v * size),
    );
  };
  const [y] = g.op(
    op,
    [
      g.input('x', 'float32', ['T', 'N', features]),
      g.initializer('W', small(1, [directions, gates * hidden, features])),
      g.initializer('R', small(2, [directions, gates * hidden, hidden])),
      g.initializer('B', small(3, [directions, 2 * gates * hidden])),
    ],
    { hidden_size: hidden, direction: directions === 2 ? 'bidirectional' : 'forward' },
  );
  g.output(must(y, 'output'), 'y');
  return { model: g.model(), feeds: { x: normals(4, [7, 2, features]) } };
}

test.each(each)('%s: a table and a transposed weight', async (precision) => {
  const { model, feeds } = embedding();
  const found = await outcome(model, feeds, precision);
  expect(found.percent).toBeLessThan(bars[precision][0]);
  expect(found.distance).toBeLessThan(bars[precision][1]);
  expect(found.opTypes).not.toContain('Transpose');
  expect(found.notes).toEqual([]);
});

test.each(each)('%s: a table that is the last weight too stands once', async (precision) => {
  const { model, feeds } = embedding(true);
  const found = await outcome(model, feeds, precision);
  expect(found.percent).toBeLessThan(bars[precision][0]);
  expect(found.distance).toBeLessThan(bars[precision][1]);
});

const layers = [
  ['LSTM', 1],
  ['LSTM', 2],
  ['GRU', 2],
  ['RNN', 1],
] as const;
test.each(layers.flatMap(([op, directions]) => each.map((p) => [op, directions, p] as const)))(
  '%s of %i directions in %s',
  async (op, directions, precision) => {
    const { model, feeds } = recurrent(op, directions);
    const found = await outcome(model, feeds, precision);
    // an RNN is so small that its bias and the names count
    expect(found.percent).toBeLessThan(bars[precision][0] + (op === 'RNN' ? 6 : precision === 'fp16' ? 0 : 3));
    expect(found.distance).toBeLessThan(bars[precision][1]);
    expect(found.notes).toEqual([]);
  },
);

it('a table of bytes answers the same bits, however its rows are batched', async () => {
  const { model } = embedding();
  const all = ids([4, 5], 2000);
  const { model: now } = await quantize(runtime, model, { precision: 'int8', samples: [{ ids: all }] });
  const rows = must((await runModel(now, { ids: all })).y, 'y').data;
  for (let row = 0; row < 4; row++) {
    const one = new Tensor('int64', [1, 5], (all.data as BigInt64Array).slice(row * 5, row * 5 + 5));
    expect(must((await runModel(now, { ids: one })).y, 'y').data).toEqual(rows.slice(row * 320, row * 320 + 320));
  }
});

it('Slice and Reshape of a constant, in parts: all of them where they take no more than it together, none where they take more', async () => {
  const parts = (starts: readonly number[]) => {
    const g = ops();
    const w = g.initializer('w', normals(1, [96, 64]));
    const x = g.input('x', 'float32', ['N', 32]);
    starts.forEach((start, i) => {
      const slice = g.slice(w, [start], [start + 32], [0]);
      g.output(g.matMul(x, g.reshape(slice, [32, 64])), `y${i}`);
    });
    return g.model();
  };
  const feeds = { x: normals(2, [3, 32]) };
  for (const precision of each) {
    const found = await outcome(parts([0, 32, 64]), feeds, precision);
    expect(found.opTypes, precision).not.toContain('Slice');
    expect(found.distance).toBeLessThan(bars[precision][1]);
  }
  const { model: kept } = await quantize(undefined, parts([0, 16, 32, 64]), { precision: 'fp16' });
  expect(kept.graph.nodes.map((n) => n.opType)).toContain('Slice');
  expect(await distance(parts([0, 16, 32, 64]), kept, feeds)).toBeLessThan(0.01);
});

const movements: Record<string, (g: Ops, w: Value) => Value> = {
  transpose: (g, w) => g.transpose(w, { perm: [2, 0, 1] }),
  'slice with steps': (g, w) => g.slice(w, [5, 1], [-7, 4], [0, 2], [-2, 2]),
  reshape: (g, w) => g.reshape(w, [-1, 8]),
  unsqueeze: (g, w) => g.unsqueeze(w, [0, 2]),
  'slice, then transpose': (g, w) => g.transpose(g.slice(w, [1], [3], [1]), { perm: [1, 2, 0] }),
};
test.each(Object.entries(movements))('a folded %s has the bits that ONNX Runtime gives', async (_, move) => {
  const g = ops();
  g.output(g.add(move(g, g.initializer('w', normals(1, [6, 5, 4]))), g.input('x', 'float32', [1])), 'y');
  const [model, folded] = [g.model(), cloneModel(g.model())];
  expect(foldMovements(folded.graph, folded.opset)).toBe(true);
  expect(folded.graph.nodes.map((n) => n.opType)).toEqual(['Add']);
  const feeds = { x: Tensor.from('float32', [0]) };
  expect(await runModel(folded, feeds)).toEqual(await runModel(model, feeds));
});

it('a weight that callers may override is not moved', () => {
  const { graph } = embedding().model;
  graph.inputs.push(...graph.initializers.filter((v) => v.name === 'w'));
  expect(foldMovements(graph, 17)).toBe(false);
});

/** y of a Loop of three rounds, its body's weights its own or the graph's. */
function looped(inside: boolean): { model: Model; feeds: Feeds } {
  const g = ops();
  const x = g.input('x', 'float32', [2, 48]);
  const w = small(1, [48, 48]);
  const outer = inside ? undefined : g.initializer('w', w);
  const body = g.subgraph('body');
  body.input('round', 'int64', []);
  const go = body.input('go', 'bool', []);
  const h = body.input('h', 'float32', [2, 48]);
  body.output(body.identity(go), 'go_on');
  body.output(body.tanh(body.matMul(h, outer ?? body.initializer('w', w))), 'next');
  const [y] = g.op('Loop', [g.constant(int64(3)), null, x], { body: body.graph });
  g.output(must(y, 'output'), 'y');
  return { model: g.model(), feeds: { x: normals(2, [2, 48]) } };
}

test.each([true, false].flatMap((inside) => each.map((p) => [inside, p] as const)))(
  'a weight in the body of a Loop (its own: %s) in %s',
  async (inside, precision) => {
    const { model, feeds } = looped(inside);
    const found = await outcome(model, feeds, precision);
    expect(found.percent).toBeLessThan(precision === 'fp16' ? 56 : 40);
    expect(found.distance).toBeLessThan(bars[precision][1]);
  },
);

/** y of an If whose branches have a weight each, their own or the graph's. */
function branched(inside: boolean): { model: Model; feeds: Feeds } {
  const g = ops();
  const x = g.input('x', 'float32', [2, 48]);
  const condition = g.input('c', 'bool', []);
  const branch = (name: string, seed: number) => {
    const b = g.subgraph(name);
    b.output(b.tanh(b.matMul(x, (inside ? b : g).initializer(`w_${name}`, small(seed, [48, 48])))));
    return b.graph;
  };
  const [y] = g.op('If', [condition], { then_branch: branch('then', 1), else_branch: branch('else', 2) });
  g.output(must(y, 'output'), 'y');
  return { model: g.model(), feeds: { x: normals(3, [2, 48]) } };
}

test.each([true, false].flatMap((inside) => each.map((p) => [inside, p] as const)))(
  'weights in the branches of an If (their own: %s) in %s',
  async (inside, precision) => {
    const { model, feeds } = branched(inside);
    for (const c of [0, 1]) {
      const found = await outcome(model, { ...feeds, c: new Tensor('bool', [], Uint8Array.of(c)) }, precision);
      expect(found.percent).toBeLessThan(precision === 'fp16' ? 54 : 40);
      expect(found.distance).toBeLessThan(bars[precision][1]);
      expect(found.notes.filter((line) => /stays? float32: it|integers are/.test(line))).toEqual([]);
    }
  },
);

/** The last state of a Scan over five rows, its body's weights its own or the graph's. */
function scanned(inside: boolean): { model: Model; feeds: Feeds } {
  const g = ops();
  const [rows, start] = [g.input('rows', 'float32', [5, 48]), g.input('start', 'float32', [48])];
  const w = small(1, [48, 48]);
  const outer = inside ? undefined : g.initializer('w', w);
  const body = g.subgraph('body');
  const [h, row] = [body.input('h', 'float32', [48]), body.input('row', 'float32', [48])];
  const moved = body.matMul(body.unsqueeze(h, [0]), outer ?? body.initializer('w', w));
  body.output(body.tanh(body.add(body.squeeze(moved, [0]), row)), 'next');
  const [y] = g.op('Scan', [start, rows], { body: body.graph, num_scan_inputs: 1 });
  g.output(must(y, 'output'), 'y');
  return { model: g.model(), feeds: { rows: normals(2, [5, 48]), start: normals(3, [48]) } };
}

test.each([true, false].flatMap((inside) => each.map((p) => [inside, p] as const)))(
  'a weight in the body of a Scan (its own: %s) in %s',
  async (inside, precision) => {
    const { model, feeds } = scanned(inside);
    const found = await outcome(model, feeds, precision);
    expect(found.percent).toBeLessThan(precision === 'fp16' ? 58 : 42);
    expect(found.distance).toBeLessThan(bars[precision][1]);
  },
);

it('says which large weights stay float32, and why; a line for each kind', async () => {
  const g = ops();
  const x = g.input('x', 'float32', [1, 32, 4, 4]);
  const up = (name: string, v: typeof x) =>
    g.convTranspose(v, g.initializer(name, normals(1, [32, 32, 2, 2])), null, { strides: [2, 2] });
  const anchors = g.gather(g.initializer('anchors', normals(2, [600, 4])), g.input('at', 'int64', ['K']));
  g.output(anchors, 'boxes');
  g.output(g.conv(up('b', up('a', x)), g.initializer('k', normals(3, [8, 32, 1, 1])), null, {}), 'y');
  const { notes } = await quantize(undefined, g.model(), { precision: 'int8-dynamic' });
  expect(notes).toEqual([
    '1 weight of Gather (0.01 MB) stays float32: its rows hold fewer than 16 numbers',
    '2 weights of ConvTranspose (0.03 MB) stay float32: integers are for products, tables and recurrent layers',
  ]);
});

it('int8-dynamic takes a Conv whose output has no known rank', async () => {
  const g = ops();
  g.output(g.conv(g.input('x', 'float32', [1, 32, 8, 8]), g.initializer('k', normals(3, [8, 32, 3, 3])), null, {}), 'y');
  const feeds = { x: normals(4, [1, 32, 8, 8]) };
  const converted = toDynamicInt8(bare(g.model()));
  expect(await distance(g.model(), converted, feeds)).toBeLessThan(0.05);
});

/** Without what is known of the values between. */
function bare(model: Model): Model {
  const copy = cloneModel(model);
  for (const { outputs } of copy.graph.nodes) for (const v of outputs) v.type = undefined;
  return copy;
}
