// What callers feed to a model from elsewhere, made the inputs of an imported column: each with a row for each sample, other open dimensions under
// names that a description takes. A batch that an exporter fixed at 1 is opened, an input that is no sample gets a value.
import type { DType } from '../../onnx/core/dtype.js';
import { ModelError, ShapeError } from '../../onnx/core/errors.js';
import type { Remedy } from '../../onnx/core/remedy.js';
import { elementCount, type Shape } from '../../onnx/core/shape.js';
import { int64, Tensor } from '../../onnx/core/tensor.js';
import { Names } from '../../onnx/ir/builder.js';
import { type Attribute, allNodes, type Graph, Node, nodeReads, Value } from '../../onnx/ir/graph.js';
import type { Model } from '../../onnx/ir/model.js';
import { formatType, tensorType } from '../../onnx/ir/types.js';
import { hasRole } from '../../onnx/ops/feature-roles.js';
import { inferTypes } from '../../onnx/ops/infer.js';
import { constantOf } from '../../onnx/ops/op-def.js';
import type { Size } from '../nn/open-size.js';
import type { InputDtype } from './inputs.js';
import { boundShape } from './open-inputs.js';

/** Ends the import with a message. */
export type Fail = (message: string, remedy?: Remedy) => never;

/** What is said of a model's inputs. */
export interface InputRequest {
  /** Sizes of dimensions that are open beyond the batch, by their names; `x.2` where one has none. */
  readonly dims?: ReadonlyMap<string, number>;
  /** Inputs that are no samples, by name: the number that all their elements are. */
  readonly fixed?: ReadonlyMap<string, number>;
  /** What dimensions that stay open are called in the network, by what they are called in a description. */
  readonly called?: ReadonlyMap<string, string>;
}

/** An input of the file. */
export interface FileInput {
  readonly name: string;
  readonly dtype: InputDtype;
  /** Without the batch where it has samples, names being sizes that are open. Of a fixed input all of it, `N` for the batch. */
  readonly shape: readonly Size[];
  /** Where a fixed input has the batch among its dimensions. */
  readonly batchAt?: number;
  /** The number that all elements are of an input that is no sample. */
  readonly fixed?: number;
}

const dtypes: readonly DType[] = ['float32', 'float16', 'int64', 'int32', 'uint8', 'bool'] satisfies InputDtype[];
const isInputDtype = (dtype: DType): dtype is InputDtype => dtypes.includes(dtype);

export interface FileInputs {
  /** All that the file asks for, in its order. */
  readonly all: readonly FileInput[];
  /** Whether its batch was 1 and is open now. */
  readonly opened: boolean;
  /** Sizes that stay open, by the name that a description has for them: the name of the file, which `--dim` takes. */
  readonly open: ReadonlyMap<string, string>;
}

/** Changes the graph so that its inputs are samples alone. */
export function prepareInputs(
  { graph, opset }: Model,
  { dims = new Map(), fixed = new Map(), called = new Map() }: InputRequest,
  fail: Fail,
): FileInputs {
  const given = new Set(graph.initializers);
  const inputs = graph.inputs.filter((v) => !given.has(v));
  for (const v of given) v.overridable = false;
  const strange = [...fixed.keys()].find((name) => !inputs.some((v) => v.name === name));
  if (strange !== undefined) fail(`has no input "${strange}", it has ${inputs.map((v) => v.name).join(', ')}`);
  const open = new Set<string>();
  const stay = new Map<string, string>();
  const states = statesOf(graph);
  const sized = inputs.map((v) => ({
    v,
    ...sizedInput(v, { dims, fixed: fixed.get(v.name), state: states.has(v), called, stay }, open, fail),
  }));
  const unused = [...dims.keys()].find((name) => !open.has(name));
  if (unused !== undefined) fail(`has no open dimension "${unused}"${open.size > 0 ? `, it has ${[...open].join(', ')}` : ''}`);
  const samples = sized.filter(({ input }) => input.fixed === undefined);
  const [first] = samples;
  if (first === undefined) return fail('has no input that takes samples');
  const opened = samples.some(({ one }) => one);
  const single = samples.find(({ one }) => one);
  if (single !== undefined && samples.some(({ one }) => !one)) {
    const value = `${single.v.name}=VALUE`;
    const called = `its input "${single.v.name}" is ${formatType(single.v.type)}`;
    fail(`${called}, 1 where others have the batch: say what it is`, { kind: 'give', option: 'fix', exactly: value });
  }
  for (const { v, input } of samples) v.type = tensorType(input.dtype, ['N', ...input.shape]);
  graph.inputs = samples.map(({ v }) => v);
  const all = sized.map(({ v, input }) => (opened ? withBatch(input, states.has(v)) : input));
  sized.toReversed().forEach(({ v }, i) => {
    const input = all[all.length - 1 - i];
    if (input?.fixed !== undefined) fix(graph, v, input, first.v);
  });
  if (opened) openBatch(graph, opset);
  return { all, opened, open: stay };
}

