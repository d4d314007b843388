// Computes equal things once: nodes of the same op, attributes and inputs, integer constants of the same content. A subgraph also finds what
// the graphs around it computed before it.
import type { DType } from '../core/dtype.js';
import type { Tensor } from '../core/tensor.js';
import { type Attribute, type Graph, Node, type Value } from '../ir/graph.js';
import { mergeTypes } from '../ir/verify.js';
import { hasTrait } from '../ops/definition.js';
import type { PassContext } from './pass.js';

/** Domains whose ops are pure but for those that draw at random. Elsewhere nothing is known. */
const pureDomains: ReadonlySet<string> = new Set(['', 'ai.onnx', 'ai.onnx.ml']);

/** Initializers that are shapes, axes, indices and flags. Floats and bytes are parameters, or those that are said to be. */
const shared: ReadonlySet<DType> = new Set<DType>(['int64', 'int32', 'bool']);

/**
 * Returns whether anything was joined. A graph output that repeats another value becomes an Identity of it; outputs keep their names.
 * Parameters are left alone, since their names are what people find weights by: those given, else all float initializers.
 */
export function commonSubexpressions(graph: Graph, context: PassContext = {}): boolean {
  return new Joining(context.parameters).graph(graph, undefined);
}

/** What was computed so far in a graph, and in the graphs around it. */
class Seen<T> {
  private readonly own = new Map<string, T>();
  constructor(private readonly outer: Seen<T> | undefined) {}
  get(key: string): T | undefined {
    return this.own.get(key) ?? this.outer?.get(key);
  }
  set(key: string, value: T): void {
    this.own.set(key, value);
  }
}

interface Known {
  readonly nodes: Seen<Node>;
  readonly constants: Seen<Value>;
}

class Joining {
  private readonly replaced = new Map<Value, Value>();
  private readonly valueIds = new Map<Value, number>();
  private readonly tensors = new TensorIds();

  constructor(private readonly parameters: ReadonlySet<Value> | undefined) {}

  graph(graph: Graph, outer: Known | undefined): boolean {
    const known: Known = { nodes: new Seen(outer?.nodes), constants: new Seen(outer?.constants) };
    const outputs = new Set(graph.outputs);
    let changed = this.constants(graph, known.constants, outputs);
    graph.nodes = graph.nodes.flatMap((node) => {
      node.inputs = node.inputs.map((v) => (v === null ? null : (this.replaced.get(v) ?? v)));
      for (const sub of node.subgraphs) if (this.graph(sub, known)) changed = true;
      const key = this.key(node);
      if (key === undefined) return [node];
      const same = known.nodes.get(key);
      if (same === undefined) {
        known.nodes.set(key, node);
        return [node];
      }
      const rest = this.join(node, same, outputs);
      if (rest === undefined) return [node];
      changed = true;
      return rest;
    });
    graph.outputs = graph.outputs.map((v) => this.replaced.get(v) ?? v);
    return changed;
  }

  /** Lets the outputs of `same` stand for those of `node`; returns the nodes that are left of it, undefined when it must stay. */
  private join(node: Node, same: Node, outputs: ReadonlySet<Value>): Node[] | undefined {
    const pairs: [Value, Value][] = [];
    for (const [i, v] of node.outputs.entries()) {
      const other = same.outputs[i];
      if (v.name === '') continue;
      if (other === undefined || other.name === '') return undefined;
      pairs.push([v, other]);
    }
    if (node.opType === 'Identity' && pairs.some(([v]) => outputs.has(v))) return undefined;
    const rest: Node[] = [];
    for (const [v, other] of pairs) {
      const type = mergeTypes(other.type, v.type);
      if (type !== undefined) other.type = type;
      if (outputs.has(v)) rest.push(new Node('Identity', [other], [v], new Map(), rest.length === 0 ? node.name : ''));
      else this.replaced.set(v, other);
    }
    return rest;
  }

