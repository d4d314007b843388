// Scores of more than two axes as heads judge them: [N,k,1,1] as [N,k], numbers of each step [N,T,k]. Whether an axis beside one of size 1 holds
// outputs or steps, the layout says.
import { layoutsIn } from '../../onnx/features/axes.js';
import type { FeatureLayout } from '../../onnx/features/layout.js';
import { Names } from '../../onnx/ir/builder.js';
import { type Attribute, type Graph, Node, Value } from '../../onnx/ir/graph.js';
import { formatType, tensorType } from '../../onnx/ir/types.js';
import type { Fail } from './import-inputs.js';

/**
 * The scores, or what a node that is added makes of them; numbers keep their order. `said`: how axes lie, by name. Throws where nobody can know whether
 * [N,n,1] are outputs or steps, and where a head would take channels for steps.
 */
export function judgedScores(graph: Graph, scores: Value, said: ReadonlyMap<string, FeatureLayout>, fail: Fail): Value {
  const { name, dtype, type } = scores;
  const [batch = null, ...dims] = scores.shape ?? [];
  const wide = dims.filter((d) => d !== 1);
  if (dims.length < 2) return scores;
  const added = (op: string, shape: typeof dims, attribute: [string, Attribute]) => {
    const names = Names.of(graph);
    const y = new Value(names.unique(`${name}/flat`), tensorType(dtype, [batch, ...shape]));
    graph.nodes.push(new Node(op, [scores], [y], new Map([attribute]), names.unique(`${name}/${op}`)));
    return y;
  };
  const flat = () => added('Flatten', [wide[0] ?? 1], ['axis', { kind: 'int', value: 1n }]);
  if (dims.length > 2 || wide.length === 0) return wide.length > 1 ? scores : flat();
  const given = said.get(name);
  if (given !== undefined && given !== 'NTF' && given !== 'NCL')
    return fail(`the output "${name}" is ${formatType(type)}, its layout cannot be ${given}, expected NTF or NCL`);
  const layout = given ?? layoutsIn(graph)(scores);
  const [first = null, last = null] = dims;
  if (last === 1 && layout === undefined) {
    const either = 'whether it holds a number of each step (NTF) or outputs (NCL) is not known';
    return fail(`the output "${name}" is ${formatType(type)}, ${either}`, {
      kind: 'give',
      option: 'layout',
      value: `${name}=NTF or ${name}=NCL`,
    });
  }
  if (layout === 'NCL' && last !== 1) {
    // One channel over many positions: a number of each.
    if (first === 1) return added('Transpose', [last, 1], ['perm', { kind: 'ints', value: [0n, 2n, 1n] }]);
    const right = 'steps before outputs, [N,T,k]: a Transpose after it, or --head none';
    return fail(`the output "${name}" is ${formatType(type)} with its channels before its steps, expected ${right}`);
  }
  return wide.length > 1 || (layout === 'NTF' && last === 1) ? scores : flat();
}
