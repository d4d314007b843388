// Words for what is true of an op beside its types and its gradient. Families give them to their ops; whoever treats some ops alike asks for
// the word (`hasTrait`) and keeps no list of names.

/**
 * - `elementwise`: an element of the output depends on the elements at its place alone; several inputs broadcast both ways.
 * - `arithmetic`: elementwise, and one of +, -, *, / and the change of sign.
 * - `activation`: is used as the nonlinearity behind a layer.
 * - `reshapes`: the elements of the first input in their order, under another shape.
 * - `shapeOnly`: reads the shape of its input, not its data.
 * - `random`: draws at random; twice the same node may give two results.
 * - `settings`: floats that it reads are settings (bounds, scales, fill values), not weights.
 * - `half`: is accurate enough in float16. Not so sums over many terms, exponentials and powers.
 * - `anyPrecision`: computes no new number, but moves, chooses, compares or counts: it takes floats of any precision as they come.
 * - `int8`: ONNX Runtime computes it on 8-bit integers where all that it reads is quantized.
 * - `int8InPlace`: moves elements or chooses among them by order, so that 8-bit integers keep the scale of the first input.
 * - `probabilities`: what classifiers end in, probabilities or their logarithms made of scores.
 * - `labels`: chooses or rounds to a class, so that the scores behind it are lost.
 * - `keepsAnswers`: of probabilities, their logarithms or labels makes such ones again, though it computes.
 */
export type Trait =
  | 'elementwise'
  | 'arithmetic'
  | 'activation'
  | 'reshapes'
  | 'shapeOnly'
  | 'random'
  | 'settings'
  | 'half'
  | 'anyPrecision'
  | 'int8'
  | 'int8InPlace'
  | 'probabilities'
  | 'labels'
  | 'keepsAnswers';
