// Einsum. An equation is read into one list of labels per operand; the axes of an ellipsis get labels of their own, counted from the
// right, so that the rest of this file knows none. Specification: onnx/docs/Operators.md, Einsum.
import { broadcastShapes, type Dim, type Shape } from '../../core/shape.js';
import type { Value } from '../../ir/graph.js';
import type { GradientContext, NodeContext, OpRules } from '../op-def.js';
import { expandLike, sizesOf } from '../rules/shape-like.js';

type EinsumOp = 'Einsum';

type Labels = readonly string[];

interface Equation {
  readonly operands: readonly Labels[];
  readonly result: Labels;
}

const letters = [...'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'];

/** The equation of a node whose operands have known ranks; undefined when one has not. */
function equationOf(c: NodeContext): Equation | undefined {
  const text = c.string('equation').replaceAll(' ', '');
  const wrong = (why: string) => c.fail(`equation "${text}": ${why}`);
  const [left = '', right, ...more] = text.split('->');
  const terms = left.split(',');
  if (more.length > 0) return wrong('more than one arrow');
  if (terms.length !== c.inputCount) return wrong(`${terms.length} terms for ${c.inputCount} inputs`);
  const unused = letters.filter((l) => !text.includes(l));
  let most = 0;
  /** The k-th axis of an ellipsis, from the right. */
  const hidden = (k: number) => unused[k] ?? wrong('too many axes');
  const read = (term: string, axes: (named: number) => number | undefined): Labels | undefined => {
    const [head = '', tail, ...rest] = term.split('...');
    if (rest.length > 0 || !/^[A-Za-z]*$/.test(head + (tail ?? ''))) return wrong(`"${term}" is no term`);
    if (tail === undefined) return [...head];
    const count = axes(head.length + tail.length);
    if (count === undefined) return undefined;
    if (count < 0) return wrong(`"${term}" has more labels than its input has axes`);
    most = Math.max(most, count);
    return [...head, ...Array.from({ length: count }, (_, i) => hidden(count - 1 - i)), ...tail];
  };
  const operands: Labels[] = [];
  for (const [i, term] of terms.entries()) {
    const rank = c.rank(i);
    const labels = read(term, (named) => (rank === undefined ? undefined : rank - named));
    if (labels === undefined) return undefined;
    if (rank !== undefined && labels.length !== rank)
      return wrong(`"${term}" names ${labels.length} axes, input ${i} has ${rank}`);
    operands.push(labels);
  }
  const all = operands.flat();
  // without an arrow: the ellipsis, then in alphabetical order what stands once
  const once = () => [...new Set(all)].filter((l) => !unused.includes(l) && all.filter((k) => k === l).length === 1).sort();
  const result = read(right ?? `...${once().join('')}`, () => most) ?? [];
  const stray = result.find((l, i) => !all.includes(l) || result.indexOf(l) !== i);
  return stray === undefined ? { operands, result } : wrong(`the result has the label "${stray}" twice, or no input has it`);
}

function einsumShape(c: NodeContext): Shape | undefined {
  for (let i = 1; i < c.inputCount; i++) {
    if (c.dtype(i) !== c.dtype(0)) c.fail(`dtypes differ, input 0 is ${c.dtype(0)}, input ${i} is ${c.dtype(i)}`);
  }
  const equation = equationOf(c);
  if (equation === undefined) return undefined;
  const sizes = new Map<string, Dim>();
  equation.operands.forEach((labels, i) => {
    labels.forEach((l, axis) => {
      const d = c.shape(i)?.[axis] ?? null;
      const before = sizes.get(l);
      try {
        sizes.set(l, before === undefined ? d : (broadcastShapes([before], [d])[0] ?? null));
      } catch (cause) {
        c.fail(`the label "${l}" stands for axes of ${before} and ${d}`, { cause });
      }
    });
  });
  return equation.result.map((l) => sizes.get(l) ?? null);
}

// y = sum of the product of all operands: dx_i is the sum of the product of dy and the others, over what x_i has not
function einsumGradient(c: GradientContext): (Value | null)[] {
  const equation = equationOf(c) ?? c.fail('the gradient needs inputs of known rank');
  return c.node.inputs.map((_, i) => (c.needs(i) ? byOperand(c, equation, i) : null));
}

function byOperand(c: GradientContext, { operands, result }: Equation, i: number): Value {
  const { g } = c;
  const x = c.x(i);
  const labels = operands[i] ?? [];
  const others = operands.map((_, k) => k).filter((k) => k !== i);
  const reached = new Set([...result, ...others.flatMap((k) => operands[k] ?? [])]);
  const unique = [...new Set(labels)];
  const target = unique.filter((l) => reached.has(l));
  const terms = [...others.map((k) => operands[k] ?? []), result].map((t) => t.join(''));
  const same = others.length === 0 && target.join() === result.join();
  const product = (): Value => {
    const inputs = [...others.map((k) => c.x(k)), c.dy()];
    return g.einsum(...inputs, { equation: `${terms.join(',')}->${target.join('')}` });
  };
  let d = same ? c.dy() : product();
  // an axis of its own for every axis of x: 1 where x alone had the label, and where a label stands again
  const first = (axis: number) => labels.indexOf(labels[axis] ?? '') === axis;
  const added = labels.map((_, axis) => axis).filter((axis) => !first(axis) || !reached.has(labels[axis] ?? ''));
  if (added.length > 0) d = g.unsqueeze(d, added);
  // of a diagonal, only the elements on it were read
  labels.forEach((l, axis) => {
    if (first(axis)) return;
    const index = (at: number) => {
      const size = g.squeeze(sizesOf(g, x, at, at + 1), [0]);
      const range = g.range(0, size, 1);
      return g.reshape(
        range,
        labels.map((_, k) => (k === at ? -1 : 1)),
      );
    };
    d = g.mul(d, g.cast(g.equal(index(labels.indexOf(l)), index(axis)), { to: x.dtype }));
  });
  return unique.every((l) => reached.has(l)) ? d : expandLike(g, d, x);
}

export const einsum: Readonly<Record<EinsumOp, OpRules>> = {
  Einsum: {
    infer: (c) => [c.like(0, einsumShape(c))],
    gradient: einsumGradient,
  },
};
