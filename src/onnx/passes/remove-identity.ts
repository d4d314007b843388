// Removes nodes that pass their input on unchanged, and joins one Transpose after another. Where such a node feeds a graph output, the value
// it read takes the output's name; the node stays where that value is an input, an initializer, an outer value or an output already.
import { dtypes } from '../core/dtype.js';
import { isStatic, type Shape } from '../core/shape.js';
import type { Graph, Node, Value } from '../ir/graph.js';
import { defaultOpset } from '../ir/model.js';
import { mergeTypes } from '../ir/verify.js';
import { isStandard } from '../ops/definition.js';
import { constantOf } from '../ops/op-def.js';
import { knownElements } from '../ops/rules/shape-value.js';
import { innerNames } from './inner-names.js';
import type { PassContext } from './pass.js';

/** Returns whether anything changed; subgraphs are cleaned as well. */
export function removeIdentity(graph: Graph, { opset = defaultOpset }: PassContext = {}): boolean {
  return new Removal(opset).graph(graph);
}

class Removal {
  /** Values of removed nodes and what to read instead; never a chain, since nodes come in order. */
  private readonly replaced = new Map<Value, Value>();

  constructor(private readonly opset: number) {}

  graph(graph: Graph): boolean {
    let changed = false;
    const outputs = new Set(graph.outputs);
    const own = new Set<Node>();
    const inner = innerNames(graph);
    // quantization annotations refer to values by name
    const annotated = new Set(graph.quantization.map((q) => q.value));
    const taken = (name: string) => annotated.has(name) || inner(name);
    graph.nodes = graph.nodes.filter((node) => {
      node.inputs = node.inputs.map((v) => (v === null ? null : (this.replaced.get(v) ?? v)));
      for (const sub of node.subgraphs) if (this.graph(sub)) changed = true;
      if (joinTransposes(node)) changed = true;
      const x = source(node, this.opset);
      const y = node.outputs[0];
      if (x !== undefined && y !== undefined && this.replace(x, y, outputs, own, taken)) {
        changed = true;
        return false;
      }
      own.add(node);
      return true;
    });
    graph.outputs = graph.outputs.map((v) => this.replaced.get(v) ?? v);
    return changed;
  }

  /** Lets x stand for y, under y's name when that is an output; false where it cannot. */
  private replace(x: Value, y: Value, outputs: Set<Value>, own: ReadonlySet<Node>, taken: (name: string) => boolean): boolean {
    if (outputs.has(y)) {
      if (x.producer === undefined || !own.has(x.producer) || outputs.has(x) || taken(y.name) || taken(x.name)) return false;
      x.name = y.name;
      outputs.add(x);
      if (x.doc === '') x.doc = y.doc;
      for (const [key, value] of y.metadata) if (!x.metadata.has(key)) x.metadata.set(key, value);
    }
    if (x.producer !== undefined) {
      const type = mergeTypes(x.type, y.type);
      if (type !== undefined) x.type = type;
    }
    this.replaced.set(y, x);
    return true;
  }
}

/** The value that the node's only output equals, when that is certain. */
function source(node: Node, opset: number): Value | undefined {
  const [y, ...more] = node.outputs;
  const x = node.inputs[0] ?? undefined;
  if (!isStandard(node) || x === undefined || y === undefined || more.some((v) => v.name !== '')) return undefined;
  return passesOn(node, x, y, opset) ? x : undefined;
}

function passesOn(node: Node, x: Value, y: Value, opset: number): boolean {
  switch (node.opType) {
    case 'Identity':
      return true;
    case 'Cast':
      return x.type?.kind === 'tensor' && node.int('to', 0) === dtypes[x.type.dtype].code;
    case 'CastLike': {
      const to = node.inputs[1]?.type;
      return x.type?.kind === 'tensor' && to?.kind === 'tensor' && x.type.dtype === to.dtype;
    }
    case 'Reshape':
      // one whose shape waits for data is there to wait (rematerialise.ts)
      return shapeIsKnown(node) && sameByCount(x.shape, y.shape);
    case 'Flatten':
    case 'Squeeze':
    case 'Unsqueeze':
      return sameByCount(x.shape, y.shape);
    case 'Expand':
    case 'Tile':
      return isStatic(x.shape) && isStatic(y.shape) && sameByCount(x.shape, y.shape);
    case 'Transpose': {
      const perm = permOf(node);
      return perm?.every((p, i) => p === i) ?? false;
    }
    case 'Dropout': {
      // before opset 12 Dropout only infers, before 7 an attribute says so
      const mode = node.inputs[2] ?? undefined;
      return opset >= 7 && (mode === undefined || constantOf(mode)?.data[0] === 0);
    }
    case 'Concat':
    case 'Sum':
    case 'Mean':
    case 'Max':
    case 'Min':
      return node.inputs.length === 1;
    default:
      return false;
  }
}

/** True for a Reshape whose target is known without computing on data. */
export function shapeIsKnown(node: Node): boolean {
  return knownElements(node.inputs[1])?.every((d) => d !== null) ?? false;
}

/** Shapes of the same tensor in the same order of elements: when all dimensions but one are equal, so is the last, unless one is 0. */
function sameByCount(a: Shape | undefined, b: Shape | undefined): boolean {
  if (a === undefined || b === undefined || a.length !== b.length) return false;
  let open = 0;
  for (const [i, d] of a.entries()) {
    if (typeof d === 'number' && typeof b[i] === 'number' && d !== b[i]) return false;
    if (typeof d !== 'number' || typeof b[i] !== 'number') open++;
  }
  return open === 0 || (open === 1 && !a.includes(0));
}

/** The permutation of a Transpose; undefined when it reverses axes whose number is not known. */
function permOf(node: Node): number[] | undefined {
  if (node.attributes.has('perm')) return node.ints('perm');
  return node.inputs[0]?.shape?.map((_, i, { length }) => length - 1 - i);
}

/** Transpose q of Transpose p is one Transpose by p[q[i]], from the first one's input. */
function joinTransposes(node: Node): boolean {
  const first = node.inputs[0]?.producer;
  if (!isTranspose(node) || first === undefined || !isTranspose(first)) return false;
  const [x, p] = [first.inputs[0] ?? undefined, permOf(first)];
  // axes reversed twice, of a rank that nobody knows, could be joined too; no exporter writes it
  const q = permOf(node) ?? (node.attributes.has('perm') ? undefined : p?.map((_, i, { length }) => length - 1 - i));
  if (x === undefined || p === undefined || q === undefined || p.length !== q.length) return false;
  node.inputs = [x];
  node.attributes.set('perm', { kind: 'ints', value: q.map((i) => BigInt(p[i] ?? i)) });
  return true;
}

function isTranspose(node: Node): boolean {
  return node.opType === 'Transpose' && isStandard(node);
}
