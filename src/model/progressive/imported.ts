// Imported columns: the graph of one, made by import-model.ts, put into a network's graph piece by piece, as far as taps and scores are asked for.
import { DescriptionError, must, UsageError } from '../../onnx/core/errors.js';
import { cloneNodes } from '../../onnx/ir/clone.js';
import type { Node, Value } from '../../onnx/ir/graph.js';
import { defaultOpset, type Model } from '../../onnx/ir/model.js';
import { inferTypes } from '../../onnx/ops/infer.js';
import { fromBinary } from '../../onnx/serde/from-binary.js';
import type { Column, Description } from '../description/description.js';
import type { LayerScope } from '../nn/scope.js';

/** What a description says of an imported column. */
export type Imported = NonNullable<Column['onnx']>;

const prefix = 'data:application/onnx;base64,';

/** The graph as a description carries it. */
export function graphUrl(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return prefix + btoa(text);
}

/** False for the path of a file, which belongs to the workspace. */
export const isGraphUrl = (graph: string): boolean => graph.startsWith(prefix);

const decoded = new WeakMap<Imported, Model>();

/** The graph of an imported column: its inputs are the network's input, then a parameter each. Throws DescriptionError, ModelError. */
export function graphOf(imported: Imported, task: string): Model {
  const known = decoded.get(imported);
  if (known !== undefined) return known;
  if (!isGraphUrl(imported.graph)) {
    throw new DescriptionError(`task "${task}": onnx.graph names a file, which is read where the workspace is opened`, {
      got: imported.graph,
    });
  }
  let bytes: Uint8Array;
  try {
    bytes = Uint8Array.from(atob(imported.graph.slice(prefix.length)), (c) => c.charCodeAt(0));
  } catch (cause) {
    throw new DescriptionError(`task "${task}": onnx.graph is no base64`, { cause });
  }
  const model = fromBinary(bytes, { file: `the imported graph of task "${task}"` });
  decoded.set(imported, model);
  return model;
}

/** The opset of a network's graphs: that of its imported columns, which must agree. Throws DescriptionError. */
export function opsetOf(description: Description): number {
  let found: { opset: number; task: string } | undefined;
  for (const { task, onnx } of description.columns) {
    if (onnx === undefined) continue;
    const { opset } = graphOf(onnx, task);
    if (found !== undefined && found.opset !== opset) {
      throw new DescriptionError(
        `task "${task}" was imported at opset ${opset}, "${found.task}" at ${found.opset}: export both at one opset and import again`,
        { expected: String(found.opset), got: String(opset) },
      );
    }
    found = { opset, task };
  }
  return found?.opset ?? defaultOpset;
}

/** An imported column is frozen as it came. */
export function refuseTraining({ task, onnx }: Column): void {
  if (onnx === undefined) return;
  throw new UsageError(`task "${task}" is imported and not trained here`, { got: task, remedy: { kind: 'import', task } });
}

/** The values of one imported column within one graph. */
export class ImportedLowering {
  private readonly map = new Map<Value, Value>();
  private readonly model: Model;

  constructor(
    private readonly column: Column,
    private readonly imported: Imported,
    private readonly scope: LayerScope,
    x: Value,
  ) {
    if (scope.training) refuseTraining(column);
    this.model = graphOf(imported, column.task);
    this.map.set(must(this.model.graph.inputs[0], 'input'), x);
  }

  /** The tap of that number; `scores` for what comes last. */
  value(tap: number | 'scores'): Value {
    const name = tap === 'scores' ? this.imported.scores : must(this.imported.taps[tap], `tap ${tap}`);
    const target = this.model.graph.outputs.find((v) => v.name === name);
    if (target === undefined) {
      throw new DescriptionError(`task "${this.column.task}": its imported graph has no output ${JSON.stringify(name)}`, {
        got: name,
      });
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
    const rename = (name: string) => g.names.unique(`${this.column.task}/${name}`);
    // In the order of the file, which is one that can be computed.
    for (const copy of cloneNodes(
      this.model.graph.nodes.filter((n) => needed.has(n)),
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
      name: `${this.column.task}/${v.name}`,
      shape: v.dims,
      init: { fill: 0 },
      role: 'trainable',
    });
  }
}
