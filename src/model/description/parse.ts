// From text or a plain value to a Description. Bad input of any kind ends in a DescriptionError of one line.
import { type Document, LineCounter, parseDocument } from 'yaml';
import { DescriptionError } from '../../onnx/core/errors.js';
import { type Description, type DescriptionInput, descriptionSchema } from './description.js';
import { descriptionError, errorFromIssues, show } from './issues.js';
import { resolve } from './resolve.js';
import { checkYamlExtent, repeatedKey } from './yaml-extent.js';

const maxDepth = 64;
const maxNodes = 1_000_000;
const maxAliases = 1000;

/** True for objects and arrays that JSON could hold: no class instances. */
function isPlain(value: object): boolean {
  if (Array.isArray(value)) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || (typeof prototype === 'object' && Object.getPrototypeOf(prototype) === null);
}

/** Refuses what JSON could not hold, what is cyclic, deeper than `maxDepth` or, with every shared part counted where it is used, larger than `maxNodes`. */
function checkExtent(root: unknown, file: string | undefined): void {
  const known = new Map<object, { depth: number; nodes: number }>();
  const open = new Set<object>();
  const visit = (value: unknown, level: number): { depth: number; nodes: number } => {
    const plain = typeof value !== 'object' || value === null || isPlain(value);
    if (!plain || ['function', 'symbol', 'bigint'].includes(typeof value)) {
      throw descriptionError(
        file,
        [],
        `found ${plain ? show(value) : 'an instance of a class'}`,
        'expected plain values, as in JSON',
      );
    }
    if (typeof value !== 'object' || value === null) return { depth: 0, nodes: 1 };
    const seen = known.get(value);
    if (seen !== undefined && level + seen.depth <= maxDepth) return seen;
    if (open.has(value)) throw descriptionError(file, [], 'found an object that contains itself', 'expected a tree of values');
    if (level > maxDepth) throw descriptionError(file, [], `found more than ${maxDepth} levels`, 'expected fewer');
    open.add(value);
    const extent = { depth: 0, nodes: 1 };
    for (const item of Object.values(value)) {
      const inner = visit(item, level + 1);
      extent.depth = Math.max(extent.depth, inner.depth + 1);
      extent.nodes += inner.nodes;
      if (extent.nodes > maxNodes) throw descriptionError(file, [], `found more than ${maxNodes} values`, 'expected fewer');
    }
    open.delete(value);
    known.set(value, extent);
    return extent;
  };
  visit(root, 0);
}

/**
 * Checks a description and fills in all that it leaves out.
 * @param value what YAML, JSON or the builder gives
 * @param file stands before the path in error messages
 * @throws DescriptionError
 */
export function parseDescription(value: unknown, file?: string): Description {
  checkExtent(value, file);
  const result = descriptionSchema.safeParse(value);
  if (!result.success) throw errorFromIssues(result.error.issues, value, file);
  return resolve(result.data, file);
}

/** The library gathers what is wrong in the document, but for a nesting that passes its stack. */
function parsed(text: string, lineCounter: LineCounter, file: string): Document.Parsed {
  try {
    return parseDocument(text, { lineCounter, prettyErrors: false, uniqueKeys: false, version: '1.2' });
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    const [got, expected] = ['nested too deeply', 'valid YAML'];
    throw new DescriptionError(`${file}: ${got}, expected ${expected}`, { path: file, expected, got, cause });
  }
}

/** Reads YAML or JSON text; `complete` may change the plain value before it is checked. @throws DescriptionError, for syntax as `prognet.yaml:3:7: ...` */
export function readDescription(text: string, file: string, complete = (value: unknown): unknown => value): Description {
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

/** A description in the form that parseDescription takes; parsing it gives the same description again. */
export function toInput(description: Description): DescriptionInput {
  const { inputs, columns, ...rest } = description;
  const written = columns.map(({ blocks, train, ...column }) => ({
    ...column,
    ...(column.onnx === undefined && { blocks, train }),
  }));
  return structuredClone({ ...rest, input: inputs, columns: written });
}
