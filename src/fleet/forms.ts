// The models of a fleet: one frozen base and, over it, a column whose weights are no part of the model but come with each run.

import { isJudged } from '../model/heads/heads.js';
import { refuseSeveral } from '../model/heads/refusals.js';
import { inferenceScope } from '../model/nn/scope.js';
import { answersFor } from '../model/progressive/answers.js';
import { categoryDomain } from '../model/progressive/categories.js';
import { type Column, columnsOf, inputsOf } from '../model/progressive/column.js';
import { opsetRange } from '../model/progressive/forms.js';
import { withDomains } from '../model/progressive/imported-versions.js';
import { addInputs, tokenizerInMetadata } from '../model/progressive/inputs.js';
import { NetworkLowering } from '../model/progressive/lowering.js';
import { type FrozenWeights, frozenScope } from '../model/progressive/weights.js';
import { must, UsageError } from '../onnx/core/errors.js';
import { elementCount } from '../onnx/core/shape.js';
import { Tensor } from '../onnx/core/tensor.js';
import { version } from '../onnx/core/version.js';
import type { Value } from '../onnx/ir/graph.js';
import type { Model } from '../onnx/ir/model.js';
import { ops } from '../onnx/ops/ops.js';
import { optimise } from '../onnx/passes/optimise.js';
import { stackWeights } from './stacked.js';

/** What every column of a fleet is called in its models: weights are `column/0/dense/weight` and so on. */
export const columnName = 'column';

/** Outputs of the models; probabilities and label where the head has them. */
export const fleetOutputs = ['scores', 'probabilities', 'label'] as const;

/**
 * How the weights of a column stand in a model. `required`: inputs, which every run is given. `adapter`: initializers that are inputs too, which ONNX Runtime's
 * adapters replace in Python, C++ and C#; without one they are NaN, and so are the scores. `stacked`: banks [T, ...] of T columns, and the input `column`, int64 [N],
 * says which of them answers each row.
 */
export type FleetForm = 'required' | 'adapter' | 'stacked';

/** A weight of a column as the models take it. */
export interface FleetWeight {
  /** `column/0/dense/weight` */
  readonly name: string;
  /** The type of its elements. */
  readonly dtype: 'float32';
  /** Its sizes; [] is a scalar. */
  readonly shape: readonly number[];
}

/** What a fleet can be made of: a column of layers with one head, over frozen columns. Throws UsageError. */
export function refuseUnfit({ task, imported, tuned, head, network, foundation }: Column): void {
  const unfit = (what: string, expected: string) =>
    new UsageError(`fleet: the column "${task}" ${what}, expected ${expected}`, { got: task, expected });
  if (imported !== undefined) throw unfit('is imported', 'columns with layers over it');
  if (tuned !== undefined) throw unfit('tunes the weights of another', 'columns with layers over frozen ones');
  if (!isJudged(head)) throw unfit('has no head', 'columns that answer');
  refuseSeveral(head, task, 'a fleet');
  if (foundation.some((source) => source.task === columnName))
    throw unfit(`reads a column called "${columnName}"`, `another name, which the weights of a fleet's columns have`);
  const taken = network.inputs.find(({ name }) => [columnName, ...fleetOutputs].includes(name));
  if (taken !== undefined) throw unfit(`has the input "${taken.name}"`, 'an input that is not called as what fleets add');
}

/** The column under the name that it has in fleets, in a network of the columns that it stands on alone. */
export function anonymous(column: Column): Column {
  const { description } = column.network;
  const below = new Set(column.foundation.map(({ description: own }) => own));
  const columns = description.columns.flatMap((own) =>
    below.has(own) ? [own] : own === column.description ? [{ ...own, task: columnName }] : [],
  );
  return columnsOf({ ...description, columns }).column(columnName);
}

/** The weights of a column, in the order of its lowering. */
export function fleetWeights(column: Column): readonly FleetWeight[] {
  return column.parameters.specs.map(({ name, shape }) => ({ name: fleetName(column.task, name), dtype: 'float32', shape }));
}

/** `anna/0/dense/weight` as `column/0/dense/weight`. */
export const fleetName = (task: string, name: string): string => `${columnName}${name.slice(task.length)}`;
/** `column/0/dense/weight` as `anna/0/dense/weight`. */
export const ownName = (task: string, name: string): string => `${task}${name.slice(columnName.length)}`;

/**
 * float32 [N, ...] and the weights of a column to `scores` [N, k], and `probabilities` and `label` where the head has them. Of `frozen` those that the column stands on are
 * in it. Throws UsageError for a column that no fleet is made of, and in the form `stacked` for layers that are not in it.
 */
export function fleetModel(column: Column, frozen: FrozenWeights, form: FleetForm, opset = column.network.opset): Model {
  refuseUnfit(column);
  const least = column.network.opset;
  if (!Number.isInteger(opset) || opset < least || opset > opsetRange.max) {
    const expected = `${least} to ${opsetRange.max}`;
    throw new UsageError(`opset ${opset} cannot be emitted, expected ${expected}`, { expected, got: String(opset) });
  }
  const own = anonymous(column);
  const { network } = own;
  const g = ops({ opset, name: `${network.description.name}-fleet` });
  const inputs = inputsOf(network, [own]);
  const weights: Value[] = [];
  const lowering = new NetworkLowering<Column>({
    inputs: addInputs(g, inputs),
    scope: (of) => {
      if (of !== own) return frozenScope(g, must(frozen.get(of.task), `weights of ${of.task}`));
      return inferenceScope(g, ({ name, shape }) => {
        // ONNX Runtime's adapters hold no scalars.
        const scalar = form === 'adapter' && shape.length === 0;
        const value = g.input(name, 'float32', scalar ? [1] : shape);
        weights.push(value);
        return scalar ? g.squeeze(value, [0]) : value;
      });
    },
  });
  const answer = must(answersFor(g, lowering, own, { probabilities: true })[0], 'answer');
  for (const name of fleetOutputs) {
    const value = answer[name];
    if (value !== undefined) g.output(value, name);
  }
  lowering.finish(g.graph, () => {
    if (form === 'stacked') stackWeights(g, weights, columnName);
    optimise(g.graph, { opset });
  });
  if (form === 'adapter') for (const value of weights) override(g.graph, value);
  const model = withDomains(g.model(), network);
  if (model.opsets.has(categoryDomain.name)) model.opsets.set(categoryDomain.name, categoryDomain.version);
  model.producerVersion = version;
  const tokenizer = tokenizerInMetadata(inputs);
  model.metadata = new Map(
    Object.entries({
      'prognet.version': version,
      'prognet.fleet': form,
      'prognet.column': own.canonical,
      ...(tokenizer !== undefined && { 'prognet.tokenizer': JSON.stringify(tokenizer) }),
    }),
  );
  return model;
}

/** Makes an input one that may be left out: NaN then, so that who forgets the column sees it. */
function override({ initializers }: { initializers: Value[] }, value: Value): void {
  const { dims } = value;
  value.constant = new Tensor('float32', dims, new Float32Array(elementCount(dims)).fill(Number.NaN));
  value.overridable = true;
  initializers.push(value);
}
