// From YAML or JSON text to a description. Text of any kind ends in a DescriptionError of one line.

import { type Document, LineCounter, parseDocument } from 'yaml';
import { DescriptionError } from '../../onnx/core/errors.js';
import { text as aText, given } from '../../onnx/core/given.js';
import type { Description } from './description.js';
import { parseDescription } from './parse.js';
import { checkYamlExtent, maxAliases, repeatedKey } from './yaml-extent.js';

/** The library gathers what is wrong in the document, but for a nesting that passes its stack. */
function parsed(text: string, lineCounter: LineCounter, file: string): Document.Parsed {
  try {
    return parseDocument(text, { lineCounter, prettyErrors: false, uniqueKeys: false, version: '1.2', logLevel: 'error' });
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    const [got, expected] = ['nested too deeply', 'valid YAML'];
    throw new DescriptionError(`${file}: ${got}, expected ${expected}`, { path: file, expected, got, cause });
  }
}

/** Reads YAML or JSON text; `complete` may change the plain value before it is checked. @throws DescriptionError, for syntax as `prognet.yaml:3:7: ...` */
export function readDescription(text: string, file: string, complete = (value: unknown): unknown => value): Description {
  given('readDescription', { text, file }, { text: aText, file: aText });
  checkYamlExtent(text, file);
  const lines = new LineCounter();
  const document = parsed(text, lines, file);
  const problem = document.errors[0] ?? document.warnings[0];
  if (problem !== undefined) {
    const { line, col } = lines.linePos(problem.pos[0]);
    const path = `${file}:${line}:${col}`;
    if (problem.code === 'MULTIPLE_DOCS') {
      const expected = 'one description in a file';
      throw new DescriptionError(`${path}: found a second document after "---", expected ${expected}`, { path, expected });
    }
    const said = problem.message.split('\n', 1)[0]?.replace(/[.:]$/, '') ?? 'syntax error';
    const what = said.startsWith('Maximum call stack') ? 'nested too deeply' : said;
    throw new DescriptionError(`${path}: ${what}, expected valid YAML`, {
      path,
      expected: 'valid YAML',
      got: what,
      cause: problem,
    });
  }
  const repeated = repeatedKey(document);
  if (repeated !== undefined) {
    const { line, col } = lines.linePos(repeated.at);
    const path = `${file}:${line}:${col}`;
    const got = 'Map keys must be unique';
    throw new DescriptionError(`${path}: ${got}, expected valid YAML`, { path, expected: 'valid YAML', got });
  }
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: maxAliases });
  } catch (cause) {
    const got = cause instanceof Error ? (cause.message.split('\n', 1)[0] ?? '') : 'an alias that cannot be expanded';
    throw new DescriptionError(`${file}: ${got}, expected aliases that can be expanded`, {
      path: file,
      expected: 'aliases that can be expanded',
      got,
      cause,
    });
  }
  return parseDescription(complete(value), file);
}
