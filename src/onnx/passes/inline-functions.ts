// Puts the bodies of a model's own functions where they are called, nested calls included. ONNX IR specification, "Functions".

import { bounded } from '../core/bounds.js';
import { ModelError } from '../core/errors.js';
import { given } from '../core/given.js';
import { Names } from '../ir/builder.js';
import { cloneNodes } from '../ir/clone.js';
import { type Attribute, allNodes, type Graph, Node, type Value } from '../ir/graph.js';
import type { FunctionDef, Model } from '../ir/model.js';
import { aModel } from '../ir/model.js';
import { tensorType } from '../ir/types.js';
import { findSignature } from '../ops/signature.js';

/**
 * Changes the model in place; returns whether it called any function. Functions go, imports of their domains stay only where a node is left
 * that needs them. Throws ModelError for a function that calls itself, and where a function imports an opset in which one of its ops means
 * something else than in the model's.
 */
export function inlineFunctions(model: Model): boolean {
  given('inlineFunctions', { model }, { model: aModel });
  if (model.functions.length === 0) return false;
  const inlining = new Inlining(model);
  inlining.graph(model.graph, []);
  model.functions = [];
  const used = new Set([...allNodes(model.graph)].map((n) => n.domain));
  for (const domain of model.opsets.keys()) {
    if (inlining.domains.has(domain) && !used.has(domain) && domain !== '') model.opsets.delete(domain);
  }
  return inlining.called;
}

const keyOf = (domain: string, name: string, overload: string) =>
  JSON.stringify([domain === 'ai.onnx' ? '' : domain, name, overload]);
const label = (f: FunctionDef) => `function "${f.domain}.${f.name}${f.overload === '' ? '' : `:${f.overload}`}"`;

class Inlining {
  called = false;
  /** Nodes of bodies that stand where a function was called. */
  private written = 0;
  readonly domains: ReadonlySet<string>;
  private readonly functions: ReadonlyMap<string, FunctionDef>;
  private readonly names: Names;

  constructor(private readonly model: Model) {
    this.functions = new Map(model.functions.map((f) => [keyOf(f.domain, f.name, f.overload), f]));
    this.domains = new Set(model.functions.map((f) => f.domain));
    this.names = Names.of(model.graph);
  }

  /** `within`: the functions whose bodies these nodes come from, outermost first. */
  graph(graph: Graph, within: readonly FunctionDef[]): void {
    graph.nodes = this.nodes(graph.nodes, within);
  }

  private nodes(nodes: readonly Node[], within: readonly FunctionDef[]): Node[] {
    return nodes.flatMap((node) => {
      for (const sub of node.subgraphs) this.graph(sub, within);
      const f = this.functions.get(keyOf(node.domain, node.opType, node.overload));
      return f === undefined ? [node] : this.body(node, f, within);
    });
  }

  private body(call: Node, f: FunctionDef, within: readonly FunctionDef[]): Node[] {
    this.called = true;
    if (within.includes(f)) {
      const chain = [...within.slice(within.indexOf(f)), f].map(label).join(' calls ');
      throw new ModelError(`${label(f)} calls itself: ${chain}`, { op: call.opType, node: call.name });
    }
    this.checkImports(f);
    if (call.inputs.length > f.body.inputs.length || call.outputs.length > f.body.outputs.length) {
      const [takes, gives] = [f.body.inputs.length, f.body.outputs.length];
      const found = `${call.inputs.length} inputs and ${call.outputs.length} outputs`;
      throw new ModelError(
        `${call.opType} "${call.name}": ${label(f)} has ${takes} inputs and ${gives} outputs, the call has ${found}`,
        {
          op: call.opType,
          node: call.name,
        },
      );
    }
    this.written += f.body.nodes.length;
    bounded('written', this.written, `the calls of ${label(f)} written out`);
    const map = new Map<Value, Value>();
    const absent = new Set<Value>();
    f.body.inputs.forEach((v, i) => {
      const given = call.inputs[i] ?? null;
      if (given === null) absent.add(v);
      else map.set(v, given);
    });
    const prefix = call.name || call.opType;
    const copies = cloneNodes(f.body.nodes, {
      map,
      rename: (name) => this.names.unique(`${prefix}/${name}`),
      attribute: (a) => resolve(a, call, f),
    });
    // What a function states of a shape holds of no call in particular, and its symbols are its own.
    for (const node of allOf(copies)) for (const v of node.outputs) if (v.stated) forgetShape(v);
    for (const node of allOf(copies)) node.inputs = node.inputs.map((v) => (v !== null && absent.has(v) ? null : v));
    const results = this.nodes(copies, [...within, f]);
    call.outputs.forEach((out, i) => {
      if (out.name === '') return;
      const inner = f.body.outputs[i];
      const made = inner === undefined ? undefined : map.get(inner);
      if (made === undefined) throw new ModelError(`${label(f)}: output ${i} comes from an input that the call leaves out`);
      results.push(new Node('Identity', [made], [out], new Map(), this.names.unique(`${prefix}/${out.name}`)));
    });
    return results;
  }

  /** The spec lets versions differ where every op of the body means the same in both. */
  private checkImports(f: FunctionDef): void {
    for (const [domain, version] of f.opsets) {
      const ours = this.model.opsets.get(domain);
      if (ours === undefined) this.model.opsets.set(domain, version);
      if (ours === undefined || ours === version || this.domains.has(domain)) continue;
      for (const node of allNodes(f.body)) {
        if (node.domain !== domain || this.functions.has(keyOf(node.domain, node.opType, node.overload))) continue;
        const versions = findSignature(node.opType, node.domain)?.versions;
        const since = (opset: number) => versions?.filter((v) => v <= opset).at(-1);
        if (since(version) !== undefined && since(version) === since(ours)) continue;
        const name = domain === '' ? 'ai.onnx' : domain;
        throw new ModelError(
          `${label(f)} imports ${name} ${version}, the model ${ours}: ${node.opType} "${node.name}" differs between them`,
          {
            op: node.opType,
            node: node.name,
            expected: `${name} ${ours}`,
            got: `${name} ${version}`,
          },
        );
      }
    }
  }
}

function forgetShape(v: Value): void {
  if (v.type?.kind === 'tensor') v.type = tensorType(v.type.dtype);
}

function* allOf(nodes: readonly Node[]): Generator<Node> {
  for (const node of nodes) {
    yield node;
    for (const sub of node.subgraphs) yield* allNodes(sub);
  }
}

/** A reference to an attribute of the function: the call's, else its default, else none. */
function resolve(a: Attribute, call: Node, f: FunctionDef): Attribute | undefined {
  return a.kind === 'ref' ? (call.attributes.get(a.value) ?? f.attributeDefaults.get(a.value)) : a;
}
