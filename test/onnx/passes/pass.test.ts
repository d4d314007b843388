// Pipelines: order, rounds, tidying up, and every pass of ours leaving a sound graph, over random ones.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Graph } from '../../../src/onnx/ir/graph.js';
import { ops } from '../../../src/onnx/ops/ops.js';
import { verifyModel } from '../../../src/onnx/ops/verify-model.js';
import { fuse } from '../../../src/onnx/passes/fuse/fuse.js';
import { modernise } from '../../../src/onnx/passes/modernise.js';
import { noParameters, optimise } from '../../../src/onnx/passes/optimise.js';
import { inOrder, type Pass, untilStable } from '../../../src/onnx/passes/pass.js';
import { initialAt, modelOf } from '../../support/by-place.js';
import { columnsOf, describe as describeNetwork, randomNetwork } from '../../support/random-network.js';
import { verified } from '../../support/verified.js';
import { build, programs } from './random-graph.js';

const bitwise = [
  'removeUnused',
  'inferShapes',
  'takeBranch',
  'takeFromConcat',
  'joinReshapes',
  'removeIdentity',
  'skipExpand',
  'simplifyArithmetic',
  'commonSubexpressions',
  'foldConstants',
];
const rounding = ['scaleIntoWeights', 'foldBatchNormalization', 'stackProducts', 'joinProducts'];

describe('a sound graph after every pass', () => {
  test.each([
    ['optimise', {}],
    ['optimise', noParameters],
    ['fuse', {}],
  ] as const)('%s %#, random graphs', (name, context) => {
    const ran = new Set<string>();
    const pipeline = name === 'fuse' ? fuse : optimise;
    fc.assert(
      fc.property(programs, (program) => {
        const model = build(program);
        pipeline(model.graph, verified(model, context, ran));
      }),
      { numRuns: 60, seed: 11 },
    );
    expect([...ran]).toEqual(name === 'fuse' ? [...bitwise, ...rounding] : bitwise);
  });

  test('fuse, random networks', () => {
    let changed = 0;
    fc.assert(
      fc.property(randomNetwork, fc.boolean(), (network, routed) => {
        const description = describeNetwork(columnsOf(network), network.seed);
        const weights = description.columns.map((_, i) => initialAt(description, i));
        const model = modelOf(description, weights, { tasks: ['a', 'b'], routed });
        if (fuse(model.graph, verified(model))) changed++;
      }),
      { numRuns: 30, seed: 12 },
    );
    expect(changed).toBeGreaterThan(10);
  });

  test('modernise', () => {
    const g = ops({ opset: 12 });
    const x = g.input('x', 'float32', [2, 3]);
    g.output(g.softmax(x, { axis: 0 }), 'y');
    const model = g.model();
    const ran = new Set<string>();
    expect(modernise(model, verified(model, {}, ran))).toBe(true);
    expect([...ran]).toEqual(['denseInitializers', 'upgradeOpset', 'inlineFunctions']);
    expect(model.opset).toBe(17);
    verifyModel(model);
  });

  test('a pass that leaves no sound graph is named', () => {
    const g = ops();
    g.output(g.relu(g.neg(g.input('x', 'float32', [2]))), 'y');
    const model = g.model();
    const dropFirst: Pass = (graph) => graph.nodes.shift() !== undefined;
    expect(() => inOrder([optimise, dropFirst])(model.graph, verified(model))).toThrow(/^after dropFirst: Relu "Relu"/);
  });
});

describe('pipelines', () => {
  /** A pass that writes down its name and changes the graph that many times. */
  const counting = (log: string[], name: string, times: number): Pass => {
    let left = times;
    const named = {
      [name]: (_: Graph) => {
        log.push(name);
        return left-- > 0;
      },
    };
    return named[name] as Pass;
  };
  const graph = () => ops().graph;

  test('run in order and tidy up after what changed something', () => {
    const log: string[] = [];
    const [a, b, tidy] = [counting(log, 'a', 1), counting(log, 'b', 0), counting(log, 'tidy', 9)];
    const heard: string[] = [];
    const pipeline = inOrder([a, b, inOrder([b])], tidy);
    expect(pipeline(graph(), { onPass: (name) => heard.push(name) })).toBe(true);
    expect(log).toEqual(['a', 'tidy', 'b', 'b']);
    expect(heard).toEqual(['a', 'b', 'b']);
    expect(inOrder([b])(graph())).toBe(false);
  });

  test('run until nothing changes, within bounds', () => {
    const log: string[] = [];
    expect(untilStable([counting(log, 'a', 2), counting(log, 'b', 0)])(graph())).toBe(true);
    expect(log.join('')).toBe('ababab');
    expect(untilStable([counting([], 'c', 0)])(graph())).toBe(false);
    const endless: string[] = [];
    untilStable([counting(endless, 'd', 1000)])(graph());
    expect(endless.length).toBe(16);
  });
});
