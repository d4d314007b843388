// A model as both protocols describe it: its metadata, and its configuration in the form of Triton's.
import { configTypeOf, datatypeOf } from '../../deploy/datatypes.js';
import type { ServedModel, TensorSpec } from '../served-model.js';

const platform = 'onnxruntime_onnx';

const tensorMetadata = ({ name, dtype, shape }: TensorSpec) => ({ name, datatype: datatypeOf(dtype), shape });

export const modelMetadata = ({ name, version, inputs, outputs }: ServedModel) => ({
  name,
  versions: [version],
  platform,
  inputs: inputs.map(tensorMetadata),
  outputs: outputs.map(tensorMetadata),
});

/** Where requests are joined, the dims are those of one row, and one without any is `[1]` with a reshape. */
function tensorConfig({ name, dtype, shape }: TensorSpec, batched: boolean) {
  const dims = batched ? shape.slice(1) : shape;
  return {
    name,
    data_type: configTypeOf(dtype),
    dims: dims.length === 0 ? [1] : dims,
    ...(dims.length === 0 && { reshape: { shape: [] } }),
  };
}

export function modelConfig({ name, inputs, outputs, maxBatch, batchDelayMicroseconds, facts }: ServedModel) {
  const batched = maxBatch > 0;
  return {
    name,
    platform,
    backend: 'onnxruntime',
    version_policy: { latest: { num_versions: 1 } },
    max_batch_size: maxBatch,
    input: inputs.map((spec) => tensorConfig(spec, batched)),
    output: outputs.map((spec) => tensorConfig(spec, batched)),
    ...(batched && { dynamic_batching: { max_queue_delay_microseconds: batchDelayMicroseconds } }),
    parameters: Object.fromEntries(
      Object.entries(facts)
        .filter(([key]) => key.startsWith('prognet.'))
        .map(([key, value]) => [key, { string_value: value }]),
    ),
  };
}
