// What `prognet inspect` says of a model: versions, signature, parameters, ops, metadata. Reads the IR alone and runs nothing.

import { type DType, isFloat } from '../core/dtype.js';
import { anObject, given } from '../core/given.js';
import { formatShape } from '../core/shape.js';
import type { Tensor } from '../core/tensor.js';
import type { Graph, Node, Value } from './graph.js';
import type { Model } from './model.js';
import { aModel } from './model.js';
import { formatType } from './types.js';
import { weightsOfConstant } from './weights.js';

/** Input or output; `type` as `float32[N,10]`, `?` when the file does not state it. */
export interface SignatureEntry {
  /** What it is called. */
  readonly name: string;
  /** Its type as text, such as `float32 [N, 10]`. */
  readonly type: string;
}

/** A weight of a model. */
export interface InitializerEntry {
  /** What it is called. */
  readonly name: string;
  /** The type of its elements. */
  readonly dtype: DType;
  /** Its shape. */
  readonly shape: readonly number[];
  /** Bytes of its elements. */
  readonly bytes: number;
}

/** Plain data, ready for JSON. */
export interface ModelSummary {
  /** ONNX's IR version. */
  readonly irVersion: number;
  /** Domain to version; `ai.onnx` is the standard one. */
  readonly opsets: Readonly<Record<string, number>>;
  /** The program that wrote it, and its version. */
  readonly producer: { readonly name: string; readonly version: string };
  /** The graph's name. */
  readonly graph: string;
  /** Its inputs, in order. */
  readonly inputs: readonly SignatureEntry[];
  /** Its outputs, in order. */
  readonly outputs: readonly SignatureEntry[];
  /** Elements and bytes of floating-point and 8-bit initializers and Constant nodes; shapes, axes and indices are not parameters. */
  readonly parameters: { readonly count: number; readonly bytes: number };
  /** Nodes of the graph and its subgraphs. */
  readonly nodes: number;
  /** How many nodes of each op, the most frequent first; ops of other domains as `domain::Op`. */
  readonly ops: Readonly<Record<string, number>>;
  /** In the order of the file, those of subgraphs after those of the graph. */
  readonly initializers: readonly InitializerEntry[];
  /** Weights that stand in Constant nodes: of floats, and more than a number. */
  readonly constants: readonly InitializerEntry[];
  /** Names of its functions. */
  readonly functions: readonly string[];
  /** Texts by key. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** Summarises a model. Inputs that are initializers as well (IR 3) count as initializers, not as inputs. */
export function inspectModel(model: Model): ModelSummary {
  given('inspectModel', { model }, { model: aModel });
  const { graph } = model;
  const graphs = [...graphsOf(graph)];
  const nodes = graphs.flatMap((g) => g.nodes);
  const tensors = graphs.flatMap((g) =>
    g.initializers.flatMap((v): [string, Tensor][] => (v.constant ? [[v.name, v.constant]] : [])),
  );
  const parameters = [...tensors.map(([, t]) => t), ...nodes.flatMap(constantsOf)].filter(isParameter);
  const initialized = new Set(graph.initializers);
  return {
    irVersion: model.irVersion,
    opsets: Object.fromEntries([...model.opsets].map(([domain, version]) => [domain || 'ai.onnx', version])),
    producer: { name: model.producerName, version: model.producerVersion },
    graph: graph.name,
    inputs: graph.inputs.filter((v) => !initialized.has(v)).map(signature),
    outputs: graph.outputs.map(signature),
    parameters: {
      count: parameters.reduce((n, t) => n + t.size, 0),
      bytes: parameters.reduce((n, t) => n + bytesOf(t), 0),
    },
    nodes: nodes.length,
    ops: histogram(nodes),
    initializers: tensors.map(([name, t]) => entry(name, t)),
    constants: nodes.flatMap(weightsOfConstant).map(({ value, tensor }) => entry(value.name, tensor)),
    functions: model.functions.map((f) => `${f.domain}::${f.name}`),
    metadata: Object.fromEntries(model.metadata),
  };
}

function* graphsOf(graph: Graph): Generator<Graph> {
  yield graph;
  for (const node of graph.nodes) for (const sub of node.subgraphs) yield* graphsOf(sub);
}

/** What a Constant node gives: some exporters write weights as such nodes. */
function constantsOf({ opType, domain, attributes }: Node): Tensor[] {
  if (opType !== 'Constant' || (domain !== '' && domain !== 'ai.onnx')) return [];
  return [...attributes.values()].flatMap((a) => (a.kind === 'tensor' ? [a.value] : []));
}

const entry = (name: string, t: Tensor): InitializerEntry => ({ name, dtype: t.dtype, shape: [...t.dims], bytes: bytesOf(t) });

function signature(v: Value): SignatureEntry {
  return { name: v.name, type: formatType(v.type) };
}

function isParameter({ dtype }: Tensor): boolean {
  return isFloat(dtype) || (dtype !== 'bool' && dtype !== 'string' && !/^u?int(16|32|64)$/.test(dtype));
}

/** As raw_data; strings as UTF-8. */
function bytesOf(t: Tensor): number {
  if (t.dtype !== 'string') return t.byteLength;
  let bytes = 0;
  for (const s of t.data) bytes += new TextEncoder().encode(String(s)).length;
  return bytes;
}

function histogram(nodes: readonly Node[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const node of nodes) {
    const op = node.domain === '' || node.domain === 'ai.onnx' ? node.opType : `${node.domain}::${node.opType}`;
    counts.set(op, (counts.get(op) ?? 0) + 1);
  }
  return Object.fromEntries([...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)));
}

