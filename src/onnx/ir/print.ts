// Graphs as text for people, tests and snapshots: one node a line, types of outputs, small constants where they are read. It is not a file
// format; nothing reads it back.
//
//     graph mlp (x: float32[N,4]) -> (y)
//       w: float32[4,30]
//       h: float32[N,30] = MatMul(x, w)
//       y: float32[N,30] = Add(h, float32(0.5))
//
// With canonical names h is %1, so that a snapshot says what is computed and not what the scopes are called.

import { dtypeFromCode } from '../core/dtype.js';
import { anObject, given } from '../core/given.js';
import type { Tensor } from '../core/tensor.js';
import { isDTypeAttribute } from './dtype-attributes.js';
import { type Attribute, aGraph, type Graph, Node, type Value } from './graph.js';
import type { Model } from './model.js';
import { aModel } from './model.js';
import { formatType } from './types.js';
import { Uses } from './uses.js';

/** Constants of at most this many elements are written where they are read. */
const inlineSize = 8;

/** How much of a graph is printed. */
export interface PrintOptions {
  /**
   * What nodes compute, and what subgraphs take in, is called %1, %2, ... in the order of definition. Inputs and outputs of the graph and
   * initializers keep their names, since people know them by these. Default: every value has its own name.
   */
  readonly canonical?: boolean;
}

/** The graph with its subgraphs, indented. Deterministic; no trailing newline. */
export function printGraph(graph: Graph, options: PrintOptions = {}): string {
  given('printGraph', { graph, options }, { graph: aGraph, options: anObject });
  const lines: string[] = [];
  writeGraph(lines, graph, '', '', textsOf(graph, options));
  return lines.join('\n');
}

/** Versions and metadata, then the graph and the functions. */
export function printModel(model: Model, options: PrintOptions = {}): string {
  given('printModel', { model, options }, { model: aModel, options: anObject });
  const lines: string[] = [];
  const opsets = [...model.opsets].map(([domain, version]) => `${domain || 'ai.onnx'} ${version}`).join(', ');
  const by = [model.producerName, model.producerVersion].filter((s) => s !== '').join(' ');
  lines.push(`model ir ${model.irVersion}, ${opsets}${by === '' ? '' : `, by ${by}`}`);
  for (const [key, value] of model.metadata) lines.push(`  ${key}: ${JSON.stringify(value)}`);
  lines.push(printGraph(model.graph, options));
  for (const f of model.functions) {
    lines.push(`function ${f.domain}::${f.name}${f.overload === '' ? '' : `:${f.overload}`}<${f.attributes.join(', ')}>`);
    writeGraph(lines, f.body, '  ', '', textsOf(f.body, options));
  }
  return lines.join('\n');
}

/** How a value is written where it is defined, and where it is read. */
interface Texts {
  readonly inline: ReadonlySet<Value>;
  readonly name: (v: Value) => string;
}

function textsOf(graph: Graph, { canonical = false }: PrintOptions): Texts {
  const numbers = canonical ? numbered(graph) : new Map<Value, string>();
  return { inline: inlined(graph), name: (v) => numbers.get(v) ?? v.name };
}

/** Numbers for what is computed or taken in by a subgraph, but for the outputs of the graph itself. */
function numbered(graph: Graph): Map<Value, string> {
  const numbers = new Map<Value, string>();
  const known = new Set([...graph.inputs, ...graph.outputs]);
  const number = (values: readonly Value[]) => {
    for (const v of values) {
      if (v.name !== '' && v.constant === undefined && !known.has(v)) numbers.set(v, `%${numbers.size + 1}`);
    }
  };
  const look = (nodes: readonly Node[]) => {
    for (const node of nodes) {
      number(node.outputs);
      for (const sub of node.subgraphs) {
        number(sub.inputs);
        look(sub.nodes);
      }
    }
  };
  look(graph.nodes);
  return numbers;
}

/** The initializers that are written where they are read: small, read, and no input or output of a graph. */
function inlined(graph: Graph): Set<Value> {
  const uses = new Uses(graph);
  const inputs = new Set(uses.graphs.flatMap((g) => g.inputs));
  const written = (v: Value) =>
    v.constant !== undefined &&
    v.constant.size <= inlineSize &&
    !inputs.has(v) &&
    uses.isRead(v) &&
    uses.of(v).every(({ reader }) => reader instanceof Node);
  return new Set(uses.graphs.flatMap((g) => g.initializers.filter(written)));
}

