// What a node computes may hang on how many outputs it lists, read or not. For every op with outputs that may be left out, at every opset: the
// model with so many unread ones gives ONNX Runtime's numbers after it was upgraded, swept and optimised.
import { expect, test } from 'vitest';
import { float32, int64, Tensor } from '../../../../src/onnx/core/tensor.js';
import { GraphBuilder } from '../../../../src/onnx/ir/builder.js';
import type { Attribute, Value } from '../../../../src/onnx/ir/graph.js';
import { irVersionFor, type Model } from '../../../../src/onnx/ir/model.js';
import { tensorType } from '../../../../src/onnx/ir/types.js';
import { foldBatchNormalization } from '../../../../src/onnx/passes/fuse/fold-batch-normalization.js';
import { upgradeOpset } from '../../../../src/onnx/passes/opset/upgrade-opset.js';
import { optimise } from '../../../../src/onnx/passes/optimise.js';
import type { Pass } from '../../../../src/onnx/passes/pass.js';
import { removeUnused } from '../../../../src/onnx/passes/remove-unused.js';
import { fromBinary } from '../../../../src/onnx/serde/from-binary.js';
import { toBinary } from '../../../../src/onnx/serde/to-binary.js';
import { runtime } from '../../../support/run.js';

const waves = (dims: readonly number[]) =>
  Tensor.from(
    'float32',
    Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(1.7 * i + 0.5)),
    dims,
  );
const x = waves([2, 4, 3]);

type Build = (g: GraphBuilder, v: Value) => readonly (Value | null)[];
const list = (...values: number[]): Attribute => ({ kind: 'ints', value: values.map(BigInt) });
const int = (value: number): Attribute => ({ kind: 'int', value: BigInt(value) });
const cell =
  (gates: number): Build =>
  (g, v) => [v, g.initializer('w', waves([1, 2 * gates, 3])), g.initializer('r', waves([1, 2 * gates, 2]))];

/** Op, its inputs, its attributes, first opset, and the counts of outputs that ONNX Runtime takes there. */
const ops: readonly [string, Build, Record<string, Attribute>, number, (opset: number) => readonly number[]][] = [
  [
    'BatchNormalization',
    (g, v) => [v, ...[1, 2, 3, 4].map((n) => g.initializer(`p${n}`, float32([n, 1, 2, 3])))],
    {},
    7,
    (opset) => (opset < 14 ? [1, 5] : [1]),
  ],
  [
    // Behind a product that an inferring one is folded into.
    'BatchNormalization behind Conv',
    (g, v) => {
      const [conv] = g.node('Conv', [v, g.initializer('kernel', waves([4, 4, 1]))]) as [Value];
      conv.type = tensorType('float32', ['N', 4, 3]);
      return [conv, ...[1, 2, 3, 4].map((n) => g.initializer(`p${n}`, float32([n, 1, 2, 3])))];
    },
    {},
    7,
    (opset) => (opset < 14 ? [1, 5] : [1]),
  ],
  ['Dropout', (_, v) => [v], {}, 7, () => [1, 2]],
  ['MaxPool', (_, v) => [v], { kernel_shape: list(2) }, 8, () => [1, 2]],
  ['RNN', cell(1), { hidden_size: int(2) }, 7, () => [1, 2]],
  ['GRU', cell(3), { hidden_size: int(2) }, 7, () => [1, 2]],
  ['LSTM', cell(4), { hidden_size: int(2) }, 7, () => [1, 2, 3]],
  ['LayerNormalization', (g, v) => [v, g.initializer('s', float32([1, 2, 3]))], {}, 17, () => [1, 2, 3]],
  ['Unique', (_, v) => [v], {}, 11, () => [1, 2, 3, 4]],
  ['Split', (_, v) => [v], { axis: int(1) }, 7, (opset) => (opset < 18 ? [1, 2, 4] : [])],
  ['TopK', (g, v) => [v, g.initializer('k', int64([2]))], {}, 10, () => [2]],
];

function modelOf(opset: number, build: (g: GraphBuilder, v: Value) => Value): Model {
  const g = new GraphBuilder(() => [], opset);
  const y = build(g, g.input('x', 'float32', ['N', 4, 3]));
  y.type = tensorType('float32');
  g.output(y, 'y');
  const model = g.model();
  model.irVersion = irVersionFor(opset);
  return model;
}

