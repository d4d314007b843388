// An ONNX model from elsewhere as an imported column: the graph as it is, as far as its taps and scores need it, its weights taken out as parameters.
// What is left is a small graph that a description can carry. Shapes that inference does not find are left to who can run it (tasks/import-probe.ts).
import { isStorable } from '../../formats/safetensors.js';
import type { DType } from '../../onnx/core/dtype.js';
import { ModelError, ShapeError, UsageError } from '../../onnx/core/errors.js';
import type { Tensor } from '../../onnx/core/tensor.js';
import { version } from '../../onnx/core/version.js';
import { layoutsIn } from '../../onnx/features/axes.js';
import { spread, tapCandidates } from '../../onnx/features/candidates.js';
import type { FeatureLayout } from '../../onnx/features/layout.js';
import { allNodes, type Graph, nodeLabel, nodeReads, type Value } from '../../onnx/ir/graph.js';
import { cloneModel, type Model, producer } from '../../onnx/ir/model.js';
import { formatType, tensorType } from '../../onnx/ir/types.js';
import { definitionOf, drawsAtRandom, hasTrait, isStandard, usesBatchStatistics } from '../../onnx/ops/definition.js';
import { tensorOfConstant } from '../../onnx/ops/op-def.js';
import { verifyModel } from '../../onnx/ops/verify-model.js';
import { inferShapes } from '../../onnx/passes/infer-shapes.js';
import { modernise } from '../../onnx/passes/modernise.js';
import { removeUnused } from '../../onnx/passes/remove-unused.js';
import { takeBranch } from '../../onnx/passes/take-branch.js';
import { toBinary } from '../../onnx/serde/to-binary.js';
import type { Layout } from '../nn/sample.js';
import { opsetRange } from './forms.js';
import { type Fail, type FileInputs, type InputRequest, prepareInputs } from './import-inputs.js';
import { judgedScores } from './judged-scores.js';
import { scoresOf } from './raw-scores.js';
import type { Weights } from './weights.js';

/** A description carries the graph: one that is larger holds weights that it should not. */
export const maxGraphBytes = 16 << 20;
/** Weights of other types than float32 are taken out from so many elements on: what is smaller says how to compute, as axes and shapes do. */
const fewElements = 64;
/** Taps that are taken where nobody says which: what a later column has blocks for, and the file stays readable. */
const unasked = 8;

export interface ImportRequest extends InputRequest {
  readonly task: string;
  /** Names of values that later columns may read, in order. Default: good ones that are found, at most eight (`spread`). */
  readonly taps?: readonly string[];
  /** Whether a head judges the scores: they are raw then, [N, k]. Otherwise they may be any values, and without a name there are none. Default: true. */
  readonly judged?: boolean;
  /** Its taps alone are of use: there are no scores unless they are named. */
  readonly backbone?: boolean;
  /** So many of the taps that are found, evenly spread by depth. */
  readonly spread?: number;
  /** Names of values that are no taps, though they may be found. */
  readonly without?: ReadonlySet<string>;
  /** How the axes of taps and scores lie, by their names, where the graph does not show it. */
  readonly layouts?: ReadonlyMap<string, FeatureLayout>;
  /** The value that is the task's raw scores [N, k], or `auto`: what stands before softmax and labels. Default: the model's only output. */
  readonly scores?: string;
}

/** A value that the column gives, with what inference knows of it. */
export interface ImportedValue {
  readonly name: string;
  /** Of one sample; undefined where running the model must tell. */
  readonly shape: readonly number[] | undefined;
}

export interface ImportedModel {
  /** The graph without weights: the input, then the parameters. Its outputs are taps and scores. */
  readonly model: Model;
  readonly taps: readonly string[];
  /** undefined where there are none: the last tap is what the column gives. */
  readonly scores: string | undefined;
  /** Of the taps, in their order. */
  readonly shapes: readonly ImportedValue['shape'][];
  /** Where their channels stand; undefined for vectors, and where it is not known. */
  readonly layouts: readonly (Layout | undefined)[];
  /** The value of the file that the column gives: scores, [N, k, 1, 1] as they are there, or the last tap. */
  readonly given: string;
  /** Under the names that the column gives them. */
  readonly weights: Weights;
  /** What the file asks for; what is fixed and what nothing needs is no input of the column. */
  readonly file: FileInputs;
  /** Names of the inputs of the column, in their order. */
  readonly inputs: readonly string[];
  /** Width of the scores; undefined where running the model must tell. */
  readonly width: number | undefined;
  /** What the user should know. */
  readonly notes: readonly string[];
}

