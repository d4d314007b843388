// An If whose condition follows from sizes that are known goes, its branch stays: what TorchScript makes of a squeeze. What is open stays.
import { expect, it } from 'vitest';
import { grad } from '../../../src/onnx/autodiff/grad.js';
import type { Shape } from '../../../src/onnx/core/shape.js';
import { Tensor } from '../../../src/onnx/core/tensor.js';
import { type Attribute, Graph, Node, Value } from '../../../src/onnx/ir/graph.js';
import { tensorType } from '../../../src/onnx/ir/types.js';
import { ops } from '../../../src/onnx/ops/ops.js';
import { verifyModel } from '../../../src/onnx/ops/verify-model.js';
import { noParameters, optimise } from '../../../src/onnx/passes/optimise.js';
import { runModel } from '../../support/run.js';

const branch = (name: string, nodes: Node[], output: Value): Attribute => {
  const graph = new Graph(name);
  graph.nodes.push(...nodes);
  graph.outputs.push(output);
  return { kind: 'graph', value: graph };
};

/** `torch.squeeze(x, 1)` as TorchScript exports it, then the sum of squares. Both branches call their value `inner`. */
function squeezed(shape: Shape) {
  const g = ops({ opset: 17 });
  const x = g.input('x', 'float32', shape);
  const one = g.ints([1]);
  const condition = g.equal(g.gather(g.shape(x), one, { axis: 0 }), one);
  const [then, other, y] = [new Value('inner'), new Value('inner'), new Value('y', tensorType('float32'))];
  const branches = new Map([
    ['then_branch', branch('then', [new Node('Squeeze', [x, one], [then], new Map(), 'squeeze')], then)],
    ['else_branch', branch('else', [new Node('Identity', [x], [other], new Map(), 'same')], other)],
  ]);
  g.graph.nodes.push(new Node('If', [condition], [y], branches, 'if'));
  g.graph.outputs.push(y);
  g.output(g.reduceSum(g.mul(y, y), undefined, { keepdims: 0 }), 'loss');
  return g.model();
}

const opsAfter = (shape: Shape) => {
  const model = squeezed(shape);
  optimise(model.graph, { opset: 17, ...noParameters });
  verifyModel(model);
  return [model.graph.nodes.map((n) => n.opType).join(' '), model.graph.outputs[0]?.shape];
};

it.each([
  ['size 1, an open batch', ['N', 1, 4], 'Squeeze Mul ReduceSum', ['N', 4]],
  ['size 1', [2, 1, 4], 'Squeeze Mul ReduceSum', [2, 4]],
] as const)('%s: squeezed', (_name, shape, nodes, y) => {
  expect(opsAfter(shape)).toEqual([nodes, y]);
});

it('another size: the branch that would not fit goes unread', () => {
  // y is x itself, and stays as an output of its own
  expect(opsAfter(['N', 3, 4])).toEqual(['Identity Mul ReduceSum', ['N', 3, 4]]);
});

it.each([[['N', 'C', 4]], [['N', null, 4]]] as const)('a size that is open, %j: nothing is guessed', (shape) => {
  expect(opsAfter(shape)[0]).toBe('Shape Gather Equal If Mul ReduceSum');
});

it('the gradient is that of the branch', async () => {
  for (const shape of [
    ['N', 1, 4],
    ['N', 3, 4],
    ['N', 'C', 4],
  ] as const) {
    const dims = [2, shape[1] === 1 ? 1 : 3, 4];
    const x = Tensor.from(
      'float32',
      Array.from({ length: dims[1] === 1 ? 8 : 24 }, (_, i) => i - 3),
      dims,
    );
    const found = await runModel(grad(squeezed(shape), { of: 'loss', by: ['x'] }), { x });
    expect(found['grad/x']?.dims).toEqual(dims);
    expect(found['grad/x']?.numbers()).toEqual(x.numbers().map((v) => 2 * v));
  }
});

it('weights of a branch move with it, and a name that others have is changed', () => {
  const g = ops({ opset: 17 });
  const x = g.input('x', 'float32', [2]);
  const make = () => {
    const weight = new Value('w', tensorType('float32', [2]));
    weight.constant = Tensor.from('float32', [3, 4]);
    const y = new Value('y1');
    const b = branch('b', [new Node('Mul', [x, weight], [y], new Map(), 'mul')], y);
    if (b.kind === 'graph') b.value.initializers.push(weight);
    return b;
  };
  const outputs = ['a', 'b'].map((name) => {
    const y = new Value(name, tensorType('float32', [2]));
    const condition = g.constant(Tensor.from('bool', [1], []));
    const branches = new Map([
      ['then_branch', make()],
      ['else_branch', make()],
    ]);
    g.graph.nodes.push(new Node('If', [condition], [y], branches, `if ${name}`));
    g.graph.outputs.push(y);
    return y;
  });
  const model = g.model();
  optimise(model.graph, { opset: 17 });
  verifyModel(model);
  expect(model.graph.nodes.map((n) => n.opType)).toEqual(['Mul', 'Mul']);
  expect(new Set(model.graph.initializers.map((v) => v.name)).size).toBe(2);
  expect(model.graph.outputs).toHaveLength(outputs.length);
});