async function numbers(model: Model): Promise<readonly number[]> {
  const session = await runtime.createSession(toBinary(model), { threads: 1 });
  try {
    const { y } = await session.run({ x });
    return Array.from(y?.numbers() ?? []);
  } finally {
    await session.release();
  }
}

const passes: Readonly<Record<string, Pass<Model>>> = {
  'remove unused': (m) => removeUnused(m.graph),
  optimise: (m) => optimise(m.graph, { opset: m.opset }),
  'fold normalizations': (m) => foldBatchNormalization(m.graph),
  upgrade: upgradeOpset,
  'upgrade, optimise': (m) => upgradeOpset(m) && optimise(m.graph, { opset: m.opset }),
};

for (const [op, inputs, attributes, first, counts] of ops) {
  test(`${op} keeps its mode`, async () => {
    let compared = 0;
    for (let opset = first; opset <= 21; opset++) {
      for (const count of counts(opset)) {
        const given = modelOf(opset, (g, v) => {
          const [y] = g.node(op.split(' ')[0] ?? op, inputs(g, v), new Map(Object.entries(attributes)), count);
          return y as Value;
        });
        const want = await numbers(given);
        for (const [name, pass] of Object.entries(passes)) {
          const model = fromBinary(toBinary(given));
          pass(model);
          const got = await numbers(model);
          const place = `opset ${opset}, ${count} outputs, ${name}`;
          expect(got.length, place).toBe(want.length);
          for (const [i, v] of got.entries()) expect(Math.abs(v - (want[i] ?? 0)), place).toBeLessThan(1e-6);
          compared++;
        }
      }
    }
    expect(compared).toBeGreaterThan(0);
  });
}

test("a Dropout's mask that is read keeps its numbers, or is refused where it was floating-point or meant the opposite", async () => {
  for (let opset = 7; opset <= 17; opset++) {
    const given = () =>
      modelOf(opset, (g, v) => {
        const [kept, mask] = g.node('Dropout', [v], new Map(), 2);
        const to = new Map([['to', int(1)]]);
        return g.node('Add', [kept as Value, g.node('Cast', [mask as Value], to)[0] as Value])[0] as Value;
      });
    const upgraded = fromBinary(toBinary(given()));
    if (opset < 12) {
      const why = opset < 10 ? 'floating-point' : 'false wherever nothing is dropped, it is true since opset 12';
      expect(() => upgradeOpset(upgraded)).toThrow(`Dropout "Dropout": cannot be brought to opset 17, its mask was ${why}`);
    } else {
      upgradeOpset(upgraded);
      expect(await numbers(upgraded), `opset ${opset}`).toEqual(await numbers(given()));
    }
  }
});

test('an old form whose attribute is what each call of a function says is refused', () => {
  for (const [opset, op, attribute] of [
    [11, 'Softmax', 'axis'],
    [11, 'Squeeze', 'axes'],
    [9, 'Slice', 'starts'],
  ] as const) {
    const model = modelOf(opset, (g, v) => g.node('Call', [v], new Map(), 1, 'my')[0] as Value);
    const body = new GraphBuilder(() => [], opset);
    const refers = new Map<string, Attribute>([
      [attribute, { kind: 'ref', value: 'given', type: attribute === 'axis' ? 'int' : 'ints' }],
      ...(op === 'Slice' ? [['ends', { kind: 'ints', value: [1n] }] as const] : []),
    ]);
    body.graph.outputs.push(...body.node(op, [body.input('a', 'float32')], refers));
    const shared = { overload: '', attributes: ['given'], attributeDefaults: new Map() };
    model.functions.push({ domain: 'my', name: 'Call', ...shared, body: body.graph, opsets: new Map([['', opset]]) });
    expect(() => upgradeOpset(model), op).toThrow(
      `${op} "${op}": cannot be brought to opset 17, its ${attribute} is what each call of the function around it says`,
    );
  }
});

test('a Split into two is not one into four', async () => {
  const given = modelOf(17, (g, v) => {
    const axis = new Map([['axis', int(1)]]);
    const [two] = g.node('Split', [v], axis, 2);
    const [four] = g.node('Split', [v], axis, 4);
    return g.node('Concat', [four as Value, two as Value], axis)[0] as Value;
  });
  const model = fromBinary(toBinary(given));
  optimise(model.graph, { opset: 17 });
  expect(await numbers(model)).toEqual(await numbers(given));
});
