// What the outputs of a task are called in its ONNX model.

/** Those that exports add on request beside the scores, and the scores. Heads without answers of their own give scores alone. */
export type OutputNames = {
  readonly scores: string;
  readonly probabilities: string;
  readonly label: string;
};

export function outputNames(task: string): OutputNames {
  return { scores: task, probabilities: `${task}_probabilities`, label: `${task}_label` };
}
