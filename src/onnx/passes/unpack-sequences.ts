// Takes sequences and optionals apart where their length is known: what is read from one becomes the tensor itself, so that gradients run
// through. What it cannot follow (a sequence that is an input, or carried by a loop) stays. Specification: onnx/docs/Operators.md.
import { bounded, within } from '../core/bounds.js';
import { must } from '../core/errors.js';
import { Names } from '../ir/builder.js';
import { cloneNodes } from '../ir/clone.js';
import { type Graph, Node, Value } from '../ir/graph.js';
import { defaultOpset } from '../ir/model.js';
import { isStandard } from '../ops/definition.js';
import { ops } from '../ops/ops.js';
import type { Ops } from '../ops/ops-builder.js';
import { knownElements } from '../ops/rules/shape-value.js';
import type { PassContext } from './pass.js';

/** Returns whether anything was taken apart, in subgraphs as well. Types must be inferred. */
export function unpackSequences(graph: Graph, { opset = defaultOpset, names = Names.of(graph) }: PassContext = {}): boolean {
  const unpacking = new Unpacking(opset, names);
  unpacking.graph(graph);
  return unpacking.changed;
}

class Unpacking {
  changed = false;
  /** Nodes of bodies that stand in the graph for each element. */
  private written = 0;
  /** The tensors of each sequence, in order; of an optional that is known to hold something, that alone. */
  private readonly parts = new Map<Value, readonly Value[]>();

  constructor(
    private readonly opset: number,
    private readonly names: Names,
  ) {}

  graph(graph: Graph): void {
    const nodes = graph.nodes;
    graph.nodes = [];
    const g = ops({ graph, opset: this.opset, names: this.names });
    for (const node of nodes) {
      for (const sub of node.subgraphs) this.graph(sub);
      const replaced = isStandard(node) ? this.unpack(g, node) : undefined;
      if (replaced !== undefined) this.changed = true;
      graph.nodes.push(...(replaced ?? [node]));
    }
  }

  /** The nodes that take the place of one, after those that were added to the builder; undefined: it stays. */
  private unpack(g: Ops, node: Node): Node[] | undefined {
    const [sequence, second, third] = node.inputs;
    const out = must(node.outputs[0], 'output');
    const list = sequence === null || sequence === undefined ? undefined : this.parts.get(sequence);
    const same = (v: Value) => [new Node('Identity', [v], [out], new Map(), node.name)];
    /** The node stays for whoever reads the sequence whole. */
    const known = (parts: readonly Value[] | undefined) => {
      if (parts !== undefined) this.parts.set(out, parts);
      return undefined;
    };
    switch (node.opType) {
      case 'SequenceEmpty':
        return known([]);
      case 'SequenceConstruct':
        return known(node.inputs.filter((v) => v !== null));
      case 'Identity':
        return known(list);
      case 'SplitToSequence':
        return known(this.split(g, node));
      case 'Optional':
        return known(list ?? (sequence?.type?.kind === 'tensor' ? [sequence] : undefined));
      case 'SequenceMap':
        this.map(g, node);
        return undefined;
      default:
    }
    if (node.opType === 'OptionalGetElement' && out.type?.kind === 'tensor') {
      const inner = sequence?.type?.kind === 'tensor' ? sequence : list?.[0];
      return inner === undefined ? undefined : same(inner);
    }
    if (list === undefined) return undefined;
    switch (node.opType) {
      case 'OptionalGetElement':
        return known(list);
      case 'SequenceInsert':
        return known(insert(g, list, must(second ?? undefined, 'tensor'), third ?? undefined));
      case 'SequenceErase':
        return known(erase(g, list, second ?? undefined));
      case 'SequenceLength':
        return same(g.scalar(list.length, 'int64'));
      case 'SequenceAt': {
        const part = at(g, list, must(second ?? undefined, 'position'));
        return part === undefined ? undefined : same(part);
      }
      case 'ConcatFromSequence': {
        if (list.length === 0) return undefined;
        const axis = node.int('axis', 0);
        const parts = node.int('new_axis', 0) === 1 ? list.map((v) => g.unsqueeze(v, [axis])) : list;
        return same(g.concat(...parts, { axis }));
      }
      default:
        return undefined;
    }
  }

  /** The parts of a SplitToSequence, where their number is known. */
  private split(g: Ops, node: Node): Value[] | undefined {
    const [x, split] = node.inputs;
    const shape = x?.shape;
    if (!x || shape === undefined) return undefined;
    const given = node.int('axis', 0);
    const axis = given < 0 ? given + shape.length : given;
    const size = shape[axis];
    const named = split ? knownElements(split) : [1];
    if (named === undefined || named.length === 0 || !named.every((d) => typeof d === 'number')) return undefined;
    const [each = 1] = named;
    const equal = !split || split.shape?.length === 0;
    if (equal && (typeof size !== 'number' || size === 0 || each < 1)) return undefined;
    const count = equal ? Math.ceil(Number(size) / each) : named.length;
    if (!within('nodes', count)) return undefined;
    const sizes = equal ? Array.from({ length: count }, (_, i) => Math.min(each, Number(size) - i * each)) : named;
    const parts = g.op('Split', [x, g.ints(sizes)], { axis }, count);
    return !split && node.int('keepdims', 1) === 0 ? parts.map((v) => g.squeeze(v, [axis])) : parts;
  }

