// Imported columns in a network's graph. To our passes their taps and scores are values that come from outside; once the passes have run, the nodes
// of the file itself are put in, as they are, as far as something reads them. Where a graph comes from is imported-graph.ts.
import { InternalError, must, UsageError } from '../../onnx/core/errors.js';
import { Names } from '../../onnx/ir/builder.js';
import { cloneNodes } from '../../onnx/ir/clone.js';
import { allNodes, type Graph, Node, nodeReads, Value } from '../../onnx/ir/graph.js';
import { type Type, tensorType } from '../../onnx/ir/types.js';
import type { LayerScope } from '../nn/scope.js';
import type { ImportedGraph, ImportedParameter } from './imported-graph.js';

/** An imported column is frozen as it came. */
export function refuseTraining({
  task,
  imported,
}: {
  readonly task: string;
  readonly imported: ImportedGraph | undefined;
}): void {
  if (imported === undefined) return;
  throw new UsageError(`task "${task}" is imported and not trained here`, { got: task, remedy: { kind: 'import', task } });
}

/** The values of one imported column within one graph. */
export class ImportedLowering {
  /** By name in the column's own graph: what stands for the value while passes run. */
  private readonly standins = new Map<string, Value>();
  /** Weights of the column in this graph, by the inputs of its own. */
  private readonly weights = new Map<Value, Value>();
  private readonly nodes = new Set<Node>();
  private readonly leaves = new Set<Value>();

  constructor(
    private readonly task: string,
    private readonly imported: ImportedGraph,
    private readonly scope: LayerScope,
    /** What it reads, as the column prepares it. */
    private readonly given: readonly Value[],
    /** The value of a weight in this graph. */
    private readonly weight: (parameter: ImportedParameter) => Value,
  ) {
    for (const v of imported.inputs) this.leaves.add(v);
  }

  /** The tap of that number, float32. */
  tap(block: number): Value {
    const name = must(this.imported.taps[block], `tap ${block}`);
    return this.standin(name, () => tensorType('float32', ['N', ...this.imported.tapShape(block)]));
  }

  /** What comes last: raw scores, float32 [N, k], or what nothing judges, as the graph gives it. */
  scores(judged: boolean): Value {
    const { imported } = this;
    const { scores, taps } = imported;
    const same = taps.indexOf(scores);
    if (!judged && same >= 0) return this.tap(same);
    return this.standin(scores, () =>
      judged ? tensorType('float32', ['N', ...imported.scoresShape]) : imported.output(scores).type,
    );
  }

  private standin(name: string, type: () => Type | undefined): Value {
    const { imported } = this;
    const known = this.standins.get(name);
    if (known !== undefined) return known;
    const { g } = this.scope;
    for (const v of imported.leavesOf(imported.output(name), this.leaves, this.nodes)) {
      if (v.constant !== undefined) continue;
      this.weights.set(v, this.weight(imported.parameterOf(v)));
    }
    const value = new Value(g.names.unique(`${this.task}/${name}`), type());
    this.standins.set(name, value);
    return value;
  }

  /** What stands for values that the file's nodes compute. */
  get outside(): readonly Value[] {
    return [...this.standins.values()];
  }

  /** What must come through passes: the input where it is computed, and weights that nothing reads before the nodes are there. */
  get needed(): readonly Value[] {
    return [...this.given, ...this.weights.values()].filter((v) => v.producer !== undefined || v.constant !== undefined);
  }

