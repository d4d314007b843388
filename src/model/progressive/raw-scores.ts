// Which value of a model from elsewhere is its task's raw scores: heads take a softmax or a sigmoid of their own, so that probabilities, labels
// and the maps of scikit-learn's exports are none. It looks back from an output through what moves, chooses or clips.
import type { Remedy } from '../../onnx/core/remedy.js';
import type { Graph, Node, Value } from '../../onnx/ir/graph.js';
import { nodeLabel } from '../../onnx/ir/graph.js';
import { hasTrait, isStandard } from '../../onnx/ops/definition.js';
import { constantOf } from '../../onnx/ops/op-def.js';
import { isProbability } from '../../onnx/ops/value-range.js';

/** What is asked for in place of a name: the raw scores, wherever they stand before the outputs. */
export const autoScores = 'auto';

export interface Scores {
  readonly value: Value;
  /** What was passed over to find it, for people. */
  readonly note?: string;
}

/** Ops of ai.onnx.ml by what they make of scores. */
const classical: ReadonlyMap<string, string> = new Map([
  ['ZipMap', 'probabilities'],
  ['Normalizer', 'probabilities'],
  ['LabelEncoder', 'labels'],
]);

/** What a node makes of scores, if it does. */
function answer(node: Node): string | undefined {
  if (hasTrait(node, 'probabilities')) return 'probabilities';
  return hasTrait(node, 'labels') ? 'labels' : node.domain === 'ai.onnx.ml' ? classical.get(node.opType) : undefined;
}

const computed = (values: readonly (Value | null)[]): Value[] =>
  values.filter((v): v is Value => v !== null && v.producer !== undefined && constantOf(v) === undefined);

/** The inputs that hold what the node's outputs hold; none where it computes something of its own. */
function sources(node: Node): Value[] {
  if (hasTrait(node, 'shapeOnly')) return [];
  if (hasTrait(node, 'anyPrecision') || hasTrait(node, 'keepsAnswers') || node.opType === 'ArrayFeatureExtractor')
    return computed(node.inputs);
  return isComplement(node) ? computed(node.inputs.slice(1)) : [];
}

/** 1 - p: the answer for the other class. */
function isComplement(node: Node): boolean {
  const [a] = node.inputs;
  const from = isStandard(node) && node.opType === 'Sub' && a ? constantOf(a) : undefined;
  return from?.numbers().every((n) => n === 1) ?? false;
}

/** x where the node is x over the sum of x. */
function shared(node: Node): Value | undefined {
  const [x, by] = node.inputs;
  if (!isStandard(node) || !x) return undefined;
  if (node.opType === 'LpNormalization' && node.int('p', 2) === 1) return x;
  if (node.opType === 'Mul' && by) return overSum(x, by.producer) ?? overSum(by, x.producer);
  return node.opType === 'Div' && by && sums(x, by) ? x : undefined;
}

/** x where it is multiplied by the reciprocal of its sum. */
const overSum = (x: Value, by: Node | undefined): Value | undefined =>
  by?.opType === 'Reciprocal' && by.inputs[0] && sums(x, by.inputs[0]) ? x : undefined;

/** Whether a value is the sum of x, moved or not. */
function sums(x: Value, sum: Value): boolean {
  let by = sum.producer;
  while (by !== undefined && hasTrait(by, 'anyPrecision')) by = by.inputs[0]?.producer;
  return (by?.opType === 'ReduceSum' || by?.opType === 'ReduceL1') && by.inputs[0] === x;
}

/** z where the value is exp(z) or exp(z - max z): what a softmax that is written out begins with. */
function exponent(v: Value): Value {
  const node = v.producer;
  if (node?.opType !== 'Exp') return v;
  const [x] = node.inputs;
  const below = x?.producer;
  const [z, most] = below?.inputs ?? [];
  return below?.opType === 'Sub' && z && most?.producer?.opType === 'ReduceMax' && most.producer.inputs[0] === z ? z : (x ?? v);
}

