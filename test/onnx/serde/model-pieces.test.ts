// A model in pieces: byte for byte what the generated encoder writes, and the weights in it are those in memory.
import $protobuf from 'protobufjs/minimal.js';
import { describe, expect, it } from 'vitest';
import { Tensor } from '../../../src/onnx/core/tensor.js';
import type { Model } from '../../../src/onnx/ir/model.js';
import { ops } from '../../../src/onnx/ops/ops.js';
import type { Ops } from '../../../src/onnx/ops/ops-builder.js';
import { fromBinary } from '../../../src/onnx/serde/from-binary.js';
import { onnx } from '../../../src/onnx/serde/generated/onnx.js';
import { toBinary, toPieces } from '../../../src/onnx/serde/to-binary.js';
import { modelToProto } from '../../../src/onnx/serde/to-proto.js';
import { fullModel } from './full-model.js';

const floats = (count: number) => new Tensor('float32', [count], new Float32Array(count).fill(0.5));

/** An If within an If, each branch with weights of its own, some too small to be a piece. */
function branches(count: number): Model {
  const g = ops();
  const [x, c] = [g.input('x', 'float32', [count]), g.input('c', 'bool', [])];
  let weightCount = 0;
  const choice = (to: Ops, depth: number): Ops => {
    const branch = (name: string) => {
      const inner = to.subgraph(name);
      const w = inner.initializer(`w${weightCount++}`, floats(count));
      inner.output(depth === 0 ? inner.add(x, w) : inner.add(w, choice(inner, depth - 1).graph.nodes.at(-1)?.outputs[0] ?? x));
      return inner.graph;
    };
    to.if(c, { then_branch: branch('t'), else_branch: branch('e') });
    return to;
  };
  g.output(choice(g, 1).graph.nodes.at(-1)?.outputs[0] ?? x, 'y');
  return g.model();
}

function weights(): Model {
  const g = ops();
  const x = g.input('x', 'float32', [5000]);
  const w = g.initializer('w', floats(5000));
  w.doc = 'documented';
  w.metadata.set('key', 'value');
  g.output(g.add(g.add(x, w), g.initializer('small', floats(1))), 'y');
  return g.model();
}

const models: Record<string, () => Model> = {
  'of everything': () => fromBinary(fullModel()),
  'with weights': weights,
  'with branches': () => branches(5000),
  'with small branches': () => branches(3),
};

describe.each(Object.entries(models))('a model %s', (_, make) => {
  it('is the same bytes in pieces as whole', () => {
    const model = make();
    const writer = $protobuf.Writer.create();
    onnx.ModelProto.encode(modelToProto(model), writer);
    const whole = Buffer.from(writer.finish());
    const { length, ...found } = toPieces(model);
    const pieces = [...found.pieces];
    expect(length).toBe(pieces.reduce((n, p) => n + p.length, 0));
    // what the IR keeps as bytes stands at the end
    expect(Buffer.compare(Buffer.concat(pieces).subarray(0, whole.length), whole)).toBe(0);
    expect(Buffer.compare(toBinary(model), Buffer.concat(pieces))).toBe(0);
  });
});

it('long tensors are not copied', () => {
  const model = weights();
  const data = model.graph.initializers.find((v) => v.name === 'w')?.constant?.bytes;
  const pieces = [...toPieces(model).pieces];
  expect(pieces.map((p) => p.buffer === data?.buffer)).toEqual([false, true, false]);
});

it('more than 2 GB is refused before anything is allocated', () => {
  const g = ops();
  const half = new Tensor('float32', [2 ** 28 + 1], new Float32Array(2 ** 28 + 1));
  const x = g.input('x', 'float32', [2 ** 28 + 1]);
  g.output(g.add(g.add(x, g.initializer('a', half)), g.initializer('b', half)), 'y');
  expect(() => toPieces(g.model())).toThrow(
    'the model cannot be written: it is over 2 GB, which no ONNX file can be; save its weights as external data',
  );
});

it('graphs nested too deeply are refused', () => {
  const g = ops();
  const c = g.input('c', 'bool', []);
  const x = g.input('x', 'float32', [1]);
  const nest = (to: Ops, depth: number): void => {
    const branch = (name: string) => {
      const inner = to.subgraph(name);
      if (depth === 0) inner.output(inner.identity(x));
      else {
        nest(inner, depth - 1);
        inner.graph.outputs.push(...(inner.graph.nodes.at(-1)?.outputs ?? []));
      }
      return inner.graph;
    };
    const plain = to.subgraph('plain');
    plain.output(plain.identity(x));
    to.if(c, { then_branch: branch('deep'), else_branch: plain.graph });
  };
  nest(g, 40);
  g.graph.outputs.push(...(g.graph.nodes.at(-1)?.outputs ?? []));
  expect(() => toPieces(g.model())).toThrow('its graphs are nested too deeply for protobuf (100 messages)');
});
