// From a plain value (what YAML, JSON or the builder gives) to a checked description, and back. Texts are read-text.ts's. Whatever is wrong ends in a
// DescriptionError of one line.
import { given, optional, text } from '../../onnx/core/given.js';
import type { Head } from '../heads/heads.js';
import { writtenHead } from '../heads/several-schema.js';
import { type Description, type DescriptionInput, descriptionSchema, type Input, type InputInput } from './description.js';
import { descriptionError, errorFromIssues, show } from './issues.js';
import { resolve } from './resolve.js';

const maxDepth = 64;
const maxNodes = 1_000_000;

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
  given('parseDescription', { file }, { file: optional(text) });
  checkExtent(value, file);
  const result = descriptionSchema.safeParse(value);
  if (!result.success) throw errorFromIssues(result.error.issues, value, file);
  return resolve(result.data, file);
}

/** A description in the form that parseDescription takes; parsing it gives the same description again. */
export function toInput(description: Description): DescriptionInput {
  const { inputs, columns, ...rest } = description;
  const written = columns.map(({ blocks, train, head, ...rest }) => {
    const column = { ...rest, ...writtenHead(head) };
    if (column.tune === undefined) return { ...column, ...(column.onnx === undefined && { blocks, train }) };
    // what else it has is its base's
    const { laterals: _, prepare: _steps, inputs: _reads, ...own } = column;
    return { ...own, train };
  });
  return structuredClone({ ...rest, input: inputs.map(writtenInput), columns: written });
}

/** A description as written, with this head of a column. */
export function withHead(
  written: DescriptionInput,
  { network, task }: { readonly network: { readonly description: Description }; readonly task: string },
  head: Head,
): DescriptionInput {
  const columns = toInput(network.description).columns.map((c) => (c.task === task ? { ...c, ...writtenHead(head) } : c));
  return { ...written, columns };
}

/** Of text the tokenizer and the length, of which all else follows. */
function writtenInput({ tokens, ...input }: Input): InputInput {
  const { mask, types } = input;
  if (mask !== undefined) return { name: input.name, mask };
  if (types !== undefined) return { name: input.name, types };
  if (tokens === undefined) return input;
  const { name, shape, tokenizer, pad } = input;
  return { name, tokenizer, length: Number(shape[0]), ...(pad !== undefined && { pad }) };
}
