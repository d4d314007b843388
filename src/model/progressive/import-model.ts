// An ONNX model from elsewhere as an imported column: what its taps and scores need, its float weights taken out as parameters. What is left
// is a small graph that a description can carry.
import { must, UsageError } from '../../onnx/core/errors.js';
import type { Remedy } from '../../onnx/core/remedy.js';
import type { Tensor } from '../../onnx/core/tensor.js';
import { version } from '../../onnx/core/version.js';
import { Names } from '../../onnx/ir/builder.js';
import { type Graph, Node, Value } from '../../onnx/ir/graph.js';
import { cloneModel, type Model, producer } from '../../onnx/ir/model.js';
import { formatType, tensorType } from '../../onnx/ir/types.js';
import { Uses } from '../../onnx/ir/uses.js';
import { definitionOf, drawsAtRandom, hasTrait, isStandard, usesBatchStatistics } from '../../onnx/ops/definition.js';
import { constantOf, tensorOfConstant } from '../../onnx/ops/op-def.js';
import { verifyModel } from '../../onnx/ops/verify-model.js';
import { inferShapes } from '../../onnx/passes/infer-shapes.js';
import { modernise } from '../../onnx/passes/modernise.js';
import { removeUnused } from '../../onnx/passes/remove-unused.js';
import { toBinary } from '../../onnx/serde/to-binary.js';
import { opsetRange } from './forms.js';
import { scoresOf } from './raw-scores.js';
import type { Weights } from './weights.js';

/** A description carries the graph: one that is larger holds weights that it should not. */
export const maxGraphBytes = 4 << 20;

export interface ImportRequest {
  readonly task: string;
  /** Names of values that later columns may read, in order. Default: what its activations give. */
  readonly taps?: readonly string[];
  /** The value that is the task's raw scores [N, k], or `auto`: what stands before softmax and labels. Default: the model's only output. */
  readonly scores?: string;
}

export interface ImportedModel {
  /** The graph without weights, a whole ONNX model: the input, then the parameters. */
  readonly graph: Uint8Array;
  readonly taps: readonly string[];
  readonly scores: string;
  /** Under the names that the column gives them. */
  readonly weights: Weights;
  readonly input: { readonly name: string; readonly shape: readonly number[] };
  /** Width of the scores. */
  readonly width: number;
  /** What the user should know. */
  readonly notes: readonly string[];
}

type Fail = (message: string, remedy?: Remedy) => never;

/** `file` begins each message. Throws UsageError for what cannot be imported, ModelError for what is no sound model. */
export function importModel(given: Model, request: ImportRequest, file: string): ImportedModel {
  const fail: Fail = (message, remedy) => {
    throw new UsageError(`${file}: ${message}`, { path: file, ...(remedy !== undefined && { remedy }) });
  };
  const model = cloneModel(given);
  modernise(model);
  const { graph, opset } = model;
  if (opset > opsetRange.max) fail(`is of opset ${opset}, expected at most ${opsetRange.max}: export it at an older one`);
  const input = inputOf(graph, fail);
  constantsAsInitializers(graph);
  const { value: found, note } = scoresOf(graph, request.scores, fail);
  const asked = request.taps?.map((name) => computedBy(graph, name, fail));
  graph.outputs = [...new Set([...(asked ?? []), found])];
  removeUnused(graph);
  checkNodes(model, fail);
  const notes = note === undefined ? [] : [note];
  inferShapes(graph, { opset, onNote: (line) => notes.push(line) });
  for (const node of graph.nodes) for (const v of node.outputs) v.type = undefined;
  inferShapes(graph, { opset });
  const scores = flat(graph, found);
  const taps = asked ?? activations(graph, found);
  if (taps.length === 0)
    fail('no activation was found to tap: name values of the graph', { kind: 'give', option: 'taps', value: 'names' });
  for (const v of taps) sampleOf(v, 'the tap', fail);
  const sample = sampleOf(scores, 'the output', fail);
  if (sample.length !== 1) fail(`the output "${scores.name}" is ${formatType(scores.type)}, expected scores float32[N,k]`);

  graph.outputs = [...new Set([...taps, scores])];
  const weights = takeWeights(graph, input, request.task);
  strip(model, input);
  verifyModel(model);
  const bytes = toBinary(model);
  if (bytes.length > maxGraphBytes) {
    fail(`is ${bytes.length} bytes without its weights, expected at most ${maxGraphBytes}: it holds large constants`);
  }
  return {
    graph: bytes,
    taps: taps.map((v) => v.name),
    scores: scores.name,
    weights,
    input: { name: input.name, shape: sampleOf(input, 'the input', fail) },
    width: must(sample[0], 'width'),
    notes: notes.map((line) => `${file}: ${line}`),
  };
}

