// The stacked form of a fleet: every weight of a column becomes a bank [T, ...] of the weights of T columns, and each row of a batch is computed with the weights of
// its own column. What they multiply becomes one batched product; an op that takes one kernel for all rows, as a Conv or an LSTM, goes row by row in a Scan.
// Rows of many columns are one run then, and what they share is computed as for one batch.
import { must, UsageError } from '../onnx/core/errors.js';
import { type Node, nodeReads, type Value } from '../onnx/ir/graph.js';
import { tensorType } from '../onnx/ir/types.js';
import { hasTrait, isStandard } from '../onnx/ops/definition.js';
import type { Ops } from '../onnx/ops/ops-builder.js';
import { scan } from '../onnx/ops/scan.js';

/**
 * Turns the inputs `weights` of the graph under construction into banks, and adds the input `index`, int64 [N]: the place of each row's column in the banks. A place outside of
 * them makes the run fail. Throws UsageError for an op that reads weights and does not keep the rows of a batch apart.
 */
export function stackWeights(g: Ops, weights: readonly Value[], index: string): void {
  const { graph } = g;
  const { nodes } = graph;
  const first = weights[0];
  if (first === undefined) throw new UsageError('stacked form: the column has no weights, expected one that learns');
  graph.nodes = [];
  for (const weight of weights) weight.type = tensorType(weight.dtype, [held, ...weight.dims]);
  const given = g.input(index, 'int64', ['N']);
  // Gather refuses a place beyond the end; negative ones, which would count from the end, are sent there too.
  const places = g.where(g.less(given, 0), g.shape(first, { start: 0, end: 1 }), given);
  const stack = new Stack(g, new Set(weights), places);
  for (const node of nodes) {
    if (stack.untouched(node)) {
      graph.nodes.push(node);
      continue;
    }
    for (const [output, now] of stack.replacement(node)) {
      // The value stays the one that others read.
      const producer = must(now.producer, 'producer');
      producer.outputs[producer.outputs.indexOf(now)] = output;
      output.producer = producer;
    }
  }
}

/** The first dimension of a bank: how many columns are in it. No open size of a description can be called so. */
const held = 'fleet.T';

/** An output of a node that reads weights, and the value that takes its place. */
type Replaced = readonly (readonly [output: Value, now: Value])[];

/** The axis on which the rows of a batch lie; -1 where there is none. */
const batchAxis = ({ shape }: Value): number => shape?.indexOf('N') ?? -1;

/** Whether a value is the same whatever is fed. */
function isFixed({ constant, producer }: Value): boolean {
  return constant !== undefined || (producer !== undefined && [...nodeReads(producer)].every(isFixed));
}

const written = (node: Node): readonly Value[] => node.outputs.filter(({ name }) => name !== '');

class Stack {
  /** What is computed of weights alone, such as their transpose; it is computed again for each row. */
  private readonly derived = new Set<Value>();
  private readonly rows = new Map<Value, Value>();

  constructor(
    private readonly g: Ops,
    private readonly weights: ReadonlySet<Value>,
    private readonly places: Value,
  ) {}

  private isWeight(v: Value | null | undefined): v is Value {
    return v !== null && v !== undefined && (this.weights.has(v) || this.derived.has(v));
  }

  /** Whether what is fed decides a value. */
  private isOfBatch(v: Value | null): v is Value {
    return v !== null && !this.isWeight(v) && !isFixed(v);
  }

  /** The weights of each row, [N, ...]. */
  private gathered(weight: Value): Value {
    const { g, places } = this;
    const all = () =>
      this.weights.has(weight)
        ? g.gather(weight, places, { axis: 0 })
        : must(this.eachPlace([], (b, place) => [this.ofRow(b, weight, place)])[0], 'weights of each row');
    const known = this.rows.get(weight) ?? all();
    this.rows.set(weight, known);
    return known;
  }

  /** What `step` gives for the place of each row's column and the rows of `read`, whose first axis is the batch; put together along the first axis. */
  private eachPlace(read: readonly Value[], step: (b: Ops, place: Value, rows: readonly Value[]) => readonly Value[]): Value[] {
    return scan(this.g, [], [this.places, ...read], 'forward', (b, _, [place, ...rows]) => ({
      states: [],
      outputs: step(b, must(place, 'place'), rows),
    }));
  }

  /** In a Scan: the weight of the column at `place`, or what is computed of it. */
  private ofRow(b: Ops, weight: Value, place: Value): Value {
    if (this.weights.has(weight)) return b.gather(weight, place, { axis: 0 });
    const node = must(weight.producer, 'producer');
    const inputs = node.inputs.map((v) => (this.isWeight(v) ? this.ofRow(b, v, place) : v));
    return must(this.again(b, node, inputs)[written(node).indexOf(weight)], 'output');
  }

  /** The node over other inputs: its outputs that have a name. */
  private again(b: Ops, node: Node, inputs: readonly (Value | null)[]): Value[] {
    const named = node.outputs.map(({ name }) => name !== '');
    return b.node(node.opType, inputs, node.attributes, named, node.domain).filter(({ name }) => name !== '');
  }

  /** Whether a node is the same for all columns; arithmetic is, over weights that broadcast as one of them did. */
  untouched(node: Node): boolean {
    const { inputs } = node;
    if (![...nodeReads(node)].some((v) => this.isWeight(v))) return true;
    const beside = inputs.find((v): v is Value => v !== null && !this.isWeight(v) && batchAxis(v) === 0);
    const rank = beside?.shape?.length ?? 0;
    const fits = (v: Value | null) => !this.isWeight(v) || this.rankOf(v) < rank;
    if (!isStandard(node) || !hasTrait(node, 'arithmetic') || beside === undefined || !inputs.every(fits)) return false;
    node.inputs = inputs.map((v) => (this.isWeight(v) ? this.broadcast(v, beside) : v));
    return true;
  }

