// The stacked form of a fleet: every weight of a column becomes a bank [T, ...] of the weights of T columns, and each row of a batch is computed with the weights of
// its own column: what they multiply becomes one batched product. Rows of many columns are one run then, and what they share is computed as for one batch.
import { must, UsageError } from '../onnx/core/errors.js';
import { type Node, nodeReads, type Value } from '../onnx/ir/graph.js';
import { tensorType } from '../onnx/ir/types.js';
import { hasTrait, isStandard } from '../onnx/ops/definition.js';
import type { Ops } from '../onnx/ops/ops-builder.js';

/**
 * Turns the inputs `weights` of the graph under construction into banks, and adds the input `index`, int64 [N]: the place of each row's column in the banks. A place outside of
 * them makes the run fail. Throws UsageError for an op that reads weights and has no such form.
 */
export function stackWeights(g: Ops, weights: readonly Value[], index: string): void {
  const { graph } = g;
  const { nodes } = graph;
  const first = weights[0];
  if (first === undefined) throw new UsageError('stacked form: the column has no weights, expected one that learns');
  graph.nodes = [];
  for (const weight of weights) weight.type = tensorType(weight.dtype, ['T', ...weight.dims]);
  const given = g.input(index, 'int64', ['N']);
  // Gather refuses a place beyond the end; negative ones, which would count from the end, are sent there too.
  const places = g.where(g.less(given, 0), g.shape(first, { start: 0, end: 1 }), given);
  const stack = new Stack(g, new Set(weights), places);
  for (const node of nodes) {
    if (stack.untouched(node)) {
      graph.nodes.push(node);
      continue;
    }
    const replaced = stack.replacement(node);
    // The value stays the one that others read.
    const [output] = node.outputs;
    const producer = must(replaced.producer, 'producer');
    producer.outputs[producer.outputs.indexOf(replaced)] = must(output, 'output');
    must(output, 'output').producer = producer;
  }
}

class Stack {
  private readonly rows = new Map<Value, Value>();

  constructor(
    private readonly g: Ops,
    private readonly weights: ReadonlySet<Value>,
    private readonly places: Value,
  ) {}

  private isWeight(v: Value | null | undefined): v is Value {
    return v !== null && v !== undefined && this.weights.has(v);
  }

  /** The weights of each row, [N, ...]. */
  private gathered(weight: Value): Value {
    const known = this.rows.get(weight) ?? this.g.gather(weight, this.places, { axis: 0 });
    this.rows.set(weight, known);
    return known;
  }

  /** Whether a node is the same for all columns; arithmetic is, over weights that broadcast as one of them did. */
  untouched(node: Node): boolean {
    if (![...nodeReads(node)].some((v) => this.isWeight(v))) return true;
    const beside = node.inputs.find((v) => (v?.shape?.length ?? 0) > 0 && !this.isWeight(v));
    if (!isStandard(node) || !hasTrait(node, 'arithmetic') || !beside) return false;
    node.inputs = node.inputs.map((v) => (this.isWeight(v) ? this.broadcast(v, beside) : v));
    return true;
  }

  /** What a node gives, computed with each row's own weights. Throws UsageError. */
  replacement(node: Node): Value {
    const [x] = node.inputs;
    const found = isStandard(node) && x && !this.isWeight(x) ? this.rule(node, x) : undefined;
    if (found !== undefined) return found;
    throw new UsageError(
      `stacked form: ${node.opType} of weights of a column is not in it, expected dense layers, batch_norm and laterals into them`,
      { op: node.opType, expected: 'dense, batch_norm' },
    );
  }

  private rule(node: Node, x: Value): Value | undefined {
    const [, weight, third] = node.inputs;
    const { opType } = node;
    if (opType === 'BatchNormalization') return this.normalised(node, x);
    if (!this.isWeight(weight)) return undefined;
    if (opType === 'MatMul') return this.product(x, this.gathered(weight));
    if (opType !== 'Gemm' || node.int('transA', 0) !== 0 || node.float('alpha', 1) !== 1 || node.float('beta', 1) !== 1)
      return undefined;
    const { g } = this;
    const rows = this.gathered(weight);
    const y = this.product(x, node.int('transB', 0) === 0 ? rows : g.transpose(rows, { perm: [0, 2, 1] }));
    if (third === null || third === undefined) return y;
    return g.add(y, this.isWeight(third) ? this.broadcast(third, y) : third);
  }

  /** x [N, ..., in] by each row's own matrix [N, in, out]. */
  private product(x: Value, matrices: Value): Value {
    const { g } = this;
    const rank = must(x.shape, 'shape').length;
    if (rank === 2) return g.squeeze(g.matMul(g.unsqueeze(x, [1]), matrices), [1]);
    const between = Array.from({ length: rank - 3 }, (_, i) => i + 1);
    return g.matMul(x, between.length === 0 ? matrices : g.unsqueeze(matrices, between));
  }

  /** The weights of each row beside x [N, ...], with which they broadcast as one of them did. */
  private broadcast(weight: Value, x: Value): Value {
    const rows = this.gathered(weight);
    const missing = must(x.shape, 'shape').length - must(rows.shape, 'shape').length;
    if (missing < 0) throw new UsageError(`stacked form: "${weight.name}" has as many axes as the batch, expected fewer`);
    return missing === 0
      ? rows
      : this.g.unsqueeze(
          rows,
          Array.from({ length: missing }, (_, i) => i + 1),
        );
  }

  private normalised(node: Node, x: Value): Value {
    const { g } = this;
    const after = Array.from({ length: must(x.shape, 'shape').length - 2 }, (_, i) => i + 2);
    const each = node.inputs.slice(1).map((v) => {
      const rows = this.gathered(must(v ?? undefined, 'statistic'));
      return after.length === 0 ? rows : g.unsqueeze(rows, after);
    });
    const [scale, bias, mean, variance] = each as [Value, Value, Value, Value];
    const root = g.sqrt(g.add(variance, node.float('epsilon', 1e-5)));
    return g.add(g.mul(g.div(g.sub(x, mean), root), scale), bias);
  }
}