  /** The body of a SequenceMap once for each element. */
  private map(g: Ops, node: Node): void {
    const a = node.attributes.get('body');
    const lists = node.inputs.map((v) =>
      v === null ? undefined : (this.parts.get(v) ?? (v.type?.kind === 'tensor' ? v : undefined)),
    );
    const [first] = lists;
    if (a?.kind !== 'graph' || !Array.isArray(first) || lists.includes(undefined)) return;
    const body = a.value;
    this.written += first.length * body.nodes.length;
    bounded('written', this.written, `${node.opType} "${node.name}" written out for each element`);
    // weights of the body stand outside once, for all elements
    const shared = body.initializers.map((v): [Value, Value] => {
      const copy = new Value(this.names.unique(v.name), v.type);
      copy.constant = v.constant;
      g.graph.initializers.push(copy);
      return [v, copy];
    });
    const results = first.map((_, i) => {
      const map = new Map(shared);
      body.inputs.forEach((v, k) => {
        const from = lists[k];
        const part = Array.isArray(from) ? from[i] : from;
        if (part !== undefined) map.set(v, part);
      });
      const rename = (name: string) => this.names.unique(`${node.name || 'SequenceMap'}/${i}/${name}`);
      g.graph.nodes.push(...cloneNodes(body.nodes, { map, rename }));
      return body.outputs.map((v) => map.get(v) ?? v);
    });
    node.outputs.forEach((out, k) => {
      this.parts.set(
        out,
        results.map((r) => must(r[k], 'output of the body')),
      );
    });
  }
}

/** The place that a position names in a list; undefined when it is known at run time only, or outside. */
function placeOf(position: Value | undefined, length: number, fallback: number, last: number): number | undefined {
  if (position === undefined) return fallback;
  const p = knownElements(position)?.[0];
  const place = typeof p === 'number' && p < 0 ? p + length : p;
  return typeof place === 'number' && place >= 0 && place <= last ? place : undefined;
}

/** A position at run time, counted from the front. */
function counted(g: Ops, position: Value, length: number): Value {
  const p = g.reshape(position.dtype === 'int64' ? position : g.cast(position, { to: 'int64' }), []);
  return g.where(g.less(p, 0), g.add(p, length), p);
}

/** `yes` where the condition holds, else `no`: tensors of any shapes. */
function choose(g: Ops, condition: Value, yes: Value, no: Value): Value {
  const [then, other] = [g.subgraph('then'), g.subgraph('else')];
  then.output(then.identity(yes));
  other.output(other.identity(no));
  return must(g.op('If', [condition], { then_branch: then.graph, else_branch: other.graph })[0], 'output of If');
}

function at(g: Ops, list: readonly Value[], position: Value): Value | undefined {
  const place = placeOf(position, list.length, 0, list.length - 1);
  if (place !== undefined) return list[place];
  if (list.length === 0 || knownElements(position)?.[0] !== null) return undefined;
  const p = counted(g, position, list.length);
  return list.reduceRight((rest, v, i) => (i === list.length - 1 ? v : choose(g, g.equal(p, i), v, rest)));
}

function insert(g: Ops, list: readonly Value[], v: Value, position: Value | undefined): readonly Value[] | undefined {
  const place = placeOf(position, list.length, list.length, list.length);
  if (place !== undefined) return list.toSpliced(place, 0, v);
  if (position === undefined || knownElements(position)?.[0] !== null) return undefined;
  // element i is the old one before the position, the new one at it, the old one before behind it
  const p = counted(g, position, list.length);
  return Array.from({ length: list.length + 1 }, (_, i) => {
    const [here, before] = [list[i], list[i - 1]];
    const behind = before === undefined ? v : choose(g, g.equal(p, i), v, before);
    return here === undefined ? behind : choose(g, g.greater(p, i), here, behind);
  });
}

function erase(g: Ops, list: readonly Value[], position: Value | undefined): readonly Value[] | undefined {
  const place = placeOf(position, list.length, list.length - 1, list.length - 1);
  if (place !== undefined) return list.toSpliced(place, 1);
  if (position === undefined || knownElements(position)?.[0] !== null) return undefined;
  const p = counted(g, position, list.length);
  return list.slice(0, -1).map((v, i) => choose(g, g.greater(p, i), v, must(list[i + 1], 'element')));
}
