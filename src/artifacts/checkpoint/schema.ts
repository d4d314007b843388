// A checkpoint of ONNX Runtime's training API: a FlatBuffers file, identifier "ODTC". Here: what it holds, and the field ids of its tables
// (declaration order in onnxruntime's ort_training_checkpoint.fbs and ort.fbs). Reading is read-checkpoint.ts, writing write-checkpoint.ts.
import type { Tensor } from '../../onnx/core/tensor.js';

export const identifier = 'ODTC';
/** onnxruntime compares for equality: 1.17 takes 1, 1.18 and later take 2. They differ by is_nominal_state alone. */
export const versions = [1, 2] as const;
export type CheckpointVersion = (typeof versions)[number];

export const checkpointField = { version: 0, module_state: 1, optimizer_groups: 2, property_bag: 3 } as const;
export const moduleField = { requires_grad_params: 0, frozen_params: 1, is_nominal_state: 2, has_external_data: 3 } as const;
export const groupField = { group_name: 0, step: 1, initial_learning_rate: 2, optimizer_states: 3 } as const;
export const stateField = { param_name: 0, momentums: 1 } as const;
export const bagField = { ints: 0, floats: 1, strings: 2 } as const;
export const propertyField = { name: 0, value: 1 } as const;
export const tensorField = {
  name: 0,
  doc_string: 1,
  dims: 2,
  data_type: 3,
  raw_data: 4,
  string_data: 5,
  external_data_offset: 6,
} as const;

/** The one group that onnxruntime's optimizer uses. */
export const groupName = 'group0';

export interface OptimizerState {
  /** Updates done. */
  readonly step: bigint;
  readonly initialRate: number;
  /** For each trainable parameter its moments, `momentum0` and for AdamW `momentum1`. Empty: onnxruntime begins at zero. */
  readonly moments: ReadonlyMap<string, ReadonlyMap<string, Tensor>>;
}

export interface TrainingCheckpoint {
  readonly version: CheckpointVersion;
  /** By name, in the order of the file. */
  readonly trainable: ReadonlyMap<string, Tensor>;
  readonly frozen: ReadonlyMap<string, Tensor>;
  /** Names and dtypes alone: every tensor is empty, of shape [0]. */
  readonly nominal: boolean;
  readonly optimizer?: OptimizerState;
  /** What the user noted: int64, float32, text. */
  readonly properties: ReadonlyMap<string, bigint | number | string>;
}
