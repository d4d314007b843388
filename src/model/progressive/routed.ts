// The routed form: a graph of all tasks' paths rearranged so that an int64 input tells which one runs. What all tasks need stands outside; the
// rest in branches of Ifs, each node in the innermost branch whose tasks all need it. So what runs is what the task asked for needs, once.
// Weights stand in the branch that reads them: ONNX Runtime prepacks no weights of an outer graph, which costs time and changes bits.
import { InternalError, must, UsageError } from '../../onnx/core/errors.js';
import { int64, Tensor } from '../../onnx/core/tensor.js';
import { cloneNodes } from '../../onnx/ir/clone.js';
import { type Graph, type Node, nodeReads, Value } from '../../onnx/ir/graph.js';
import { Uses } from '../../onnx/ir/uses.js';
import type { Ops } from '../../onnx/ops/ops-builder.js';
import { taskIdName } from '../description/description.js';

/** The values that one task gives, in the order of the outputs. */
export type Route = readonly Value[];

/**
 * Gives the graph under construction, whose outputs are not declared yet, the input `task_id` and one output for each name. `task_id` is [1];
 * an id outside 0..routes-1 and several ids make the run fail. Throws UsageError for fewer than two routes.
 */
export function routeByTask(g: Ops, routes: readonly Route[], names: readonly string[]): void {
  if (routes.length < 2) {
    throw new UsageError('a routed model needs two tasks or more, expected at least two trained ones', { expected: '2 tasks' });
  }
  const routing = new Routing(g, routes);
  routing.outputs().forEach((v, i) => {
    g.output(v, must(names[i], 'output'));
  });
}

class Routing {
  /** What each task needs. */
  private readonly needs: readonly ReadonlySet<Node>[];
  private readonly nodes: readonly Node[];
  private readonly uses: Uses;

  constructor(
    private readonly g: Ops,
    private readonly routes: readonly Route[],
  ) {
    const { graph } = g;
    this.needs = routes.map(nodesOf);
    this.nodes = graph.nodes;
    this.uses = new Uses(graph);
    graph.nodes = [];
  }

  outputs(): Value[] {
    const { g, routes } = this;
    const given = g.input(taskIdName, 'int64', [1]);
    // Gather refuses an id beyond its end; negative ones, which would count from the end, are sent there too. The shape refuses several ids.
    const constant = (name: string, value: number) => g.initializer(`${taskIdName}/${name}`, int64(value));
    const id = g.where(g.less(given, constant('first', 0)), constant('none', routes.length), given);
    return this.place(
      g,
      routes.map((_, i) => i),
      new Set(),
      new Map(),
      id,
    );
  }

  /** The outputs of one of `tasks`; `done` and `map` tell what stands in the graphs around. */
  private place(to: Ops, tasks: readonly number[], done: ReadonlySet<Node>, map: ReadonlyMap<Value, Value>, id: Value): Value[] {
    const here = this.nodes.filter((node) => !done.has(node) && tasks.every((t) => this.needs[t]?.has(node)));
    const local = new Map(map);
    if (to !== this.g)
      for (const v of new Set(here.flatMap((node) => [...nodeReads(node)])))
        if (v.constant !== undefined) local.set(v, this.copy(to, v));
    to.graph.nodes.push(...cloneNodes(here, { map: local }));
    const [first = 0] = tasks;
    if (tasks.length === 1) return must(this.routes[first], 'route').map((v) => this.result(to, v, local, map));
    const placed = new Set([...done, ...here]);
    const branch = (part: readonly number[]): Graph => {
      const inner = to.subgraph(`tasks_${part.join('_')}`);
      inner.graph.outputs = this.place(inner, part, placed, local, id);
      return inner.graph;
    };
    const [then, other] = this.halves(tasks, placed);
    const chosen = Uint8Array.from(this.routes, (_, t) => Number(then.includes(t)));
    const table = this.g.initializer(`${taskIdName}/in_${then.join('_')}`, new Tensor('bool', [chosen.length], chosen));
    const condition = to.gather(table, id);
    const branches = { then_branch: branch(then), else_branch: branch(other) };
    return to.op('If', [condition], branches, must(this.routes[first], 'route').length);
  }

  /** An initializer of a branch. What several nodes read may be visible from around: a new name then. */
  private copy(to: Ops, v: Value): Value {
    const copy = new Value(this.uses.soleReader(v) !== undefined ? v.name : to.names.unique(v.name), v.type);
    copy.constant = v.constant;
    to.graph.initializers.push(copy);
    return copy;
  }

  /** An output of a branch must be computed in it. */
  private result(to: Ops, v: Value, local: ReadonlyMap<Value, Value>, around: ReadonlyMap<Value, Value>): Value {
    const own = local.get(v) ?? v;
    return around.get(v) === own || own.producer === undefined ? to.identity(own) : own;
  }

  /** Tasks that share nothing more come apart, in halves; where all hang together, the first leaves the others. */
  private halves(tasks: readonly number[], placed: ReadonlySet<Node>): [number[], number[]] {
    const groups: { tasks: number[]; nodes: Set<Node> }[] = [];
    for (const t of tasks) {
      const nodes = new Set([...must(this.needs[t], 'needs')].filter((node) => !placed.has(node)));
      const joined = { tasks: [t], nodes };
      for (const group of groups.filter((other) => [...other.nodes].some((node) => nodes.has(node)))) {
        joined.tasks.unshift(...group.tasks);
        for (const node of group.nodes) nodes.add(node);
        groups.splice(groups.indexOf(group), 1);
      }
      groups.push(joined);
    }
    groups.sort((a, b) => (a.tasks[0] ?? 0) - (b.tasks[0] ?? 0));
    const lists = groups.length > 1 ? groups.map((group) => group.tasks) : tasks.map((t) => [t]);
    const middle = groups.length > 1 ? lists.length >> 1 : 1;
    const [then, other] = [lists.slice(0, middle).flat(), lists.slice(middle).flat()];
    if (then.length === 0 || other.length === 0) throw new InternalError('tasks cannot be parted');
    return [then, other];
  }
}

/** Every node that these values depend on. */
function nodesOf(route: Route): Set<Node> {
  const nodes = new Set<Node>();
  const values = [...route];
  for (let v = values.pop(); v !== undefined; v = values.pop()) {
    const node = v.producer;
    if (node === undefined || nodes.has(node)) continue;
    nodes.add(node);
    values.push(...nodeReads(node));
  }
  return nodes;
}