/** Where a recurrent layer begins: [directions, N, units], no rows of samples. */
function statesOf(graph: Graph): ReadonlySet<Value> {
  const begins = [...allNodes(graph)].filter((node) => hasRole(node, 'recurs')).flatMap((node) => node.inputs.slice(5));
  return new Set(begins.filter((v) => v !== null));
}

/** What is fixed, in a file whose batch was 1: of a state the second axis is the batch, else the only one of size 1 of several. */
function withBatch(input: FileInput, state: boolean): FileInput {
  const { shape, fixed, batchAt } = input;
  if (fixed === undefined || batchAt !== undefined || shape.length < 2) return input;
  const ones = shape.flatMap((d, i) => (d === 1 ? [i] : []));
  const at = state && shape[1] === 1 ? 1 : ones.length === 1 ? ones[0] : undefined;
  return at === undefined ? input : { ...input, batchAt: at };
}

interface Said {
  readonly dims: ReadonlyMap<string, number>;
  readonly fixed: number | undefined;
  /** Whether a recurrent layer begins with it. */
  readonly state: boolean;
  readonly called: ReadonlyMap<string, string>;
  /** Takes what stays open. */
  readonly stay: Map<string, string>;
}

function sizedInput(
  v: Value,
  { dims, fixed, state, called: names, stay }: Said,
  open: Set<string>,
  fail: Fail,
): { input: FileInput; one: boolean } {
  const { type, name } = v;
  const called = `its input "${name}" is ${formatType(type)}`;
  if (type?.kind !== 'tensor' || type.shape === undefined) return fail(`${called}, expected a tensor whose rank is known`);
  const { dtype, shape } = type;
  if (!isInputDtype(dtype)) return fail(`${called}, expected one of ${dtypes.join(', ')}`);
  const nameOf = (d: Shape[number], i: number) => (typeof d === 'string' && /\w/.test(d) ? d : `${name}.${i}`);
  const sizeOf = (d: Shape[number], i: number): number => {
    if (typeof d === 'number') return d;
    open.add(nameOf(d, i));
    return dims.get(nameOf(d, i)) ?? -1;
  };
  if (fixed !== undefined) {
    const sizes = shape.map(sizeOf);
    const batchAt = sizes.indexOf(-1);
    if (sizes.indexOf(-1, batchAt + 1) > batchAt && batchAt >= 0) fail(`${called}, open in more than its batch`);
    return { input: { name, dtype, shape: sizes, fixed, ...(batchAt >= 0 && { batchAt }) }, one: false };
  }
  const [batch, ...rest] = shape;
  if (state) {
    const value = `${name}=VALUE`;
    fail(`${called}, what a recurrent layer begins with: say what it is`, { kind: 'give', option: 'fix', exactly: value });
  }
  if (batch === undefined || (typeof batch === 'number' && batch !== 1)) {
    const value = `${name}=VALUE`;
    const closed = shape.length > 1 && shape.every((d) => typeof d === 'number');
    const right = closed
      ? 'export the model with its first dimension open, or where it is no sample say what it is'
      : 'say what it is';
    return fail(`${called}, without a row for each sample: ${right}`, { kind: 'give', option: 'fix', exactly: value });
  }
  const sizes = rest.map((d, i): Size => {
    const known = sizeOf(d, i + 1);
    if (known !== -1) return known;
    const own = nameOf(d, i + 1);
    const valid = describedName(own, `${name}_${i + 1}`, stay);
    const called = names.get(valid) ?? valid;
    // Two that are one size have the name of the first.
    if (!stay.has(called)) stay.set(called, own);
    return called;
  });
  return { input: { name, dtype, shape: sizes }, one: batch === 1 };
}

/** The name of an open size as a description may have it: of its own. */
function describedName(own: string, otherwise: string, taken: ReadonlyMap<string, string>): string {
  const valid = (text: string) => text.replace(/[^A-Za-z0-9_]/g, '_').replace(/^(?![A-Za-z])/, 'x');
  const [first, second] = [valid(own), valid(otherwise)];
  // N is the batch.
  return first === 'N' || (taken.get(first) ?? own) !== own ? second : first;
}

