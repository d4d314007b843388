// Strings: no gradient flows through any of these. Specification: onnx/docs/Operators.md.
import { broadcastShapes, type Dim, type Shape } from '../../core/shape.js';
import { tensorType } from '../../ir/types.js';
import type { NodeContext, OpRules } from '../op-def.js';

type TextOp = 'StringConcat' | 'StringNormalizer' | 'StringSplit' | 'RegexFullMatch' | 'TfIdfVectorizer';

function requireString(c: NodeContext, i: number): void {
  if (c.dtype(i) !== 'string') c.fail(`input ${i} must be string, it is ${c.dtype(i)}`, { expected: 'string', got: c.dtype(i) });
}

/** The last axis becomes the n-grams of the pool: as many as the largest of ngram_indexes says. */
function vectorised(c: NodeContext): Shape | undefined {
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
