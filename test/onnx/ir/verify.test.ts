// The verifier: well-formed graphs pass, and each way to break one is named in a line.
import { describe, expect, test } from 'vitest';
import { ModelError } from '../../../src/onnx/core/errors.js';
import { float32 } from '../../../src/onnx/core/tensor.js';
import { Graph, Node, Value } from '../../../src/onnx/ir/graph.js';
import { Model } from '../../../src/onnx/ir/model.js';
import { type Type, tensorType } from '../../../src/onnx/ir/types.js';
import { mergeTypes, verifyGraph } from '../../../src/onnx/ir/verify.js';
import { ops } from '../../../src/onnx/ops/ops.js';
import { verifyModel } from '../../../src/onnx/ops/verify-model.js';

/** x -> Relu -> h -> Neg -> y, with an initializer b that nobody reads. */
function small() {
  const graph = new Graph('g');
  const value = (name: string) => new Value(name, tensorType('float32', [2]));
  const [x, b, h, y] = [value('x'), value('b'), value('h'), value('y')];
  b.constant = float32([1, 2]);
  graph.inputs = [x];
  graph.initializers = [b];
  const relu = new Node('Relu', [x], [h], new Map(), 'relu');
  const neg = new Node('Neg', [h], [y], new Map(), 'neg');
  graph.nodes = [relu, neg];
  graph.outputs = [y];
  return { graph, x, b, h, y, relu, neg, value };
}

type Small = ReturnType<typeof small>;

function message(body: () => void): string {
  try {
    body();
  } catch (error) {
    expect(error).toBeInstanceOf(ModelError);
    const text = (error as ModelError).message;
    expect(text).not.toContain('\n');
    return text;
  }
  return 'nothing';
}

/** What the verifier says of the small graph after `broken` has been at it. */
function complaint(broken: (s: Small) => void): string {
  const s = small();
  broken(s);
  return message(() => verifyModel(new Model(s.graph)));
}

const branch = (name: string, reads: Value, output: string) => {
  const graph = new Graph(name);
  const v = new Value(output, tensorType('float32', [2]));
  graph.nodes.push(new Node('Neg', [reads], [v], new Map(), `${name}/neg`));
  graph.outputs.push(v);
  return graph;
};

/** Adds an If over two branches to the small graph. */
function addIf(s: Small, then: Graph, other: Graph): void {
  const c = new Value('c', tensorType('bool', []));
  s.graph.inputs.push(c);
  const node = new Node('If', [c], [s.value('z')], new Map(), 'if');
  node.attributes.set('then_branch', { kind: 'graph', value: then });
  node.attributes.set('else_branch', { kind: 'graph', value: other });
  s.graph.nodes.push(node);
}

describe('structure', () => {
  test('a well-formed graph passes', () => {
    expect(complaint(() => {})).toBe('nothing');
  });

  const cases: [string, (s: Small) => void, string][] = [
    ['order of nodes', (s) => s.graph.nodes.reverse(), 'Neg "neg": input 0 ("h") is not defined before it'],
    ['a foreign value', (s) => (s.neg.inputs = [new Value('h')]), 'Neg "neg": input 0 ("h") is not defined before it'],
    ['an undefined output', (s) => s.graph.outputs.push(new Value('q')), 'output "q" of graph "g" is not defined'],
    ['a wrong producer', (s) => (s.h.producer = s.neg), 'Relu "relu": output 0 ("h") claims to be computed by Neg "neg"'],
    ['a lost producer', (s) => (s.h.producer = undefined), 'Relu "relu": output 0 ("h") claims to be computed by nothing'],
    [
      'an input with a producer',
      (s) => (s.x.producer = s.neg),
      'value "x", input of graph "g", claims to be computed by Neg "neg"',
    ],
    ['a nameless input', (s) => (s.x.name = ''), 'an input of graph "g" has no name'],
    ['a name twice', (s) => (s.y.name = 'x'), 'the name "x" is taken already at output 0 of Neg "neg"'],
    ['a name of an initializer', (s) => (s.b.name = 'x'), 'the name "x" is taken already at initializer of graph "g"'],
    ['a node twice', (s) => s.graph.nodes.push(s.neg), 'value "y" is defined twice, the second time as output 0 of Neg "neg"'],
    ['an input twice', (s) => s.graph.inputs.push(s.x), 'value "x" is defined twice, the second time as input of graph "g"'],
    ['data that nobody gave', (s) => (s.b.constant = undefined), 'initializer "b" has no data'],
    ['data of a node output', (s) => (s.h.constant = float32(1)), 'Relu "relu": output 0 ("h") has constant data'],
    [
      'data of another shape',
      (s) => (s.b.constant = float32([1])),
      'initializer "b" is declared float32[2], its data are float32[1]',
    ],
    [
      'data of another dtype',
      (s) => (s.b.type = tensorType('int64', [2])),
      'initializer "b" is declared int64[2], its data are float32[2]',
    ],
  ];
  test.each(cases)('%s', (_, broken, expected) => {
    expect(complaint(broken)).toBe(expected);
  });

  test('an initializer may be an input as well', () => {
    expect(complaint((s) => s.graph.inputs.push(s.b))).toBe('nothing');
  });
});

