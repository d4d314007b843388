// Why ONNX Runtime refuses a model that the verifier passes, sorted by its message. A class with a reason is no defect of ours; any other message is one.

/** The first row whose pattern fits names the class. */
const classes = [
  {
    name: 'no kernel',
    reason: 'this build computes the op not for that dtype or opset version; another build or provider may',
    pattern: /NOT_IMPLEMENTED|Could not find an implementation/,
  },
];

/** Messages that differ in names and numbers alone are one. */
const kindOf = (message) =>
  message
    .replaceAll(/\(?node[_ ]?(name)?:? ?\S+/gi, 'node')
    .replaceAll(/'[^']*'|"[^"]*"|\[[^\]]*\]|\{[^}]*\}/g, '..')
    .replaceAll(/-?\d+/g, '#')
    .slice(0, 110);

/** `{ name, reason }`; of a defect of ours without a reason, and named by its message. */
export function classOf(message) {
  return classes.find(({ pattern }) => pattern.test(message)) ?? { name: kindOf(message) };
}
