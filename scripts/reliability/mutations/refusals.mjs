// Why ONNX Runtime refuses a model that the verifier passes, sorted by its message. A class with a reason is no defect of ours; any other message is one.

const { findOp } = await import(new URL('../../../dist/onnx/ops/table.js', import.meta.url).href);

/** The first row whose pattern fits names the class. */
const classes = [
  {
    name: 'no kernel',
    reason: 'this build computes the op not for that dtype or opset version; another build or provider may',
    pattern: /NOT_IMPLEMENTED|Could not find an implementation|Failed to find kernel/,
  },
  {
    name: 'no dtype of JavaScript',
    reason: 'onnxruntime-node has no tensors of bfloat16 and float 8, so that no input or output may be of them',
    pattern: /^Unsupported data type: \d+$/,
  },
  {
    name: 'op of another domain',
    reason: 'no schema tells of the domain; what it has is the business of those who load it',
    pattern: /^Fatal error: (?!ai\.onnx:|ai\.onnx\.ml:|com\.microsoft:)\S+ is not a registered function\/op/,
  },
  {
    name: 'recurrent kernels',
    reason: 'they ask for hidden_size, which the specification leaves out at will, and know layout 0 alone',
    pattern: /onnxruntime\/core\/providers\/cpu\/rnn\/.*(GetAttr\("hidden_size"|layout_ == 0)/,
  },
  {
    name: 'locale of StringNormalizer',
    reason: 'its kernel asks the machine for the locale, by default en_US',
    pattern: /Failed to construct locale/,
  },
  {
    name: 'exclude_outside of Resize',
    reason: 'its kernel takes it with cubic and with antialiased linear interpolation, the specification with any',
    pattern: /cpu\/tensor\/upsamplebase\.h.* exclude_outside can be set to 1 when/s,
  },
  {
    name: 'even size of LRN',
    reason: 'its kernel takes odd sizes, the specification any',
    pattern: /cpu\/nn\/lrn\.h.* size_ % 2 == 1/s,
  },
  {
    name: 'constant divisor of 0',
    reason: 'its kernel looks at constant divisors of integers; what a division by 0 gives, the specification leaves open',
    pattern: /Integer modulo by zero/,
  },
  {
    name: 'scale of Attention',
    reason: 'its kernel takes positive ones, the specification any',
    pattern: /cpu\/llm\/attention\.cc.* scale must be greater than 0/s,
  },
];

/** Where the model before the damage is refused with a message of this kind. */
export const undamaged = {
  name: 'refused before the damage',
  reason: "ONNX's own test model is refused alike",
};

/** Messages that differ in names and numbers alone are one. */
export const kindOf = (message) =>
  message
    .replaceAll(/\/onnxruntime_src\/onnxruntime\//g, '')
    .replaceAll(/\(?node[_ ]?(name)?:? ?\S+/gi, 'node')
    .replaceAll(/'[^']*'|"[^"]*"|\[[^\]]*\]|\{[^}]*\}/g, '..')
    .replaceAll(/-?\d+/g, '#')
    .slice(0, 110);

const oldForm = {
  name: 'old form',
  reason: 'the table has rules for the op from a later opset on; its shapes are checked when grad or import bring the model up',
};

/** `{ name, reason }`, for a model of this opset; of a defect of ours without a reason, and named by its message. */
export function classOf(message, opset) {
  const [, op] = /^Node \(.*?\) Op \((\w+)\) \[ShapeInferenceError\]/.exec(message) ?? [];
  if (op !== undefined && opset < (findOp(op)?.since ?? 0)) return oldForm;
  return classes.find(({ pattern }) => pattern.test(message)) ?? { name: kindOf(message) };
}
