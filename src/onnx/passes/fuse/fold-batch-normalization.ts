// Folds a BatchNormalization that infers into the weights of the products before it: y = k x + c with k = scale / sqrt(var + epsilon) and
// c = bias - k mean, both per channel. Conv, Gemm and MatMul take k into their weights, an Add of them into both sides (a lateral). Results move
// by a rounding, so this is no part of optimise.ts: passes that change the precision anyway begin with it.
import { Tensor } from '../../core/tensor.js';
import { Names } from '../../ir/builder.js';
import { type Graph, Node, Value } from '../../ir/graph.js';
import { tensorType } from '../../ir/types.js';
import { Uses } from '../../ir/uses.js';
import { isStandard, usesBatchStatistics } from '../../ops/definition.js';
import { constantOf } from '../../ops/op-def.js';

/** Returns whether any was folded; subgraphs as well. */
export function foldBatchNormalization(graph: Graph): boolean {
  return fold(graph, Names.of(graph), new Uses(graph), new Set(graph.inputs));
}

function fold(graph: Graph, names: Names, uses: Uses, fed: ReadonlySet<Value>): boolean {
  let changed = false;
  for (const node of graph.nodes) {
    for (const sub of node.subgraphs) if (fold(sub, names, uses, new Set([...fed, ...sub.inputs]))) changed = true;
  }
  const folding = new Folding(graph, names, uses, fed);
  for (const node of [...graph.nodes]) if (folding.normalization(node)) changed = true;
  return changed;
}

/** y = k x + c by channel, in float64. */
interface Affine {
  readonly k: Float64Array;
  readonly c: Float64Array;
}

class Folding {
  constructor(
    private readonly graph: Graph,
    private readonly names: Names,
    /** In all graphs of the model, since a branch may read a weight of the graph around it. */
    private readonly uses: Uses,
    /** Inputs: initializers among them are no constants. */
    private readonly fed: ReadonlySet<Value>,
  ) {}

  /** Removes the node when what comes before it can take it in. */
  normalization(node: Node): boolean {
    if (!isStandard(node) || node.opType !== 'BatchNormalization' || usesBatchStatistics(node)) return false;
    const [x, ...parameters] = node.inputs;
    const [y] = node.outputs;
    const [scale, bias, mean, variance] = parameters.map((v) => (v ? this.floats(v) : undefined));
    if (!x || !y || !scale || !bias || !mean || !variance) return false;
    const epsilon = node.float('epsilon', 1e-5);
    const k = Float64Array.from(scale, (s, i) => s / Math.sqrt((variance[i] ?? 0) + epsilon));
    const c = Float64Array.from(bias, (b, i) => b - (k[i] ?? 0) * (mean[i] ?? 0));
    if (x.producer === undefined || !this.takes(x, k.length)) return false;
    this.absorb(x.producer, { k, c });
    this.uses.remove(node);
    // what the normalization made is now made by the node before it
    x.producer.outputs[0] = y;
    y.producer = x.producer;
    this.graph.nodes = this.graph.nodes.filter((n) => n !== node);
    return true;
  }

  /** The elements of a float32 constant that no caller may override. */
  private floats(v: Value): Float32Array | undefined {
    const t = this.fed.has(v) ? undefined : constantOf(v);
    return t?.data instanceof Float32Array ? t.data : undefined;
  }

  /** Whether k and c can go into what makes `v`, which nobody else may read. */
  private takes(v: Value, channels: number): boolean {
    const node = v.producer;
    if (node === undefined || !isStandard(node) || this.uses.of(v).length !== 1 || v.shape?.[1] !== channels) return false;
    if (!this.graph.nodes.includes(node)) return false;
    const [a, b, c] = node.inputs;
    if (!a || !b) return false;
    const bias = c ? this.floats(c) !== undefined : true;
    switch (node.opType) {
      case 'Conv':
        return this.floats(b) !== undefined && bias;
      case 'Gemm':
        return (
          this.floats(b) !== undefined &&
          bias &&
          node.float('alpha', 1) === 1 &&
          node.float('beta', 1) === 1 &&
          perColumn(c, b, node)
        );
      case 'MatMul':
        return this.floats(b) !== undefined && b.shape?.length === 2 && a.shape?.length === 2;
      case 'Add':
        return a !== b && this.takes(a, channels) && this.takes(b, channels) && sameRank(a, b);
      default:
        return false;
    }
  }

  private absorb(node: Node, { k, c }: Affine): void {
    const [a, b, bias] = node.inputs;
    if (!a || !b) return;
    if (node.opType === 'Add') {
      // k (a + b) + c: the constant goes with the side that has a bias already
      const [takesC, other] = b.producer?.inputs[2] && !a.producer?.inputs[2] ? [b, a] : [a, b];
      if (takesC.producer) this.absorb(takesC.producer, { k, c });
      if (other.producer) this.absorb(other.producer, { k, c: new Float64Array(c.length) });
      return;
    }
    const axis = node.opType === 'Conv' || node.int('transB', 0) === 1 ? 0 : 1;
    const weight = this.floats(b) ?? new Float32Array();
    const [rows = 1, ...rest] = constantOf(b)?.dims ?? [];
    const inner = rest.reduce((x, y) => x * y, 1);
    const channel = (i: number) => (axis === 0 ? Math.floor(i / inner) : i % (rest.at(-1) ?? 1));
    const scaled = weight.map((w, i) => w * (k[channel(i)] ?? 0));
    const old = bias ? this.floats(bias) : undefined;
    const moved = Float32Array.from(c, (v, i) => v + (k[i] ?? 0) * (old?.[i] ?? 0));
    const inputs: Value[] = [a, this.replace(b, new Tensor('float32', [rows, ...rest], scaled))];
    const hasBias = bias || moved.some((v) => v !== 0);
    if (hasBias) {
      const tensor = new Tensor('float32', [moved.length], moved);
      inputs.push(bias ? this.replace(bias, tensor) : this.initializer(`${b.name}/normalized_bias`, tensor));
    }
    this.uses.remove(node);
    node.inputs = inputs;
    this.uses.add(node, this.graph);
    if (node.opType === 'MatMul' && hasBias) this.toGemm(node);
  }

  private toGemm(node: Node): void {
    const at = this.graph.nodes.indexOf(node);
    const [y] = node.outputs;
    if (at < 0 || !y) return;
    const gemm = new Node('Gemm', node.inputs, [y], new Map(), node.name);
    this.graph.nodes[at] = gemm;
    this.uses.remove(node);
    this.uses.add(gemm, this.graph);
  }

  /** New data for a constant: in place where nobody else reads it, so that its name stays. */
  private replace(v: Value, tensor: Tensor): Value {
    if (v.constant !== undefined && this.uses.of(v).length === 1) {
      v.constant = tensor;
      return v;
    }
    return this.initializer(`${v.name}/normalized`, tensor);
  }

  private initializer(name: string, tensor: Tensor): Value {
    const v = new Value(this.names.unique(name), tensorType(tensor.dtype, tensor.dims));
    v.constant = tensor;
    this.graph.initializers.push(v);
    return v;
  }
}

/** A Gemm's bias of one number per column, or none. */
function perColumn(bias: Value | null | undefined, weight: Value, node: Node): boolean {
  const columns = weight.shape?.[node.int('transB', 0) === 1 ? 0 : 1];
  return !bias || (bias.shape?.length === 1 && bias.shape[0] === columns);
}

const sameRank = (a: Value, b: Value): boolean => a.shape !== undefined && a.shape.length === b.shape?.length;
