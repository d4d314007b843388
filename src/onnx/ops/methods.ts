// The methods of the graph builder, one an op of ai.onnx that is not deprecated. Written by `sh scripts/signatures` from the Python package onnx 1.23.2, opset 26;
// do not edit. Constant has none: the builder's own `constant` makes constants.
import type { Method } from './typed-builder.js';

/** Ops with several outputs, or with as many as are asked for. */
export interface SeveralMethods<Result> {
  /** Attention of ai.onnx 25: inputs Q, K, V, attn_mask (optional), past_key (optional), past_value (optional), nonpad_kv_seqlen (optional); outputs Y, present_key (optional), present_value (optional), qk_matmul_output (optional). https://onnx.ai/onnx/operators/onnx__Attention.html */
  readonly attention: Method<'Attention', Result>;
  /** BatchNormalization of ai.onnx 15: inputs X, scale, B, input_mean, input_var; outputs Y, running_mean (optional), running_var (optional). https://onnx.ai/onnx/operators/onnx__BatchNormalization.html */
  readonly batchNormalization: Method<'BatchNormalization', Result>;
  /** Dropout of ai.onnx 22: inputs data, ratio (optional), training_mode (optional); outputs output, mask (optional). https://onnx.ai/onnx/operators/onnx__Dropout.html */
  readonly dropout: Method<'Dropout', Result>;
  /** DynamicQuantizeLinear of ai.onnx 11: input x; outputs y, y_scale, y_zero_point. https://onnx.ai/onnx/operators/onnx__DynamicQuantizeLinear.html */
  readonly dynamicQuantizeLinear: Method<'DynamicQuantizeLinear', Result>;
  /** GRU of ai.onnx 22: inputs X, W, R, B (optional), sequence_lens (optional), initial_h (optional); outputs Y (optional), Y_h (optional). https://onnx.ai/onnx/operators/onnx__GRU.html */
  readonly gru: Method<'GRU', Result>;
  /** If of ai.onnx 25: input cond; outputs outputs (one or more). https://onnx.ai/onnx/operators/onnx__If.html */
  readonly if: Method<'If', Result>;
  /** LSTM of ai.onnx 22: inputs X, W, R, B (optional), sequence_lens (optional), initial_h (optional), initial_c (optional), P (optional); outputs Y (optional), Y_h (optional), Y_c (optional). https://onnx.ai/onnx/operators/onnx__LSTM.html */
  readonly lstm: Method<'LSTM', Result>;
  /** LayerNormalization of ai.onnx 17: inputs X, Scale, B (optional); outputs Y, Mean (optional), InvStdDev (optional). https://onnx.ai/onnx/operators/onnx__LayerNormalization.html */
  readonly layerNormalization: Method<'LayerNormalization', Result>;
  /** Loop of ai.onnx 25: inputs M (optional), cond (optional), v_initial (any number); outputs v_final_and_scan_outputs (one or more). https://onnx.ai/onnx/operators/onnx__Loop.html */
  readonly loop: Method<'Loop', Result>;
  /** MaxPool of ai.onnx 22: input X; outputs Y, Indices (optional). https://onnx.ai/onnx/operators/onnx__MaxPool.html */
  readonly maxPool: Method<'MaxPool', Result>;
  /** RNN of ai.onnx 22: inputs X, W, R, B (optional), sequence_lens (optional), initial_h (optional); outputs Y (optional), Y_h (optional). https://onnx.ai/onnx/operators/onnx__RNN.html */
  readonly rnn: Method<'RNN', Result>;
  /** Scan of ai.onnx 25: inputs initial_state_and_scan_inputs (one or more); outputs final_state_and_scan_outputs (one or more). https://onnx.ai/onnx/operators/onnx__Scan.html */
  readonly scan: Method<'Scan', Result>;
  /** SequenceMap of ai.onnx 17: inputs input_sequence, additional_inputs (any number); outputs out_sequence (one or more). https://onnx.ai/onnx/operators/onnx__SequenceMap.html */
  readonly sequenceMap: Method<'SequenceMap', Result>;
  /** SoftmaxCrossEntropyLoss of ai.onnx 13: inputs scores, labels, weights (optional); outputs output, log_prob (optional). https://onnx.ai/onnx/operators/onnx__SoftmaxCrossEntropyLoss.html */
  readonly softmaxCrossEntropyLoss: Method<'SoftmaxCrossEntropyLoss', Result>;
  /** Split of ai.onnx 18: inputs input, split (optional); outputs outputs (one or more). https://onnx.ai/onnx/operators/onnx__Split.html */
  readonly split: Method<'Split', Result>;
  /** StringSplit of ai.onnx 20: input X; outputs Y, Z. https://onnx.ai/onnx/operators/onnx__StringSplit.html */
  readonly stringSplit: Method<'StringSplit', Result>;
  /** TopK of ai.onnx 24: inputs X, K; outputs Values, Indices. https://onnx.ai/onnx/operators/onnx__TopK.html */
  readonly topK: Method<'TopK', Result>;
  /** Unique of ai.onnx 11: input X; outputs Y, indices (optional), inverse_indices (optional), counts (optional). https://onnx.ai/onnx/operators/onnx__Unique.html */
  readonly unique: Method<'Unique', Result>;
}

