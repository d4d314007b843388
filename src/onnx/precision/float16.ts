// A model in float16: initializers rounded, nodes computed in float16 where the op's traits say so (onnx/ops/traits.ts), the rest in float32 between Casts. Inputs and
// outputs stay float32 unless asked otherwise, so that whoever calls the model need not change.
import { UsageError } from '../core/errors.js';
import { Names } from '../ir/builder.js';
import { allNodes, type Graph, type Node, type Value } from '../ir/graph.js';
import { cloneModel, type Model } from '../ir/model.js';
import { tensorType } from '../ir/types.js';
import { Uses } from '../ir/uses.js';
import { hasTrait, isStandard } from '../ops/definition.js';
import { verifyModel } from '../ops/verify-model.js';
import { removeUnused } from '../passes/remove-unused.js';
import { BeyondHalf, largestHalf } from './beyond-half.js';
import { Casts, type Frame, type Precision } from './casts.js';
import { halfLoss, vanishes } from './half.js';
import { isLarge } from './large-weights.js';
import { leastDivisor } from './least-divisor.js';

export interface Float16Options {
  /** Inputs and outputs in float16 as well. Default: they stay float32. */
  readonly halfIo?: boolean;
  /** Ops that stay float32 beside those that do anyway. */
  readonly keep?: ReadonlySet<string>;
  /** Nodes that stay float32, by their names: those that read numbers as users bring them, of any size. */
  readonly keepNodes?: (name: string) => boolean;
  /** Largest magnitude met of a value, by name (calibration): beyond half of what float16 holds, its node stays float32. */
  readonly magnitudes?: ReadonlyMap<string, number>;
}

/** A node that stays float32 though its op has float16, and why. */
export interface Kept {
  readonly node: string;
  readonly op: string;
  readonly reason: string;
}

export interface Float16Model {
  readonly model: Model;
  /** Nodes that compute in float16. */
  readonly half: number;
  readonly casts: number;
  readonly kept: readonly Kept[];
  /** Weights other than zero that became zero. */
  readonly vanished: number;
}

const largestMagnitude = largestHalf / 2;

/** A new model; the one given stays as it is. Types must be inferred. */
export function toFloat16(model: Model, options: Float16Options = {}): Float16Model {
  const out = cloneModel(model);
  const conversion = new Conversion(out.graph, options);
  conversion.run(out.graph);
  removeUnused(out.graph);
  conversion.casts.settle(new Uses(out.graph));
  out.metadata.set('prognet.precision', 'float16');
  verifyModel(out);
  const { half, kept, vanished } = conversion;
  const casts = [...allNodes(out.graph)].filter((n) => n.opType === 'Cast').length;
  return { model: out, half, casts: casts - castsOf(model), kept, vanished };
}

const castsOf = (model: Model): number => [...allNodes(model.graph)].filter((n) => n.opType === 'Cast').length;

class Conversion {
  readonly casts: Casts;
  readonly kept: Kept[] = [];
  half = 0;
  vanished = 0;
  private readonly checked = new Map<Value, string | undefined>();
  private readonly names: Names;
  private readonly beyond: BeyondHalf;
  /** The precision of every value in the model as it came, which may be float16 in parts. */
  private readonly before = new Map<Value, Precision>();

  constructor(
    graph: Graph,
    private readonly options: Float16Options,
  ) {
    this.names = Names.of(graph);
    this.casts = new Casts(this.names, new Set(graph.inputs));
    this.beyond = new BeyondHalf((v) => this.casts.constant(v));
    this.remember(graph);
  }

  private remember(graph: Graph): void {
    for (const v of graph.values()) if (isFloating(v)) this.before.set(v, v.dtype === 'float16' ? 'float16' : 'float32');
    for (const node of graph.nodes) for (const sub of node.subgraphs) this.remember(sub);
  }

  run(graph: Graph): void {
    const { halfIo = false } = this.options;
    const frame = this.enter(graph);
    const inputs = new Set(graph.inputs);
    if (halfIo) for (const v of inputs) if (v.constant === undefined) this.become(v);
    for (const node of frame.graph.nodes) this.node(node, frame);
    graph.outputs = graph.outputs.map((v) =>
      this.output(v, frame, halfIo ? 'float16' : (this.before.get(v) ?? 'float32'), inputs),
    );
    graph.nodes = frame.nodes;
    // A second statement of a type that has changed would contradict the first.
    graph.restated = graph.restated.filter((r) => r.type === undefined);
  }

