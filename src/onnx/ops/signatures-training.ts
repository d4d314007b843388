// The signatures of the com.microsoft ops that ONNX Runtime's training artifacts are made of. Only a training build holds their schemas, and its
// Python package does not tell them: these rows are written by hand from orttraining's op definitions.

const tensors = 'seq(float32) seq(float16) seq(bfloat16) seq(float64)';
const float = 'float32 float16 bfloat16 float64';

export const trainingSignatures = {
  InPlaceAccumulatorV2: {
    versions: [1],
    inputs: 'accumulation_buffer value overwrite_flag?',
    outputs: 'updated_flag accumulation_out?',
    inputTypes: 'T T bool',
    outputTypes: 'bool T',
    types: { T: float },
    attributes: {},
  },
  InplaceClipGradNorm: {
    versions: [1],
    inputs: 'gradients',
    outputs: 'clipped_gradients',
    inputTypes: 'S',
    outputTypes: 'S',
    types: { S: tensors },
    attributes: { max_norm: { kind: 'float', default: 1 }, norm_type: { kind: 'string', default: 'fro' } },
  },
  AdamWOptimizer: {
    versions: [1],
    inputs: 'lr step weights gradients momentums_1 momentums_2 update_signal?',
    outputs: 'updated_flag updated_weights? updated_momentums_1? updated_momentums_2?',
    inputTypes: 'float32 int64 W G M M bool',
    outputTypes: 'bool W M M',
    types: { W: tensors, G: tensors, M: tensors },
    attributes: {
      alpha: { kind: 'float', default: 0.9 },
      beta: { kind: 'float', default: 0.999 },
      epsilon: { kind: 'float', default: 1e-8 },
      weight_decay: { kind: 'float', default: 0.01 },
      correct_bias: { kind: 'int', default: 1 },
      adam_mode: { kind: 'int', default: 0 },
    },
  },
  SGDOptimizerV2: {
    versions: [1],
    inputs: 'lr weights gradients update_signal?',
    outputs: 'update_completed updated_weights?',
    inputTypes: 'float32 W G bool',
    outputTypes: 'bool W',
    types: { W: tensors, G: tensors },
    attributes: {},
  },
} as const;
