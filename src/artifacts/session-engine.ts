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
  return officialOptimizer(settings.optimizer);
}

class SessionEngine implements Engine {
  readonly tapBytes = 0;
  private readonly optimizer: OfficialOptimizer;
  private artifacts: Artifacts | undefined;
  private session: TrainingSession | undefined;
  /** Of the session's steps as they were planned; one where all are the same. */
  private rates: readonly number[] = [];

  constructor(
    private readonly training: TrainingRuntime,
    private readonly context: EngineContext,
  ) {
    if (context.penalty !== undefined) throw new UsageError('the engine ort-training takes no penalty, expected the engine ort');
    this.optimizer = checkOfficial(context.settings, context.column.network);
  }

  async begin(tensors: ReadonlyMap<string, Tensor>, step: number): Promise<void> {
    const { column, frozen, settings, steps, rate } = this.context;
    const { kind, warmup } = settings.schedule;
    const varies = kind === 'step' || kind === 'cosine' || warmup > 0;
    // On a plateau these hold until the rate falls.
    this.rates = Array.from({ length: varies ? steps : 1 }, (_, i) => rate(varies ? i : step) / defaultLearningRate);
    const { rates } = this;
    this.artifacts = trainingArtifacts({
      column,
      frozen,
      frozenForm: 'initializers',
      weights: tensors,
      optimizer: this.optimizer,
      rateScale: varies ? rates : must(rates[0], 'rate'),
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

  async run({ epoch, first, count, size, rows, seeds }: Minibatches): Promise<StepResults> {
    const planned = this.rates[Math.min(first, this.rates.length - 1)];
    if (planned !== this.context.rate(first) / defaultLearningRate) await this.renew(first);
    const session = must(this.session, 'session');
    const losses = new Float32Array(count);
    const answers: { readonly scores: Tensor; readonly targets: Tensor }[] = [];
    const { task, head } = this.context.column;
    for (let i = 0; i < count; i++) {
      const seed = new Tensor('int64', [], seeds.slice(i, i + 1));
      const feeds = this.feeds(rows.subarray(i * size, (i + 1) * size), epoch);
      const outputs = await session.trainStep({ ...feeds, [seedInput]: seed });
      losses[i] = Number(must(outputs[lossOutput], lossOutput).data[0]);
      const target = targetInput(head);
      answers.push({ scores: must(outputs[task], task), targets: must(feeds[target], target) });
      await session.optimizerStep();
      await session.resetGradients();
    }
    return { losses, answers };
  }

  async read(): Promise<ReadonlyMap<string, Tensor>> {
    const outputs = await must(this.session, 'session').evalStep(this.feeds(Uint32Array.of(0)));
    return splitParameters(must(this.artifacts, 'artifacts').parameters, must(outputs[parametersOutput], parametersOutput));
  }

  /** A session of another rate, which goes on where this one stands. */
  private async renew(step: number): Promise<void> {
    const tensors = await this.read();
    await this.release();
    await this.begin(tensors, step);
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