/** `file` begins each message. Throws UsageError for what cannot be imported, ModelError and ShapeError for what is no sound model. */
export const importModel = (original: Model, request: ImportRequest, file: string): ImportedModel =>
  sayingFile(file, () => imported(original, request, file));

/** Does what inference of a file's graph is part of: `file` begins what that throws, ModelError and ShapeError. */
export function sayingFile<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (cause instanceof ShapeError) throw new ShapeError(`${file}: ${cause.statement}`, { ...cause.fields, path: file, cause });
    if (cause instanceof ModelError) throw new ModelError(`${file}: ${cause.statement}`, { ...cause.fields, path: file, cause });
    throw cause;
  }
}

function imported(original: Model, request: ImportRequest, file: string): ImportedModel {
  const fail: Fail = (message, remedy) => {
    throw new UsageError(`${file}: ${message}`, { path: file, ...(remedy !== undefined && { remedy }) });
  };
  const model = cloneModel(original);
  modernise(model);
  const { graph, opset } = model;
  if (opset > opsetRange.max) fail(`is of opset ${opset}, expected at most ${opsetRange.max}: export it at an older one`);
  constantsAsInitializers(graph);
  const asks = prepareInputs(model, request, fail);
  const { judged = request.backbone !== true } = request;
  const named = [...(request.taps ?? []), ...(request.scores === undefined || request.scores === 'auto' ? [] : [request.scores])];
  const computed = new Set(graph.nodes.flatMap((n) => n.outputs).map(({ name }) => name));
  if (named.some((name) => !computed.has(name))) branchesTaken(graph, opset);
  const { value: found, note } = judged ? scoresOf(graph, request.scores, fail) : { value: unjudgedOf(graph, request, fail) };
  const asked = request.taps?.map((name) => computedBy(graph, name, fail));
  graph.outputs =
    asked === undefined && found === undefined ? graph.outputs : [...new Set([...(asked ?? []), ...(found ? [found] : [])])];
  removeUnused(graph);
  checkNodes(graph, fail);
  const notes = note === undefined ? [] : [note];
  inferAnew(graph, opset, notes);
  const scores = found && judged ? judgedScores(graph, found, request.layouts ?? new Map(), fail) : found;
  const ends = found && judged ? [found] : undefined;
  const inBranches = () => (asked === undefined && branchesTaken(graph, opset) ? tapCandidates(graph, ends) : []);
  const before = tapCandidates(graph, ends);
  const candidates = before.length > 0 ? before : inBranches();
  // Rows come first in what columns read: a tap whose steps come first is none that is taken unasked.
  const good = candidates.filter(
    ({ value, layout, shape }) =>
      value !== found && layout !== 'TNF' && typeof shape[0] !== 'number' && request.without?.has(value.name) !== true,
  );
  const plain = good.filter(({ value }) => value.dtype === 'float32');
  const taps = asked ?? spread(plain.length > 0 ? plain : good, request.spread ?? unasked).map(({ value }) => value);
  const [deepest] = taps.slice(-1);
  if (deepest === undefined)
    return fail('nothing was found to tap: name values of the graph', { kind: 'give', option: 'taps', value: 'names' });
  const given = new Set(graph.inputs);
  for (const v of taps) refuseAlone(v, 'the tap', given, fail);
  const shapes = taps.map((v) => sampleOf(v, 'the tap', fail));
  const layouts = tapLayouts(graph, taps, found, request.layouts ?? new Map(), notes, fail);
  if (scores) refuseAlone(scores, 'the output', given, fail);
  const sample = scores && judged ? sampleOf(scores, 'the output', fail, unjudgedWay) : undefined;
  if (scores && sample !== undefined && (sample.length < 1 || sample.length > 2)) {
    const right = `scores float32[N,k], or [N,T,k] of each step${unjudgedWay}`;
    fail(`the output "${scores.name}" is ${formatType(scores.type)}, expected ${right}`);
  }

  graph.outputs = [...new Set([...taps, ...(scores ? [scores] : [])])];
  removeUnused(graph);
  verifyModel(model);
  // What nothing needs any more is no input.
  const read = new Set(graph.nodes.flatMap((node) => [...nodeReads(node)]));
  const inputs = graph.inputs.filter((v) => read.has(v));
  const weights = takeWeights(graph, inputs, request.task);
  strip(model);
  return {
    model,
    taps: taps.map((v) => v.name),
    scores: scores?.name,
    shapes,
    layouts,
    given: (found ?? deepest).name,
    weights,
    file: asks,
    inputs: inputs.map((v) => v.name),
    width: sample?.at(-1),
    notes: notes.map((line) => `${file}: ${line}`),
  };
}

