// Which values an attribute may have, where its kind says too little: the names that a text is one of, and the bounds of an integer. What the
// specification names and ONNX Runtime asks for when it loads a model; what depends on other attributes or on types is the op's rule.
import type { Attribute } from '../ir/graph.js';
import type { NodeContext } from './op-def.js';
import type { AttributeSpec } from './signature.js';

/** `to` is the last of the domain's opsets that the names hold at. */
interface Names {
  readonly names: string;
  readonly to?: number;
}

const recurrent = { direction: 'forward reverse bidirectional' };
const loss = { reduction: 'none sum mean' };
const scatter = { reduction: 'none add mul max min' };
const transforms = { post_transform: 'NONE SOFTMAX LOGISTIC SOFTMAX_ZERO PROBIT' };

/** Names, parted by spaces, by op and attribute. */
const texts: ReadonlyMap<string, Readonly<Record<string, string | readonly Names[]>>> = new Map(
  Object.entries({
    BitShift: { direction: 'LEFT RIGHT' },
    Cast: { round_mode: 'up down nearest' },
    DepthToSpace: { mode: 'DCR CRD' },
    GRU: recurrent,
    Gelu: { approximate: 'none tanh' },
    GridSample: {
      mode: [{ names: 'bilinear nearest bicubic', to: 19 }, { names: 'linear nearest cubic' }],
      padding_mode: 'zeros border reflection',
    },
    LSTM: recurrent,
    NegativeLogLikelihoodLoss: loss,
    Pad: { mode: 'constant reflect edge wrap' },
    RNN: recurrent,
    Resize: {
      mode: 'nearest linear cubic',
      coordinate_transformation_mode:
        'half_pixel half_pixel_symmetric pytorch_half_pixel align_corners asymmetric tf_half_pixel_for_nn tf_crop_and_resize',
      keep_aspect_ratio_policy: 'stretch not_larger not_smaller',
    },
    RoiAlign: { mode: 'avg max' },
    ScatterElements: scatter,
    ScatterND: scatter,
    SoftmaxCrossEntropyLoss: loss,
    StringNormalizer: { case_change_action: 'LOWER UPPER NONE' },
    TensorScatter: { mode: 'linear circular' },
    TfIdfVectorizer: { mode: 'TF IDF TFIDF' },
    Upsample: { mode: [{ names: 'nearest bilinear', to: 6 }, { names: 'nearest linear cubic' }] },
    'ai.onnx.ml.CastMap': { cast_to: 'TO_FLOAT TO_STRING TO_INT64', map_form: 'DENSE SPARSE' },
    'ai.onnx.ml.LinearClassifier': transforms,
    'ai.onnx.ml.LinearRegressor': transforms,
    'ai.onnx.ml.Normalizer': { norm: 'MAX L1 L2' },
    'ai.onnx.ml.SVMClassifier': { ...transforms, kernel_type: 'LINEAR POLY RBF SIGMOID' },
    'ai.onnx.ml.SVMRegressor': { ...transforms, kernel_type: 'LINEAR POLY RBF SIGMOID' },
    'ai.onnx.ml.TreeEnsembleClassifier': transforms,
    'ai.onnx.ml.TreeEnsembleRegressor': { ...transforms, aggregate_function: 'AVERAGE SUM MIN MAX' },
  }),
);

const flag = [0, 1] as const;
const hidden = { hidden_size: [1, 2 ** 31 - 1] } as const;

/** The least and the largest value, by op and attribute. */
const integers: ReadonlyMap<string, Readonly<Record<string, readonly [number, number]>>> = new Map(
  Object.entries<Readonly<Record<string, readonly [number, number]>>>({
    BatchNormalization: { training_mode: flag },
    CumProd: { exclusive: flag, reverse: flag },
    CumSum: { exclusive: flag, reverse: flag },
    DequantizeLinear: { block_size: [0, Number.POSITIVE_INFINITY] },
    GRU: hidden,
    LSTM: hidden,
    MaxPool: { storage_order: flag },
    Mod: { fmod: flag },
    NonMaxSuppression: { center_point_box: flag },
    QuantizeLinear: { block_size: [0, Number.POSITIVE_INFINITY] },
    RNN: hidden,
    ReverseSequence: { batch_axis: flag, time_axis: flag },
    RotaryEmbedding: { num_heads: [0, 2 ** 31 - 1], rotary_embedding_dim: [0, 2 ** 31 - 1] },
  }),
);

const decoder = new TextDecoder();

/** Throws ShapeError where the value of an attribute is none that its op knows. */
export function checkValue(c: NodeContext, name: string, a: Attribute, spec: AttributeSpec): void {
  const { opType, domain } = c.node;
  const op = domain === '' || domain === 'ai.onnx' ? opType : `${domain}.${opType}`;
  if (a.kind === 'int') {
    const [least, most] = integers.get(op)?.[name] ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
    const value = Number(a.value);
    if (value >= least && value <= most) return;
    const expected = most === Number.POSITIVE_INFINITY ? `${least} or more` : `${least} to ${most}`;
    c.fail(`attribute "${name}" is ${a.value}, expected ${expected}`, { expected, got: String(a.value) });
  }
  const row = a.kind === 'string' ? texts.get(op)?.[name] : undefined;
  if (a.kind !== 'string' || row === undefined) return;
  const names = typeof row === 'string' ? row : (row.find(({ to }) => to === undefined || c.opset <= to)?.names ?? '');
  const value = decoder.decode(a.value);
  if (names.split(' ').includes(value) || value === spec.default) return;
  const expected = names.replaceAll(' ', ', ');
  c.fail(`attribute "${name}" is "${value}", expected one of ${expected}`, { expected, got: value });
}