/** Makes an input what its value says: an initializer, or where it has the batch among its dimensions a tensor of as many rows as `like`. */
function fix(graph: Graph, v: Value, { dtype, shape: stated, fixed = 0, batchAt }: FileInput, like: Value): void {
  const shape = boundShape(stated);
  const filled = (dims: readonly number[]) => Tensor.from(dtype, new Array<number>(elementCount(dims)).fill(fixed), [...dims]);
  if (batchAt === undefined) {
    v.constant = filled(shape);
    v.type = tensorType(dtype, shape);
    graph.initializers.push(v);
    return;
  }
  const names = Names.of(graph);
  const constant = (dims: readonly number[], name: string) => {
    const c = new Value(names.unique(`${v.name}/${name}`), tensorType('int64', [dims.length]));
    c.constant = int64([...dims]);
    graph.initializers.push(c);
    return c;
  };
  const made: Node[] = [];
  const node = (op: string, inputs: Value[], out: Value, attributes: Record<string, Attribute>) => {
    made.push(new Node(op, inputs, [out], new Map(Object.entries(attributes)), names.unique(`${v.name}/${op}`)));
    return out;
  };
  const int = (value: number): Attribute => ({ kind: 'int', value: BigInt(value) });
  const rows = node('Shape', [like], new Value(names.unique(`${v.name}/rows`)), { start: int(0), end: int(1) });
  const before = shape.slice(0, batchAt);
  const after = shape.slice(batchAt + 1);
  const parts = [
    ...(before.length > 0 ? [constant(before, 'before')] : []),
    rows,
    ...(after.length > 0 ? [constant(after, 'after')] : []),
  ];
  const dims = node('Concat', parts, new Value(names.unique(`${v.name}/shape`)), { axis: int(0) });
  v.type = undefined;
  node('ConstantOfShape', [dims], v, { value: { kind: 'tensor', value: filled([1]) } });
  graph.nodes.unshift(...made);
}

/** The inputs of the file that a column has. */
export const samplesOf = ({ all }: FileInputs, names: readonly string[]): FileInput[] =>
  all.filter(({ name }) => names.includes(name));

/** What a file of a batch of 1 says of shapes and in shapes holds of more rows no longer. */
function openBatch(graph: Graph, opset: number): void {
  for (const node of allNodes(graph))
    for (const v of node.outputs) if (v.type?.kind === 'tensor') v.type = tensorType(v.type.dtype);
  openTargets(graph, opset);
}

/** Constant shapes that begin with the batch of 1 take it from what they shape; whether that is right, the comparison with the file tells. */
function openTargets(graph: Graph, opset: number): void {
  const names = Names.of(graph);
  const own = new Set(graph.nodes);
  const samples = new Set<Value>(graph.inputs);
  for (const node of allNodes(graph)) {
    if ([...nodeReads(node)].some((v) => samples.has(v))) for (const v of node.outputs) samples.add(v);
  }
  for (const node of allNodes(graph)) {
    openTarget(graph, node, samples, names);
    if (own.has(node)) inferSoFar(node, opset);
  }
}

/** What is known of a node's outputs once the batch is open before it; nothing where its inputs do not fit yet. */
function inferSoFar(node: Node, opset: number): void {
  try {
    const types = inferTypes(node, opset);
    node.outputs.forEach((v, i) => {
      v.type = types[i] ?? v.type;
    });
  } catch (cause) {
    if (!(cause instanceof ShapeError) && !(cause instanceof ModelError)) throw cause;
  }
}

function openTarget(graph: Graph, node: Node, samples: ReadonlySet<Value>, names: Names): void {
  const [shaped, target] = node.inputs;
  if (!shaped || !samples.has(shaped)) return;
  // A bias over scales of the whole batch, for instance, has no row for each sample.
  if (shaped.shape?.every((d) => typeof d === 'number')) return;
  const dims = node.opType === 'Reshape' && target ? constantOf(target) : undefined;
  const [first, ...rest] = dims?.numbers() ?? [];
  if (first !== 1 || node.int('allowzero', 0) !== 0) return;
  const open = rest.includes(-1) || rest.includes(0) ? 0 : -1;
  const value = new Value(names.unique('batch/shape'), tensorType('int64', [rest.length + 1]));
  value.constant = int64([open, ...rest]);
  graph.initializers.push(value);
  node.inputs = node.inputs.map((v, i) => (i === 1 ? value : v));
}
