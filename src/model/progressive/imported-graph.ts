// The graph of an imported column and where it comes from: the one place through which a column gets it. A description carries it as a data URL;
// another loader may read it from elsewhere. What a description says of its taps, scores and opset is asked here before the graph is opened.
import type { DType } from '../../onnx/core/dtype.js';
import { DescriptionError, ModelError, must, ShapeError } from '../../onnx/core/errors.js';
import type { Shape } from '../../onnx/core/shape.js';
import { captures, type Node, type Value } from '../../onnx/ir/graph.js';
import { cloneModel, type Model } from '../../onnx/ir/model.js';
import { raiseOpset } from '../../onnx/passes/opset/upgrade-opset.js';
import { fromBinary } from '../../onnx/serde/from-binary.js';
import type { ColumnDescription } from '../description/description.js';
import { tapName } from '../description/imported-schema.js';
import type { Size } from '../nn/open-size.js';
import type { Layout } from '../nn/sample.js';

/** What a description says of an imported column. */
export type ImportedDescription = NonNullable<ColumnDescription['onnx']>;

/** Gives the graph that a description names. Throws DescriptionError, ModelError. */
export type GraphLoader = (imported: ImportedDescription, task: string) => Model;

const prefix = 'data:application/onnx;base64,';

/** The graph as a description carries it. */
export function graphUrl(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return prefix + btoa(text);
}

/** False for the path of a file, which belongs to the workspace. */
export const isGraphUrl = (graph: string): boolean => graph.startsWith(prefix);

/** The bytes that a description carries. */
export const graphBytes = (graph: string): Uint8Array =>
  Uint8Array.from(atob(graph.slice(prefix.length)), (c) => c.charCodeAt(0));

/** The graph out of the description itself. */
export const carriedGraph: GraphLoader = (imported, task) => {
  if (!isGraphUrl(imported.graph)) {
    throw new DescriptionError(`task "${task}": onnx.graph names a file, which is read where the workspace is opened`, {
      got: imported.graph,
    });
  }
  let bytes: Uint8Array;
  try {
    bytes = graphBytes(imported.graph);
  } catch (cause) {
    throw new DescriptionError(`task "${task}": onnx.graph is no base64`, { cause });
  }
  return fromBinary(bytes, { file: `the imported graph of task "${task}"` });
};

/** A weight of an imported column: an input of its graph. */
export interface ImportedParameter {
  /** With the task before it. */
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** In the graph. */
  readonly value: Value;
}

/** The graph of an imported column. */
export class ImportedGraph {
  private loaded: Model | undefined;
  private found: readonly ImportedParameter[] | undefined;
  private readonly raised = new Map<number, ImportedGraph>();

  constructor(
    private readonly description: ImportedDescription,
    private readonly task: string,
    private readonly load: GraphLoader,
    /** How many of the network's inputs it reads. */
    private readonly reads: number,
  ) {}

  /** Its inputs are those of the network that it reads, then a parameter each. Loaded when it is first asked for. Throws DescriptionError, ModelError. */
  get model(): Model {
    this.loaded ??= this.load(this.description, this.task);
    return this.loaded;
  }

  /** Of ai.onnx. */
  get opset(): number {
    return this.description.opset ?? this.model.opset;
  }

  /**
   * The same at a later opset: its file stays as it is. Throws DescriptionError where a node has no equal there.
   */
  at(opset: number): ImportedGraph {
    const known = opset === this.opset ? this : (this.raised.get(opset) ?? this.broughtTo(opset, 'which the graph is to have'));
    this.raised.set(opset, known);
    return known;
  }

  /** At the opset of the import of another task: refused too where ONNX Runtime would round otherwise there. Throws DescriptionError. */
  beside(task: string, opset: number): ImportedGraph {
    const known = opset === this.opset ? this : this.broughtTo(opset, `that of "${task}"`, true);
    this.raised.set(opset, known);
    return known;
  }

