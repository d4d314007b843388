// What changed in ai.onnx between opsets 1 and 26, as conversions of one node. Ops that are not listed only gained types or options.
// Specification: onnx/docs/Changelog.md.
import { int64, Tensor } from '../../core/tensor.js';
import { type Attribute, Graph, Node, Value } from '../../ir/graph.js';
import { tensorType } from '../../ir/types.js';
import { constantOf } from '../../ops/op-def.js';
import {
  int,
  type Rewriting,
  renamed,
  type Step,
  type Steps,
  scalar,
  setInput,
  takeFloat,
  takeInt,
  takeInts,
  text,
} from './step.js';

/** An attribute of integers becomes an input. */
const toInput =
  (attribute: string, at: number): Step =>
  (node, r) => {
    const values = takeInts(node, attribute);
    if (values !== undefined) setInput(node, at, r.constant(int64(values)));
    return node;
  };

const drop =
  (...names: string[]): Step =>
  (node) => {
    for (const name of names) node.attributes.delete(name);
    return node;
  };

// Before opset 7, B was put under the axes of A from `axis` on, and only with `broadcast`.
const oldBroadcast: Step = (node, r) => {
  const [a, b] = node.inputs;
  const broadcast = takeInt(node, 'broadcast', 0) === 1;
  const named = node.attributes.has('axis');
  const given = takeInt(node, 'axis', 0);
  node.attributes.delete('consumed_inputs');
  if (!broadcast || !named || !a || !b) return node;
  const [ra, rb] = [a.shape?.length, b.shape?.length];
  if (ra === undefined || rb === undefined) return r.fail('the ranks of its inputs are not known');
  const at = given < 0 ? given + ra : given;
  if (at < 0 || at > ra) return r.fail(`axis ${given} is out of range for rank ${ra}`);
  const after = ra - at - rb;
  if (after <= 0 || rb === 0) return node;
  node.inputs[1] = r.add('Unsqueeze', [b, r.constant(int64(Array.from({ length: after }, (_, i) => rb + i)))]);
  return node;
};

// A slope per channel was told by its length alone.
const oldSlope: Step = (node, r) => {
  node.attributes.delete('consumed_inputs');
  const [x, slope] = node.inputs;
  const rank = x?.shape?.length;
  if (slope?.shape?.length !== 1 || slope.shape[0] === 1 || rank === 2) return node;
  if (rank === undefined) return r.fail('the rank of its input is not known');
  node.inputs[1] = r.add('Unsqueeze', [slope, r.constant(int64(Array.from({ length: rank - 2 }, (_, i) => i + 1)))]);
  return node;
};

// Before opset 13 the input is read as a matrix, split before `axis` (1 by default): the sum runs over all axes from there on.
const matrixSoftmax: Step = (node, r) => {
  const axis = node.int('axis', 1);
  const [x = null] = node.inputs;
  const rank = x?.shape?.length;
  node.attributes.set('axis', int(-1));
  if (rank !== undefined && (axis === rank - 1 || axis === -1)) return node;
  const flat = r.add('Flatten', [x], { axis: int(axis) });
  const y = r.add(node.opType, [flat], { axis: int(-1) });
  return renamed(node, 'Reshape', [y, r.add('Shape', [x])], new Map());
};

const clipBounds: Step = (node, r) => {
  node.attributes.delete('consumed_inputs');
  for (const [i, name] of [
    [1, 'min'],
    [2, 'max'],
  ] as const) {
    const bound = takeFloat(node, name);
    if (bound !== undefined) setInput(node, i, scalar(r, bound, node.inputs[0]));
  }
  return node;
};

const inferringDropout: Step = (node, r) => {
  node.attributes.delete('consumed_inputs');
  return takeInt(node, 'is_test', 0) === 0 ? r.fail('it drops at random (is_test = 0)') : node;
};

const dropoutRatio: Step = (node, r) => {
  const mask = node.outputs[1];
  if (mask !== undefined && r.isRead(mask))
    return r.fail('its mask was false wherever nothing is dropped, it is true since opset 12');
  const ratio = takeFloat(node, 'ratio');
  if (ratio !== undefined) setInput(node, 1, scalar(r, ratio, node.inputs[0]));
  return node;
};

const dropoutMask: Step = (node, r) => {
  const mask = node.outputs[1];
  if (mask !== undefined && r.isRead(mask)) return r.fail('its mask was floating-point');
  node.outputs.length = 1;
  return node;
};

const padInputs: Step = (node, r) => {
  const pads = takeInts(node, 'pads') ?? takeInts(node, 'paddings');
  if (pads === undefined) return r.fail('it has no pads');
  const value = takeFloat(node, 'value');
  setInput(node, 1, r.constant(int64(pads)));
  if (value !== undefined && value !== 0) setInput(node, 2, scalar(r, value, node.inputs[0]));
  return node;
};

