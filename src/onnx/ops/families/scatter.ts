// Writing by index: ScatterElements and ScatterND with every reduction. No gradient by index inputs exists. Specification: Operators.md.
import type { Value } from '../../ir/graph.js';
import type { TensorType } from '../../ir/types.js';
import type { GradientContext, NodeContext, OpRules } from '../op-def.js';
import { fullLike, typed, zerosLike } from '../rules/shape-like.js';
import { requireIndices } from './gather.js';

type ScatterOp = 'ScatterElements' | 'ScatterND';

type Reduction = 'none' | 'add' | 'mul' | 'min' | 'max';

function inferScatter(c: NodeContext): TensorType[] {
  requireIndices(c, 1);
  if (c.dtype(2) !== c.dtype(0)) c.fail(`dtypes differ, data is ${c.dtype(0)}, updates are ${c.dtype(2)}`, { got: c.dtype(2) });
  reductionOf(c);
  return [c.like(0, c.shape(0))];
}

function reductionOf(c: NodeContext): Reduction {
  const name = c.string('reduction');
  if (name === 'none' || name === 'add' || name === 'mul' || name === 'min' || name === 'max') return name;
  return c.fail(`reduction must be none, add, mul, min or max, it is "${name}"`, {
    expected: 'none, add, mul, min, max',
    got: name,
  });
}

/** The same places: `write` puts updates into data there, `read` takes what stands there. */
interface Places {
  write(data: Value, updates: Value, reduction?: Reduction): Value;
  read(data: Value): Value;
}

function places(c: GradientContext): Places {
  const { g } = c;
  const at = c.x(1);
  if (c.node.opType === 'ScatterND') {
    return {
      write: (data, updates, reduction) => g.scatterND(data, at, updates, { reduction }),
      read: (data) => g.gatherND(data, at),
    };
  }
  const axis = c.int('axis');
  return {
    write: (data, updates, reduction) => g.scatterElements(data, at, updates, { axis, reduction }),
    read: (data) => g.gatherElements(data, at, { axis }),
  };
}

function scatterGradient(c: GradientContext): (Value | null)[] {
  const { dx, du } = parts(c, places(c));
  return [c.needs(0) ? typed(dx(), c.x(0)) : null, null, c.needs(2) ? typed(du(), c.x(2)) : null];
}

function parts(c: GradientContext, p: Places): { readonly dx: () => Value; readonly du: () => Value } {
  const { g } = c;
  const [x, u, dy] = [c.x(0), c.x(2), c.dy()];
  switch (reductionOf(c)) {
    // y = x with y[i] replaced by u: dx = dy without what was replaced, du = dy[i]
    case 'none':
      return { dx: () => p.write(dy, zerosLike(g, u)), du: () => p.read(dy) };
    case 'add':
      return { dx: () => dy, du: () => p.read(dy) };
    // y = x times the u written to its place: dx = dy times those, du_k = dy x times the others. With z zeros among the others it is
    // [z = 0] the product without zeros / u_k.
    case 'mul': {
      const isZero = g.equal(u, 0);
      const nonZero = g.where(isZero, 1, u);
      const du = () => {
        const zeros = g.where(isZero, g.scalar(1, u), 0);
        const others = g.sub(p.read(p.write(zerosLike(g, x), zeros, 'add')), zeros);
        const product = p.read(g.mul(dy, p.write(x, nonZero, 'mul')));
        return g.where(g.equal(others, 0), g.div(product, nonZero), 0);
      };
      return { dx: () => g.mul(dy, p.write(fullLike(g, 1, x), u, 'mul')), du };
    }
    // y = the extremum of x and the u written to its place; ties share dy equally, as in ReduceMax
    default: {
      const to = { to: x.dtype };
      const hitX = g.cast(g.equal(x, c.y()), to);
      const hitU = g.cast(g.equal(u, p.read(c.y())), to);
      const share = g.div(dy, p.write(hitX, hitU, 'add'));
      return { dx: () => g.mul(hitX, share), du: () => g.mul(hitU, p.read(share)) };
    }
  }
}

export const scatter: Readonly<Record<ScatterOp, OpRules>> = {
  ScatterElements: {
    traits: ['anyPrecision'],
    infer: inferScatter,
    gradient: scatterGradient,
  },
  ScatterND: {
    traits: ['anyPrecision'],
    infer: inferScatter,
    gradient: scatterGradient,
  },
};