  /** Axes of a weight of one column. */
  private rankOf(weight: Value): number {
    return must(weight.shape, 'shape').length - (this.weights.has(weight) ? 1 : 0);
  }

  /** What a node gives, computed with each row's own weights; nothing yet where it reads weights alone. Throws UsageError. */
  replacement(node: Node): Replaced {
    if (node.subgraphs.length === 0 && !node.inputs.some((v) => this.isOfBatch(v))) {
      for (const v of written(node)) this.derived.add(v);
      return [];
    }
    const found = isStandard(node) ? this.rule(node) : undefined;
    return found === undefined ? this.eachRow(node) : [[must(node.outputs[0], 'output'), found]];
  }

  /** The node itself, row by row. */
  private eachRow(node: Node): Replaced {
    const outputs = written(node);
    const read = node.inputs.filter((v) => this.isOfBatch(v));
    if (node.subgraphs.length > 0 || [...read, ...outputs].some((v) => batchAxis(v) < 0))
      throw new UsageError(
        `stacked form: ${node.opType} of weights of a column is not in it, expected one that keeps the rows of a batch apart`,
        { op: node.opType, expected: 'an op over rows of a batch' },
      );
    const one = (b: Ops, place: Value, rows: readonly Value[]): Value[] => {
      const inputs = node.inputs.map((v) => {
        if (this.isWeight(v)) return this.ofRow(b, v, place);
        const row = v === null ? undefined : rows[read.indexOf(v)];
        return v === null || row === undefined ? v : b.unsqueeze(row, [batchAxis(v)]);
      });
      return this.again(b, node, inputs).map((v, i) => b.squeeze(v, [batchAxis(must(outputs[i], 'output'))]));
    };
    // A Scan may go along other axes, but not every runtime has that.
    const now = this.eachPlace(
      read.map((v) => this.moved(v, batchAxis(v), 0)),
      one,
    );
    return outputs.map((v, i) => [v, this.moved(must(now[i], 'rows'), 0, batchAxis(v))]);
  }

  /** A value with one of its axes elsewhere. */
  private moved(v: Value, from: number, to: number): Value {
    if (from === to) return v;
    const perm = must(v.shape, 'shape').map((_, i) => i);
    perm.splice(to, 0, ...perm.splice(from, 1));
    return this.g.transpose(v, { perm });
  }

  /** The ops that take the weights of all rows at once. */
  private rule(node: Node): Value | undefined {
    const { g } = this;
    const [x, weight, third] = node.inputs;
    const { opType } = node;
    if (!x || !weight) return undefined;
    if (opType === 'Gather' && node.int('axis', 0) === 0 && this.weights.has(x) && batchAxis(weight) === 0)
      return this.looked(x, weight);
    if (this.isWeight(x) || batchAxis(x) !== 0) return undefined;
    if (opType === 'BatchNormalization') return this.normalised(node, x);
    if (!this.isWeight(weight)) return undefined;
    if (opType === 'MatMul' && this.rankOf(weight) === 2) return this.product(x, this.gathered(weight));
    if (opType !== 'Gemm' || node.int('transA', 0) !== 0 || node.float('alpha', 1) !== 1 || node.float('beta', 1) !== 1)
      return undefined;
    const rows = this.gathered(weight);
    const y = this.product(x, node.int('transB', 0) === 0 ? rows : g.transpose(rows, { perm: [0, 2, 1] }));
    if (third === null || third === undefined) return y;
    return g.add(y, this.isWeight(third) ? this.broadcast(third, y) : third);
  }

  /** Rows of each sample's own table, by ids [N, ...]. */
  private looked(table: Value, ids: Value): Value {
    const { g } = this;
    const rank = must(ids.shape, 'shape').length;
    const places = this.widened(this.places, rank - 1);
    const whole = ids.dtype === 'int64' ? ids : g.cast(ids, { to: 'int64' });
    const pairs = [g.expand(places, g.shape(ids)), whole].map((v) => g.unsqueeze(v, [rank]));
    return g.gatherND(table, g.concat(...pairs, { axis: rank }));
  }

  /** x [N, ..., in] by each row's own matrix [N, in, out]. */
  private product(x: Value, matrices: Value): Value {
    const { g } = this;
    const rank = must(x.shape, 'shape').length;
    if (rank === 2) return g.squeeze(g.matMul(g.unsqueeze(x, [1]), matrices), [1]);
    return g.matMul(x, this.widened(matrices, rank - 3));
  }

  /** The weights of each row beside x [N, ...], with which they broadcast as one of them did. */
  private broadcast(weight: Value, x: Value): Value {
    const rows = this.gathered(weight);
    return this.widened(rows, must(x.shape, 'shape').length - must(rows.shape, 'shape').length);
  }

  /** A value with so many axes of one element behind its first ones. */
  private widened(v: Value, count: number, first = 1): Value {
    return count === 0
      ? v
      : this.g.unsqueeze(
          v,
          Array.from({ length: count }, (_, i) => first + i),
        );
  }

  private normalised(node: Node, x: Value): Value {
    const { g } = this;
    const after = must(x.shape, 'shape').length - 2;
    const each = node.inputs.slice(1).map((v) => this.widened(this.gathered(must(v ?? undefined, 'statistic')), after, 2));
    const [scale, bias, mean, variance] = each as [Value, Value, Value, Value];
    const root = g.sqrt(g.add(variance, node.float('epsilon', 1e-5)));
    return g.add(g.mul(g.div(g.sub(x, mean), root), scale), bias);
  }
}
