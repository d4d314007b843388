// Official artifacts in Python's onnxruntime-training 1.19.2: the same losses as our step graph, frozen weights untouched; and artifacts that
// its own tool makes from our exported model, side by side with ours.
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { must } from '../../src/core/errors.js';
import { Tensor } from '../../src/core/tensor.js';
import { readNpz, writeNpz } from '../../src/data/npz.js';
import { type Artifacts, trainingArtifacts } from '../../src/deploy/artifacts/artifacts.js';
import { lossOutput } from '../../src/deploy/artifacts/names.js';
import { officialOptimizer } from '../../src/deploy/artifacts/optimizer-model.js';
import { taskModel } from '../../src/progressive/forms.js';
import { initialWeights } from '../../src/progressive/parameters.js';
import { readCheckpoint } from '../../src/serde/checkpoint/read-checkpoint.js';
import { fromBinary } from '../../src/serde/from-binary.js';
import { toBinary } from '../../src/serde/to-binary.js';
import { bodyNames, type EngineCase, engineCase, lateralKinds, steps } from '../deploy/artifacts/cases.js';
import { apart, artifactsOf, type EngineSettings, feedsOf, filesOf, trainWithLoop } from '../deploy/artifacts/engines.js';
import { runtime } from '../support/run.js';
import { environment, python } from './python.js';

const { missing, note } = environment('.venv-training');
const folder = () => mkdtempSync(join(tmpdir(), 'prognet-python-'));
const adamw: EngineSettings = {
  optimizer: { kind: 'adamw', weightDecay: 0.02 },
  rates: Array.from({ length: steps }, (_, i) => 0.001 * (1 + (i % 3))),
};

function write(artifacts: Artifacts, dir: string): string {
  mkdirSync(dir, { recursive: true });
  const files = filesOf(artifacts);
  writeFileSync(join(dir, 'training_model.onnx'), files.trainingModel);
  writeFileSync(join(dir, 'eval_model.onnx'), files.evalModel);
  writeFileSync(join(dir, 'optimizer_model.onnx'), files.optimizerModel);
  writeFileSync(join(dir, 'checkpoint'), files.checkpoint);
  return dir;
}

/** All minibatches, [steps, ...] per user input. */
function dataFile(given: EngineCase, names: readonly string[], dir: string): string {
  const joined = names.map((name): [string, Tensor] => {
    const parts = Array.from({ length: steps }, (_, i) => must(feedsOf(given, i)[name], name));
    const [first] = parts;
    const bytes = new Uint8Array(parts.flatMap((p) => Array.from(p.bytes)));
    return [name, Tensor.fromBytes(first?.dtype ?? 'float32', [steps, ...(first?.dims ?? [])], bytes)];
  });
  const file = join(dir, 'data.npz');
  writeFileSync(file, writeNpz(new Map(joined)));
  return file;
}

const result = z.object({ losses: z.array(z.number()), eval: z.number() });

function train(artifacts: string, data: string, out: string, ...scores: string[]) {
  const printed = result.parse(python('.venv-training', 'train_artifacts.py', artifacts, data, out, ...scores));
  return { ...printed, weights: readNpz(new Uint8Array(readFileSync(join(out, 'parameters.npz')))) };
}

describe.skipIf(missing)(`twenty steps in Python${note}`, () => {
  for (const body of bodyNames)
    for (const laterals of lateralKinds)
      it(`${body}, ${laterals} laterals`, async () => {
        const given = engineCase(body, laterals);
        const artifacts = artifactsOf(given, adamw, 'inputs');
        const dir = folder();
        const own = await trainWithLoop(given, adamw);
        const theirs = train(write(artifacts, dir), dataFile(given, artifacts.userInputs, dir), join(dir, 'out'), 'second');
        expect(apart(own.losses, theirs.losses)).toBeLessThan(1e-5);
        const saved = readCheckpoint(new Uint8Array(readFileSync(join(dir, 'out/checkpoint'))));
        expect(saved.optimizer?.step).toBe(BigInt(steps));
        expect([...(saved.optimizer?.moments.keys() ?? [])].sort()).toEqual([...saved.trainable.keys()].sort());
        for (const { name, role } of artifacts.parameters) {
          const after = must(theirs.weights.get(name), name);
          expect(must((role === 'trainable' ? saved.trainable : saved.frozen).get(name), name).bytes, name).toEqual(after.bytes);
          if (role === 'frozen') expect(after.bytes, name).toEqual(must(given.frozen[0]?.get(name), name).bytes);
          else expect(apart(must(own.weights.get(name), name).numbers(), after.numbers()), name).toBeLessThan(0.02);
        }
        await inferenceModelAgrees(given, join(dir, 'out/inference.onnx'), saved);
      });
});

