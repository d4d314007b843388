// Where a graph begins: `const g = ops(); const y = g.relu(x);`. The builder (ops-builder.ts) with types inferred by the op table.
import { anObject, given } from '../core/given.js';
import { Names } from '../ir/builder.js';
import type { Graph } from '../ir/graph.js';
import { defaultOpset } from '../ir/model.js';
import { inferTypes } from './infer.js';
import { type Ops, typed } from './ops-builder.js';

/** Starts a graph. `const g = ops({ opset: 17 }); const y = g.gemm(x, w, b);` */
export function ops(options: { opset?: number; name?: string; names?: Names; graph?: Graph } = {}): Ops {
  given('ops', { options }, { options: anObject });
  return typed(inferTypes, options.opset ?? defaultOpset, options.names ?? new Names(), options.graph ?? options.name ?? 'graph');
}