  private broughtTo(opset: number, why: string, sameBits = false): ImportedGraph {
    const { description, opset: own, reads, task } = this;
    const refuse = (node: string, cause?: unknown): never => {
      throw new DescriptionError(
        `task "${task}" was imported at opset ${own} and cannot be brought to ${opset}, ${why}: ${node}: export both at one opset and import again`,
        { expected: String(opset), got: String(own), ...(cause !== undefined && { cause }) },
      );
    };
    if (opset < own) return refuse('that is an older one');
    const model = cloneModel(this.model);
    try {
      raiseOpset(model, opset, { sameBits });
    } catch (cause) {
      if (cause instanceof ModelError || cause instanceof ShapeError) return refuse(cause.message, cause);
      throw cause;
    }
    return new ImportedGraph({ ...description, opset }, task, () => model, reads);
  }

  /** @internal The values that stand for the network's inputs, in the order in which the column names these. */
  get inputs(): readonly Value[] {
    return this.model.graph.inputs.slice(0, this.reads);
  }

  /** Names of the values that later columns may read, one for each block. */
  get taps(): readonly string[] {
    return this.description.taps.map(tapName);
  }

  /** The name of the raw scores; of a column that has none the last tap. */
  get scores(): string {
    return this.description.scores ?? must(this.taps.at(-1), 'tap');
  }

  /** Of one sample of a tap; as the description says it, else as its graph does. Throws DescriptionError. */
  tapShape(block: number): readonly Size[] {
    const tap = must(this.description.taps[block], `tap ${block}`);
    return typeof tap === 'string' ? this.sampleOf(tap) : tap.shape;
  }

  /** @internal Where the channels of a tap stand; undefined where the description does not say it. */
  tapLayout(block: number): Layout | undefined {
    const tap = must(this.description.taps[block], `tap ${block}`);
    return typeof tap === 'string' ? undefined : tap.layout;
  }

  /** Of the raw scores, without the batch. Throws DescriptionError. */
  get scoresShape(): readonly Size[] {
    return this.sampleOf(this.scores);
  }

  /** An output of the graph. Throws DescriptionError. */
  output(name: string): Value {
    const value = this.model.graph.outputs.find((v) => v.name === name);
    if (value !== undefined) return value;
    throw new DescriptionError(`task "${this.task}": its imported graph has no output ${JSON.stringify(name)}`, { got: name });
  }

  private sampleOf(name: string): readonly Size[] {
    const v = this.output(name);
    const dims: Shape = v.shape?.slice(1) ?? [];
    if (v.shape !== undefined && dims.every((d): d is Size => d !== null)) return dims;
    throw new DescriptionError(
      `task "${this.task}": its imported graph says no shape of ${JSON.stringify(name)}: import it again`,
      {
        got: name,
      },
    );
  }

  /** @internal What scores and taps are computed from: those of the scores first. Throws DescriptionError. */
  get parameters(): readonly ImportedParameter[] {
    if (this.found !== undefined) return this.found;
    const seen = new Set<Value>(this.inputs);
    const nodes = new Set<Node>();
    const list = [this.scores, ...this.taps].flatMap((name) => this.leavesOf(this.output(name), seen, nodes));
    this.found = list.filter((v) => v.constant === undefined).map((v) => this.parameterOf(v));
    return this.found;
  }

  /** @internal The weight that an input of the graph is. */
  parameterOf(value: Value): ImportedParameter {
    return { name: `${this.task}/${value.name}`, dtype: value.dtype, shape: value.dims, value };
  }

  /** @internal Inputs and constants that a value is computed from, those of `seen` left out; both sets take what was found. */
  leavesOf(target: Value, seen: Set<Value>, nodes: Set<Node>): Value[] {
    const leaves: Value[] = [];
    const open = [target];
    for (let v = open.pop(); v !== undefined; v = open.pop()) {
      const { producer } = v;
      if (producer !== undefined) {
        if (nodes.has(producer)) continue;
        nodes.add(producer);
        for (const input of producer.inputs) if (input !== null) open.push(input);
        for (const body of producer.subgraphs) open.push(...captures(body));
      } else if (!seen.has(v)) {
        seen.add(v);
        leaves.push(v);
      }
    }
    return leaves;
  }
}
