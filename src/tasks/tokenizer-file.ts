// The tokenizers of inputs of text: files of the workspace that the description names, read into it when it is opened.
import { join } from 'node:path';
import type { InputInput } from '../model/description/description.js';
import { isTokenizerText } from '../model/description/tokens.js';
import { DescriptionError } from '../onnx/core/errors.js';
import { readWithin } from './workspace-file.js';

/** Those of the largest vocabularies have some 20 MB. */
const maxBytes = 2 ** 26;

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The plain value of a description with each `tokenizer` that is a path replaced by what the file holds; `files` are those paths. */
export function withTokenizers(
  value: unknown,
  root: string,
  file: string,
): { readonly value: unknown; readonly files: readonly string[] } {
  if (!isObject(value) || value.input === undefined) return { value, files: [] };
  const files: string[] = [];
  const read = (input: unknown, path: string): unknown => {
    if (!isObject(input) || typeof input.tokenizer !== 'string' || isTokenizerText(input.tokenizer)) return input;
    files.push(join(root, input.tokenizer));
    return { ...input, tokenizer: textOf(readWithin(root, input.tokenizer, path, maxBytes), path) };
  };
  const { input } = value;
  const path = `${file}: input`;
  const inputs = Array.isArray(input)
    ? input.map((each: unknown, i) => read(each, `${path}[${i}].tokenizer`))
    : read(input, `${path}.tokenizer`);
  return { value: { ...value, input: inputs }, files };
}

/** Inputs with each tokenizer as a file beside the description, which `write` is given. */
export function tokenizerFiles(inputs: readonly InputInput[], write: (name: string, bytes: Uint8Array) => void): InputInput[] {
  return inputs.map((each) => {
    if (each.tokenizer === undefined) return each;
    const name = `${each.name}-tokenizer.json`;
    write(name, new TextEncoder().encode(each.tokenizer));
    return { ...each, tokenizer: name };
  });
}

function textOf(bytes: Uint8Array, path: string): string {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    if (isTokenizerText(text)) return text;
  } catch {
    // said below
  }
  throw new DescriptionError(`${path}: the file is no JSON object, expected a tokenizer.json`, {
    path,
    expected: 'a tokenizer.json',
  });
}
