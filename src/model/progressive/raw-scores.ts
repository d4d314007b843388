// Which value of a model from elsewhere is its task's raw scores: heads take a softmax or a sigmoid of their own, so that probabilities, labels
// and the maps of scikit-learn's exports are none. It looks back from an output through what moves, chooses or clips.
import type { Remedy } from '../../onnx/core/remedy.js';
import type { Graph, Node, Value } from '../../onnx/ir/graph.js';
import { nodeLabel } from '../../onnx/ir/graph.js';
import { hasTrait, isStandard } from '../../onnx/ops/definition.js';
import { constantOf } from '../../onnx/ops/op-def.js';

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
  // 1 - p
  const [a] = node.inputs;
  const complement =
    isStandard(node) &&
    node.opType === 'Sub' &&
    a &&
    constantOf(a)
      ?.numbers()
      .every((n) => n === 1);
  return complement ? computed(node.inputs.slice(1)) : [];
}

/** x where the node is x over the sum of x. */
function shared(node: Node): Value | undefined {
  const [x, sum] = node.inputs;
  if (!isStandard(node) || node.opType !== 'Div' || !x || !sum) return undefined;
  let by = sum.producer;
  while (by !== undefined && hasTrait(by, 'anyPrecision')) by = by.inputs[0]?.producer;
  return (by?.opType === 'ReduceSum' || by?.opType === 'ReduceL1') && by.inputs[0] === x ? x : undefined;
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
function made(v: Value, seen = new Set<Value>()): Made | undefined {
  const node = v.producer;
  if (node === undefined || seen.has(v)) return undefined;
  seen.add(v);
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
  return first && { ...first, of: new Set(some.flatMap(({ of }) => [...of])) };
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
