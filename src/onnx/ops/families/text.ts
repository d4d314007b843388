// Strings: no gradient flows through any of these. Specification: onnx/docs/Operators.md.
import { broadcastShapes, type Dim, type Shape } from '../../core/shape.js';
import { tensorType } from '../../ir/types.js';
import type { NodeContext, OpRules } from '../op-def.js';

type TextOp = 'StringConcat' | 'StringNormalizer' | 'StringSplit' | 'RegexFullMatch' | 'TfIdfVectorizer';

function requireString(c: NodeContext, i: number): void {
  if (c.dtype(i) !== 'string') c.fail(`input ${i} must be string, it is ${c.dtype(i)}`, { expected: 'string', got: c.dtype(i) });
}

/** The lengths of the n-grams and the pool that they are looked up in. */
function checkGrams(c: NodeContext): void {
  const [least, most] = [c.int('min_gram_length'), c.int('max_gram_length')];
  const starts = c.ints('ngram_counts') ?? [];
  if (least < 1 || most < least) c.fail(`min_gram_length ${least} and max_gram_length ${most}: expected 1 or more, and no fewer`);
  if (most > starts.length)
    c.fail(`ngram_counts names ${starts.length} lengths, max_gram_length is ${most}`, { expected: String(most) });
  const pools = [c.ints('pool_int64s'), c.node.attributes.get('pool_strings')?.value];
  if (!pools.some((pool) => Array.isArray(pool) && pool.length > 0)) c.fail('it has neither pool_int64s nor pool_strings');
}

/** The last axis becomes the n-grams of the pool: as many as the largest of ngram_indexes says. */
function vectorised(c: NodeContext): Shape | undefined {
  checkGrams(c);
  const shape = c.shape(0);
  const indexes = c.ints('ngram_indexes') ?? [];
  return shape === undefined ? undefined : [...shape.slice(0, -1), Math.max(-1, ...indexes) + 1];
}

export const text: Readonly<Record<TextOp, OpRules>> = {
  StringConcat: {
    infer: (c) => {
      requireString(c, 0);
      requireString(c, 1);
      const [a, b] = [c.shape(0), c.shape(1)];
      return [tensorType('string', a === undefined || b === undefined ? undefined : broadcastShapes(a, b))];
    },
    gradient: 'zero',
  },
  // stop words go, so that the last axis may shrink; it never becomes empty
  StringNormalizer: {
    infer: (c) => {
      requireString(c, 0);
      const shape = c.shape(0);
      const kept = !c.node.attributes.has('stopwords');
      const last = (d: Dim | undefined): Dim => (kept ? (d ?? null) : null);
      return [tensorType('string', shape === undefined ? undefined : [...shape.slice(0, -1), last(shape.at(-1))])];
    },
    gradient: 'zero',
  },
  StringSplit: {
    infer: (c) => {
      requireString(c, 0);
      const shape = c.shape(0);
      return [tensorType('string', shape === undefined ? undefined : [...shape, null]), tensorType('int64', shape)];
    },
    gradient: 'zero',
  },
  RegexFullMatch: {
    infer: (c) => {
      requireString(c, 0);
      return [tensorType('bool', c.shape(0))];
    },
    gradient: 'zero',
  },
  TfIdfVectorizer: {
    infer: (c) => [tensorType('float32', vectorised(c))],
    gradient: 'zero',
  },
};