/** The file of an imported graph. Throws UsageError for one that a description cannot carry. */
export function graphFile({ model }: ImportedModel, file: string): Uint8Array {
  const bytes = toBinary(model);
  if (bytes.length <= maxGraphBytes) return bytes;
  const held = `is ${bytes.length} bytes without its weights, expected at most ${maxGraphBytes}: it holds large constants`;
  throw new UsageError(`${file}: ${held}`, { path: file });
}

/** Puts branches in the place of an If whose condition is known, as where it asks an input that is fixed: what is worth a tap may stand there. */
function branchesTaken(graph: Graph, opset: number): boolean {
  inferShapes(graph, { opset });
  if (!takeBranch(graph)) return false;
  inferShapes(graph, { opset });
  return true;
}

/** Types as inference finds them: what a file states of a shape may be left over from another version of the model. */
function inferAnew(graph: Graph, opset: number, notes: string[]): void {
  inferShapes(graph, { opset, onNote: (line) => notes.push(line) });
  for (const node of graph.nodes) {
    const known = definitionOf(node, opset) !== undefined;
    for (const v of node.outputs) v.type = known || v.type?.kind !== 'tensor' ? undefined : tensorType(v.type.dtype);
  }
  inferShapes(graph, { opset });
}

/** What a column gives that no head judges: the value that is named, else the only output, of a backbone nothing. */
function unjudgedOf(graph: Graph, { scores, backbone }: ImportRequest, fail: Fail): Value | undefined {
  if (scores !== undefined) return computedBy(graph, scores, fail);
  if (backbone === true) return undefined;
  const [only, ...more] = graph.outputs;
  if (more.length === 0) return only;
  return fail(`has the outputs ${names(graph.outputs)}: say which one it is`, { kind: 'give', option: 'scores', value: 'name' });
}

const names = (values: readonly Value[]): string => values.map((v) => v.name).join(', ');

function computedBy(graph: Graph, name: string, fail: Fail): Value {
  const computed = graph.nodes.flatMap((n) => n.outputs).filter((v) => v.name !== '');
  const found = computed.find((v) => v.name === name);
  if (found !== undefined) return found;
  const near = computed.slice(0, 12).map((v) => v.name);
  return fail(`computes no "${name}", it computes: ${near.join(', ')}${computed.length > near.length ? ', ...' : ''}`);
}

/** What takes scores that no head judges. */
const unjudgedWay = ', or --head none';

/** Types that columns can read, as float32. */
export const isReadable = (dtype: DType): boolean => ['float32', 'float16', 'bfloat16', 'float64'].includes(dtype);

/** Shape of one sample, undefined where inference does not know it all. Throws for a type that no column reads and for a batch that is not open. */
function sampleOf(v: Value, what: string, fail: Fail, way = ''): number[] | undefined {
  const { type } = v;
  const wrong = () => fail(`${what} "${v.name}" is ${formatType(type)}, expected float32[N,...] with only the batch open${way}`);
  if (type === undefined) return undefined;
  if (type.kind !== 'tensor' || !isReadable(type.dtype)) return wrong();
  const { shape } = type;
  if (shape?.length === 0 || typeof shape?.[0] === 'number') return wrong();
  const dims = shape?.slice(1);
  return dims?.every((d): d is number => typeof d === 'number') ? dims : undefined;
}

