// Texts to be answered, one a line.
import { type TextInput, tokenizerOf } from '../../data/text/tokenizer.js';
import { DataError } from '../../onnx/core/errors.js';
import type { AskedFile } from './asked-file.js';
import type { InputParts } from './parts.js';
import { pause } from './pipe.js';

/** Lines that become token ids together. */
const together = 1000;

/** Token ids [D, length] of lines. Throws DataError. */
export async function* lineParts({ name, lines }: AskedFile, input: TextInput): InputParts {
  const tokenize = await tokenizerOf(input, name);
  let first = 0;
  for await (const block of lines()) {
    if (block === pause) {
      yield pause;
      continue;
    }
    const texts = linesOf(block, name, first === 0);
    for (let from = 0; from < texts.length; from += together) {
      const own = texts.slice(from, from + together);
      const before = first;
      yield { [input.name]: tokenize(own, name, (i) => before + i + 1) };
      first += own.length;
    }
  }
  // Nobody else would say that there are none.
  if (first === 0) yield { [input.name]: tokenize([], name) };
}

/** The lines of a text; the last may end without a line break. */
function linesOf(bytes: Uint8Array, name: string, isBeginning: boolean): string[] {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: !isBeginning }).decode(bytes);
  } catch (cause) {
    throw new DataError(`${name}: not valid UTF-8, expected texts, one a line`, { path: name, expected: 'UTF-8', cause });
  }
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  return lines;
}