  /** Puts the nodes into the graph; `now` tells what became of `needed`. */
  splice(graph: Graph, now: ReadonlyMap<Value, Value>): void {
    const { imported, task } = this;
    const current = (v: Value) => now.get(v) ?? v;
    const given = this.given.map(current);
    const map = new Map<Value, Value>(imported.inputs.map((v, i) => [v, must(given[i], v.name)]));
    for (const [v, weight] of this.weights) map.set(v, current(weight));
    const present = Names.of(graph);
    for (const v of this.standins.values()) present.unique(v.name);
    const { names } = this.scope.g;
    const rename = (name: string): string => {
      let free = names.unique(`${task}/${name}`);
      while (present.has(free)) free = names.unique(`${task}/${name}`);
      return free;
    };
    for (const v of this.leaves) {
      if (v.constant === undefined) continue;
      const copy = new Value(rename(v.name), v.type);
      copy.constant = v.constant;
      graph.initializers.push(copy);
      map.set(v, copy);
    }
    // In the order of the file, which is one that can be computed.
    const copies = cloneNodes(
      imported.model.graph.nodes.filter((n) => this.nodes.has(n)),
      { map, rename },
    );
    const made = new Map<Value, Value>();
    for (const [name, standin] of this.standins) {
      const own = must(map.get(imported.output(name)), name);
      const value = standin.type?.kind === 'tensor' && standin.type.dtype === 'float32' ? this.asFloat(own, copies, rename) : own;
      made.set(standin, value);
      value.name = standin.name;
    }
    const at = graph.nodes.findLastIndex((node) => node.outputs.some((v) => given.includes(v))) + 1;
    graph.nodes.splice(at, 0, ...copies);
    skipIdentities(graph, made);
    replace(graph, made);
    graph.nodes = inOrder(graph.nodes);
  }

  /** Columns compute in float32. */
  private asFloat(v: Value, copies: Node[], rename: (name: string) => string): Value {
    const type: Type | undefined = v.type;
    if (type?.kind !== 'tensor' || type.dtype === 'float32') return v;
    const y = new Value('', tensorType('float32', type.shape));
    copies.push(new Node('Cast', [v], [y], new Map([['to', { kind: 'int', value: 1n }]]), rename('Cast')));
    return y;
  }
}

/** Runs passes over a graph with what is imported outside of it, then puts it in. */
export function aroundImported(graph: Graph, imported: readonly ImportedLowering[], passes: () => void): void {
  if (imported.length === 0) {
    passes();
    return;
  }
  const needed = [...new Set(imported.flatMap((lowering) => lowering.needed))];
  const given = new Set(imported.flatMap((lowering) => lowering.outside));
  const { length } = graph.outputs;
  graph.outputs.push(...needed);
  graph.inputs.push(...given);
  passes();
  const kept = graph.outputs.splice(length);
  graph.inputs = graph.inputs.filter((v) => !given.has(v));
  if (kept.length !== needed.length) throw new InternalError('a pass lost an output');
  const now = new Map(needed.map((v, i) => [v, must(kept[i], v.name)]));
  for (const lowering of imported) lowering.splice(graph, now);
}

/** An output that was only a name for an imported value is that value itself. */
function skipIdentities(graph: Graph, made: Map<Value, Value>): void {
  const outputs = new Set(graph.outputs);
  const taken = new Set<Value>();
  graph.nodes = graph.nodes.filter((node) => {
    const [from] = node.inputs;
    const [to] = node.outputs;
    const value = from ? made.get(from) : undefined;
    if (node.opType !== 'Identity' || value === undefined || to === undefined || !outputs.has(to) || taken.has(value))
      return true;
    taken.add(value);
    value.name = to.name;
    made.set(to, value);
    return false;
  });
}

function replace(graph: Graph, made: ReadonlyMap<Value, Value>): void {
  for (const node of allNodes(graph)) {
    if (node.inputs.some((v) => v !== null && made.has(v))) node.inputs = node.inputs.map((v) => (v && made.get(v)) ?? v);
    for (const body of node.subgraphs) body.outputs = body.outputs.map((v) => made.get(v) ?? v);
  }
  graph.outputs = graph.outputs.map((v) => made.get(v) ?? v);
}

/** Each node behind those that it reads, and otherwise as they stand. */
function inOrder(nodes: readonly Node[]): Node[] {
  const own = new Set(nodes);
  const done = new Set<Node>();
  for (const first of nodes) {
    const open = [first];
    for (let node = open.at(-1); node !== undefined; node = open.at(-1)) {
      const before = [...nodeReads(node)].flatMap(({ producer }) =>
        producer !== undefined && own.has(producer) && !done.has(producer) ? [producer] : [],
      );
      if (before.length > 0 && !done.has(node)) open.push(...before);
      else {
        done.add(node);
        open.pop();
      }
    }
  }
  return [...done];
}
