// Computes, through OpDef.fold, what depends on constants alone. Results become initializers, which need IR 4 or later; a graph output
// becomes a Constant node, since not every runtime takes an initializer for an output. Constant nodes become initializers too.
import { byteLength, isFloat } from '../core/dtype.js';
import { elementCount, isStatic } from '../core/shape.js';
import type { Tensor } from '../core/tensor.js';
import { type Attribute, type Graph, Node, type Value } from '../ir/graph.js';
import { defaultOpset } from '../ir/model.js';
import { tensorType } from '../ir/types.js';
import { Uses } from '../ir/uses.js';
import { definitionOf, hasTrait } from '../ops/definition.js';
import { constantOf, NodeContext } from '../ops/op-def.js';
import { innerNames } from './inner-names.js';
import type { PassContext } from './pass.js';

/** Bytes of a result that may be larger than the constants it makes unused. */
const limit = 4096;

/**
 * Returns whether anything was computed, in subgraphs as well. Types must be inferred. Weights may be folded where others read them too: those
 * that are said to be parameters never lose their last reader.
 */
export function foldConstants(graph: Graph, context: PassContext = {}): boolean {
  return new Folding(graph, context).graph(graph);
}

class Folding {
  private known: Uses | undefined;
  /** Initializers that are inputs as well: callers may feed something else. */
  private readonly overridable = new Set<Value>();
  private readonly opset: number;
  private readonly keep: ReadonlySet<Value>;
  /** Weights of floats that are said to be parameters. */
  private readonly named: ReadonlySet<Value>;

  constructor(
    private readonly root: Graph,
    { opset = defaultOpset, keep = new Set(), parameters = new Set() }: PassContext,
  ) {
    this.opset = opset;
    this.keep = keep;
    this.named = new Set([...parameters].filter((v) => v.constant !== undefined && isFloat(v.constant.dtype)));
    this.fed(root);
  }

  /** Made when the first node is found that may be computed; what went before that reads nothing. */
  private get uses(): Uses {
    this.known ??= new Uses(this.root);
    return this.known;
  }

  private fed(graph: Graph): void {
    for (const v of graph.inputs) this.overridable.add(v);
    for (const node of graph.nodes) for (const sub of node.subgraphs) this.fed(sub);
  }

  graph(graph: Graph): boolean {
    let changed = false;
    const outputs = new Set(graph.outputs);
    const taken = innerNames(graph);
    graph.nodes = graph.nodes.flatMap((node) => {
      for (const sub of node.subgraphs) if (this.graph(sub)) changed = true;
      const isOutput = node.outputs.some((v) => outputs.has(v));
      if (isOutput ? node.opType === 'Constant' || node.opType === 'Identity' : node.outputs.some((v) => taken(v.name)))
        return [node];
      const results = this.compute(node);
      if (results === undefined || (isOutput && results.length !== 1)) return [node];
      changed = true;
      this.known?.remove(node);
      if (isOutput) return [constantNode(node, results)];
      node.outputs.forEach((v, i) => {
        const t = results[i];
        if (v.name === '' || t === undefined) return;
        v.producer = undefined;
        v.constant = t;
        v.type = tensorType(t.dtype, t.dims);
        graph.initializers.push(v);
      });
      return [];
    });
    return changed;
  }

  /** The outputs of a node whose inputs are known, when they are worth keeping. */
  private compute(node: Node): readonly Tensor[] | undefined {
    const def = definitionOf(node, this.opset);
    if (def?.fold === undefined) return undefined;
    if (node.opType !== 'Constant' && node.outputs.some((v) => this.keep.has(v))) return undefined;
    const inputs = node.inputs.map((v) =>
      v === null || this.overridable.has(v) || this.keep.has(v) ? null : (constantOf(v) ?? null),
    );
    if (!hasTrait(node, 'shapeOnly') && node.inputs.some((v, i) => v !== null && inputs[i] === null)) return undefined;
    if (node.inputs.some((v) => v !== null && this.named.has(v) && this.uses.soleReader(v) === node)) return undefined;
    const most = node.opType === 'Constant' ? Number.POSITIVE_INFINITY : Math.max(limit, this.freed(node));
    if (expectedBytes(node) > most) return undefined;
    const results = def.fold(new NodeContext(node, this.opset), inputs);
    if (results === undefined || node.outputs.some((v, i) => v.name !== '' && results[i] === undefined)) return undefined;
    return results.reduce((n, t) => n + bytesOf(t), 0) <= most ? results : undefined;
  }

  /** Bytes of the initializers that nobody else reads. */
  private freed(node: Node): number {
    let bytes = 0;
    for (const v of new Set(node.inputs)) {
      if (v?.constant !== undefined && this.uses.soleReader(v) === node) bytes += bytesOf(v.constant);
    }
    return bytes;
  }
}

function constantNode(node: Node, [value]: readonly Tensor[]): Node {
  const attributes = new Map<string, Attribute>(value === undefined ? [] : [['value', { kind: 'tensor', value }]]);
  return new Node('Constant', [], node.outputs, attributes, node.name);
}

/** What the stored types say of the size of the outputs; 0 where they do not know. */
function expectedBytes(node: Node): number {
  return node.outputs.reduce((n, { type }) => {
    return n + (type?.kind === 'tensor' && isStatic(type.shape) ? byteLength(type.dtype, elementCount(type.shape)) : 0);
  }, 0);
}

function bytesOf(t: Tensor): number {
  if (t.dtype !== 'string') return t.byteLength;
  let length = 0;
  for (const s of t.data) length += String(s).length;
  return length;
}
