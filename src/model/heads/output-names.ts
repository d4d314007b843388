// What the outputs of a task are called in its ONNX model, and where its metadata say what they mean.
import { jsonOrNothing } from '../../formats/json-or-nothing.js';

/** Those that exports add on request beside the scores, and the scores. Heads without answers of their own give scores alone. */
export type OutputNames = {
  readonly scores: string;
  readonly probabilities: string;
  readonly label: string;
  /** The label's name as a text, of heads that answer a class. */
  readonly labelName: string;
  /** The output of the column's last block. */
  readonly tap: string;
};

export function outputNames(task: string): OutputNames {
  return {
    scores: task,
    probabilities: `${task}_probabilities`,
    label: `${task}_label`,
    labelName: `${task}_label_name`,
    tap: `${task}_tap`,
  };
}

/** The same of a routed model, whose outputs are of every task; of several heads each begins with the head's name. */
export function routedNames(head?: string): Omit<OutputNames, 'tap'> {
  const of = (what: string) => (head === undefined ? what : `${head}_${what}`);
  return { scores: of('scores'), probabilities: of('probabilities'), label: of('label'), labelName: of('label_name') };
}

/** The key of a model's metadata under which the names of a task's outputs stand, a JSON list. */
export const classesKey = (task: string): string => `prognet.classes.${task}`;

/** What a model's metadata calls the outputs of a task; undefined where it says nothing that can be read. */
export function namesInMetadata(metadata: ReadonlyMap<string, string>, task: string): readonly string[] | undefined {
  const names = jsonOrNothing(metadata.get(classesKey(task)));
  return Array.isArray(names) && names.every((name) => typeof name === 'string') ? names : undefined;
}
