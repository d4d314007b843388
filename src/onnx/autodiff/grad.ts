// The gradient graph of any ONNX model: the model's own outputs, and beside them the gradients (or the directional derivatives).

import { ModelError, must, UsageError } from '../core/errors.js';
import { anObject, either, given, optional, names as someNames, text } from '../core/given.js';
import type { Tensor } from '../core/tensor.js';
import { version } from '../core/version.js';
import { Names } from '../ir/builder.js';
import type { Graph, Value } from '../ir/graph.js';
import { aModel, cloneModel, type Model, producer } from '../ir/model.js';
import { formatType, tensorType } from '../ir/types.js';
import { weightsOfConstant } from '../ir/weights.js';
import { ops } from '../ops/ops.js';
import type { Ops } from '../ops/ops-builder.js';
import { verifyModel } from '../ops/verify-model.js';
import { newestOpset } from '../ops/versions.js';
import { foldConstants } from '../passes/fold-constants.js';
import { inferShapes } from '../passes/infer-shapes.js';
import { sizesOf } from '../passes/memory-estimate.js';
import { modernise } from '../passes/modernise.js';
import { nameDimensions } from '../passes/name-dimensions.js';
import { optimise } from '../passes/optimise.js';
import { type PassContext, untilStable } from '../passes/pass.js';
import { type Rematerialised, rematerialise } from '../passes/rematerialise.js';
import { takeBranch } from '../passes/take-branch.js';
import { unpackSequences } from '../passes/unpack-sequences.js';
import { gradient, isScalar, jvp } from './gradient.js';
import { carriesGradient } from './path.js';

/** What `grad` differentiates by what. */
export interface GradOptions {
  /** What to differentiate: names of outputs, or of any floating-point values of the graph. */
  readonly of: string | readonly string[];
  /** What to differentiate by: names of inputs, weights (initializers, Constant nodes), or any floating-point values of the graph. */
  readonly by: readonly string[];
  /**
   * `vjp` (default), reverse mode: an output `grad/<by>` for each of `by`; an `of` that is no scalar gets an input `seed/<of>`, its vector.
   * `jvp`, forward mode: an input `tangent/<by>` for each of `by`, an output `jvp/<of>` for each `of`.
   */
  readonly mode?: 'vjp' | 'jvp';
  /**
   * Bytes that the values between inputs and outputs may take at one time, by estimate: forward values that the gradient reads are computed
   * again rather than kept, as far as that needs. Weights, inputs and the runtime itself are not counted.
   */
  readonly memory?: number;
  /** Sizes of symbolic dimensions, for `memory`. */
  readonly dims?: Readonly<Record<string, number>>;
  /** A line that the user should know: a type that the model states and that does not hold. */
  readonly onNote?: (line: string) => void;
}

/**
 * A new model that computes what `model` does and its derivatives, in standard ops; `model` itself stays as it is. Functions are inlined,
 * opsets below 17 are upgraded to 17, later ones are kept. Applied to its own result (`of: 'grad/x'`), it gives second derivatives under
 * `grad/grad/x`. Throws UsageError for a name that is not there (and says which are), ModelError that names op and node where an op on the
 * path has no gradient.
 */
export function grad(model: Model, options: GradOptions): Model {
  return gradWithin(model, options).model;
}

export interface GradientModel {
  readonly model: Model;
  /** What `memory` came to, where it was given. */
  readonly memory?: Rematerialised;
  /** The value that each added input and output belongs to, by name: their own names do not tell where the model had such a name already. */
  readonly belongsTo: ReadonlyMap<string, string>;
}

/** The same, with what was added. */
export function gradWithin(model: Model, options: GradOptions): GradientModel {
  given(
    'grad',
    { model, options },
    {
      model: aModel,
      options: anObject,
      'options.of': either(text, someNames),
      'options.by': someNames,
      'options.dims': optional(anObject),
    },
  );
  const out = prepare(cloneModel(model));
  const { graph } = out;
  const names = Names.of(graph);
  const g = ops({ graph, opset: out.opset, names });
  const byName = new Map([...graph.values()].map((v) => [v.name, v]));
  const find = (name: string, what: string, known: readonly Value[]) => findValue(byName, name, what, known);
  const asked = [...new Set(typeof options.of === 'string' ? [options.of] : options.of)].map((n) =>
    find(n, 'output', graph.outputs),
  );
  const by = [...new Set(options.by)].map((n) => find(n, 'input or weight', differentiable(graph)));
  if (asked.length === 0 || by.length === 0)
    throw new UsageError('grad: name at least one output and one value to differentiate by');

  for (const v of by) asInitializer(graph, v);
  const parameters = new Set(graph.initializers);
  const own = graph.outputs.length;
  const restore = setAside(graph, by);
  const of = settle(graph, out.opset, asked, by, { parameters, ...(options.onNote !== undefined && { onNote: options.onNote }) });
  const { opset } = out;
  if (unpackSequences(graph, { opset, names })) inferShapes(graph, { opset });
  const belongsTo = new Map<string, string>();
  const unname = nameDimensions(graph, out.opset);
  if (options.mode === 'jvp') {
    const tangents = by.map((v) => addInput(g, 'tangent', v, belongsTo));
    addOutputs(g, 'jvp', jvp(g, { of, by, tangents }), of, belongsTo);
  } else {
    const seed = of.map((v) => (isScalar(v) ? undefined : addInput(g, 'seed', v, belongsTo)));
    addOutputs(g, 'grad', gradient(g, { of, by, seed }), by, belongsTo);
  }
  unname();
  optimise(graph, { opset, parameters });
  const memory = options.memory === undefined ? undefined : keepWithin(graph, out.opset, options.memory, options.dims ?? {}, own);
  if (memory !== undefined) optimise(graph, { opset, parameters });
  restore();
  out.producerName = producer;
  out.producerVersion = version;
  out.unread = [];
  verifyModel(out);
  return { model: out, belongsTo, ...(memory !== undefined && { memory }) };
}

