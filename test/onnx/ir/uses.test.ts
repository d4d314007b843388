// The readers of values: several places of one node, outputs, captures, and what a rewriting pass tells.
import { expect, test } from 'vitest';
import { Node, Value } from '../../../src/onnx/ir/graph.js';
import { Uses } from '../../../src/onnx/ir/uses.js';
import { ops } from '../../../src/onnx/ops/ops.js';

function branching() {
  const g = ops();
  const x = g.input('x', 'float32', [2]);
  const c = g.input('c', 'bool', []);
  const twice = g.add(x, x);
  const [then, other] = [g.subgraph('then'), g.subgraph('else')];
  const inner = then.relu(x);
  then.output(inner);
  other.output(twice);
  const [y] = g.op('If', [c], { then_branch: then.graph, else_branch: other.graph });
  if (y === undefined) throw new Error('If has an output');
  g.output(y, 'y');
  return { g, x, c, twice, inner, y, yes: then.graph, no: other.graph };
}

test('a use is an input of a node or an output of a graph, in subgraphs as well', () => {
  const { g, x, c, twice, inner, y, yes, no } = branching();
  const uses = new Uses(g.graph);
  expect(uses.graphs).toEqual([g.graph, yes, no]);
  expect(uses.of(x)).toEqual([
    { reader: twice.producer, at: 0, graph: g.graph },
    { reader: twice.producer, at: 1, graph: g.graph },
    { reader: inner.producer, at: 0, graph: yes },
  ]);
  expect(uses.of(c)).toEqual([{ reader: y.producer, at: 0, graph: g.graph }]);
  expect(uses.of(twice)).toEqual([{ reader: no, at: 0, graph: no }]);
  expect(uses.of(new Value('elsewhere'))).toEqual([]);
});

test('a sole reader may read at several places, an output makes a graph the reader', () => {
  const { g, x, twice, c, y, no } = branching();
  const uses = new Uses(g.graph);
  expect(uses.soleReader(x)).toBeUndefined();
  expect(uses.soleNode(c)).toBe(y.producer);
  expect(uses.soleReader(twice)).toBe(no);
  expect(uses.soleNode(twice)).toBeUndefined();
  const h = ops();
  const v = h.input('v', 'float32', [2]);
  const sum = h.output(h.add(v, v), 'sum');
  expect(new Uses(h.graph).soleNode(v)).toBe(sum.producer);
});

test('what a pass takes away and adds is known at once', () => {
  const { g, x, twice, inner, yes } = branching();
  const uses = new Uses(g.graph);
  if (twice.producer === undefined) throw new Error('twice is computed');
  uses.remove(twice.producer);
  expect(uses.soleNode(x)).toBe(inner.producer);
  const made = new Node('Neg', [inner, null], [new Value('made')]);
  uses.add(made, yes);
  expect(uses.of(inner)).toEqual([
    { reader: yes, at: 0, graph: yes },
    { reader: made, at: 0, graph: yes },
  ]);
  uses.remove(made);
  expect(uses.soleReader(inner)).toBe(yes);
  expect(uses.isRead(inner)).toBe(true);
});