const names = (values: readonly Value[]): string => values.map((v) => v.name).join(', ');

/** The one input that callers feed, its batch left open and nothing else. */
function inputOf(graph: Graph, fail: Fail): Value {
  const given = new Set(graph.initializers);
  const inputs = graph.inputs.filter((v) => !given.has(v));
  const [input] = inputs;
  if (input === undefined || inputs.length > 1) return fail(`has ${inputs.length} inputs (${names(inputs)}), expected one`);
  const { type } = input;
  const shape = type?.kind === 'tensor' && type.dtype === 'float32' ? type.shape : undefined;
  if (shape === undefined || shape.length === 0) return fail(`its input is ${formatType(type)}, expected float32[N,...]`);
  if (typeof shape[0] === 'number') {
    return fail(
      `its input is ${formatType(type)}, a batch of ${shape[0]}: export it with a dynamic first dimension (dynamic_shapes)`,
    );
  }
  input.type = tensorType('float32', ['N', ...shape.slice(1)]);
  graph.inputs = [input];
  for (const v of given) v.overridable = false;
  sampleOf(input, 'the input', fail);
  return input;
}

function computedBy(graph: Graph, name: string, fail: Fail): Value {
  const computed = graph.nodes.flatMap((n) => n.outputs).filter((v) => v.name !== '');
  const found = computed.find((v) => v.name === name);
  if (found !== undefined) return found;
  const near = computed.slice(0, 12).map((v) => v.name);
  return fail(`computes no "${name}", it computes: ${near.join(', ')}${computed.length > near.length ? ', ...' : ''}`);
}

/** Shape of one sample of a float32 value; the batch must have stayed open. */
function sampleOf(v: Value, what: string, fail: Fail): number[] {
  const type = v.type?.kind === 'tensor' && v.type.dtype === 'float32' ? v.type : undefined;
  const dims = type?.shape?.slice(1);
  const known = dims?.every((d): d is number => typeof d === 'number') ? dims : undefined;
  if (known === undefined || typeof type?.shape?.[0] === 'number' || type?.shape?.length === 0) {
    return fail(`${what} "${v.name}" is ${formatType(v.type)}, expected float32[N,...] with only the batch open`);
  }
  return known;
}

/** Scores [N, k, 1, 1], as convolutional classifiers have them, as [N, k]. */
function flat(graph: Graph, scores: Value): Value {
  const [batch = null, ...dims] = scores.shape ?? [];
  const wide = dims.filter((d) => d !== 1);
  if (dims.length < 2 || wide.length > 1) return scores;
  const names = Names.of(graph);
  const y = new Value(names.unique(`${scores.name}/flat`), tensorType(scores.dtype, [batch, wide[0] ?? 1]));
  const axis = new Map([['axis', { kind: 'int', value: 1n } as const]]);
  graph.nodes.push(new Node('Flatten', [scores], [y], axis, names.unique(`${scores.name}/Flatten`)));
  return y;
}

