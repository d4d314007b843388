// The optimizer state of our own training as ONNX Runtime's: adam keeps M = m / (1 - beta1) and V = v / (1 - beta2) (train/optim/optimizer.ts),
// the official optimizers m and v. A training by the engine ort-training has kept them as they are.
import { must, UsageError } from '../onnx/core/errors.js';
import { Tensor } from '../onnx/core/tensor.js';
import { slotName } from '../train/step/carried-state.js';
import type { OptimizerState } from './checkpoint/schema.js';
import type { ArtifactParameter } from './column-graph.js';
import { momentNames, type OfficialOptimizer } from './optimizer-model.js';

function scaled(tensor: Tensor, factor: number): Tensor {
  return new Tensor(
    'float32',
    tensor.dims,
    Float32Array.from(tensor.data as Float32Array, (x) => x * factor),
  );
}

/** `tensors`: parameters and slots as a training's checkpoint names them, after `step` updates. */
export function officialState(
  optimizer: OfficialOptimizer,
  parameters: readonly ArtifactParameter[],
  tensors: ReadonlyMap<string, Tensor>,
  step: number,
  rate: number,
): OptimizerState {
  const moments = new Map<string, ReadonlyMap<string, Tensor>>();
  for (const { name, role, shape } of parameters) {
    if (role !== 'trainable') continue;
    const slot = (official: string, own: string, factor: number) => {
      const kept = tensors.get(slotName(name, official));
      if (kept !== undefined) return kept;
      const ours = tensors.get(slotName(name, own));
      if (ours !== undefined) return scaled(ours, factor);
      throw new UsageError(
        `the training under way keeps no ${own} of "${name}", which ${optimizer.kind} goes on from: name the optimizer that it runs with`,
      );
    };
    const values =
      optimizer.kind === 'sgd'
        ? [Tensor.zeros('float32', shape)]
        : [slot('momentum0', 'moment1', 1 - optimizer.beta1), slot('momentum1', 'moment2', 1 - optimizer.beta2)];
    moments.set(name, new Map(momentNames(optimizer).map((moment, i) => [moment, must(values[i], moment)])));
  }
  return { step: BigInt(step), initialRate: rate, moments };
}