const sliceInputs: Step = (node, r) => {
  const [starts, ends, axes] = ['starts', 'ends', 'axes'].map((name) => takeInts(node, name));
  if (starts === undefined || ends === undefined) return r.fail('it has no starts and ends');
  setInput(node, 1, r.constant(int64(starts)));
  setInput(node, 2, r.constant(int64(ends.map((e) => Math.min(e, Number.MAX_SAFE_INTEGER)))));
  if (axes !== undefined) setInput(node, 3, r.constant(int64(axes)));
  return node;
};

const topKInput: Step = (node, r) => {
  const k = node.attributes.get('k');
  node.attributes.delete('k');
  if (k?.kind === 'int') setInput(node, 1, r.constant(int64([Number(k.value)])));
  return node;
};

/** Sampled at i / scale; towards the first pixel when growing, the last when shrinking, as ONNX Runtime read opset 10. */
function toResize(node: Node, r: Rewriting, scales: Value): Node {
  const mode = node.string('mode', 'nearest');
  const known = constantOf(scales)?.numbers();
  const grows = known?.every((s) => s >= 1) ?? node.opType === 'Upsample';
  if (mode === 'nearest' && !grows && !known?.every((s) => s <= 1))
    return r.fail('it grows along some axes and shrinks along others');
  const attributes = new Map([
    ['mode', text(mode === 'bilinear' || mode === 'trilinear' ? 'linear' : mode)],
    ['coordinate_transformation_mode', text('asymmetric')],
    ['nearest_mode', text(grows ? 'floor' : 'ceil')],
  ]);
  return renamed(node, 'Resize', [node.inputs[0] ?? null, null, scales], attributes);
}

const upsampleScales: Step = (node, r) => {
  const a = node.attributes.get('scales');
  const [h, w] = [takeFloat(node, 'height_scale'), takeFloat(node, 'width_scale')];
  const list = a?.kind === 'floats' ? a.value : h !== undefined && w !== undefined ? [1, 1, h, w] : undefined;
  if (list === undefined) return r.fail('it has no scales');
  setInput(node, 1, r.constant(Tensor.from('float32', list)));
  return node;
};

const resizeScales: Step = (node, r) => {
  const [, scales] = node.inputs;
  return scales ? toResize(node, r, scales) : r.fail('it has no scales');
};

const inferringBatchNorm: Step = (node, r) => {
  node.attributes.delete('consumed_inputs');
  return takeInt(node, 'is_test', 0) === 0 ? r.fail('it trains (is_test = 0)') : node;
};

const spatialBatchNorm: Step = (node, r) =>
  takeInt(node, 'spatial', 1) === 0 ? r.fail('spatial = 0 keeps statistics of every element') : node;

// Further outputs asked for training mode, read or not; their own meanings were other ones than those of opset 14.
const batchNormOutputs: Step = (node, r) => {
  const [y, ...further] = node.outputs;
  if (further.some(r.isRead)) return r.fail('it trains: it has outputs beside the first');
  node.outputs.length = 1;
  if (y === undefined || further.every((v) => v.name === '')) return node;
  const statistics = ['mean', 'var'].map((name) => new Value(r.name(`${y.name}/running_${name}`)));
  const attributes = new Map([...node.attributes, ['training_mode', int(1)] as const]);
  return new Node(node.opType, node.inputs, [y, ...statistics], attributes, node.name);
};

const oldCast: Step = (node, r) => {
  const to = node.attributes.get('to');
  if (to?.kind !== 'string') return node;
  const names = [
    '',
    'FLOAT',
    'UINT8',
    'INT8',
    'UINT16',
    'INT16',
    'INT32',
    'INT64',
    'STRING',
    'BOOL',
    'FLOAT16',
    'DOUBLE',
    'UINT32',
    'UINT64',
  ];
  const name = new TextDecoder().decode(to.value).toUpperCase();
  const code = names.indexOf(name);
  if (code < 1) return r.fail(`"${name}" is no dtype`);
  node.attributes.set('to', int(code));
  return node;
};

const defaultAttribute =
  (name: string, value: Attribute): Step =>
  (node) => {
    if (!node.attributes.has(name)) node.attributes.set(name, value);
    return node;
  };

const integerP: Step = (node, r) => {
  const p = node.attributes.get('p');
  if (p?.kind !== 'float') return node;
  if (!Number.isInteger(p.value)) return r.fail(`p = ${p.value} is no integer`);
  node.attributes.set('p', int(p.value));
  return node;
};

// Before opset 9 everything had a batch axis in front: a Scan over the batch, whose body is the Scan over the sequence.
const batchedScan: Step = (node, r) => {
  const body = node.attributes.get('body');
  const [lengths, ...inputs] = node.inputs;
  if (body?.kind !== 'graph') return r.fail('it has no body');
  if (lengths) return r.fail('sequence_lens gives each batch element a length of its own');
  const sequences = node.int('num_scan_inputs', 0);
  const states = inputs.length - sequences;
  const inside = (v: Value, i: number) => {
    const shape = v.shape && i >= states ? [null, ...v.shape] : v.shape;
    return new Value(r.name(`${v.name}/of_one`), v.type?.kind === 'tensor' ? tensorType(v.type.dtype, shape) : undefined);
  };
  const each = new Graph(r.name('each'));
  each.inputs = body.value.inputs.map(inside);
  each.outputs = body.value.outputs.map(inside);
  const attributes = new Map(node.attributes);
  const directions = node.attributes.get('directions');
  attributes.delete('directions');
  if (directions !== undefined) attributes.set('scan_input_directions', directions);
  each.nodes = [new Node('Scan', [...each.inputs], [...each.outputs], attributes, r.name(`${node.name || 'Scan'}/sequence`))];
  const outer = new Map<string, Attribute>([
    ['body', { kind: 'graph', value: each }],
    ['num_scan_inputs', int(inputs.length)],
  ]);
  return renamed(node, 'Scan', inputs, outer);
};

