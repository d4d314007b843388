// The graph verifier: what must hold of every graph that is built, changed by a pass or read from a file. onnx/docs/IR.md, "Graphs" and
// "Names within a graph". It knows no op; with an inference function it also compares types.
import { type ErrorFields, ModelError, PrognetError } from '../core/errors.js';
import { compatibleDim, type Dim, formatShape, mergeDim, type Shape } from '../core/shape.js';
import type { Infer } from './builder.js';
import type { Graph, Node, Value } from './graph.js';
import { defaultOpset } from './model.js';
import { formatType, refusedType, type Type } from './types.js';

/**
 * Throws ModelError, in one line that names node or value, unless: names are unique among the values visible at a place (branches of an If
 * may use the same ones), every input is defined before its use in the graph or in one around it, producers are consistent, no value and no
 * subgraph stands in two places, outputs are defined, initializers hold data of their type. With `infer`, the types that it gives must
 * agree with the ones stored; a result it leaves out is not compared.
 */
export function verifyGraph(graph: Graph, infer?: Infer, opset: number = defaultOpset): void {
  const verifier = new Verifier(infer, opset);
  try {
    verifier.graph(graph, undefined);
  } finally {
    verifier.restore();
  }
}

/** What is visible at a place: the values of a graph defined so far, and those of the graphs around it. */
class Scope {
  readonly values = new Set<Value>();
  readonly names = new Set<string>();
  constructor(readonly outer: Scope | undefined) {}

  sees(v: Value): boolean {
    return this.values.has(v) || (this.outer?.sees(v) ?? false);
  }
  seesName(name: string): boolean {
    return this.names.has(name) || (this.outer?.seesName(name) ?? false);
  }
}

class Verifier {
  private readonly defined = new Set<Value>();
  private readonly graphs = new Set<Graph>();
  /** What types were before they were inferred: what follows is checked against what is known, and the graph stays as it is. */
  private readonly before: (readonly [Value, Type | undefined])[] = [];

  constructor(
    private readonly infer: Infer | undefined,
    private readonly opset: number,
  ) {}

  restore(): void {
    for (const [v, type] of this.before) v.type = type;
  }

  graph(graph: Graph, outer: Scope | undefined): void {
    if (this.graphs.has(graph)) throw new ModelError(`graph "${graph.name}" is the subgraph of two attributes`);
    this.graphs.add(graph);
    const scope = new Scope(outer);
    for (const v of graph.inputs) this.source(scope, v, `input of graph "${graph.name}"`);
    const inputs = new Set(graph.inputs);
    for (const v of graph.initializers) {
      if (!inputs.has(v)) this.source(scope, v, `initializer of graph "${graph.name}"`);
      else if (outer !== undefined) throw new ModelError(`input "${v.name}" of graph "${graph.name}", a subgraph, has data`);
      initializer(v);
    }
    for (const { value } of graph.sparseInitializers) {
      if (!inputs.has(value)) this.source(scope, value, `sparse initializer of graph "${graph.name}"`);
    }
    const nodes = new Set<string>();
    for (const node of graph.nodes) {
      this.node(scope, node);
      if (node.name !== '' && nodes.has(node.name))
        throw new ModelError(
          `graph "${graph.name}" has two nodes of the name "${node.name}", expected a name of its own or none`,
        );
      nodes.add(node.name);
    }
    for (const v of graph.outputs) {
      if (!scope.sees(v)) throw new ModelError(`output "${v.name}" of graph "${graph.name}" is not defined`);
    }
  }

  /** Defines a value that no node computes. */
  private source(scope: Scope, v: Value, what: string): void {
    if (v.producer !== undefined) {
      throw new ModelError(`value "${v.name}", ${what}, claims to be computed by ${label(v.producer)}`);
    }
    if (v.name === '') throw new ModelError(`an ${what} has no name`);
    const why = refusedType(v.type);
    if (why !== undefined)
      throw new ModelError(`${what} "${v.name}" is ${formatType(v.type)}: ${why}`, { got: formatType(v.type) });
    this.define(scope, v, what);
  }

  private define(scope: Scope, v: Value, what: string, fields: ErrorFields = {}): void {
    if (this.defined.has(v)) throw new ModelError(`value "${v.name}" is defined twice, the second time as ${what}`, fields);
    if (scope.seesName(v.name)) throw new ModelError(`the name "${v.name}" is taken already at ${what}`, fields);
    this.defined.add(v);
    scope.values.add(v);
    scope.names.add(v.name);
  }

