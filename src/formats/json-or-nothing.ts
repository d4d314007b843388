// JSON in a file that is a stranger's and may leave it out: metadata of models, features of data sets.

/** The value of a text; undefined for a text that is no JSON, null for no text. */
export function jsonOrNothing(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? 'null');
  } catch {
    return undefined;
  }
}
