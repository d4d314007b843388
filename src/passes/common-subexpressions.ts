// Computes equal things once: nodes of the same op, attributes and inputs. A subgraph also finds what the graphs around it computed.
import type { Attribute, Graph, Node, Value } from '../ir/graph.js';

/** Ops whose outputs differ from run to run. */
const random = new Set([
  'RandomNormal',
  'RandomNormalLike',
  'RandomUniform',
  'RandomUniformLike',
  'Multinomial',
  'Bernoulli',
  'Dropout',
]);

/** Returns whether anything was joined. Graph outputs keep their own values. */
export function commonSubexpressions(graph: Graph): boolean {
  return new Joining().graph(graph, new Map());
}

class Joining {
  private readonly ids = new Map<Value, number>();
  private readonly replaced = new Map<Value, Value>();

  graph(graph: Graph, outer: ReadonlyMap<string, Node>): boolean {
    const seen = new Map(outer);
    const outputs = new Set(graph.outputs);
    let changed = false;
    const kept: Node[] = [];
    for (const node of graph.nodes) {
      node.inputs = node.inputs.map((v) => (v === null ? null : (this.replaced.get(v) ?? v)));
      for (const sub of node.subgraphs) if (this.graph(sub, seen)) changed = true;
      const key = this.key(node);
      const same = key === undefined ? undefined : seen.get(key);
      const covers = same !== undefined && node.outputs.every((v, i) => v.name === '' || (same.outputs[i]?.name ?? '') !== '');
      if (same !== undefined && covers && !node.outputs.some((v) => outputs.has(v))) {
        node.outputs.forEach((v, i) => {
          const other = same.outputs[i];
          if (other !== undefined) this.replaced.set(v, other);
        });
        changed = true;
        continue;
      }
      if (key !== undefined && same === undefined) seen.set(key, node);
      kept.push(node);
    }
    graph.nodes = kept;
    graph.outputs = graph.outputs.map((v) => this.replaced.get(v) ?? v);
    return changed;
  }

  private id(v: Value): number {
    const known = this.ids.get(v);
    if (known !== undefined) return known;
    this.ids.set(v, this.ids.size);
    return this.ids.size - 1;
  }

  private key(node: Node): string | undefined {
    if (random.has(node.opType) || node.subgraphs.length > 0) return undefined;
    const attributes = [...node.attributes]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, a]) => `${name}=${this.attribute(a)}`);
    const inputs = node.inputs.map((v) => (v === null ? '' : this.id(v)));
    return `${node.domain}:${node.opType}(${inputs})${attributes.join()}`;
  }

  private readonly attributeIds = new Map<unknown, number>();
  private attribute(a: Attribute): string {
    if (a.kind === 'int' || a.kind === 'float' || a.kind === 'ints' || a.kind === 'floats' || a.kind === 'string')
      return `${a.kind}${a.value}`;
    const id = this.attributeIds.get(a.value) ?? this.attributeIds.size;
    this.attributeIds.set(a.value, id);
    return `#${id}`;
  }
}