/** Fits the graph, whose first `own` outputs are the model's, into a memory budget. */
function keepWithin(
  graph: Graph,
  opset: number,
  budget: number,
  dims: Readonly<Record<string, number>>,
  own: number,
): Rematerialised {
  const g = ops({ graph, opset, names: Names.of(graph) });
  return rematerialise(g, { budget, forward: graph.outputs.slice(0, own), bytes: sizesOf(graph, dims, opset) });
}

const constantsAlone = untilStable([inferShapes, takeBranch, foldConstants]);

/** Old forms and calls are gone before anything is differentiated. */
function prepare(model: Model): Model {
  if (model.opset > newestOpset) {
    throw new ModelError(`the model is of opset ${model.opset}, a gradient takes opsets up to ${newestOpset}`, {
      expected: `at most ${newestOpset}`,
      got: String(model.opset),
    });
  }
  modernise(model);
  return model;
}

/**
 * Known shapes and axes, and work done once, make smaller gradients: the passes run before differentiation too. Inner values that are
 * differentiated by must stay apart from others that equal them, so there only shapes are computed. Returns what `of` has become.
 */
function settle(graph: Graph, opset: number, of: readonly Value[], by: readonly Value[], context: PassContext): readonly Value[] {
  if (by.every((v) => v.producer === undefined)) {
    // Whatever else is differentiated is kept as an output meanwhile.
    const count = graph.outputs.length;
    graph.outputs.push(...of);
    optimise(graph, { ...context, opset });
    return graph.outputs.splice(count);
  }
  const keep = new Set(by);
  constantsAlone(graph, { ...context, opset, keep });
  return of;
}

/** Inputs and weights that a gradient may be taken by. */
function differentiable(graph: Graph): Value[] {
  const constants = graph.nodes.flatMap((node) => weightsOfConstant(node).map(({ value }) => value));
  return [...new Set([...graph.inputs, ...graph.initializers, ...constants])].filter(carriesGradient);
}

/** A weight that a Constant node gives, as some exporters write them, is an initializer like others. */
function asInitializer(graph: Graph, v: Value): void {
  const [weight] = v.producer === undefined || graph.outputs.includes(v) ? [] : weightsOfConstant(v.producer);
  if (weight === undefined) return;
  graph.nodes = graph.nodes.filter((node) => node !== v.producer);
  v.producer = undefined;
  v.constant = weight.tensor;
  v.type = tensorType(weight.tensor.dtype, weight.tensor.dims);
  graph.initializers.push(v);
}

/** How many names an error lists. */
const listed = 12;

function findValue(values: ReadonlyMap<string, Value>, name: string, what: string, known: readonly Value[]): Value {
  const v = values.get(name);
  const list = (some = known) =>
    some
      .slice(0, listed)
      .map((k) => k.name)
      .join(', ') + (some.length > listed ? `, ... (${some.length})` : '');
  if (v === undefined)
    throw new UsageError(`the model has no ${what} "${name}", there are: ${list()}`, { expected: list(), got: name });
  if (!carriesGradient(v)) {
    const able = known.filter(carriesGradient);
    const others = able.length === 0 ? `the model has no ${what} that is one` : `there are: ${list(able)}`;
    throw new UsageError(`${what} "${name}" is ${formatType(v.type)}; a gradient needs a floating-point tensor, ${others}`, {
      expected: 'a floating-point tensor',
      got: formatType(v.type),
    });
  }
  return v;
}

/**
 * Takes away the data of initializers that are no constants: those differentiated by, whose gradient must not be folded away, and defaults of
 * inputs, which a caller may override. Returns what puts them back.
 */
function setAside(graph: Graph, by: readonly Value[]): () => void {
  const inputs = new Set(graph.inputs);
  const wanted = new Set(by);
  const data = new Map<Value, Tensor>();
  for (const v of graph.initializers) {
    if (v.constant === undefined || !(inputs.has(v) || wanted.has(v))) continue;
    data.set(v, v.constant);
    v.constant = undefined;
  }
  return () => {
    for (const [v, t] of data) v.constant = t;
  };
}

/** `prefix/name`, with the prefix again where that is taken. */
function freeName(g: Ops, prefix: string, v: Value): string {
  let name = `${prefix}/${v.name}`;
  while (g.names.has(name)) name = `${prefix}/${name}`;
  return name;
}

function addInput(g: Ops, prefix: string, like: Value, belongsTo: Map<string, string>): Value {
  const v = g.input(freeName(g, prefix, like), like.dtype, like.shape);
  belongsTo.set(v.name, like.name);
  return v;
}

function addOutputs(
  g: Ops,
  prefix: string,
  values: readonly Value[],
  of: readonly Value[],
  belongsTo: Map<string, string>,
): void {
  for (const [i, v] of values.entries()) {
    const subject = must(of[i], 'value');
    belongsTo.set(g.output(v, freeName(g, prefix, subject)).name, subject.name);
  }
}