  private node(scope: Scope, node: Node): void {
    const fields = { op: node.opType, node: node.name };
    node.inputs.forEach((v, i) => {
      if (v === null || scope.sees(v)) return;
      throw new ModelError(`${label(node)}: input ${i} ("${v.name}") is not defined before it`, fields);
    });
    for (const sub of node.subgraphs) this.graph(sub, scope);
    node.outputs.forEach((v, i) => {
      if (v.producer !== node) {
        const claim = v.producer === undefined ? 'nothing' : label(v.producer);
        throw new ModelError(`${label(node)}: output ${i} ("${v.name}") claims to be computed by ${claim}`, fields);
      }
      if (v.constant !== undefined) throw new ModelError(`${label(node)}: output ${i} ("${v.name}") has constant data`, fields);
    });
    if (this.infer !== undefined) this.types(node, this.infer);
    node.outputs.forEach((v, i) => {
      if (v.name !== '') this.define(scope, v, `output ${i} of ${label(node)}`, fields);
    });
  }

  private types(node: Node, infer: Infer): void {
    const fields = { op: node.opType, node: node.name };
    let types: (Type | undefined)[];
    try {
      types = infer(node, this.opset);
    } catch (cause) {
      if (!(cause instanceof PrognetError) || cause instanceof ModelError) throw cause;
      throw new ModelError(cause.message, { ...fields, cause });
    }
    node.outputs.forEach((v, i) => {
      if (v.name === '') return;
      try {
        const type = mergeTypes(v.type, types[i]);
        if (type === v.type) return;
        this.before.push([v, v.type]);
        v.type = type;
      } catch (cause) {
        const [stored, inferred] = [formatType(v.type), formatType(types[i])];
        throw new ModelError(`${label(node)}: output "${v.name}" is ${stored}, inferred is ${inferred}`, {
          ...fields,
          expected: inferred,
          got: stored,
          cause,
        });
      }
    });
  }
}

/** `Gemm "fc1"` */
function label(node: Node): string {
  return `${node.opType} "${node.name}"`;
}

function initializer(v: Value): void {
  const { constant, type } = v;
  if (constant === undefined) throw new ModelError(`initializer "${v.name}" has no data`);
  if (type === undefined) return;
  const fits =
    type.kind === 'tensor' &&
    type.dtype === constant.dtype &&
    (type.shape === undefined ||
      (type.shape.length === constant.dims.length &&
        type.shape.every((d, i) => typeof d !== 'number' || d === constant.dims[i])));
  if (!fits) {
    const held = `${constant.dtype}${formatShape(constant.dims)}`;
    throw new ModelError(`initializer "${v.name}" is declared ${formatType(type)}, its data are ${held}`, {
      expected: formatType(type),
      got: held,
    });
  }
}

/**
 * What is known of a value from two statements about its type: numbers before symbols, symbols before nothing, of two symbols the first.
 * Throws ModelError where both cannot hold.
 */
export function mergeTypes(a: Type | undefined, b: Type | undefined): Type | undefined {
  if (a === undefined || b === undefined || a === b) return a ?? b;
  const differ = () => new ModelError(`types differ, ${formatType(a)} and ${formatType(b)}`);
  switch (a.kind) {
    case 'tensor':
    case 'sparse_tensor':
      if (b.kind !== a.kind || a.dtype !== b.dtype) throw differ();
      return { ...a, shape: mergeShapes(a.shape, b.shape, differ) };
    case 'sequence':
    case 'optional':
      if (b.kind !== a.kind) throw differ();
      return { ...a, element: mergeTypes(a.element, b.element) };
    case 'map':
      if (b.kind !== 'map' || a.key !== b.key) throw differ();
      return { ...a, value: mergeTypes(a.value, b.value) };
    case 'opaque':
      if (b.kind !== 'opaque' || a.domain !== b.domain || a.name !== b.name) throw differ();
      return a;
  }
}

function mergeShapes(a: Shape | undefined, b: Shape | undefined, differ: () => ModelError): Shape | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  if (a.length !== b.length || !a.every((d, i) => compatibleDim(d, b[i] ?? null))) throw differ();
  return a.map((d, i): Dim => mergeDim(d, b[i] ?? null));
}