  private constants(graph: Graph, seen: Seen<Value>, outputs: ReadonlySet<Value>): boolean {
    const inputs = new Set(graph.inputs);
    const before = graph.initializers.length;
    graph.initializers = graph.initializers.filter((v) => {
      const { constant } = v;
      if (constant === undefined || inputs.has(v) || outputs.has(v)) return true;
      if (!shared.has(constant.dtype) && (this.parameters?.has(v) ?? true)) return true;
      const key = String(this.tensors.id(constant));
      const same = seen.get(key);
      if (same === undefined) seen.set(key, v);
      else this.replaced.set(v, same);
      return same === undefined;
    });
    return graph.initializers.length < before;
  }

  private valueId(v: Value): number {
    const known = this.valueIds.get(v);
    if (known !== undefined) return known;
    this.valueIds.set(v, this.valueIds.size);
    return this.valueIds.size - 1;
  }

  /** Equal for nodes that compute the same; undefined where that cannot be said. */
  private key(node: Node): string | undefined {
    if (!pureDomains.has(node.domain) || hasTrait(node, 'random')) return undefined;
    const attributes: string[] = [];
    for (const [name, a] of node.attributes) {
      if (a.kind === 'graph' || a.kind === 'graphs') return undefined;
      attributes.push(`${name}=${a.kind}:${this.attribute(a)}`);
    }
    const inputs = node.inputs.map((v) => (v === null ? '' : this.valueId(v)));
    // A Split without sizes has parts as many as its outputs.
    if (node.opType === 'Split') attributes.push(`outputs=${node.outputs.length}`);
    return `${node.domain}:${node.opType}(${inputs.join()})${attributes.sort().join()}`;
  }

  private attribute(a: Exclude<Attribute, { kind: 'graph' | 'graphs' }>): string {
    const number = (v: number) => (Object.is(v, -0) ? '-0' : String(v));
    switch (a.kind) {
      case 'float':
        return number(a.value);
      case 'floats':
        return a.value.map(number).join(' ');
      case 'int':
        return String(a.value);
      case 'ints':
        return a.value.join(' ');
      case 'string':
        return a.value.join(' ');
      case 'strings':
        return a.value.map((s) => s.join(' ')).join('|');
      case 'tensor':
        return String(this.tensors.id(a.value));
      case 'tensors':
        return a.value.map((t) => this.tensors.id(t)).join(' ');
      case 'sparse_tensor':
        return this.sparse(a.value);
      case 'sparse_tensors':
        return a.value.map((s) => this.sparse(s)).join('|');
      case 'ref':
        return JSON.stringify([a.type, a.value]);
      default:
        return JSON.stringify(a.value);
    }
  }

  private sparse(s: { readonly values: Tensor; readonly indices: Tensor; readonly dims: readonly number[] }): string {
    return `${this.tensors.id(s.values)} ${this.tensors.id(s.indices)} ${s.dims.join('x')}`;
  }
}

/** Numbers for tensors, the same for the same dtype, dims and data. */
class TensorIds {
  private readonly known = new Map<Tensor, number>();
  private readonly buckets = new Map<string, Tensor[]>();

  id(t: Tensor): number {
    const known = this.known.get(t);
    if (known !== undefined) return known;
    const key = `${t.dtype}[${t.dims.join()}]${sample(t)}`;
    const bucket = this.buckets.get(key) ?? [];
    this.buckets.set(key, bucket);
    const same = bucket.find((other) => sameData(other, t));
    if (same === undefined) bucket.push(t);
    const id = same === undefined ? this.known.size : (this.known.get(same) ?? 0);
    this.known.set(t, id);
    return id;
  }
}

/** Some of the data, to tell most tensors apart without reading all. */
function sample(t: Tensor): string {
  if (t.dtype === 'string') return JSON.stringify(t.data.slice(0, 64));
  const { bytes } = t;
  const step = Math.max(1, Math.floor(bytes.length / 128));
  let text = '';
  for (let i = 0; i < bytes.length; i += step) text += String.fromCharCode(bytes[i] ?? 0);
  return text;
}

/** Bit for bit, so that -0 is not 0 and a NaN is itself. */
function sameData(a: Tensor, b: Tensor): boolean {
  if (a.dtype === 'string') return JSON.stringify(a.data) === JSON.stringify(b.data);
  const [x, y] = [a.bytes, b.bytes];
  for (let i = 0; i < x.length; i++) if (x[i] !== y[i]) return false;
  return true;
}