  private enter(graph: Graph): Frame {
    const frame = { graph, nodes: [] };
    for (const v of graph.values()) this.casts.define(v, frame);
    return frame;
  }

  /** A float32 value that is float16 from now on. */
  private become(v: Value): void {
    if (v.type?.kind === 'tensor' && v.type.dtype === 'float32') v.type = tensorType('float16', v.type.shape);
  }

  /** The output of the outermost graph in the precision of its signature, under its name. */
  private output(v: Value, frame: Frame, wanted: Precision, inputs: ReadonlySet<Value>): Value {
    if (!isFloating(v) || v.dtype === wanted) return v;
    const beyond = wanted === 'float16' ? this.beyond.reason(v) : undefined;
    if (beyond !== undefined) {
      throw new UsageError(`fp16: the output "${v.name}" cannot be float16, ${beyond}`, {
        expected: 'float32 outputs',
        got: v.name,
      });
    }
    const { name } = v;
    // What is fed keeps its name; its output then is a Cast under another one, which the caller knows as the output's.
    if (inputs.has(v)) return this.casts.as(v, wanted, frame);
    v.name = this.names.unique(`${name}_${wanted === 'float32' ? 'fp16' : 'fp32'}`);
    const y = this.casts.as(v, wanted, frame);
    y.name = name;
    return y;
  }

  private node(node: Node, frame: Frame): void {
    if (node.subgraphs.length > 0) this.control(node, frame);
    else {
      const precision = this.precisionOf(node);
      if (precision !== 'as is') this.read(node, precision, frame);
      if (precision === 'float16') {
        this.half++;
        for (const v of node.outputs) this.become(v);
      }
    }
    frame.nodes.push(node);
  }

  private read(node: Node, precision: 'float16' | 'as before', frame: Frame): void {
    node.inputs = node.inputs.map((v) =>
      v === null ? v : precision === 'float16' ? this.half16(v, frame) : this.asBefore(v, frame),
    );
  }

  private half16(v: Value, frame: Frame): Value {
    return isFloating(v) ? this.casts.as(v, 'float16', frame) : v;
  }

  private asBefore(v: Value, frame: Frame): Value {
    return isFloating(v) ? this.casts.as(v, this.before.get(v) ?? 'float32', frame) : v;
  }

  /** `as before`: in the precision that the model had there, which is float32 unless it is float16 in parts. */
  private precisionOf(node: Node): 'float16' | 'as before' | 'as is' {
    const { opType } = node;
    const floats = node.inputs.filter((v): v is Value => v !== null && isFloating(v));
    if (floats.length === 0) return 'as is';
    if (!isStandard(node) || this.options.keep?.has(opType) || this.options.keepNodes?.(node.name)) return 'as before';
    const open = node.inputs.find((v) => v !== null && v.type === undefined);
    if (open) {
      if (hasTrait(node, 'half')) this.keep(node, `the type of "${open.name}" is not known`);
      return 'as before';
    }
    if (hasTrait(node, 'anyPrecision')) {
      if (node.outputs.every((v) => !isFloating(v)) || opType === 'Cast')
        return floats.length === 1 ? 'as is' : this.widest(node, floats);
      const moved = floats.some((v) => this.casts.constant(v) === undefined && v.dtype === 'float16') || this.isOfWeights(floats);
      return moved && this.fits(node, floats) ? 'float16' : 'as before';
    }
    return hasTrait(node, 'half') && this.fits(node, floats) ? 'float16' : 'as before';
  }

  /** Whether all that is moved are constants or float16 already, large weights among them: a table. */
  private isOfWeights(floats: readonly Value[]): boolean {
    const data = floats.map((v) => (v.dtype === 'float32' ? this.casts.constant(v) : undefined));
    return floats.every((v, i) => v.dtype === 'float16' || data[i] !== undefined) && data.some((d) => d && isLarge(d));
  }

  /** Comparisons: float16 only where all that is compared is. */
  private widest(node: Node, floats: readonly Value[]): 'float16' | 'as before' {
    const all = floats.every((v) => v.dtype === 'float16' || this.casts.constant(v) !== undefined);
    return all && floats.some((v) => v.dtype === 'float16') && this.fits(node, floats) ? 'float16' : 'as before';
  }

