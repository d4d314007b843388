// Imported columns: the graph of one, made by import-model.ts, put into a network's graph piece by piece, as far as taps and scores are asked for.
// Where the graph comes from is the loader's affair (imported-graph.ts).
import { DescriptionError, must, UsageError } from '../../onnx/core/errors.js';
import { cloneNodes } from '../../onnx/ir/clone.js';
import type { Node, Value } from '../../onnx/ir/graph.js';
import { inferTypes } from '../../onnx/ops/infer.js';
import type { LayerScope } from '../nn/scope.js';
import type { ImportedGraph } from './imported-graph.js';

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
  private readonly map = new Map<Value, Value>();

  constructor(
    private readonly task: string,
    private readonly imported: ImportedGraph,
    private readonly scope: LayerScope,
    x: Value,
  ) {
    if (scope.training) refuseTraining({ task, imported });
    this.map.set(imported.input, x);
  }

  /** The tap of that number; `scores` for what comes last. */
  value(tap: number | 'scores'): Value {
    const name = tap === 'scores' ? this.imported.scores : must(this.imported.taps[tap], `tap ${tap}`);
    const target = this.imported.model.graph.outputs.find((v) => v.name === name);
    if (target === undefined) {
      throw new DescriptionError(`task "${this.task}": its imported graph has no output ${JSON.stringify(name)}`, { got: name });
    }
    this.reach(target);
    return must(this.map.get(target), name);
  }

  /** Copies what `target` needs and is not there yet. */
  private reach(target: Value): void {
    const needed = new Set<Node>();
    const open = [target];
    for (let v = open.pop(); v !== undefined; v = open.pop()) {
      if (this.map.has(v)) continue;
      const { producer } = v;
      if (producer === undefined) this.map.set(v, this.leaf(v));
      else if (!needed.has(producer)) {
        needed.add(producer);
        for (const input of producer.inputs) if (input !== null) open.push(input);
      }
    }
    const { g } = this.scope;
    const rename = (name: string) => g.names.unique(`${this.task}/${name}`);
    // In the order of the file, which is one that can be computed.
    for (const copy of cloneNodes(
      this.imported.model.graph.nodes.filter((n) => needed.has(n)),
      { map: this.map, rename },
    )) {
      g.graph.nodes.push(copy);
      const types = inferTypes(copy, g.opset);
      copy.outputs.forEach((v, i) => {
        const type = types[i];
        if (type !== undefined) v.type = type;
      });
    }
  }

  /** A parameter, or a constant of the graph. */
  private leaf(v: Value): Value {
    const { g } = this.scope;
    if (v.constant !== undefined) return g.constant(v.constant);
    return this.scope.parameter({
      name: `${this.task}/${v.name}`,
      shape: v.dims,
      init: { fill: 0 },
      role: 'trainable',
    });
  }
}
