// What ops do to features, as far as it tells which values of a trained graph are worth reading and how their axes lie (onnx/features). By name and not
// among the traits of the table: ops of other domains that ONNX Runtime brings, of which the table knows nothing, have roles too.
import type { Node } from '../ir/graph.js';

const convolves = ['Conv', 'ConvTranspose', 'ConvInteger', 'QLinearConv', 'FusedConv', 'DepthToSpace', 'SpaceToDepth'];
const pools = [
  ...['AveragePool', 'MaxPool', 'LpPool', 'GlobalAveragePool', 'GlobalMaxPool', 'GlobalLpPool'],
  ...['QLinearAveragePool', 'QLinearGlobalAveragePool'],
];
const normalisesChannels = ['BatchNormalization', 'InstanceNormalization', 'GroupNormalization', 'LRN'];
const skips = ['SkipLayerNormalization', 'SkipSimplifiedLayerNormalization'];
const multiplies = ['MatMul', 'MatMulInteger', 'FusedMatMul', 'DynamicQuantizeMatMul', 'MatMulIntegerToFloat', 'MatMulNBits'];
const quantises = ['QuantizeLinear', 'DequantizeLinear', 'DynamicQuantizeLinear'];
const moves = ['Transpose', 'Reshape', 'Squeeze'];

const roles = {
  /** Gives channels of its own at axis 1. */
  convolves,
  /** Its first input is [N, C, positions]. */
  channelsSecond: [...convolves, ...pools, ...normalisesChannels],
  /** Normalises the axes from `axis` on, the last where it says none. */
  normalisesLast: ['LayerNormalization', 'RMSNormalization', 'SimplifiedLayerNormalization'],
  /** Gives features at its last axis. */
  featuresLast: [...skips, 'EmbedLayerNormalization'],
  /** Adds what went past a block, and normalises. */
  skips,
  /** A product of matrices. */
  multiplies,
  /** Steps through a sequence. */
  recurs: ['LSTM', 'GRU', 'RNN', 'DynamicQuantizeLSTM'],
  /** Its outputs have axes of their own. */
  ownAxes: ['Einsum', 'If', 'Loop', 'Scan', 'Shape', 'NonZero', 'TopK', 'Constant', 'ConstantOfShape', 'Range'],
  /** Weighs positions by each other. */
  attends: ['Softmax', 'Attention', 'MultiHeadAttention', 'GroupQueryAttention', 'QAttention', 'PackedAttention'],
  /** May stand where a block is gone past: a projection to another size. */
  projects: [
    ...[...convolves, ...pools, ...quantises, ...moves, 'BatchNormalization', 'Gemm', 'MatMul'],
    ...['Pad', 'Identity', 'Slice', 'Resize', 'Add'],
  ],
  /** May stand between the scores of an attention and their softmax. */
  beforeSoftmax: ['Add', 'Cast', 'Max', 'Where', 'Reshape', 'Clip'],
  /** Brings axes elsewhere or away. */
  moves,
  quantises,
  /** Together with a bounded function makes a gate of a value. */
  shapesGates: ['Add', 'Sub', 'Mul', 'Div', 'Pow', 'Neg', 'Cast', 'Sqrt', 'Softplus'],
  /** Holds weights, or a graph that may. */
  weighs: [...multiplies, ...convolves, 'Gemm', 'If', 'Loop', 'Scan', 'LSTM', 'GRU', 'RNN', 'DynamicQuantizeLSTM', 'Attention'],
} as const satisfies Readonly<Record<string, readonly string[]>>;

export type FeatureRole = keyof typeof roles;

const sets = new Map(Object.entries(roles).map(([role, names]) => [role, new Set<string>(names)]));

/** Whether a node does that, whatever its domain. */
export function hasRole(node: Node, role: FeatureRole): boolean {
  return sets.get(role)?.has(node.opType) ?? false;
}