  /** Whether constants and magnitudes let a node run in float16; notes those that do not. */
  private fits(node: Node, floats: readonly Value[]): boolean {
    for (const v of floats) {
      const reason = this.unfit(v) ?? this.asDivisor(node, v);
      if (reason === undefined) continue;
      return this.keep(node, reason);
    }
    for (const v of [...floats, ...node.outputs]) {
      const met = this.options.magnitudes?.get(v.name) ?? 0;
      if (met <= largestMagnitude) continue;
      return this.keep(node, `"${v.name}" reaches ${met.toPrecision(3)}`);
    }
    return true;
  }

  /** Notes that a node stays float32. */
  private keep(node: Node, reason: string): false {
    this.kept.push({ node: node.name, op: node.opType, reason });
    return false;
  }

  /** Why a value cannot divide in float16: numbers in it, or the epsilon that keeps it from 0, become 0. */
  private asDivisor(node: Node, v: Value): string | undefined {
    if (node.opType !== 'Div' || node.inputs[1] !== v) return undefined;
    const data = v.dtype === 'float32' ? this.casts.constant(v) : undefined;
    const gone = data === undefined ? 0 : halfLoss(data).vanished;
    if (gone > 0) return `"${v.name}" divides by ${gone} number${gone === 1 ? '' : 's'} that float16 makes 0`;
    const least = data === undefined ? leastDivisor(v) : undefined;
    return least !== undefined && least > 0 && least <= vanishes
      ? `"${v.name}" divides by numbers from ${least.toPrecision(3)} on, which float16 makes 0`
      : undefined;
  }

  /** Why a value cannot be float16. */
  private unfit(v: Value): string | undefined {
    const data = this.casts.constant(v);
    if (v.dtype !== 'float32') return undefined;
    if (data === undefined) return this.beyond.reason(v) ?? this.beyond.tiny(v);
    if (!this.checked.has(v)) {
      const { tiny, vanished } = halfLoss(data);
      const reason = this.beyond.reason(v) ?? (tiny ? `"${v.name}" lies below 6.1e-5 as a whole` : undefined);
      if (reason === undefined) this.vanished += vanished;
      this.checked.set(v, reason);
    }
    return this.checked.get(v);
  }

  /** If: its branches are converted, and agree on their outputs. Loop and Scan stay as they are, since what they carry keeps its type. */
  private control(node: Node, frame: Frame): void {
    if (!isStandard(node) || node.opType !== 'If') {
      this.read(node, 'as before', frame);
      for (const sub of node.subgraphs) this.body(sub, frame);
      return;
    }
    const branches = node.subgraphs.map((graph) => {
      const inner = this.enter(graph);
      for (const n of graph.nodes) this.node(n, inner);
      return inner;
    });
    node.outputs.forEach((v, i) => {
      const results = branches.map((b) => b.graph.outputs[i]).filter((r): r is Value => r !== undefined);
      if (!isFloating(v) || results.every((r) => r.dtype === 'float32')) return;
      const reason = results.map((r) => (r.dtype === 'float32' ? this.beyond.reason(r) : undefined)).find((r) => r !== undefined);
      const wanted = reason === undefined ? 'float16' : 'float32';
      if (reason !== undefined) this.keep(node, reason);
      branches.forEach((b, k) => {
        const r = results[k];
        if (r !== undefined && r.dtype !== wanted) b.graph.outputs[i] = this.casts.cast(r, wanted, this.casts.free(r, wanted), b);
      });
      if (wanted === 'float16') this.become(v);
    });
    for (const b of branches) {
      b.graph.nodes = b.nodes;
      b.graph.restated = b.graph.restated.filter((r) => r.type === undefined);
    }
  }

  /** Gives a subgraph that computes as it did its outer values in the precision that they had. */
  private body(graph: Graph, frame: Frame): void {
    for (const node of graph.nodes) {
      node.inputs = node.inputs.map((v) => (v === null ? v : this.inBody(v, frame)));
      for (const sub of node.subgraphs) this.body(sub, frame);
    }
    graph.outputs = graph.outputs.map((v) => this.asBefore(v, frame));
  }

  /** Large weights are held as float16 and read as float32. */
  private inBody(v: Value, frame: Frame): Value {
    const data = isFloating(v) ? this.casts.constant(v) : undefined;
    return data !== undefined && isLarge(data) && this.unfit(v) === undefined
      ? this.casts.stored(v, data, frame)
      : this.asBefore(v, frame);
  }
}

function isFloating(v: Value): boolean {
  return v.type?.kind === 'tensor' && (v.type.dtype === 'float32' || v.type.dtype === 'float16');
}
