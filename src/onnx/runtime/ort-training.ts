// The adapter for ONNX Runtime's own TrainingSession, which onnxruntime-web 1.17 to 1.19 hold. It takes the package's module, so that a page
// may import it as it likes; ort-training-node.ts finds it under Node. These packages are older than onnxruntime-common's types here: what
// is used of them is declared below. Not used: getContiguousParameters and loadParametersBuffer, which free an address of the stack, so that
// a later call may crash (1.19.2); parameters are read as outputs of the eval model instead.

import type * as ort from 'onnxruntime-common';
import { must, RuntimeError } from '../core/errors.js';
import { anObject, given } from '../core/given.js';
import type { Tensor } from '../core/tensor.js';
import { fromOrt, toOrt } from './convert.js';
import { ortReason } from './ort-session.js';
import type { TrainingFiles, TrainingRuntime, TrainingSession } from './training-session.js';

/** Tensors of the package by name. */
export type Values = Record<string, ort.Tensor>;

/** A training session of the package itself. */
export interface PackageSession {
  /** Inputs of the training model. */
  readonly trainingInputNames: readonly string[];
  /** Outputs of the training model. */
  readonly trainingOutputNames: readonly string[];
  /** Inputs of the evaluation model. */
  readonly evalInputNames: readonly string[];
  /** Outputs of the evaluation model. */
  readonly evalOutputNames: readonly string[];
  /** Forward and backward over a minibatch; gradients are summed. */
  runTrainStep(feeds: Values): Promise<Values>;
  /** Forward over a minibatch. */
  runEvalStep(feeds: Values): Promise<Values>;
  /** Updates the parameters by the gradients. */
  runOptimizerStep(): Promise<void>;
  /** Gradients begin at 0 with the next step. */
  lazyResetGrad(): Promise<void>;
  /** Gives its memory back. */
  release(): Promise<void>;
}

/** The part of `onnxruntime-web/training` that is used. */
export interface TrainingPackage {
  /** The package's tensor class. */
  readonly Tensor: ort.TensorConstructor;
  /** The package's settings. */
  readonly env: { readonly wasm: { numThreads?: number }; readonly versions: { readonly web?: string; readonly common: string } };
  /** The package's training session. */
  readonly TrainingSession: {
    create(
      files: { checkpointState: Uint8Array; trainModel: Uint8Array; evalModel: Uint8Array; optimizerModel: Uint8Array },
      options: { executionProviders: string[]; logSeverityLevel: 3 },
    ): Promise<PackageSession>;
  };
}

/** Training by ONNX Runtime's own training package, over artifacts. */
export class OrtTraining implements TrainingRuntime {
  readonly version: string;

  private constructor(private readonly ort: TrainingPackage) {
    const { web, common } = ort.env.versions;
    this.version = `onnxruntime-web ${web ?? common}`;
  }

  /** `module` is what `import('onnxruntime-web/training')` of 1.19.2 gives. Throws RuntimeError where it cannot train. */
  static of(module: TrainingPackage): OrtTraining {
    given('OrtTraining.of', { module }, { module: anObject });
    if (typeof module.TrainingSession?.create !== 'function') {
      throw new RuntimeError('this build of onnxruntime-web cannot train, expected onnxruntime-web/training of 1.19.2', {
        expected: 'onnxruntime-web 1.19.2',
      });
    }
    // More threads need workers that the package cannot start under Node.
    module.env.wasm.numThreads = 1;
    return new OrtTraining(module);
  }

  /** Throws RuntimeError with ONNX Runtime's reason. */
  async createTrainingSession(files: TrainingFiles): Promise<TrainingSession> {
    const { checkpoint: checkpointState, trainingModel: trainModel, evalModel, optimizerModel } = files;
    const session = await said(() =>
      this.ort.TrainingSession.create(
        { checkpointState, trainModel, evalModel, optimizerModel },
        { executionProviders: ['wasm'], logSeverityLevel: 3 },
      ),
    );
    return new PackagedSession(this.ort, session);
  }
}

/** ONNX Runtime's errors as RuntimeError. */
async function said<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    // A C++ exception arrives as its address.
    const reason = typeof cause === 'number' ? 'it failed inside, its log on the console may say where' : ortReason(cause);
    throw new RuntimeError(`ONNX Runtime training: ${reason}`, { cause });
  }
}

class PackagedSession implements TrainingSession {
  readonly userInputs: readonly string[];

  constructor(
    private readonly ort: TrainingPackage,
    private readonly session: PackageSession,
  ) {
    this.userInputs = session.trainingInputNames;
  }

  private async step(
    run: (feeds: Values) => Promise<Values>,
    inputs: readonly string[],
    outputs: readonly string[],
    feeds: Readonly<Record<string, Tensor>>,
  ): Promise<Record<string, Tensor>> {
    // The package takes feeds by their position in the object, not by name, and gives all outputs the names of the training model's.
    const given = Object.fromEntries(inputs.map((name) => [name, toOrt(this.ort.Tensor, must(feeds[name], name))]));
    const results = await said(() => run(given));
    const called = (i: number) => this.session.trainingOutputNames[i] ?? 'undefined';
    return Object.fromEntries(outputs.map((name, i) => [name, fromOrt(must(results[called(i)], name))]));
  }

  async trainStep(feeds: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>> {
    const { trainingInputNames, trainingOutputNames } = this.session;
    return this.step((given) => this.session.runTrainStep(given), trainingInputNames, trainingOutputNames, feeds);
  }

  async evalStep(feeds: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>> {
    const { evalInputNames, evalOutputNames } = this.session;
    return this.step((given) => this.session.runEvalStep(given), evalInputNames, evalOutputNames, feeds);
  }

  async optimizerStep(): Promise<void> {
    await said(() => this.session.runOptimizerStep());
  }

  async resetGradients(): Promise<void> {
    await said(() => this.session.lazyResetGrad());
  }

  async release(): Promise<void> {
    await this.session.release();
  }
}
