// The passes keep what a graph computes, bit for bit: random graphs before and after, on ONNX Runtime with its own optimisations off.
import fc from 'fast-check';
import * as ort from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import type { Tensor } from '../../../src/onnx/core/tensor.js';
import type { Graph } from '../../../src/onnx/ir/graph.js';
import type { Model } from '../../../src/onnx/ir/model.js';
import { printGraph } from '../../../src/onnx/ir/print.js';
import { verifyModel } from '../../../src/onnx/ops/verify-model.js';
import { commonSubexpressions } from '../../../src/onnx/passes/common-subexpressions.js';
import { foldConstants } from '../../../src/onnx/passes/fold-constants.js';
import { takeFromConcat } from '../../../src/onnx/passes/fuse/take-from-concat.js';
import { inferShapes } from '../../../src/onnx/passes/infer-shapes.js';
import { joinReshapes } from '../../../src/onnx/passes/join-reshapes.js';
import { noParameters, optimise } from '../../../src/onnx/passes/optimise.js';
import { removeIdentity } from '../../../src/onnx/passes/remove-identity.js';
import { removeUnused } from '../../../src/onnx/passes/remove-unused.js';
import { simplifyArithmetic } from '../../../src/onnx/passes/simplify-arithmetic.js';
import { skipExpand } from '../../../src/onnx/passes/skip-expand.js';
import { toBinary } from '../../../src/onnx/serde/to-binary.js';
import { build, feeds, programs } from './random-graph.js';

/** Output name to dims and the bytes in hex. */
async function run(model: Model, inputs: Record<string, Tensor>): Promise<Record<string, string>> {
  const session = await ort.InferenceSession.create(toBinary(model), {
    graphOptimizationLevel: 'disabled',
    intraOpNumThreads: 1,
    logSeverityLevel: 4,
  });
  const given: Record<string, ort.Tensor> = {};
  for (const [name, t] of Object.entries(inputs)) {
    given[name] =
      t.dtype === 'bool'
        ? new ort.Tensor('bool', t.data as Uint8Array, t.dims)
        : new ort.Tensor('float32', t.data as Float32Array, t.dims);
  }
  const results = await session.run(given);
  await session.release();
  return Object.fromEntries(
    session.outputNames.map((name) => {
      const t = results[name] as ort.Tensor;
      // which NaN is not said by IEEE 754, so all are one here
      const data = (t.data as Float32Array).map((v) => (Number.isNaN(v) ? Number.NaN : v));
      return [name, `[${t.dims}] ${Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('hex')}`];
    }),
  );
}

const signature = (graph: Graph) => [graph.inputs.map((v) => v.name), graph.outputs.map((v) => v.name)];

const passes: [string, (g: Graph) => boolean, number][] = [
  ['removeUnused', removeUnused, 40],
  ['removeIdentity', removeIdentity, 60],
  ['commonSubexpressions', commonSubexpressions, 60],
  ['foldConstants', foldConstants, 60],
  ['inferShapes', inferShapes, 30],
  ['joinReshapes', joinReshapes, 60],
  ['simplifyArithmetic', (g) => simplifyArithmetic(g, noParameters), 60],
  ['skipExpand', skipExpand, 60],
  ['takeFromConcat', takeFromConcat, 60],
  ['optimise', optimise, 200],
];

describe('same bits before and after', () => {
  test.each(passes)('%s', async (name, pass, numRuns) => {
    let changed = 0;
    await fc.assert(
      fc.asyncProperty(programs, fc.boolean(), async (program, condition) => {
        const before = build(program);
        verifyModel(before);
        const after = build(program);
        const text = printGraph(after.graph);
        if (pass(after.graph)) changed++;
        else expect(printGraph(after.graph)).toBe(text);
        verifyModel(after);
        expect(signature(after.graph)).toEqual(signature(before.graph));
        expect(await run(after, feeds(condition))).toEqual(await run(before, feeds(condition)));
        if (name === 'optimise') expect(optimise(after.graph)).toBe(false);
      }),
      { numRuns, seed: 5 },
    );
    if (name !== 'inferShapes') expect(changed).toBeGreaterThan(numRuns / 10);
  });
});
