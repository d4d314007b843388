// What a file states of a type beside what inference knows. Statements outlive the model that they were made of: a batch is opened by hand, an
// inner value still has [1, 5]. So what is inferred wins, and what inference leaves open a statement fills only where it was made with the same
// sizes open.
import { ShapeError } from '../core/errors.js';
import type { Dim, Shape } from '../core/shape.js';
import { allNodes, type Graph, type Node, nodeLabel, type Value } from '../ir/graph.js';
import { formatType, type Type, tensorType } from '../ir/types.js';

/** Throws ShapeError where a type is of another kind or dtype than is inferred. */
export function refuseKind(node: Node, v: Value, inferred: Type, cause?: unknown): void {
  const { type } = v;
  if (type?.kind === inferred.kind && !(type.kind === 'tensor' && inferred.kind === 'tensor' && type.dtype !== inferred.dtype))
    return;
  throw new ShapeError(`${nodeLabel(node)}: output "${v.name}" is declared ${formatType(type)}, it is ${formatType(inferred)}`, {
    op: node.opType,
    node: node.name,
    expected: formatType(inferred),
    got: formatType(type),
    ...(cause !== undefined && { cause }),
  });
}

/** The statements of a graph and its subgraphs, each settled once. */
export class Statements {
  /** The sizes that the inputs of the graph leave open, by name. */
  private readonly open = new Set<Dim>();
  private readonly told = new Set<Value>();

  constructor(
    graph: Graph,
    private readonly onNote: ((line: string) => void) | undefined,
  ) {
    const constants = new Set(graph.initializers);
    for (const v of graph.inputs) {
      if (constants.has(v) || v.type?.kind !== 'tensor') continue;
      for (const d of v.shape ?? [null]) if (typeof d !== 'number') this.open.add(d);
    }
  }

  /** Settles the type of a node's output: from then on it is inference's. */
  settle(node: Node, v: Value, inferred: Type | undefined): void {
    if (inferred === undefined) {
      this.alone(v);
      return;
    }
    v.stated = false;
    const { type } = v;
    if (type?.kind !== 'tensor' || inferred.kind !== 'tensor') return;
    refuseKind(node, v, inferred);
    const shape = this.merge(v, type.shape, inferred.shape);
    if (shape !== undefined) v.type = { ...type, shape };
  }

  /** The same where inference knows nothing. */
  alone(v: Value): void {
    if (!v.stated) return;
    v.stated = false;
    if (v.type?.kind !== 'tensor' || v.type.shape === undefined) return;
    v.type = { ...v.type, shape: this.trusted(v.type.shape) };
  }

  /** The inputs of a body: what they are in the first iteration bounds what is stated of them. Returns whether anything was stated. */
  enter(node: Node, body: Graph): boolean {
    let any = false;
    for (const [i, v] of body.inputs.entries()) {
      if (!v.stated) continue;
      any = true;
      const outer = node.inputs[i]?.type;
      const read = i - (node.inputs.length - node.int('num_scan_inputs', 0));
      if (node.opType !== 'Scan' || read < 0) {
        if (node.opType === 'Loop' && i < 2) v.stated = false;
        else this.carried(v, outer);
        continue;
      }
      const axis = node.ints('scan_input_axes')?.[read] ?? 0;
      const shape = outer?.kind === 'tensor' ? outer.shape : undefined;
      const at = axis < 0 ? axis + (shape?.length ?? 0) : axis;
      if (outer?.kind === 'tensor')
        this.settleInput(
          v,
          tensorType(
            outer.dtype,
            shape?.filter((_, k) => k !== at),
          ),
        );
      else this.alone(v);
    }
    return any;
  }

  /** Opens what a carried value has otherwise at the end of an iteration than at its beginning. Returns whether anything was opened. */
  widen(node: Node, body: Graph): boolean {
    const [first, last] = node.opType === 'Loop' ? [2, 1] : [0, 0];
    const count = node.inputs.length - first - (node.opType === 'Scan' ? node.int('num_scan_inputs', 0) : 0);
    let opened = false;
    for (let i = 0; i < count; i++) {
      const [v, next] = [body.inputs[first + i], body.outputs[last + i]];
      if (v?.type?.kind !== 'tensor' || v.type.shape === undefined || next?.shape === undefined) continue;
      const { shape } = v.type;
      const then = next.shape;
      const open = then.length !== shape.length ? undefined : shape.map((d, k) => (d === then[k] || then[k] === null ? d : null));
      if (open?.every((d, k) => d === shape[k])) continue;
      v.type = tensorType(v.type.dtype, open);
      opened = true;
      // What was inferred of it no longer holds.
      for (const inner of allNodes(body))
        for (const y of inner.outputs) if (y.type?.kind === 'tensor') y.type = tensorType(y.type.dtype);
    }
    return opened;
  }

  /** A value that is carried from one iteration to the next: nothing is certain but what it begins as. */
  private carried(v: Value, initial: Type | undefined): void {
    if (initial?.kind === 'tensor') this.settleInput(v, initial);
    else this.alone(v);
  }

  private settleInput(v: Value, from: Type): void {
    v.stated = false;
    const { type } = v;
    if (type?.kind !== 'tensor' || from.kind !== 'tensor') return;
    if (type.dtype !== from.dtype) {
      throw new ShapeError(`value "${v.name}" is declared ${formatType(type)}, it is ${formatType(from)}`, {
        expected: formatType(from),
        got: formatType(type),
      });
    }
    if (type.shape === undefined) return;
    const shape = this.merge(v, type.shape, from.shape);
    if (shape !== undefined) v.type = { ...type, shape };
  }

  /** What holds of a value; undefined where only the rank is in doubt and nothing is known. */
  private merge(v: Value, stated: Shape | undefined, inferred: Shape | undefined): Shape | undefined {
    if (stated === undefined || inferred === undefined) return stated === undefined ? inferred : this.trusted(stated);
    const narrows =
      stated.length !== inferred.length ||
      stated.some((d, i) => typeof d === 'number' && inferred[i] !== null && d !== inferred[i]);
    if (narrows) this.note(v, stated, inferred);
    if (stated.length !== inferred.length || narrows) return inferred;
    const filled = this.trusted(stated);
    return inferred.map((d, i) => d ?? filled[i] ?? null);
  }

  /**
   * Of a shape that inference cannot check: all, where every size of the model is fixed or where it was stated with all open ones open; else
   * its rank, and symbols that no input has.
   */
  private trusted(shape: Shape): Shape {
    const all = this.open.size === 0 || (!this.open.has(null) && [...this.open].every((d) => shape.includes(d)));
    return all ? shape : shape.map((d) => (typeof d === 'number' || this.open.has(d) ? null : d));
  }

  private note(v: Value, stated: Shape, inferred: Shape): void {
    if (this.told.has(v)) return;
    this.told.add(v);
    const dtype = v.dtype;
    this.onNote?.(
      `"${v.name}" is stated to be ${formatType(tensorType(dtype, stated))}, it is ${formatType(tensorType(dtype, inferred))}: taken as the latter`,
    );
  }
}
