// What we write, in Python's ONNX tooling: onnx.checker with full_check and strict shape inference, and the numbers of onnxruntime and of
// onnx's reference evaluator against onnxruntime-node's.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { writeNpz } from '../../src/formats/npz.js';
import { taskModel } from '../../src/model/progressive/forms.js';
import { initialWeights } from '../../src/model/progressive/weights.js';
import { must } from '../../src/onnx/core/errors.js';
import type { Tensor } from '../../src/onnx/core/tensor.js';
import type { Model } from '../../src/onnx/ir/model.js';
import { saveModel } from '../../src/onnx/serde/save-model.js';
import { toBinary } from '../../src/onnx/serde/to-binary.js';
import { optimizer } from '../../src/train/optim/optimizer.js';
import { stepGraph } from '../../src/train/step/step-graph.js';
import { tapGraph } from '../../src/train/taps/tap-graph.js';
import { tapInputs } from '../../src/train/taps/tap-inputs.js';
import { bodyNames, engineCase, lateralKinds, steps } from '../artifacts/cases.js';
import { artifactsOf, feedsOf } from '../artifacts/engines.js';
import { runtime } from '../support/run.js';
import { environment, python } from './python.js';

const { missing, note } = environment('.venv');
const folder = mkdtempSync(join(tmpdir(), 'prognet-python-'));
const rates = Array.from({ length: steps }, () => 0.001);

const checked = z.record(z.string(), z.object({ foreign: z.array(z.string()) }));
const differences = z.record(z.string(), z.object({ onnxruntime: z.number(), reference: z.number() }));

describe.skipIf(missing)(`Python's ONNX tooling${note}`, () => {
  it('onnx.checker takes every kind of file, with full_check and strict inference', () => {
    const models = new Map<string, Model>();
    for (const body of bodyNames)
      for (const laterals of lateralKinds) {
        const given = engineCase(body, laterals);
        const { column, frozen } = given;
        const { network } = column;
        const weights = new Map(frozen).set(column.task, initialWeights(column));
        const name = (what: string) => `${body}-${laterals}-${what}.onnx`;
        models.set(name('task'), taskModel(network, weights, { tasks: ['second'], probabilities: true }));
        models.set(name('all'), taskModel(network, weights, { tasks: ['first', 'second'] }));
        const optimizerOf = optimizer({ kind: 'adam' });
        models.set(name('step'), stepGraph({ column, optimizer: optimizerOf, dtypes: { image: 'uint8' } }).model);
        models.set(name('taps'), tapGraph(network, tapInputs(column), frozen, { image: 'uint8' }));
        const artifacts = artifactsOf(given, { optimizer: { kind: 'adamw' }, clip: { kind: 'norm', limit: 1 }, rates }, 'inputs');
        models.set(name('training'), artifacts.trainingModel);
        models.set(name('eval'), artifacts.evalModel);
        models.set(name('adamw'), artifacts.optimizerModel);
        models.set(name('sgd'), artifactsOf(given, { optimizer: { kind: 'sgd' }, rates }, 'initializers').optimizerModel);
      }
    for (const [name, model] of models) writeFileSync(join(folder, name), toBinary(model));
    const outside = join(folder, 'outside.onnx');
    saveModel(must(models.get('dense-linear-all.onnx'), 'model'), outside, { externalData: true });
    const files = [...models.keys()].map((name) => join(folder, name));
    const found = checked.parse(python('.venv', 'check_model.py', ...files, outside));
    expect(Object.keys(found)).toHaveLength(files.length + 1);
    // Of com.microsoft nothing but what the training API consists of.
    for (const [file, { foreign }] of Object.entries(found)) {
      const allowed = /training/.test(file)
        ? ['com.microsoft::InPlaceAccumulatorV2']
        : /adamw/.test(file)
          ? ['com.microsoft::AdamWOptimizer', 'com.microsoft::InplaceClipGradNorm']
          : /sgd/.test(file)
            ? ['com.microsoft::SGDOptimizerV2']
            : [];
      expect(foreign, file).toEqual(allowed);
    }
  });

  for (const body of bodyNames)
    it(`${body}: onnxruntime and the reference evaluator give Node's numbers`, async () => {
      const given = engineCase(body, 'adapter');
      const { column, frozen } = given;
      const weights = new Map(frozen).set(column.task, initialWeights(column));
      const model = toBinary(taskModel(column.network, weights, { tasks: ['first', 'second'], probabilities: true }));
      const inputs = { image: must(feedsOf(given, 0).image, 'image') };
      const session = await runtime.createSession(model, { threads: 1 });
      const outputs = await session.run(inputs);
      await session.release();
      expect(Object.keys(outputs)).toHaveLength(6);
      const [file, given_, expected] = [`${body}.onnx`, `${body}-in.npz`, `${body}-out.npz`].map((name) => join(folder, name));
      writeFileSync(file ?? '', model);
      writeFileSync(given_ ?? '', writeNpz(new Map<string, Tensor>(Object.entries(inputs))));
      writeFileSync(expected ?? '', writeNpz(new Map<string, Tensor>(Object.entries(outputs))));
      const found = differences.parse(python('.venv', 'run_model.py', file ?? '', given_ ?? '', expected ?? ''));
      const { onnxruntime, reference } = must(found[file ?? ''], 'result');
      expect(onnxruntime).toBeLessThan(1e-5);
      expect(reference).toBeLessThan(1e-5);
    });
});