function constantsAsInitializers(graph: Graph): void {
  graph.nodes = graph.nodes.filter((node) => {
    const [v] = node.outputs;
    const data = node.opType === 'Constant' && isStandard(node) ? tensorOfConstant(node) : undefined;
    if (data === undefined || v === undefined) return true;
    v.producer = undefined;
    v.constant = data;
    v.type = tensorType(data.dtype, data.dims);
    graph.initializers.push(v);
    return false;
  });
}

function checkNodes({ graph, opset, opsets }: Model, fail: Fail): void {
  for (const node of graph.nodes) {
    const called = `${node.opType} "${node.name}"`;
    if (!isStandard(node) || definitionOf(node, opset) === undefined)
      fail(
        `${called} of ${node.domain || 'ai.onnx'} ${isStandard(node) ? opset : (opsets.get(node.domain) ?? '')} is not known (docs/ops.md)`,
      );
    if (node.subgraphs.length > 0) fail(`${called}: control flow cannot be imported`);
    if (drawsAtRandom(node) || usesBatchStatistics(node) || node.int('training_mode', 0) !== 0)
      fail(`${called} is in training mode: export the model after .eval()`);
  }
}

/**
 * Outputs of activations that something goes on from; a sigmoid that only gates its own input (SiLU) is none, its product is. A Clip at 0 and
 * above is ReLU6. What is no float32 cannot be read by columns and is left out.
 */
function activations(graph: Graph, scores: Value): Value[] {
  const uses = new Uses(graph);
  return graph.nodes.flatMap((node): Value[] => {
    const [v] = node.outputs;
    if (!(hasTrait(node, 'activation') || isCappedRelu(node)) || v === undefined || v === scores) return [];
    const reader = uses.soleNode(v);
    const gate = node.opType === 'Sigmoid' && reader?.opType === 'Mul';
    const [product] = gate && reader.inputs.includes(node.inputs[0] ?? null) ? reader.outputs : [v];
    const readable = product?.type?.kind === 'tensor' && product.type.dtype === 'float32';
    return product === undefined || product === scores || !readable ? [] : [product];
  });
}

/** min(max(x, 0), c), as exporters write ReLU6. */
function isCappedRelu(node: Node): boolean {
  const [, least, most] = node.inputs;
  return node.opType === 'Clip' && isStandard(node) && numberOf(least) === 0 && (numberOf(most) ?? 0) > 0;
}

const numberOf = (v: Value | null | undefined): number | undefined => (v ? constantOf(v)?.numbers()[0] : undefined);

/** Makes inputs of float32 initializers that are no scalars, and returns their data. */
function takeWeights(graph: Graph, input: Value, task: string): Map<string, Tensor> {
  const fixed = new Set(graph.nodes.filter((n) => hasTrait(n, 'settings')).flatMap((n) => n.inputs));
  const weights = new Map<string, Tensor>();
  const parameters: Value[] = [];
  graph.initializers = graph.initializers.filter((v) => {
    const { constant } = v;
    if (constant?.dtype !== 'float32' || constant.dims.length === 0 || fixed.has(v)) return true;
    weights.set(`${task}/${v.name}`, constant);
    v.type = tensorType('float32', constant.dims);
    v.constant = undefined;
    parameters.push(v);
    return false;
  });
  graph.inputs = [input, ...parameters];
  return weights;
}

/** Leaves nothing that says where the model came from: exporters write paths of their machine into it. */
function strip(model: Model, input: Value): void {
  const { graph } = model;
  model.producerName = producer;
  model.producerVersion = version;
  model.doc = graph.doc = '';
  model.metadata = new Map();
  graph.metadata = new Map();
  model.unread = [];
  graph.quantization = [];
  graph.restated = [];
  for (const domain of [...model.opsets.keys()]) if (domain !== '') model.opsets.delete(domain);
  for (const node of graph.nodes) {
    node.doc = '';
    node.metadata = new Map();
    node.deviceConfigurations = [];
  }
  for (const v of [input, ...graph.values()]) {
    v.doc = '';
    v.metadata = new Map();
  }
}
