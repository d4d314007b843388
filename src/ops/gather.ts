// Indexed reads and writes. Specification: onnx/docs/Operators.md, Gather, ScatterElements, ScatterND.
import { normaliseAxis } from '../core/shape.js';
import { tensorType } from '../ir/types.js';
import type { OpDef } from './op-def.js';

export type GatherOp = 'Gather' | 'ScatterElements' | 'ScatterND';

export const gather: Readonly<Record<GatherOp, OpDef>> = {
  Gather: {
    versions: [1, 11, 13],
    inputs: 'data indices',
    outputs: 'output',
    attributes: { axis: 'int' },
    infer: (c) => {
      const data = c.shape(0);
      const indices = c.shape(1);
      if (data === undefined || indices === undefined) return [tensorType(c.dtype(0))];
      const axis = normaliseAxis(c.int('axis', 0), data.length);
      return [tensorType(c.dtype(0), [...data.slice(0, axis), ...indices, ...data.slice(axis + 1)])];
    },
    // rows read more than once add up: dx = 0; dx[indices] += dy
    gradient: (c) => {
      const { g } = c;
      const rank = c.rank(0);
      if (rank === undefined || normaliseAxis(c.int('axis', 0), rank) !== 0)
        return c.fail('its gradient is known for axis 0 only');
      const zeros = g.expand(g.scalar(0, c.x(0)), g.shape(c.x(0)));
      return [g.scatterND(zeros, g.unsqueeze(c.x(1), g.ints([-1])), c.dy(), { reduction: 'add' }), null];
    },
  },
  ScatterElements: {
    versions: [11, 13, 16, 18],
    inputs: 'data indices updates',
    outputs: 'output',
    attributes: { axis: 'int', reduction: 'string' },
    infer: (c) => [tensorType(c.dtype(0), c.shape(0))],
    gradient: 'unsupported',
  },
  ScatterND: {
    versions: [11, 13, 16, 18],
    inputs: 'data indices updates',
    outputs: 'output',
    attributes: { reduction: 'string' },
    infer: (c) => [tensorType(c.dtype(0), c.shape(0))],
    gradient: 'unsupported',
  },
};