function writeGraph(lines: string[], graph: Graph, indent: string, prefix: string, texts: Texts): void {
  const inputs = graph.inputs.map((v) => `${texts.name(v)}: ${formatType(v.type)}`).join(', ');
  const outputs = graph.outputs.map(texts.name).join(', ');
  lines.push(`${indent}${prefix}graph ${graph.name} (${inputs}) -> (${outputs})`);
  const inner = `${indent}  `;
  for (const v of graph.initializers) {
    if (texts.inline.has(v)) continue;
    lines.push(`${inner}${v.name}: ${v.constant === undefined ? '?' : formatConstant(v.constant)}`);
  }
  for (const { value, data } of graph.sparseInitializers) {
    lines.push(`${inner}${value.name}: sparse ${data.values.dtype}[${data.dims.join(',')}]`);
  }
  for (const node of graph.nodes) writeNode(lines, node, inner, texts);
}

function writeNode(lines: string[], node: Node, indent: string, texts: Texts): void {
  const outputs = node.outputs.map((v) => (v.name === '' ? '_' : `${texts.name(v)}: ${formatType(v.type)}`)).join(', ');
  const op = node.domain === '' ? node.opType : `${node.domain}::${node.opType}`;
  const attributes: string[] = [];
  for (const [name, a] of node.attributes) {
    if (a.kind === 'graph' || a.kind === 'graphs') continue;
    const dtype = a.kind === 'int' && node.domain === '' && isDTypeAttribute(name) ? dtypeFromCode(Number(a.value)) : undefined;
    attributes.push(`${name}=${dtype ?? formatAttribute(a)}`);
  }
  const inputs = node.inputs.map((v) => {
    if (v === null) return '_';
    return v.constant !== undefined && texts.inline.has(v) ? formatConstant(v.constant) : texts.name(v);
  });
  lines.push(`${indent}${outputs} = ${op}${attributes.length === 0 ? '' : `<${attributes.join(', ')}>`}(${inputs.join(', ')})`);
  for (const [name, a] of node.attributes) {
    const graphs = a.kind === 'graph' ? [a.value] : a.kind === 'graphs' ? a.value : [];
    graphs.forEach((sub, i) => {
      writeGraph(lines, sub, `${indent}  `, a.kind === 'graph' ? `${name}: ` : `${name}[${i}]: `, texts);
    });
  }
}

/** `float32(0.5)`, `int64{1,2}`, `float32[2,2]{1,0,0,1}`; beyond `inlineSize` elements only dtype and shape. */
function formatConstant(t: Tensor): string {
  const shape = `[${t.dims.join(',')}]`;
  if (t.size > inlineSize) return `${t.dtype}${shape}`;
  const elements = Array.from(t.data as ArrayLike<number | bigint | string>, formatElement).join(',');
  if (t.dims.length === 0) return `${t.dtype}(${elements})`;
  return t.dims.length === 1 && t.size > 0 ? `${t.dtype}{${elements}}` : `${t.dtype}${shape}{${elements}}`;
}

/** A float32 with the fewest digits that give it back, so that it does not show that a double holds it. */
function formatElement(v: number | bigint | string): string {
  if (typeof v === 'string') return JSON.stringify(v);
  if (typeof v === 'bigint' || Number.isInteger(v)) return Object.is(v, -0) ? '-0' : String(v);
  for (let digits = 1; digits <= 9; digits++) {
    const short = Number(v.toPrecision(digits));
    if (Math.fround(short) === v) return String(short);
  }
  return String(v);
}

function formatAttribute(a: Attribute): string {
  switch (a.kind) {
    case 'float':
      return formatElement(a.value);
    case 'int':
      return String(a.value);
    case 'string':
      return JSON.stringify(new TextDecoder().decode(a.value));
    case 'floats':
      return `[${a.value.map(formatElement).join(',')}]`;
    case 'ints':
      return `[${a.value.join(',')}]`;
    case 'strings':
      return `[${a.value.map((s) => JSON.stringify(new TextDecoder().decode(s))).join(',')}]`;
    case 'tensor':
      return formatConstant(a.value);
    case 'tensors':
      return `[${a.value.map(formatConstant).join(', ')}]`;
    case 'sparse_tensor':
      return `sparse ${a.value.values.dtype}[${a.value.dims.join(',')}]`;
    case 'sparse_tensors':
      return `[${a.value.map((s) => `sparse ${s.values.dtype}[${s.dims.join(',')}]`).join(', ')}]`;
    case 'type':
      return formatType(a.value);
    case 'types':
      return `[${a.value.map(formatType).join(', ')}]`;
    case 'ref':
      return `@${a.value}`;
    default:
      return a.kind;
  }
}
