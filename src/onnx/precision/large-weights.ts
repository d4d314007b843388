// The weights of a model that are still float32 and large enough to be worth a thought, and what is said of those that stay so.
import type { Tensor } from '../core/tensor.js';
import { type Graph, Node, type Value } from '../ir/graph.js';
import { type Use, Uses } from '../ir/uses.js';
import { isStandard } from '../ops/definition.js';
import { constantOf } from '../ops/op-def.js';

/** Numbers of a weight that is large. */
const least = 1024;

export interface LargeWeight {
  /** The graph that it stands in. */
  readonly graph: Graph;
  readonly value: Value;
  readonly data: Tensor;
  readonly uses: readonly Use[];
}

/** Float32 constants of 4 KiB or more that somebody reads, of all graphs, whether initializers or Constant nodes. */
export function largeWeights(uses: Uses): LargeWeight[] {
  return uses.graphs.flatMap((graph) => {
    const fed = new Set(graph.inputs);
    const inNodes = graph.nodes.filter((n) => isStandard(n) && n.opType === 'Constant').flatMap((n) => n.outputs);
    return [...graph.initializers, ...inNodes].flatMap((value) => {
      const data = fed.has(value) ? undefined : constantOf(value);
      return data !== undefined && isLarge(data) && uses.isRead(value) ? [{ graph, value, data, uses: uses.of(value) }] : [];
    });
  });
}

export const isLarge = ({ dtype, size }: Tensor): boolean => dtype === 'float32' && size >= least;

interface Kind {
  readonly op: string;
  readonly reason: string;
  readonly count: number;
  readonly bytes: number;
}

/** A line for each kind of large matrix that stayed float32; `why`: of one that reads it, undefined where that is said elsewhere. */
export function remaining(root: Graph, why: (use: Use & { readonly reader: Node }) => string | undefined): string[] {
  return kindsOf(root, why).map((kind) => `${kindText(kind)} stay${kind.count === 1 ? 's' : ''} float32: ${kind.reason}`);
}

/** `2 weights of ConvTranspose (0.03 MB)`, one for each op that reads large float32 matrices. */
export const float32Kinds = (root: Graph): string[] => kindsOf(root, () => '').map(kindText);

function kindsOf(root: Graph, why: (use: Use & { readonly reader: Node }) => string | undefined): Kind[] {
  const kinds = new Map<string, Kind>();
  for (const { data, uses } of largeWeights(new Uses(root))) {
    // vectors are biases, and columns the scales of integers
    if (data.dims.filter((d) => d > 1).length < 2 || data.dims.at(-1) === 1) continue;
    const use = uses.find(isByNode);
    const reason = use && why(use);
    if (use === undefined || reason === undefined) continue;
    const op = use.reader.opType;
    const kind = kinds.get(`${op} ${reason}`) ?? { op, reason, count: 0, bytes: 0 };
    kinds.set(`${op} ${reason}`, { ...kind, count: kind.count + 1, bytes: kind.bytes + data.byteLength });
  }
  return [...kinds.values()];
}

const kindText = ({ op, count, bytes }: Kind): string =>
  `${count} weight${count === 1 ? '' : 's'} of ${op} (${(bytes / 1e6).toFixed(2)} MB)`;

const isByNode = (use: Use): use is Use & { readonly reader: Node } => use.reader instanceof Node;
