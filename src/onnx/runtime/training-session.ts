// The interface of ONNX Runtime's training API: official artifacts in, one step at a time. Adapter: ort-training.ts.
import type { Tensor } from '../core/tensor.js';

/** The files of official training artifacts. */
export interface TrainingFiles {
  /** Bytes of the training model. */
  readonly trainingModel: Uint8Array;
  /** Bytes of the evaluation model. */
  readonly evalModel: Uint8Array;
  /** Bytes of the optimizer model. */
  readonly optimizerModel: Uint8Array;
  /** Bytes of the checkpoint. */
  readonly checkpoint: Uint8Array;
}

/** A training under way. Its learning rate is 0.001, times what the optimizer model makes of it. */
export interface TrainingSession {
  /** User inputs of the training model, in order. */
  readonly userInputs: readonly string[];
  /** Adds the gradients of one minibatch to the buffers; returns the model's outputs by name. */
  trainStep(feeds: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>>;
  /** Outputs of the eval model, parameters as they are now. */
  evalStep(feeds: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>>;
  /** Updates the parameters from the gradient buffers. */
  optimizerStep(): Promise<void>;
  /** The next training step overwrites the buffers instead of adding to them. */
  resetGradients(): Promise<void>;
  /** Gives its memory back. */
  release(): Promise<void>;
}

/** A runtime that trains over artifacts. */
export interface TrainingRuntime {
  /** `onnxruntime-web 1.19.2` */
  readonly version: string;
  /** A session over these artifacts. Throws RuntimeError. */
  createTrainingSession(files: TrainingFiles): Promise<TrainingSession>;
}

/** The learning rate that a new session has and that JavaScript cannot change. */
export const defaultLearningRate = 0.001;