/** The summary for people, several lines without a trailing newline. Long metadata is cut. */
export function formatInspection(summary: ModelSummary): string {
  given('formatInspection', { summary }, { summary: anObject, 'summary.opsets': anObject, 'summary.producer': anObject });
  const opsets = Object.entries(summary.opsets).map(([domain, version]) => `${domain} ${version}`);
  const producer = [summary.producer.name, summary.producer.version].filter((s) => s !== '').join(' ');
  const lines = [
    `graph       ${summary.graph}`,
    `format      IR ${summary.irVersion}, ${opsets.join(', ')}${producer === '' ? '' : `, by ${producer}`}`,
    `parameters  ${grouped(summary.parameters.count)} (${formatBytes(summary.parameters.bytes)})`,
    `nodes       ${grouped(summary.nodes)}`,
  ];
  section(
    lines,
    'inputs',
    summary.inputs.map((v) => [v.name, v.type]),
  );
  section(
    lines,
    'outputs',
    summary.outputs.map((v) => [v.name, v.type]),
  );
  section(
    lines,
    'ops',
    Object.entries(summary.ops).map(([op, n]) => [op, String(n)]),
  );
  const weights = (list: readonly InitializerEntry[]) =>
    list.map((v) => [v.name, `${v.dtype}${formatShape(v.shape)}`, formatBytes(v.bytes)]);
  section(lines, 'initializers', weights(summary.initializers));
  section(lines, 'weights in Constant nodes', weights(summary.constants));
  section(
    lines,
    'functions',
    summary.functions.map((f) => [f]),
  );
  section(lines, 'metadata', Object.entries(summary.metadata));
  return lines.join('\n');
}

/** A heading and rows in columns; nothing when there are none. */
function section(lines: string[], heading: string, rows: readonly (readonly string[])[]): void {
  if (rows.length === 0) return;
  lines.push(heading);
  const cells = rows.map((row) => row.map(cell));
  const widths: number[] = [];
  for (const row of cells) for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  for (const row of cells) {
    lines.push(`  ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ')}`.trimEnd());
  }
}

/** 1234567 as `1,234,567`, whatever the locale. */
function grouped(n: number): string {
  return String(n).replace(/\B(?=(\d{3})+$)/g, ',');
}

function formatBytes(n: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let size = n;
  let unit = 0;
  for (; size >= 1024 && unit < units.length - 1; unit++) size /= 1024;
  return `${unit === 0 ? size : size.toFixed(1)} ${units[unit]}`;
}

/** Control characters escaped, at most 100 characters. */
function cell(text: string): string {
  const flat = text.replace(/[\u0000-\u001f\u007f-\u009f]/g, (c) => JSON.stringify(c).slice(1, -1));
  return flat.length > 100 ? `${flat.slice(0, 99)}…` : flat;
}