const refuse =
  (why: string): Step =>
  (_, r) =>
    r.fail(why);

const seluDefaults: Step = (node, r) =>
  [
    defaultAttribute('alpha', { kind: 'float', value: 1.6732 }),
    defaultAttribute('gamma', { kind: 'float', value: 1.0507 }),
  ].reduce((n, step) => step(n, r), node);

const reduction: Steps = [[18, toInput('axes', 1)]];

// A count of outputs says what equal parts are, which were told by the outputs alone.
const splitCount: Step = (node) => {
  if (!node.inputs[1]) node.attributes.set('num_outputs', int(node.outputs.length));
  return node;
};

const dftAxis: Step = (node, r) => {
  setInput(node, 2, r.constant(Tensor.from('int64', takeInt(node, 'axis', 1))));
  return node;
};

const gridModes: Readonly<Record<string, string>> = { bilinear: 'linear', bicubic: 'cubic' };
const gridMode: Step = (node) => {
  const mode = node.string('mode', 'bilinear');
  node.attributes.set('mode', text(gridModes[mode] ?? mode));
  return node;
};

/** For every op: the attribute of first versions that told which inputs may be overwritten. */
const always: Steps = [[6, drop('consumed_inputs')]];
const softmax: Steps = [[13, matrixSoftmax]];
const logical: Steps = [[7, oldBroadcast]];
const recurrent: Steps = [[7, drop('output_sequence')]];

const steps: Readonly<Record<string, Steps>> = {
  BatchNormalization: [
    [7, inferringBatchNorm],
    [9, spatialBatchNorm],
    [14, batchNormOutputs],
  ],
  Cast: [[6, oldCast]],
  Clip: [[11, clipBounds]],
  Concat: [[4, defaultAttribute('axis', int(1))]],
  DFT: [[20, dftAxis]],
  Dropout: [
    [7, inferringDropout],
    [10, dropoutMask],
    [12, dropoutRatio],
  ],
  Gemm: [[7, drop('broadcast')]],
  GlobalLpPool: [[2, integerP]],
  GridSample: [[20, gridMode]],
  GroupNormalization: [[21, refuse('it has a scale for each group, from opset 21 on one for each channel')]],
  LpPool: [[2, integerP]],
  PRelu: [[7, oldSlope]],
  Pad: [[11, padInputs]],
  ReduceSum: [[13, toInput('axes', 1)]],
  ReduceL1: reduction,
  ReduceL2: reduction,
  ReduceLogSum: reduction,
  ReduceLogSumExp: reduction,
  ReduceMax: reduction,
  ReduceMean: reduction,
  ReduceMin: reduction,
  ReduceProd: reduction,
  ReduceSumSquare: reduction,
  Reshape: [[5, toInput('shape', 1)]],
  Resize: [[11, resizeScales]],
  RoiAlign: [[16, defaultAttribute('coordinate_transformation_mode', text('output_half_pixel'))]],
  Scan: [[9, batchedScan]],
  Scatter: [[11, (node) => renamed(node, 'ScatterElements', node.inputs)]],
  Selu: [[6, seluDefaults]],
  Slice: [[10, sliceInputs]],
  Split: [
    [13, toInput('split', 1)],
    [18, splitCount],
  ],
  Squeeze: [[13, toInput('axes', 1)]],
  Tile: [[6, refuse('Tile repeated along one axis before opset 6')]],
  TopK: [[10, topKInput]],
  Unsqueeze: [[13, toInput('axes', 1)]],
  Upsample: [
    [9, upsampleScales],
    [17, resizeScales],
  ],
  Add: logical,
  Sub: logical,
  Mul: logical,
  Div: logical,
  Pow: logical,
  And: logical,
  Or: logical,
  Xor: logical,
  Equal: logical,
  Greater: logical,
  Less: logical,
  RNN: recurrent,
  GRU: recurrent,
  LSTM: recurrent,
  Softmax: softmax,
  LogSoftmax: softmax,
  Hardmax: softmax,
};

/** The conversions that a node of opset `from` needs at opset `to`, in order. */
export function stepsOf(opType: string, from: number, to: number): Step[] {
  return [...always, ...(Object.hasOwn(steps, opType) ? (steps[opType] ?? []) : [])]
    .filter(([first]) => from < first && first <= to)
    .map(([, step]) => step);
}