/** What Python exported for inferencing runs on onnxruntime-node and gives what our own model of those weights gives. */
async function inferenceModelAgrees(
  given: EngineCase,
  file: string,
  saved: { trainable: ReadonlyMap<string, Tensor>; frozen: ReadonlyMap<string, Tensor> },
): Promise<void> {
  const weights = [given.frozen[0], new Map([...saved.trainable, ...saved.frozen])];
  const ours = toBinary(taskModel(given.description, weights, { tasks: ['second'] }));
  const image = must(feedsOf(given, 3).image, 'image');
  const scores: number[][] = [];
  for (const bytes of [ours, new Uint8Array(readFileSync(file))]) {
    const session = await runtime.createSession(bytes, { threads: 1 });
    scores.push(must((await session.run({ image })).second, 'scores').numbers());
    await session.release();
  }
  expect(apart(must(scores[0], 'ours'), must(scores[1], 'theirs'))).toBeLessThan(1e-4);
}

describe.skipIf(missing)(`generate_artifacts from our exported model, beside ours${note}`, () => {
  for (const body of ['dense', 'conv'] as const)
    for (const laterals of lateralKinds)
      it(`${body}, ${laterals} laterals: the same names in the same order, trained to the same weights`, () => {
        const given = engineCase(body, laterals);
        const { description, column, frozen } = given;
        const own = initialWeights(description, column);
        const dir = folder();
        writeFileSync(join(dir, 'forward.onnx'), toBinary(taskModel(description, [...frozen, own], { tasks: ['second'] })));
        python('.venv-training', 'generate_artifacts.py', join(dir, 'forward.onnx'), join(dir, 'theirs'), 'second');
        const optimizer = officialOptimizer({ kind: 'adamw', weightDecay: 0 }, 1);
        const artifacts = trainingArtifacts({ description, column, frozen, frozenForm: 'inputs', weights: own, optimizer });
        write(artifacts, join(dir, 'ours'));
        for (const name of ['training_model', 'eval_model', 'optimizer_model']) {
          const [ours, theirs] = ['ours', 'theirs'].map((which) => {
            const { graph } = fromBinary(new Uint8Array(readFileSync(join(dir, which, `${name}.onnx`))));
            // The tool numbers the names that it makes up: the loss, the optimizer's flag.
            const outputs = graph.outputs.map((v) => v.name.replace(/^onnx::(loss|adamw.updated_flag)::\d+$/, '$1'));
            return { inputs: graph.inputs.map((v) => v.name), outputs };
          });
          expect(ours?.inputs).toEqual(theirs?.inputs);
          expect(ours?.outputs.map((o) => (o === 'update_completed' ? 'adamw.updated_flag' : o))).toEqual(theirs?.outputs);
        }
        expect(lossOutput).toBe('loss');
        const parameters = ['ours', 'theirs'].map((which) => {
          const read = readCheckpoint(new Uint8Array(readFileSync(join(dir, which, 'checkpoint'))));
          return { trainable: [...read.trainable], frozen: [...read.frozen] };
        });
        expect(parameters[0]).toEqual(parameters[1]);
        const data = dataFile(given, artifacts.userInputs, dir);
        const [ours, theirs] = ['ours', 'theirs'].map((which) => train(join(dir, which), data, join(dir, which, 'out')));
        expect(apart(must(ours, 'ours').losses, must(theirs, 'theirs').losses)).toBeLessThan(1e-5);
        for (const [name, tensor] of must(ours, 'ours').weights) {
          expect(apart(tensor.numbers(), must(theirs?.weights.get(name), name).numbers()), name).toBeLessThan(0.02);
        }
      });
});
