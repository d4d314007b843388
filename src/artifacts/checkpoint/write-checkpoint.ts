// Writes a training checkpoint as ONNX Runtime reads it.
import { Builder } from 'flatbuffers';
import { dtypes } from '../../onnx/core/dtype.js';
import { ModelError } from '../../onnx/core/errors.js';
import type { Tensor } from '../../onnx/core/tensor.js';
import {
  bagField,
  checkpointField,
  groupField,
  groupName,
  identifier,
  moduleField,
  type OptimizerState,
  propertyField,
  stateField,
  type TrainingCheckpoint,
  tensorField,
} from './schema.js';

/** FlatBuffers' offsets are 32 bits wide, its readers take them as signed. */
const maxBytes = 2 ** 31 - 1;

/** Throws ModelError beyond 2 GB. */
export function writeCheckpoint(checkpoint: TrainingCheckpoint): Uint8Array {
  const { version, trainable, frozen, nominal, optimizer, properties } = checkpoint;
  const moments = [...(optimizer?.moments.values() ?? [])].flatMap((m) => [...m.values()]);
  const tensors = nominal ? moments : [...trainable.values(), ...frozen.values(), ...moments];
  const size = tensors.reduce((n, t) => n + t.bytes.length, 0) + 512 * (tensors.length + 8);
  if (size > maxBytes) throw new ModelError(`the checkpoint would have ${size} bytes, over the 2 GB of a FlatBuffers file`);
  const b = new Builder(size);
  const parameters = (map: ReadonlyMap<string, Tensor>) =>
    vectorOf(
      b,
      [...map].map(([name, t]) => tensorOf(b, name, t, nominal)),
    );
  const requiresGrad = parameters(trainable);
  const noGrad = parameters(frozen);
  b.startObject(4);
  b.addFieldOffset(moduleField.requires_grad_params, requiresGrad, 0);
  b.addFieldOffset(moduleField.frozen_params, noGrad, 0);
  if (version > 1) b.addFieldInt8(moduleField.is_nominal_state, nominal ? 1 : 0, 0);
  const state = b.endObject();
  const groups = optimizer && vectorOf(b, [groupOf(b, optimizer)]);
  const bag = properties.size === 0 ? undefined : bagOf(b, properties);
  b.startObject(4);
  b.addFieldInt32(checkpointField.version, version, 0);
  b.addFieldOffset(checkpointField.module_state, state, 0);
  if (groups !== undefined) b.addFieldOffset(checkpointField.optimizer_groups, groups, 0);
  if (bag !== undefined) b.addFieldOffset(checkpointField.property_bag, bag, 0);
  b.finish(b.endObject(), identifier);
  return b.asUint8Array();
}

/** A vector of tables; written even when it is empty, as the reader expects. */
function vectorOf(b: Builder, offsets: readonly number[]): number {
  b.startVector(4, offsets.length, 4);
  for (const offset of [...offsets].reverse()) b.addOffset(offset);
  return b.endVector();
}

function tensorOf(b: Builder, name: string, tensor: Tensor, nominal: boolean): number {
  const shown = b.createString(name);
  const dims = nominal ? [] : tensor.dims;
  b.startVector(8, dims.length, 8);
  for (const d of [...dims].reverse()) b.addInt64(BigInt(d));
  const shape = b.endVector();
  const data = b.createByteVector(nominal ? new Uint8Array(0) : tensor.bytes);
  b.startObject(7);
  b.addFieldOffset(tensorField.name, shown, 0);
  b.addFieldOffset(tensorField.dims, shape, 0);
  b.addFieldInt32(tensorField.data_type, dtypes[tensor.dtype].code, 0);
  b.addFieldOffset(tensorField.raw_data, data, 0);
  return b.endObject();
}

function groupOf(b: Builder, { step, initialRate, moments }: OptimizerState): number {
  const states = vectorOf(
    b,
    [...moments].map(([parameter, tensors]) => {
      const name = b.createString(parameter);
      const momentums = vectorOf(
        b,
        [...tensors].map(([moment, t]) => tensorOf(b, moment, t, false)),
      );
      b.startObject(2);
      b.addFieldOffset(stateField.param_name, name, 0);
      b.addFieldOffset(stateField.momentums, momentums, 0);
      return b.endObject();
    }),
  );
  const name = b.createString(groupName);
  b.startObject(4);
  b.addFieldOffset(groupField.group_name, name, 0);
  b.addFieldInt64(groupField.step, step, 0n);
  b.addFieldFloat32(groupField.initial_learning_rate, initialRate, 0);
  b.addFieldOffset(groupField.optimizer_states, states, 0);
  return b.endObject();
}

function bagOf(b: Builder, properties: TrainingCheckpoint['properties']): number {
  const ints: number[] = [];
  const floats: number[] = [];
  const strings: number[] = [];
  for (const [key, value] of properties) {
    const name = b.createString(key);
    const text = typeof value === 'string' ? b.createString(value) : 0;
    b.startObject(2);
    b.addFieldOffset(propertyField.name, name, 0);
    if (typeof value === 'string') b.addFieldOffset(propertyField.value, text, 0);
    else if (typeof value === 'bigint') b.addFieldInt64(propertyField.value, value, 0n);
    else b.addFieldFloat32(propertyField.value, value, 0);
    (typeof value === 'string' ? strings : typeof value === 'bigint' ? ints : floats).push(b.endObject());
  }
  const [i, f, s] = [vectorOf(b, ints), vectorOf(b, floats), vectorOf(b, strings)];
  b.startObject(3);
  b.addFieldOffset(bagField.ints, i, 0);
  b.addFieldOffset(bagField.floats, f, 0);
  b.addFieldOffset(bagField.strings, s, 0);
  return b.endObject();
}
