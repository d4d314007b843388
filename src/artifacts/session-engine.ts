// The engine `ort-training`: each step of the training loop taken by ONNX Runtime's own TrainingSession over official artifacts. Earlier columns
// are part of its models, in inference mode. Rates are a table in the optimizer model, since JavaScript cannot set one.

import { gatherRows } from '../data/rows.js';
import { mapSamples } from '../data/samples.js';
import type { Columns } from '../model/progressive/column.js';
import { keptInputs } from '../model/progressive/inputs.js';
import { must, UsageError } from '../onnx/core/errors.js';
import { Tensor } from '../onnx/core/tensor.js';
import { defaultLearningRate, type TrainingRuntime, type TrainingSession } from '../onnx/runtime/training-session.js';
import { toBinary } from '../onnx/serde/to-binary.js';
import type { Engine, Minibatches, StepResults } from '../train/engine.js';
import { networkFeeds } from '../train/network-input.js';
import type { EngineContext, EngineMaker } from '../train/request.js';
import type { TrainSettings } from '../train/settings.js';
import { type Artifacts, splitParameters, trainingArtifacts } from './artifacts.js';
import { writeCheckpoint } from './checkpoint/write-checkpoint.js';
import { checkInputName, lossOutput, parametersOutput, seedInput, targetInput } from './names.js';
import { type OfficialOptimizer, officialOptimizer } from './optimizer-model.js';

/** The engine over an adapter: `ortTrainingEngine(OrtTraining.of(await import('onnxruntime-web/training')))`, version 1.19.2. */
export function ortTrainingEngine(training: TrainingRuntime): EngineMaker {
  return async (context) => new SessionEngine(training, context);
}

/** The optimizer, if the engine can train so. Throws UsageError. */
export function checkOfficial(settings: TrainSettings, network: Columns): OfficialOptimizer {
  for (const { name } of network.inputs) checkInputName(name);
  if (settings.schedule.kind === 'plateau') {
    throw new UsageError(
      'the engine ort-training takes its rates as a table made before the first step, so it cannot follow the schedule plateau; take the engine ort, or another schedule',
      { path: 'schedule', expected: 'constant, step, cosine', got: 'plateau' },
    );
  }
  return officialOptimizer(settings.optimizer);
}

class SessionEngine implements Engine {
  readonly tapBytes = 0;
  private readonly optimizer: OfficialOptimizer;
  private artifacts: Artifacts | undefined;
  private session: TrainingSession | undefined;

  constructor(
    private readonly training: TrainingRuntime,
    private readonly context: EngineContext,
  ) {
    this.optimizer = checkOfficial(context.settings, context.column.network);
  }

  async begin(tensors: ReadonlyMap<string, Tensor>, step: number): Promise<void> {
    const { column, frozen, settings, steps, rate } = this.context;
    const constant = settings.schedule.kind === 'constant' && settings.schedule.warmup === 0;
    const rates = Array.from({ length: constant ? 1 : steps }, (_, i) => rate(i) / defaultLearningRate);
    this.artifacts = trainingArtifacts({
      column,
      frozen,
      frozenForm: 'initializers',
      weights: tensors,
      optimizer: this.optimizer,
      rateScale: constant ? must(rates[0], 'rate') : rates,
      ...(settings.clip && { clip: settings.clip }),
      copiedMoments: true,
      parametersFromEval: true,
      ...(step > 0 && { resumed: { tensors, step, rate: defaultLearningRate } }),
    });
    const { trainingModel, evalModel, optimizerModel, checkpoint } = this.artifacts;
    this.session = await this.training.createTrainingSession({
      trainingModel: toBinary(trainingModel),
      evalModel: toBinary(evalModel),
      optimizerModel: toBinary(optimizerModel),
      checkpoint: writeCheckpoint(checkpoint),
    });
  }

  async run({ epoch, count, size, rows, seeds }: Minibatches): Promise<StepResults> {
    const session = must(this.session, 'session');
    const losses = new Float32Array(count);
    for (let i = 0; i < count; i++) {
      const seed = new Tensor('int64', [], seeds.slice(i, i + 1));
      const outputs = await session.trainStep({
        ...this.feeds(rows.subarray(i * size, (i + 1) * size), epoch),
        [seedInput]: seed,
      });
      losses[i] = Number(must(outputs[lossOutput], lossOutput).data[0]);
      await session.optimizerStep();
      await session.resetGradients();
    }
    return { losses };
  }

  async read(): Promise<ReadonlyMap<string, Tensor>> {
    const outputs = await must(this.session, 'session').evalStep(this.feeds(Uint32Array.of(0)));
    return splitParameters(must(this.artifacts, 'artifacts').parameters, must(outputs[parametersOutput], parametersOutput));
  }

  async release(): Promise<void> {
    await this.session?.release();
  }

  private feeds(rows: Uint32Array, epoch?: number): Record<string, Tensor> {
    const { column, train, augmenter } = this.context;
    const own = mapSamples(train.inputs, (t) => gatherRows(t, rows));
    const samples = epoch === undefined ? own : (augmenter?.vary(own, rows, epoch) ?? own);
    return {
      ...networkFeeds(keptInputs(column.inputs), samples),
      [targetInput(column.head)]: gatherRows(train.targets, rows),
    };
  }
}