/** Something made of scores: by which node, and the values that it was made of. */
interface Made {
  readonly node: Node;
  readonly what: string;
  readonly of: ReadonlySet<Value>;
}

/** What a value is made of scores by, if it is; the node nearest to the value stands for all. */
function made(v: Value, seen = new Map<Value, Made | undefined>()): Made | undefined {
  if (seen.has(v)) return seen.get(v);
  seen.set(v, undefined);
  const found = v.producer && madeBy(v.producer, v, seen);
  seen.set(v, found);
  return found;
}

function madeBy(node: Node, v: Value, seen: Map<Value, Made | undefined>): Made | undefined {
  const over = shared(node);
  const what = over === undefined ? answer(node) : 'probabilities';
  const own = what === undefined ? sources(node) : computed(over === undefined ? node.inputs : [exponent(over)]);
  const found = own.map((source) => ({ source, below: made(source, seen) }));
  if (what !== undefined) {
    const of = found.flatMap(({ source, below }) => (below === undefined ? [source] : [...below.of]));
    return { node, what, of: new Set(of) };
  }
  const some = found.flatMap(({ below }) => below ?? []);
  const [first] = some;
  // Scores of the other class, and what arithmetic alone keeps within 0 and 1, are answers whose scores stand nowhere.
  if (first !== undefined) return { ...first, of: new Set(isComplement(node) ? [] : some.flatMap(({ of }) => [...of])) };
  return isProbability(v) ? { node, what: 'probabilities', of: new Set() } : undefined;
}

type Fail = (message: string, remedy?: Remedy) => never;

const names = (values: readonly Value[]): string => values.map((v) => v.name).join(', ');

/** `asked`: an output, a value computed before one, `auto`, or nothing where there is one output. */
export function scoresOf(graph: Graph, asked: string | undefined, fail: Fail): Scores {
  const { outputs } = graph;
  const named = asked === undefined ? undefined : valueNamed(graph, asked);
  if (asked === autoScores && named === undefined) return beforeAll(outputs, fail);
  const [first] = outputs;
  if (asked === undefined && (first === undefined || outputs.length > 1)) {
    return fail(`has the outputs ${names(outputs)}: say which are the task's scores`, {
      kind: 'give',
      option: 'scores',
      value: 'name',
    });
  }
  const value = asked === undefined ? first : named;
  if (value?.producer === undefined)
    return fail(`has no output ${JSON.stringify(asked)} that it computes, there are: ${names(outputs)}`);
  const found = made(value);
  if (found === undefined) return { value };
  const told = `"${value.name}" holds ${found.what} (${nodeLabel(found.node)}), expected raw scores`;
  if (found.of.size !== 1) return fail(`${told}, which it computes none of before`);
  return fail(`${told}: before it these are "${names([...found.of])}"`, { kind: 'give', option: 'scores', exactly: autoScores });
}

/** The raw scores that all outputs lead to. */
function beforeAll(outputs: readonly Value[], fail: Fail): Scores {
  const before = outputs.map((v) => ({ v, found: made(v) }));
  const raw = new Set(before.flatMap(({ v, found }) => (found === undefined ? [v] : [...found.of])));
  const [value] = raw;
  if (value?.producer === undefined || raw.size > 1) {
    return fail(
      `its outputs ${names(outputs)} come from ${raw.size === 0 ? 'no raw scores' : `"${names([...raw])}"`}: say which are the task's scores`,
      { kind: 'give', option: 'scores', value: 'name' },
    );
  }
  const over = before.flatMap(({ v, found }) =>
    found === undefined ? [] : [`"${v.name}", ${found.what} (${nodeLabel(found.node)})`],
  );
  return over.length === 0 ? { value } : { value, note: `the scores are "${value.name}", before ${over.join(' and ')}` };
}

function valueNamed(graph: Graph, name: string): Value | undefined {
  return graph.outputs.find((v) => v.name === name) ?? graph.nodes.flatMap((n) => n.outputs).find((v) => v.name === name);
}