/** Throws for a value that has nothing to do with the input: it cannot have a row for each sample. */
function refuseAlone(v: Value, what: string, inputs: ReadonlySet<Value>, fail: Fail): void {
  const seen = new Set<Value>([v]);
  for (const value of seen) {
    if (inputs.has(value)) return;
    if (value.producer !== undefined) for (const read of nodeReads(value.producer)) seen.add(read);
  }
  fail(`${what} "${v.name}" depends on no input`);
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

function checkNodes(graph: Graph, fail: Fail): void {
  for (const node of allNodes(graph)) {
    if (drawsAtRandom(node) && node.opType !== 'Dropout')
      fail(`${nodeLabel(node)} draws at random, so that no answer would come twice: export the model without it`);
    if (drawsAtRandom(node) || usesBatchStatistics(node) || node.int('training_mode', 0) !== 0)
      fail(`${nodeLabel(node)} is in training mode: export the model after .eval()`);
  }
}

const layoutsOf: Readonly<Record<FeatureLayout, Layout | undefined>> = {
  NF: undefined,
  NCL: 'channels-first',
  NCHW: 'channels-first',
  NCDHW: 'channels-first',
  NTF: 'channels-last',
  NHWC: 'channels-last',
  NDHWC: 'channels-last',
  TNF: undefined,
};

/** What is told of a tap of several axes where nobody can know how they lie. */
export const layoutUnknown = (name: string, rank: number): string =>
  `how the axes of the tap "${name}" lie is not known, channels are taken to come first: say it by --layout ${name}=${
    layoutsOfRank.get(rank) ?? 'NHWC or the like'
  }`;

const rightLayout = (rank: number): string => {
  const right = layoutsOfRank.get(rank);
  return right === undefined ? '' : `, expected ${right}`;
};

/** What may be said of so many axes. */
const layoutsOfRank = new Map([
  [3, 'NTF or NCL'],
  [4, 'NHWC or NCHW'],
  [5, 'NDHWC or NCDHW'],
]);

/** Where the channels of taps stand: as it is said, else as their graph shows it. What nobody can know is told, since it is taken as channels first. */
function tapLayouts(
  graph: Graph,
  taps: readonly Value[],
  scores: Value | undefined,
  said: ReadonlyMap<string, FeatureLayout>,
  notes: string[],
  fail: Fail,
) {
  const unknown = [...said.keys()].find((name) => name !== scores?.name && !taps.some((v) => v.name === name));
  if (unknown !== undefined) fail(`"${unknown}" is no tap, there are: ${names(taps)}: its layout cannot be said`);
  const found = layoutsIn(graph);
  return taps.map((v) => {
    const layout = said.get(v.name) ?? found(v);
    const rank = v.shape?.length;
    if (said.has(v.name) && rank !== undefined && rank !== layout?.length)
      fail(`the tap "${v.name}" is ${formatType(v.type)}, its layout cannot be ${layout}${rightLayout(rank)}`);
    if (layout === 'TNF')
      fail(`the tap "${v.name}" has its steps first, expected a value whose rows come first: a Transpose after it`);
    if (layout === undefined && (rank ?? 0) > 2) notes.push(layoutUnknown(v.name, rank ?? 0));
    return layout && layoutsOf[layout];
  });
}

/** Makes inputs of initializers that safetensors can hold, scalars and few integers aside, and returns their data. */
function takeWeights(graph: Graph, inputs: readonly Value[], task: string): Map<string, Tensor> {
  const fixed = new Set(graph.nodes.filter((n) => hasTrait(n, 'settings')).flatMap((n) => n.inputs));
  const weights = new Map<string, Tensor>();
  const parameters: Value[] = [];
  graph.initializers = graph.initializers.filter((v) => {
    const { constant } = v;
    if (constant === undefined || constant.dims.length === 0 || !isStorable(constant.dtype)) return true;
    // A table that a Cast reads is no setting.
    if ((constant.dtype !== 'float32' || fixed.has(v)) && constant.size < fewElements) return true;
    weights.set(`${task}/${v.name}`, constant);
    v.type = tensorType(constant.dtype, constant.dims);
    v.constant = undefined;
    parameters.push(v);
    return false;
  });
  graph.inputs = [...inputs, ...parameters];
  return weights;
}

/** Leaves nothing that says where the model came from: exporters write paths of their machine into it. */
function strip(model: Model): void {
  const { graph } = model;
  model.producerName = producer;
  model.producerVersion = version;
  model.doc = graph.doc = '';
  model.metadata = new Map();
  graph.metadata = new Map();
  model.unread = [];
  graph.quantization = [];
  graph.restated = [];
  const domains = new Set([...allNodes(graph)].map(({ domain }) => domain));
  for (const domain of [...model.opsets.keys()]) if (domain !== '' && !domains.has(domain)) model.opsets.delete(domain);
  for (const node of allNodes(graph)) {
    for (const body of node.subgraphs) {
      body.doc = '';
      body.metadata = new Map();
      body.quantization = [];
      body.restated = [];
      for (const v of body.values()) forget(v);
    }
    node.doc = '';
    node.metadata = new Map();
    node.deviceConfigurations = [];
  }
  for (const v of graph.values()) forget(v);
}

function forget(v: Value): void {
  v.doc = '';
  v.metadata = new Map();
}