/** Every op. */
export interface Methods<Result> extends SeveralMethods<Result> {
  /** Abs of ai.onnx 13: input X; output Y. https://onnx.ai/onnx/operators/onnx__Abs.html */
  readonly abs: Method<'Abs', Result>;
  /** Acos of ai.onnx 22: input input; output output. https://onnx.ai/onnx/operators/onnx__Acos.html */
  readonly acos: Method<'Acos', Result>;
  /** Acosh of ai.onnx 22: input input; output output. https://onnx.ai/onnx/operators/onnx__Acosh.html */
  readonly acosh: Method<'Acosh', Result>;
  /** Add of ai.onnx 14: inputs A, B; output C. https://onnx.ai/onnx/operators/onnx__Add.html */
  readonly add: Method<'Add', Result>;
  /** AffineGrid of ai.onnx 20: inputs theta, size; output grid. https://onnx.ai/onnx/operators/onnx__AffineGrid.html */
  readonly affineGrid: Method<'AffineGrid', Result>;
  /** And of ai.onnx 7: inputs A, B; output C. https://onnx.ai/onnx/operators/onnx__And.html */
  readonly and: Method<'And', Result>;
  /** ArgMax of ai.onnx 13: input data; output reduced. https://onnx.ai/onnx/operators/onnx__ArgMax.html */
  readonly argMax: Method<'ArgMax', Result>;
  /** ArgMin of ai.onnx 13: input data; output reduced. https://onnx.ai/onnx/operators/onnx__ArgMin.html */
  readonly argMin: Method<'ArgMin', Result>;
  /** Asin of ai.onnx 22: input input; output output. https://onnx.ai/onnx/operators/onnx__Asin.html */
  readonly asin: Method<'Asin', Result>;
  /** Asinh of ai.onnx 22: input input; output output. https://onnx.ai/onnx/operators/onnx__Asinh.html */
  readonly asinh: Method<'Asinh', Result>;
  /** Atan of ai.onnx 22: input input; output output. https://onnx.ai/onnx/operators/onnx__Atan.html */
  readonly atan: Method<'Atan', Result>;
  /** Atanh of ai.onnx 22: input input; output output. https://onnx.ai/onnx/operators/onnx__Atanh.html */
  readonly atanh: Method<'Atanh', Result>;
  /** AveragePool of ai.onnx 22: input X; output Y. https://onnx.ai/onnx/operators/onnx__AveragePool.html */
  readonly averagePool: Method<'AveragePool', Result>;
  /** Bernoulli of ai.onnx 22: input input; output output. https://onnx.ai/onnx/operators/onnx__Bernoulli.html */
  readonly bernoulli: Method<'Bernoulli', Result>;
  /** BitCast of ai.onnx 26: input input; output output. https://onnx.ai/onnx/operators/onnx__BitCast.html */
  readonly bitCast: Method<'BitCast', Result>;
  /** BitShift of ai.onnx 11: inputs X, Y; output Z. https://onnx.ai/onnx/operators/onnx__BitShift.html */
  readonly bitShift: Method<'BitShift', Result>;
  /** BitwiseAnd of ai.onnx 18: inputs A, B; output C. https://onnx.ai/onnx/operators/onnx__BitwiseAnd.html */
  readonly bitwiseAnd: Method<'BitwiseAnd', Result>;
  /** BitwiseNot of ai.onnx 18: input X; output Y. https://onnx.ai/onnx/operators/onnx__BitwiseNot.html */
  readonly bitwiseNot: Method<'BitwiseNot', Result>;
  /** BitwiseOr of ai.onnx 18: inputs A, B; output C. https://onnx.ai/onnx/operators/onnx__BitwiseOr.html */
  readonly bitwiseOr: Method<'BitwiseOr', Result>;
  /** BitwiseXor of ai.onnx 18: inputs A, B; output C. https://onnx.ai/onnx/operators/onnx__BitwiseXor.html */
  readonly bitwiseXor: Method<'BitwiseXor', Result>;
  /** BlackmanWindow of ai.onnx 17: input size; output output. https://onnx.ai/onnx/operators/onnx__BlackmanWindow.html */
  readonly blackmanWindow: Method<'BlackmanWindow', Result>;
  /** Cast of ai.onnx 25: input input; output output. https://onnx.ai/onnx/operators/onnx__Cast.html */
  readonly cast: Method<'Cast', Result>;
  /** CastLike of ai.onnx 25: inputs input, target_type; output output. https://onnx.ai/onnx/operators/onnx__CastLike.html */
  readonly castLike: Method<'CastLike', Result>;
  /** Ceil of ai.onnx 13: input X; output Y. https://onnx.ai/onnx/operators/onnx__Ceil.html */
  readonly ceil: Method<'Ceil', Result>;
  /** Celu of ai.onnx 12: input X; output Y. https://onnx.ai/onnx/operators/onnx__Celu.html */
  readonly celu: Method<'Celu', Result>;
  /** CenterCropPad of ai.onnx 18: inputs input_data, shape; output output_data. https://onnx.ai/onnx/operators/onnx__CenterCropPad.html */
  readonly centerCropPad: Method<'CenterCropPad', Result>;
  /** Clip of ai.onnx 13: inputs input, min (optional), max (optional); output output. https://onnx.ai/onnx/operators/onnx__Clip.html */
  readonly clip: Method<'Clip', Result>;
  /** Col2Im of ai.onnx 18: inputs input, image_shape, block_shape; output output. https://onnx.ai/onnx/operators/onnx__Col2Im.html */
  readonly col2Im: Method<'Col2Im', Result>;
  /** Compress of ai.onnx 11: inputs input, condition; output output. https://onnx.ai/onnx/operators/onnx__Compress.html */
  readonly compress: Method<'Compress', Result>;
  /** Concat of ai.onnx 13: inputs inputs (one or more); output concat_result. https://onnx.ai/onnx/operators/onnx__Concat.html */
  readonly concat: Method<'Concat', Result>;
  /** ConcatFromSequence of ai.onnx 11: input input_sequence; output concat_result. https://onnx.ai/onnx/operators/onnx__ConcatFromSequence.html */
  readonly concatFromSequence: Method<'ConcatFromSequence', Result>;
  /** ConstantOfShape of ai.onnx 25: input input; output output. https://onnx.ai/onnx/operators/onnx__ConstantOfShape.html */
  readonly constantOfShape: Method<'ConstantOfShape', Result>;
  /** Conv of ai.onnx 22: inputs X, W, B (optional); output Y. https://onnx.ai/onnx/operators/onnx__Conv.html */
  readonly conv: Method<'Conv', Result>;
  /** ConvInteger of ai.onnx 10: inputs x, w, x_zero_point (optional), w_zero_point (optional); output y. https://onnx.ai/onnx/operators/onnx__ConvInteger.html */
  readonly convInteger: Method<'ConvInteger', Result>;
  /** ConvTranspose of ai.onnx 22: inputs X, W, B (optional); output Y. https://onnx.ai/onnx/operators/onnx__ConvTranspose.html */
  readonly convTranspose: Method<'ConvTranspose', Result>;
  /** Cos of ai.onnx 22: input input; output output. https://onnx.ai/onnx/operators/onnx__Cos.html */
  readonly cos: Method<'Cos', Result>;
  /** Cosh of ai.onnx 22: input input; output output. https://onnx.ai/onnx/operators/onnx__Cosh.html */
  readonly cosh: Method<'Cosh', Result>;
  /** CumProd of ai.onnx 26: inputs x, axis; output y. https://onnx.ai/onnx/operators/onnx__CumProd.html */
  readonly cumProd: Method<'CumProd', Result>;
  /** CumSum of ai.onnx 14: inputs x, axis; output y. https://onnx.ai/onnx/operators/onnx__CumSum.html */
  readonly cumSum: Method<'CumSum', Result>;
  /** DFT of ai.onnx 20: inputs input, dft_length (optional), axis (optional); output output. https://onnx.ai/onnx/operators/onnx__DFT.html */
  readonly dft: Method<'DFT', Result>;
  /** DeformConv of ai.onnx 22: inputs X, W, offset, B (optional), mask (optional); output Y. https://onnx.ai/onnx/operators/onnx__DeformConv.html */
  readonly deformConv: Method<'DeformConv', Result>;
  /** DepthToSpace of ai.onnx 13: input input; output output. https://onnx.ai/onnx/operators/onnx__DepthToSpace.html */
  readonly depthToSpace: Method<'DepthToSpace', Result>;
  /** DequantizeLinear of ai.onnx 25: inputs x, x_scale, x_zero_point (optional); output y. https://onnx.ai/onnx/operators/onnx__DequantizeLinear.html */
  readonly dequantizeLinear: Method<'DequantizeLinear', Result>;
  /** Det of ai.onnx 22: input X; output Y. https://onnx.ai/onnx/operators/onnx__Det.html */
  readonly det: Method<'Det', Result>;
  /** Div of ai.onnx 14: inputs A, B; output C. https://onnx.ai/onnx/operators/onnx__Div.html */
  readonly div: Method<'Div', Result>;
  /** Einsum of ai.onnx 12: inputs Inputs (one or more); output Output. https://onnx.ai/onnx/operators/onnx__Einsum.html */
  readonly einsum: Method<'Einsum', Result>;
  /** Elu of ai.onnx 22: input X; output Y. https://onnx.ai/onnx/operators/onnx__Elu.html */
  readonly elu: Method<'Elu', Result>;
  /** Equal of ai.onnx 19: inputs A, B; output C. https://onnx.ai/onnx/operators/onnx__Equal.html */
  readonly equal: Method<'Equal', Result>;
  /** Erf of ai.onnx 13: input input; output output. https://onnx.ai/onnx/operators/onnx__Erf.html */
  readonly erf: Method<'Erf', Result>;
  /** Exp of ai.onnx 13: input input; output output. https://onnx.ai/onnx/operators/onnx__Exp.html */
  readonly exp: Method<'Exp', Result>;
  /** Expand of ai.onnx 13: inputs input, shape; output output. https://onnx.ai/onnx/operators/onnx__Expand.html */
  readonly expand: Method<'Expand', Result>;
  /** EyeLike of ai.onnx 22: input input; output output. https://onnx.ai/onnx/operators/onnx__EyeLike.html */
  readonly eyeLike: Method<'EyeLike', Result>;
  /** Flatten of ai.onnx 25: input input; output output. https://onnx.ai/onnx/operators/onnx__Flatten.html */
  readonly flatten: Method<'Flatten', Result>;
  /** Floor of ai.onnx 13: input X; output Y. https://onnx.ai/onnx/operators/onnx__Floor.html */
  readonly floor: Method<'Floor', Result>;
  /** Gather of ai.onnx 13: inputs data, indices; output output. https://onnx.ai/onnx/operators/onnx__Gather.html */
  readonly gather: Method<'Gather', Result>;
  /** GatherElements of ai.onnx 13: inputs data, indices; output output. https://onnx.ai/onnx/operators/onnx__GatherElements.html */
  readonly gatherElements: Method<'GatherElements', Result>;
  /** GatherND of ai.onnx 13: inputs data, indices; output output. https://onnx.ai/onnx/operators/onnx__GatherND.html */
  readonly gatherND: Method<'GatherND', Result>;
  /** Gelu of ai.onnx 20: input X; output Y. https://onnx.ai/onnx/operators/onnx__Gelu.html */
  readonly gelu: Method<'Gelu', Result>;
  /** Gemm of ai.onnx 13: inputs A, B, C (optional); output Y. https://onnx.ai/onnx/operators/onnx__Gemm.html */
  readonly gemm: Method<'Gemm', Result>;
  /** GlobalAveragePool of ai.onnx 22: input X; output Y. https://onnx.ai/onnx/operators/onnx__GlobalAveragePool.html */
  readonly globalAveragePool: Method<'GlobalAveragePool', Result>;
  /** GlobalLpPool of ai.onnx 22: input X; output Y. https://onnx.ai/onnx/operators/onnx__GlobalLpPool.html */
  readonly globalLpPool: Method<'GlobalLpPool', Result>;
  /** GlobalMaxPool of ai.onnx 22: input X; output Y. https://onnx.ai/onnx/operators/onnx__GlobalMaxPool.html */
  readonly globalMaxPool: Method<'GlobalMaxPool', Result>;
  /** Greater of ai.onnx 13: inputs A, B; output C. https://onnx.ai/onnx/operators/onnx__Greater.html */
  readonly greater: Method<'Greater', Result>;
  /** GreaterOrEqual of ai.onnx 16: inputs A, B; output C. https://onnx.ai/onnx/operators/onnx__GreaterOrEqual.html */
  readonly greaterOrEqual: Method<'GreaterOrEqual', Result>;
  /** GridSample of ai.onnx 22: inputs X, grid; output Y. https://onnx.ai/onnx/operators/onnx__GridSample.html */
  readonly gridSample: Method<'GridSample', Result>;
  /** GroupNormalization of ai.onnx 21: inputs X, scale, bias; output Y. https://onnx.ai/onnx/operators/onnx__GroupNormalization.html */
  readonly groupNormalization: Method<'GroupNormalization', Result>;
  /** HammingWindow of ai.onnx 17: input size; output output. https://onnx.ai/onnx/operators/onnx__HammingWindow.html */
  readonly hammingWindow: Method<'HammingWindow', Result>;
  /** HannWindow of ai.onnx 17: input size; output output. https://onnx.ai/onnx/operators/onnx__HannWindow.html */
  readonly hannWindow: Method<'HannWindow', Result>;
  /** HardSigmoid of ai.onnx 22: input X; output Y. https://onnx.ai/onnx/operators/onnx__HardSigmoid.html */
  readonly hardSigmoid: Method<'HardSigmoid', Result>;
  /** HardSwish of ai.onnx 22: input X; output Y. https://onnx.ai/onnx/operators/onnx__HardSwish.html */
  readonly hardSwish: Method<'HardSwish', Result>;
  /** Hardmax of ai.onnx 13: input input; output output. https://onnx.ai/onnx/operators/onnx__Hardmax.html */
  readonly hardmax: Method<'Hardmax', Result>;
  /** Identity of ai.onnx 25: input input; output output. https://onnx.ai/onnx/operators/onnx__Identity.html */
  readonly identity: Method<'Identity', Result>;
  /** ImageDecoder of ai.onnx 20: input encoded_stream; output image. https://onnx.ai/onnx/operators/onnx__ImageDecoder.html */
  readonly imageDecoder: Method<'ImageDecoder', Result>;
  /** InstanceNormalization of ai.onnx 22: inputs input, scale, B; output output. https://onnx.ai/onnx/operators/onnx__InstanceNormalization.html */
  readonly instanceNormalization: Method<'InstanceNormalization', Result>;
  /** IsInf of ai.onnx 20: input X; output Y. https://onnx.ai/onnx/operators/onnx__IsInf.html */
  readonly isInf: Method<'IsInf', Result>;
  /** IsNaN of ai.onnx 20: input X; output Y. https://onnx.ai/onnx/operators/onnx__IsNaN.html */
  readonly isNaN: Method<'IsNaN', Result>;
  /** LRN of ai.onnx 13: input X; output Y. https://onnx.ai/onnx/operators/onnx__LRN.html */
  readonly lrn: Method<'LRN', Result>;
  /** LeakyRelu of ai.onnx 16: input X; output Y. https://onnx.ai/onnx/operators/onnx__LeakyRelu.html */
  readonly leakyRelu: Method<'LeakyRelu', Result>;
  /** Less of ai.onnx 13: inputs A, B; output C. https://onnx.ai/onnx/operators/onnx__Less.html */
  readonly less: Method<'Less', Result>;
  /** LessOrEqual of ai.onnx 16: inputs A, B; output C. https://onnx.ai/onnx/operators/onnx__LessOrEqual.html */
  readonly lessOrEqual: Method<'LessOrEqual', Result>;
  /** Log of ai.onnx 13: input input; output output. https://onnx.ai/onnx/operators/onnx__Log.html */
  readonly log: Method<'Log', Result>;
  /** LogSoftmax of ai.onnx 13: input input; output output. https://onnx.ai/onnx/operators/onnx__LogSoftmax.html */
  readonly logSoftmax: Method<'LogSoftmax', Result>;
  /** LpNormalization of ai.onnx 22: input input; output output. https://onnx.ai/onnx/operators/onnx__LpNormalization.html */
  readonly lpNormalization: Method<'LpNormalization', Result>;
  /** LpPool of ai.onnx 22: input X; output Y. https://onnx.ai/onnx/operators/onnx__LpPool.html */
  readonly lpPool: Method<'LpPool', Result>;
  /** MatMul of ai.onnx 13: inputs A, B; output Y. https://onnx.ai/onnx/operators/onnx__MatMul.html */
  readonly matMul: Method<'MatMul', Result>;
  /** MatMulInteger of ai.onnx 10: inputs A, B, a_zero_point (optional), b_zero_point (optional); output Y. https://onnx.ai/onnx/operators/onnx__MatMulInteger.html */
  readonly matMulInteger: Method<'MatMulInteger', Result>;
  /** Max of ai.onnx 13: inputs data_0 (one or more); output max. https://onnx.ai/onnx/operators/onnx__Max.html */
  readonly max: Method<'Max', Result>;
  /** MaxRoiPool of ai.onnx 22: inputs X, rois; output Y. https://onnx.ai/onnx/operators/onnx__MaxRoiPool.html */
  readonly maxRoiPool: Method<'MaxRoiPool', Result>;
  /** MaxUnpool of ai.onnx 22: inputs X, I, output_shape (optional); output output. https://onnx.ai/onnx/operators/onnx__MaxUnpool.html */
  readonly maxUnpool: Method<'MaxUnpool', Result>;
  /** Mean of ai.onnx 13: inputs data_0 (one or more); output mean. https://onnx.ai/onnx/operators/onnx__Mean.html */
  readonly mean: Method<'Mean', Result>;
  /** MeanVarianceNormalization of ai.onnx 13: input X; output Y. https://onnx.ai/onnx/operators/onnx__MeanVarianceNormalization.html */
  readonly meanVarianceNormalization: Method<'MeanVarianceNormalization', Result>;
  /** MelWeightMatrix of ai.onnx 17: inputs num_mel_bins, dft_length, sample_rate, lower_edge_hertz, upper_edge_hertz; output output. https://onnx.ai/onnx/operators/onnx__MelWeightMatrix.html */
  readonly melWeightMatrix: Method<'MelWeightMatrix', Result>;
  /** Min of ai.onnx 13: inputs data_0 (one or more); output min. https://onnx.ai/onnx/operators/onnx__Min.html */
  readonly min: Method<'Min', Result>;
  /** Mish of ai.onnx 22: input X; output Y. https://onnx.ai/onnx/operators/onnx__Mish.html */
  readonly mish: Method<'Mish', Result>;
  /** Mod of ai.onnx 13: inputs A, B; output C. https://onnx.ai/onnx/operators/onnx__Mod.html */
  readonly mod: Method<'Mod', Result>;
  /** Mul of ai.onnx 14: inputs A, B; output C. https://onnx.ai/onnx/operators/onnx__Mul.html */
  readonly mul: Method<'Mul', Result>;
  /** Multinomial of ai.onnx 22: input input; output output. https://onnx.ai/onnx/operators/onnx__Multinomial.html */
  readonly multinomial: Method<'Multinomial', Result>;
  /** Neg of ai.onnx 13: input X; output Y. https://onnx.ai/onnx/operators/onnx__Neg.html */
  readonly neg: Method<'Neg', Result>;
  /** NegativeLogLikelihoodLoss of ai.onnx 22: inputs input, target, weight (optional); output loss. https://onnx.ai/onnx/operators/onnx__NegativeLogLikelihoodLoss.html */
  readonly negativeLogLikelihoodLoss: Method<'NegativeLogLikelihoodLoss', Result>;
  /** NonMaxSuppression of ai.onnx 11: inputs boxes, scores, max_output_boxes_per_class (optional), iou_threshold (optional), score_threshold (optional); output selected_indices. https://onnx.ai/onnx/operators/onnx__NonMaxSuppression.html */
  readonly nonMaxSuppression: Method<'NonMaxSuppression', Result>;
  /** NonZero of ai.onnx 13: input X; output Y. https://onnx.ai/onnx/operators/onnx__NonZero.html */
  readonly nonZero: Method<'NonZero', Result>;
  /** Not of ai.onnx 1: input X; output Y. https://onnx.ai/onnx/operators/onnx__Not.html */
  readonly not: Method<'Not', Result>;
  /** OneHot of ai.onnx 11: inputs indices, depth, values; output output. https://onnx.ai/onnx/operators/onnx__OneHot.html */
  readonly oneHot: Method<'OneHot', Result>;
  /** Optional of ai.onnx 15: input input (optional); output output. https://onnx.ai/onnx/operators/onnx__Optional.html */
  readonly optional: Method<'Optional', Result>;
  /** OptionalGetElement of ai.onnx 18: input input; output output. https://onnx.ai/onnx/operators/onnx__OptionalGetElement.html */
  readonly optionalGetElement: Method<'OptionalGetElement', Result>;
  /** OptionalHasElement of ai.onnx 18: input input (optional); output output. https://onnx.ai/onnx/operators/onnx__OptionalHasElement.html */
  readonly optionalHasElement: Method<'OptionalHasElement', Result>;
  /** Or of ai.onnx 7: inputs A, B; output C. https://onnx.ai/onnx/operators/onnx__Or.html */
  readonly or: Method<'Or', Result>;
  /** PRelu of ai.onnx 16: inputs X, slope; output Y. https://onnx.ai/onnx/operators/onnx__PRelu.html */
  readonly pRelu: Method<'PRelu', Result>;
  /** Pad of ai.onnx 25: inputs data, pads, constant_value (optional), axes (optional); output output. https://onnx.ai/onnx/operators/onnx__Pad.html */
  readonly pad: Method<'Pad', Result>;
  /** Pow of ai.onnx 15: inputs X, Y; output Z. https://onnx.ai/onnx/operators/onnx__Pow.html */
  readonly pow: Method<'Pow', Result>;
  /** QLinearConv of ai.onnx 10: inputs x, x_scale, x_zero_point, w, w_scale, w_zero_point, y_scale, y_zero_point, B (optional); output y. https://onnx.ai/onnx/operators/onnx__QLinearConv.html */
  readonly qLinearConv: Method<'QLinearConv', Result>;
  /** QLinearMatMul of ai.onnx 21: inputs a, a_scale, a_zero_point, b, b_scale, b_zero_point, y_scale, y_zero_point; output y. https://onnx.ai/onnx/operators/onnx__QLinearMatMul.html */
  readonly qLinearMatMul: Method<'QLinearMatMul', Result>;
  /** QuantizeLinear of ai.onnx 25: inputs x, y_scale, y_zero_point (optional); output y. https://onnx.ai/onnx/operators/onnx__QuantizeLinear.html */
  readonly quantizeLinear: Method<'QuantizeLinear', Result>;
  /** RMSNormalization of ai.onnx 23: inputs X, scale; output Y. https://onnx.ai/onnx/operators/onnx__RMSNormalization.html */
  readonly rMSNormalization: Method<'RMSNormalization', Result>;
  /** RandomNormal of ai.onnx 22: no inputs; output output. https://onnx.ai/onnx/operators/onnx__RandomNormal.html */
  readonly randomNormal: Method<'RandomNormal', Result>;
  /** RandomNormalLike of ai.onnx 22: input input; output output. https://onnx.ai/onnx/operators/onnx__RandomNormalLike.html */
  readonly randomNormalLike: Method<'RandomNormalLike', Result>;
  /** RandomUniform of ai.onnx 22: no inputs; output output. https://onnx.ai/onnx/operators/onnx__RandomUniform.html */
  readonly randomUniform: Method<'RandomUniform', Result>;
  /** RandomUniformLike of ai.onnx 22: input input; output output. https://onnx.ai/onnx/operators/onnx__RandomUniformLike.html */
  readonly randomUniformLike: Method<'RandomUniformLike', Result>;
  /** Range of ai.onnx 11: inputs start, limit, delta; output output. https://onnx.ai/onnx/operators/onnx__Range.html */
  readonly range: Method<'Range', Result>;
  /** Reciprocal of ai.onnx 13: input X; output Y. https://onnx.ai/onnx/operators/onnx__Reciprocal.html */
  readonly reciprocal: Method<'Reciprocal', Result>;
  /** ReduceL1 of ai.onnx 18: inputs data, axes (optional); output reduced. https://onnx.ai/onnx/operators/onnx__ReduceL1.html */
  readonly reduceL1: Method<'ReduceL1', Result>;
  /** ReduceL2 of ai.onnx 18: inputs data, axes (optional); output reduced. https://onnx.ai/onnx/operators/onnx__ReduceL2.html */
  readonly reduceL2: Method<'ReduceL2', Result>;
  /** ReduceLogSum of ai.onnx 18: inputs data, axes (optional); output reduced. https://onnx.ai/onnx/operators/onnx__ReduceLogSum.html */
  readonly reduceLogSum: Method<'ReduceLogSum', Result>;
  /** ReduceLogSumExp of ai.onnx 18: inputs data, axes (optional); output reduced. https://onnx.ai/onnx/operators/onnx__ReduceLogSumExp.html */
  readonly reduceLogSumExp: Method<'ReduceLogSumExp', Result>;
  /** ReduceMax of ai.onnx 20: inputs data, axes (optional); output reduced. https://onnx.ai/onnx/operators/onnx__ReduceMax.html */
  readonly reduceMax: Method<'ReduceMax', Result>;
  /** ReduceMean of ai.onnx 18: inputs data, axes (optional); output reduced. https://onnx.ai/onnx/operators/onnx__ReduceMean.html */
  readonly reduceMean: Method<'ReduceMean', Result>;
  /** ReduceMin of ai.onnx 20: inputs data, axes (optional); output reduced. https://onnx.ai/onnx/operators/onnx__ReduceMin.html */
  readonly reduceMin: Method<'ReduceMin', Result>;
  /** ReduceProd of ai.onnx 18: inputs data, axes (optional); output reduced. https://onnx.ai/onnx/operators/onnx__ReduceProd.html */
  readonly reduceProd: Method<'ReduceProd', Result>;
  /** ReduceSum of ai.onnx 13: inputs data, axes (optional); output reduced. https://onnx.ai/onnx/operators/onnx__ReduceSum.html */
  readonly reduceSum: Method<'ReduceSum', Result>;
  /** ReduceSumSquare of ai.onnx 18: inputs data, axes (optional); output reduced. https://onnx.ai/onnx/operators/onnx__ReduceSumSquare.html */
  readonly reduceSumSquare: Method<'ReduceSumSquare', Result>;
  /** RegexFullMatch of ai.onnx 20: input X; output Y. https://onnx.ai/onnx/operators/onnx__RegexFullMatch.html */
  readonly regexFullMatch: Method<'RegexFullMatch', Result>;
  /** Relu of ai.onnx 14: input X; output Y. https://onnx.ai/onnx/operators/onnx__Relu.html */
  readonly relu: Method<'Relu', Result>;
  /** Reshape of ai.onnx 25: inputs data, shape; output reshaped. https://onnx.ai/onnx/operators/onnx__Reshape.html */
  readonly reshape: Method<'Reshape', Result>;
  /** Resize of ai.onnx 19: inputs X, roi (optional), scales (optional), sizes (optional); output Y. https://onnx.ai/onnx/operators/onnx__Resize.html */
  readonly resize: Method<'Resize', Result>;
  /** ReverseSequence of ai.onnx 10: inputs input, sequence_lens; output Y. https://onnx.ai/onnx/operators/onnx__ReverseSequence.html */
  readonly reverseSequence: Method<'ReverseSequence', Result>;
  /** RoiAlign of ai.onnx 22: inputs X, rois, batch_indices; output Y. https://onnx.ai/onnx/operators/onnx__RoiAlign.html */
  readonly roiAlign: Method<'RoiAlign', Result>;
  /** RotaryEmbedding of ai.onnx 23: inputs X, cos_cache, sin_cache, position_ids (optional); output Y. https://onnx.ai/onnx/operators/onnx__RotaryEmbedding.html */
  readonly rotaryEmbedding: Method<'RotaryEmbedding', Result>;
  /** Round of ai.onnx 22: input X; output Y. https://onnx.ai/onnx/operators/onnx__Round.html */
  readonly round: Method<'Round', Result>;
  /** STFT of ai.onnx 17: inputs signal, frame_step, window (optional), frame_length (optional); output output. https://onnx.ai/onnx/operators/onnx__STFT.html */
  readonly stft: Method<'STFT', Result>;
  /** ScatterElements of ai.onnx 18: inputs data, indices, updates; output output. https://onnx.ai/onnx/operators/onnx__ScatterElements.html */
  readonly scatterElements: Method<'ScatterElements', Result>;
  /** ScatterND of ai.onnx 18: inputs data, indices, updates; output output. https://onnx.ai/onnx/operators/onnx__ScatterND.html */
  readonly scatterND: Method<'ScatterND', Result>;
  /** Selu of ai.onnx 22: input X; output Y. https://onnx.ai/onnx/operators/onnx__Selu.html */
  readonly selu: Method<'Selu', Result>;
  /** SequenceAt of ai.onnx 11: inputs input_sequence, position; output tensor. https://onnx.ai/onnx/operators/onnx__SequenceAt.html */
  readonly sequenceAt: Method<'SequenceAt', Result>;
  /** SequenceConstruct of ai.onnx 11: inputs inputs (one or more); output output_sequence. https://onnx.ai/onnx/operators/onnx__SequenceConstruct.html */
  readonly sequenceConstruct: Method<'SequenceConstruct', Result>;
  /** SequenceEmpty of ai.onnx 11: no inputs; output output. https://onnx.ai/onnx/operators/onnx__SequenceEmpty.html */
  readonly sequenceEmpty: Method<'SequenceEmpty', Result>;
  /** SequenceErase of ai.onnx 11: inputs input_sequence, position (optional); output output_sequence. https://onnx.ai/onnx/operators/onnx__SequenceErase.html */
  readonly sequenceErase: Method<'SequenceErase', Result>;
  /** SequenceInsert of ai.onnx 11: inputs input_sequence, tensor, position (optional); output output_sequence. https://onnx.ai/onnx/operators/onnx__SequenceInsert.html */
  readonly sequenceInsert: Method<'SequenceInsert', Result>;
  /** SequenceLength of ai.onnx 11: input input_sequence; output length. https://onnx.ai/onnx/operators/onnx__SequenceLength.html */
  readonly sequenceLength: Method<'SequenceLength', Result>;
  /** Shape of ai.onnx 25: input data; output shape. https://onnx.ai/onnx/operators/onnx__Shape.html */
  readonly shape: Method<'Shape', Result>;
  /** Shrink of ai.onnx 9: input input; output output. https://onnx.ai/onnx/operators/onnx__Shrink.html */
  readonly shrink: Method<'Shrink', Result>;
  /** Sigmoid of ai.onnx 13: input X; output Y. https://onnx.ai/onnx/operators/onnx__Sigmoid.html */
  readonly sigmoid: Method<'Sigmoid', Result>;
  /** Sign of ai.onnx 13: input input; output output. https://onnx.ai/onnx/operators/onnx__Sign.html */
  readonly sign: Method<'Sign', Result>;
  /** Sin of ai.onnx 22: input input; output output. https://onnx.ai/onnx/operators/onnx__Sin.html */
  readonly sin: Method<'Sin', Result>;
  /** Sinh of ai.onnx 22: input input; output output. https://onnx.ai/onnx/operators/onnx__Sinh.html */
  readonly sinh: Method<'Sinh', Result>;
  /** Size of ai.onnx 25: input data; output size. https://onnx.ai/onnx/operators/onnx__Size.html */
  readonly size: Method<'Size', Result>;
  /** Slice of ai.onnx 13: inputs data, starts, ends, axes (optional), steps (optional); output output. https://onnx.ai/onnx/operators/onnx__Slice.html */
  readonly slice: Method<'Slice', Result>;
  /** Softmax of ai.onnx 13: input input; output output. https://onnx.ai/onnx/operators/onnx__Softmax.html */
  readonly softmax: Method<'Softmax', Result>;
  /** Softplus of ai.onnx 22: input X; output Y. https://onnx.ai/onnx/operators/onnx__Softplus.html */
  readonly softplus: Method<'Softplus', Result>;
  /** Softsign of ai.onnx 22: input input; output output. https://onnx.ai/onnx/operators/onnx__Softsign.html */
  readonly softsign: Method<'Softsign', Result>;
  /** SpaceToDepth of ai.onnx 13: input input; output output. https://onnx.ai/onnx/operators/onnx__SpaceToDepth.html */
  readonly spaceToDepth: Method<'SpaceToDepth', Result>;
  /** SplitToSequence of ai.onnx 24: inputs input, split (optional); output output_sequence. https://onnx.ai/onnx/operators/onnx__SplitToSequence.html */
  readonly splitToSequence: Method<'SplitToSequence', Result>;
  /** Sqrt of ai.onnx 13: input X; output Y. https://onnx.ai/onnx/operators/onnx__Sqrt.html */
  readonly sqrt: Method<'Sqrt', Result>;
  /** Squeeze of ai.onnx 25: inputs data, axes (optional); output squeezed. https://onnx.ai/onnx/operators/onnx__Squeeze.html */
  readonly squeeze: Method<'Squeeze', Result>;
  /** StringConcat of ai.onnx 20: inputs X, Y; output Z. https://onnx.ai/onnx/operators/onnx__StringConcat.html */
  readonly stringConcat: Method<'StringConcat', Result>;
  /** StringNormalizer of ai.onnx 10: input X; output Y. https://onnx.ai/onnx/operators/onnx__StringNormalizer.html */
  readonly stringNormalizer: Method<'StringNormalizer', Result>;
  /** Sub of ai.onnx 14: inputs A, B; output C. https://onnx.ai/onnx/operators/onnx__Sub.html */
  readonly sub: Method<'Sub', Result>;
  /** Sum of ai.onnx 13: inputs data_0 (one or more); output sum. https://onnx.ai/onnx/operators/onnx__Sum.html */
  readonly sum: Method<'Sum', Result>;
  /** Swish of ai.onnx 24: input X; output Y. https://onnx.ai/onnx/operators/onnx__Swish.html */
  readonly swish: Method<'Swish', Result>;
  /** Tan of ai.onnx 22: input input; output output. https://onnx.ai/onnx/operators/onnx__Tan.html */
  readonly tan: Method<'Tan', Result>;
  /** Tanh of ai.onnx 13: input input; output output. https://onnx.ai/onnx/operators/onnx__Tanh.html */
  readonly tanh: Method<'Tanh', Result>;
  /** TensorScatter of ai.onnx 24: inputs past_cache, update, write_indices (optional); output present_cache. https://onnx.ai/onnx/operators/onnx__TensorScatter.html */
  readonly tensorScatter: Method<'TensorScatter', Result>;
  /** TfIdfVectorizer of ai.onnx 9: input X; output Y. https://onnx.ai/onnx/operators/onnx__TfIdfVectorizer.html */
  readonly tfIdfVectorizer: Method<'TfIdfVectorizer', Result>;
  /** ThresholdedRelu of ai.onnx 22: input X; output Y. https://onnx.ai/onnx/operators/onnx__ThresholdedRelu.html */
  readonly thresholdedRelu: Method<'ThresholdedRelu', Result>;
  /** Tile of ai.onnx 13: inputs input, repeats; output output. https://onnx.ai/onnx/operators/onnx__Tile.html */
  readonly tile: Method<'Tile', Result>;
  /** Transpose of ai.onnx 25: input data; output transposed. https://onnx.ai/onnx/operators/onnx__Transpose.html */
  readonly transpose: Method<'Transpose', Result>;
  /** Trilu of ai.onnx 14: inputs input, k (optional); output output. https://onnx.ai/onnx/operators/onnx__Trilu.html */
  readonly trilu: Method<'Trilu', Result>;
  /** Unsqueeze of ai.onnx 25: inputs data, axes; output expanded. https://onnx.ai/onnx/operators/onnx__Unsqueeze.html */
  readonly unsqueeze: Method<'Unsqueeze', Result>;
  /** Where of ai.onnx 16: inputs condition, X, Y; output output. https://onnx.ai/onnx/operators/onnx__Where.html */
  readonly where: Method<'Where', Result>;
  /** Xor of ai.onnx 7: inputs A, B; output C. https://onnx.ai/onnx/operators/onnx__Xor.html */
  readonly xor: Method<'Xor', Result>;
}
