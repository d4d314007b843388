// The summary behind `prognet inspect`, as data and as text.
import { expect, test } from 'vitest';
import { must } from '../../../src/onnx/core/errors.js';
import { Tensor } from '../../../src/onnx/core/tensor.js';
import { formatInspection, inspectModel } from '../../../src/onnx/ir/inspect.js';
import { ops } from '../../../src/onnx/ops/ops.js';

function sample() {
  const g = ops({ name: 'digits' });
  const x = g.input('image', 'float32', ['N', 784]);
  const w = g.initializer('digits/0/0/weight', Tensor.zeros('float32', [784, 1500]));
  const h = g.relu(g.relu(g.matMul(x, w)));
  const branch = (name: string) => {
    const b = g.subgraph(name);
    b.output(b.add(h, b.initializer(`${name}/bias`, Tensor.zeros('float32', [1500]))));
    return b.graph;
  };
  g.output(g.if(g.input('c', 'bool', []), { then_branch: branch('then'), else_branch: branch('else') }), 'digits');
  g.initializer('axes', Tensor.from('int64', [0, 1]));
  g.initializer('labels', new Tensor('string', [2], ['zéro', 'one']));
  const model = g.model();
  model.producerVersion = '1.2.3';
  model.opsets.set('my.domain', 2);
  model.metadata.set('note', `line\nbreak ${'.'.repeat(200)}`);
  return model;
}

test('inspectModel gives plain data', () => {
  const summary = inspectModel(sample());
  expect(JSON.parse(JSON.stringify(summary))).toEqual(summary);
  expect({ ...summary, metadata: {} }).toMatchInlineSnapshot(`
    {
      "constants": [],
      "functions": [],
      "graph": "digits",
      "initializers": [
        {
          "bytes": 4704000,
          "dtype": "float32",
          "name": "digits/0/0/weight",
          "shape": [
            784,
            1500,
          ],
        },
        {
          "bytes": 16,
          "dtype": "int64",
          "name": "axes",
          "shape": [
            2,
          ],
        },
        {
          "bytes": 8,
          "dtype": "string",
          "name": "labels",
          "shape": [
            2,
          ],
        },
        {
          "bytes": 6000,
          "dtype": "float32",
          "name": "then/bias",
          "shape": [
            1500,
          ],
        },
        {
          "bytes": 6000,
          "dtype": "float32",
          "name": "else/bias",
          "shape": [
            1500,
          ],
        },
      ],
      "inputs": [
        {
          "name": "image",
          "type": "float32[N,784]",
        },
        {
          "name": "c",
          "type": "bool[]",
        },
      ],
      "irVersion": 8,
      "metadata": {},
      "nodes": 6,
      "ops": {
        "Add": 2,
        "If": 1,
        "MatMul": 1,
        "Relu": 2,
      },
      "opsets": {
        "ai.onnx": 17,
        "my.domain": 2,
      },
      "outputs": [
        {
          "name": "digits",
          "type": "float32[N,1500]",
        },
      ],
      "parameters": {
        "bytes": 4716000,
        "count": 1179000,
      },
      "producer": {
        "name": "prognet",
        "version": "1.2.3",
      },
    }
  `);
});

test('an initializer that is an input counts once', () => {
  const model = sample();
  model.graph.inputs.push(...model.graph.initializers);
  expect(inspectModel(model).inputs.map((v) => v.name)).toEqual(['image', 'c']);
});

test('formatInspection is for people', () => {
  expect(formatInspection(inspectModel(sample()))).toMatchInlineSnapshot(`
    "graph       digits
    format      IR 8, ai.onnx 17, my.domain 2, by prognet 1.2.3
    parameters  1,179,000 (4.5 MiB)
    nodes       6
    inputs
      image  float32[N,784]
      c      bool[]
    outputs
      digits  float32[N,1500]
    ops
      Add     2
      Relu    2
      If      1
      MatMul  1
    initializers
      digits/0/0/weight  float32[784,1500]  4.5 MiB
      axes               int64[2]           16 B
      labels             string[2]          8 B
      then/bias          float32[1500]      5.9 KiB
      else/bias          float32[1500]      5.9 KiB
    metadata
      note  line\\nbreak .......................................................................................…"
  `);
});

test('weights that are Constant nodes are parameters, shapes that are such are none', () => {
  const g = ops();
  const node = (value: Tensor) => must(g.op('Constant', [], { value }, 1)[0], 'constant');
  const product = g.matMul(g.input('x', 'float32', ['N', 3]), node(Tensor.zeros('float32', [3, 4])));
  g.output(g.reshape(product, node(Tensor.from('int64', [-1, 2, 2]))), 'y');
  const { parameters, ops: used } = inspectModel(g.model());
  expect([parameters, used.Constant]).toEqual([{ count: 12, bytes: 48 }, 2]);
});