describe('subgraphs', () => {
  test('read outer values, and branches may use the same names', () => {
    expect(complaint((s) => addIf(s, branch('then', s.h, 'r'), branch('else', s.x, 'r')))).toBe('nothing');
  });
  test('may not define a name that is visible to them', () => {
    expect(complaint((s) => addIf(s, branch('then', s.h, 'x'), branch('else', s.x, 'r')))).toBe(
      'the name "x" is taken already at output 0 of Neg "then/neg"',
    );
  });
  test('may not read one another', () => {
    expect(
      complaint((s) => {
        const then = branch('then', s.h, 'r');
        addIf(s, then, branch('else', then.outputs[0] as Value, 'q'));
      }),
    ).toBe('Neg "else/neg": input 0 ("r") is not defined before it');
  });
  test('are not read from around them', () => {
    expect(
      complaint((s) => {
        const then = branch('then', s.h, 'r');
        addIf(s, then, branch('else', s.x, 'q'));
        s.graph.outputs.push(then.outputs[0] as Value);
      }),
    ).toBe('output "r" of graph "g" is not defined');
  });
  test('stand in one place', () => {
    expect(
      complaint((s) => {
        const both = branch('both', s.h, 'r');
        addIf(s, both, both);
      }),
    ).toBe('graph "both" is the subgraph of two attributes');
  });
});

describe('types', () => {
  test('a stored type that inference contradicts', () => {
    expect(complaint((s) => (s.h.type = tensorType('float32', [3])))).toBe(
      'Relu "relu": output "h" is float32[3], inferred is float32[2]',
    );
    expect(complaint((s) => (s.h.type = tensorType('int64', [2])))).toBe(
      'Relu "relu": output "h" is int64[2], inferred is float32[2]',
    );
    expect(complaint((s) => (s.h.type = tensorType('float32', [2, 1])))).toBe(
      'Relu "relu": output "h" is float32[2,1], inferred is float32[2]',
    );
  });
  test('less may be known than inference knows', () => {
    expect(complaint((s) => (s.h.type = tensorType('float32', ['N'])))).toBe('nothing');
    expect(complaint((s) => (s.h.type = undefined))).toBe('nothing');
    expect(complaint((s) => (s.y.type = undefined))).toBe('nothing');
  });
  test('inputs that do not fit name the node', () => {
    const text = complaint((s) => {
      s.graph.inputs.push(new Value('w', tensorType('float32', [5])));
      const node = new Node('Add', [s.h, s.graph.inputs.at(-1) as Value], [new Value('sum')], new Map(), 'sum');
      s.graph.nodes.push(node);
    });
    expect(text).toMatch(/^Add "sum": .*\[2\].*\[5\]/);
  });
  test('without inference only the structure is looked at', () => {
    const s = small();
    s.h.type = tensorType('int64', [9]);
    expect(message(() => verifyGraph(s.graph))).toBe('nothing');
  });
});

describe('verifyModel', () => {
  test('ops of other domains need an opset, not an inference rule', () => {
    const s = small();
    s.graph.nodes.push(new Node('Thing', [s.h], [new Value('t')], new Map(), 'thing', 'my.domain'));
    const model = new Model(s.graph);
    expect(message(() => verifyModel(model))).toBe('Thing "thing": the model imports no opset of domain my.domain');
    model.opsets.set('my.domain', 1);
    expect(message(() => verifyModel(model))).toBe('nothing');
  });
  test('looks into functions', () => {
    const model = new Model(small().graph);
    const body = small();
    body.graph.nodes.reverse();
    model.opsets.set('f', 1);
    model.functions.push({
      domain: 'f',
      name: 'F',
      overload: '',
      attributes: [],
      attributeDefaults: new Map(),
      body: body.graph,
      opsets: new Map([['', 17]]),
    });
    expect(message(() => verifyModel(model))).toBe('Neg "neg": input 0 ("h") is not defined before it');
  });
  test('a built graph with a Loop passes', () => {
    const g = ops();
    const x = g.input('x', 'float32', [2]);
    const body = g.subgraph('body');
    body.input('i', 'int64', []);
    const more = body.input('more', 'bool', []);
    const carried = body.input('carried', 'float32', [2]);
    body.output(more, 'again');
    body.output(body.add(carried, x), 'next');
    g.output(g.loop(g.scalar(3, 'int64'), null, x, { body: body.graph }), 'y');
    expect(message(() => verifyModel(g.model()))).toBe('nothing');
  });
});

describe('mergeTypes', () => {
  const t = tensorType;
  test.each<[Type | undefined, Type | undefined, Type | undefined]>([
    [undefined, t('float32', [1]), t('float32', [1])],
    [t('float32', ['N', null, 3]), t('float32', [2, 'M', null]), t('float32', [2, 'M', 3])],
    [t('float32', ['N']), t('float32', ['M']), t('float32', ['N'])],
    [t('float32'), t('float32', [null]), t('float32', [null])],
    [
      { kind: 'sequence', element: undefined },
      { kind: 'sequence', element: t('int8') },
      { kind: 'sequence', element: t('int8') },
    ],
  ])('%o and %o', (a, b, merged) => {
    expect(mergeTypes(a, b)).toEqual(merged);
  });
  test('refuses what cannot both hold', () => {
    expect(() => mergeTypes(t('float32', [2]), t('float32', [3]))).toThrow('types differ, float32[2] and float32[3]');
    expect(() => mergeTypes(t('float32'), { kind: 'optional', element: t('float32') })).toThrow(ModelError);
  });
});
