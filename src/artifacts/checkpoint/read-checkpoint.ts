// Reads a training checkpoint that ONNX Runtime, its Python tools or we wrote. Anything wrong with it is one ModelError.
import { byteLength, dtypeFromCode } from '../../onnx/core/dtype.js';
import { elementCount } from '../../onnx/core/shape.js';
import { Tensor } from '../../onnx/core/tensor.js';
import { FlatFile, type FlatTable } from './flat-table.js';
import {
  bagField,
  type CheckpointVersion,
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
  versions,
} from './schema.js';

/** Dimensions that a tensor has at most; ONNX Runtime's own bound is lower. */
const maxRank = 64;

/** `file` stands in messages. Tensors are views of `bytes` where alignment allows. */
export function readCheckpoint(bytes: Uint8Array, file = 'checkpoint'): TrainingCheckpoint {
  const flat = new FlatFile(bytes, file);
  if (bytes.byteLength < 12) flat.fail('', `has ${bytes.byteLength} bytes, too few for a training checkpoint`);
  const found = String.fromCharCode(...bytes.subarray(4, 8));
  if (found !== identifier) {
    flat.fail('', `is no training checkpoint, its identifier is ${JSON.stringify(found)}, expected "${identifier}"`);
  }
  const root = flat.root();
  const version = root.int32(checkpointField.version, 'version');
  if (!isVersion(version)) return flat.fail('', `is a checkpoint of version ${version}, expected ${versions.join(' or ')}`);
  const state = root.table(checkpointField.module_state, 'module_state') ?? root.fail('module_state is missing');
  if (state.bool(moduleField.has_external_data, 'has_external_data')) {
    state.fail('keeps its data in another file, which is not read; save the checkpoint without external data');
  }
  const nominal = state.bool(moduleField.is_nominal_state, 'is_nominal_state');
  const parameters = (id: number, name: string) =>
    named(state.tables(id, name) ?? state.fail(`${name} is missing`), (t) => tensorOf(t, nominal));
  const trainable = parameters(moduleField.requires_grad_params, 'requires_grad_params');
  const frozen = parameters(moduleField.frozen_params, 'frozen_params');
  for (const name of frozen.keys()) {
    if (trainable.has(name)) state.fail(`has ${JSON.stringify(name)} among the trainable and the frozen parameters`);
  }
  const optimizer = optimizerOf(root.tables(checkpointField.optimizer_groups, 'optimizer_groups') ?? [], trainable);
  const properties = propertiesOf(root.table(checkpointField.property_bag, 'property_bag'));
  return { version, trainable, frozen, nominal, properties, ...(optimizer && { optimizer }) };
}

function isVersion(n: number): n is CheckpointVersion {
  return versions.some((v) => v === n);
}

/** Tensors by their names, each name once. */
function named(tables: readonly FlatTable[], read: (t: FlatTable) => { name: string; tensor: Tensor }): Map<string, Tensor> {
  const out = new Map<string, Tensor>();
  for (const table of tables) {
    const { name, tensor } = read(table);
    if (out.has(name)) table.fail(`has the name ${JSON.stringify(name)} for the second time`);
    out.set(name, tensor);
  }
  return out;
}

function tensorOf(table: FlatTable, nominal: boolean): { name: string; tensor: Tensor } {
  const name = table.text(tensorField.name, 'name') ?? table.fail('has no name');
  const code = table.int32(tensorField.data_type, 'data_type');
  const dtype = dtypeFromCode(code);
  const quoted = JSON.stringify(name);
  if (dtype === undefined || dtype === 'string') return table.fail(`${quoted} has data_type ${code}, expected a numeric one`);
  if (table.int64(tensorField.external_data_offset, 'external_data_offset', -1n) !== -1n) {
    table.fail(`${quoted} keeps its data in another file, which is not read; save the checkpoint without external data`);
  }
  if (nominal) return { name, tensor: Tensor.zeros(dtype, [0]) };
  const dims = (table.int64s(tensorField.dims, 'dims') ?? []).map(Number);
  if (dims.length > maxRank || !dims.every((d) => Number.isSafeInteger(d) && d >= 0))
    table.fail(`${quoted} has the shape [${dims.slice(0, maxRank)}]`);
  const raw = table.data(tensorField.raw_data, 'raw_data') ?? new Uint8Array(0);
  const count = elementCount(dims);
  // The product of huge dims is rounded, which never brings it down to the size of a file.
  if (byteLength(dtype, count) !== raw.byteLength) {
    table.fail(`${quoted}: ${dtype}[${dims}] needs ${byteLength(dtype, count)} bytes, raw_data has ${raw.byteLength}`);
  }
  return { name, tensor: Tensor.fromBytes(dtype, dims, raw) };
}

function optimizerOf(groups: readonly FlatTable[], trainable: ReadonlyMap<string, Tensor>): OptimizerState | undefined {
  const [group, second] = groups;
  if (group === undefined) return undefined;
  second?.fail(`is a second optimizer group, expected ${groupName} alone`);
  const name = group.text(groupField.group_name, 'group_name') ?? '';
  if (name !== groupName) group.fail(`is called ${JSON.stringify(name)}, expected "${groupName}"`);
  const moments = new Map<string, ReadonlyMap<string, Tensor>>();
  for (const state of group.tables(groupField.optimizer_states, 'optimizer_states') ?? []) {
    const parameter = state.text(stateField.param_name, 'param_name') ?? state.fail('has no param_name');
    const of = trainable.get(parameter);
    if (of === undefined || moments.has(parameter)) {
      const what = of === undefined ? 'which is no trainable parameter' : 'for the second time';
      return state.fail(`is for ${JSON.stringify(parameter)}, ${what}`);
    }
    const tensors = named(state.tables(stateField.momentums, 'momentums') ?? [], (t) => tensorOf(t, false));
    for (const [moment, tensor] of tensors) {
      if (tensor.dtype === of.dtype && (tensor.dims.join() === of.dims.join() || of.dims.join() === '0')) continue;
      const shapes = `${tensor.dtype}[${tensor.dims}], its parameter is ${of.dtype}[${of.dims}]`;
      state.fail(`${JSON.stringify(parameter)}: ${JSON.stringify(moment)} is ${shapes}`);
    }
    moments.set(parameter, tensors);
  }
  return {
    step: group.int64(groupField.step, 'step'),
    initialRate: group.float(groupField.initial_learning_rate, 'initial_learning_rate'),
    moments,
  };
}

function propertiesOf(bag: FlatTable | undefined): Map<string, bigint | number | string> {
  const out = new Map<string, bigint | number | string>();
  if (bag === undefined) return out;
  const add = (id: number, list: string, value: (t: FlatTable) => bigint | number | string) => {
    for (const table of bag.tables(id, list) ?? []) {
      const name = table.text(propertyField.name, 'name') ?? table.fail('has no name');
      if (out.has(name)) table.fail(`has the name ${JSON.stringify(name)} for the second time`);
      out.set(name, value(table));
    }
  };
  add(bagField.ints, 'ints', (t) => t.int64(propertyField.value, 'value'));
  add(bagField.floats, 'floats', (t) => t.float(propertyField.value, 'value'));
  add(bagField.strings, 'strings', (t) => t.text(propertyField.value, 'value') ?? '');
  return out;
}
