// What the training and the eval model share: a column lowered up to its loss, with the inputs that ONNX Runtime's training API expects. The
// lowering is the one of every other form; only where parameters come from differs. Parameters come in the order of lowering, which is
// the order of the initializers of the exported model.

import { lowerLoss, targetsOf } from '../model/heads/heads.js';
import { inferenceScope, type LayerScope, type ParameterSpec } from '../model/nn/scope.js';
import type { Column } from '../model/progressive/column.js';
import { withDomains } from '../model/progressive/imported-versions.js';
import { addInputs, keptInputs } from '../model/progressive/inputs.js';
import { NetworkLowering } from '../model/progressive/lowering.js';
import { knownShape } from '../model/progressive/open-inputs.js';
import { type FrozenWeights, frozenScope } from '../model/progressive/weights.js';
import { must } from '../onnx/core/errors.js';
import { version } from '../onnx/core/version.js';
import type { Value } from '../onnx/ir/graph.js';
import type { Model } from '../onnx/ir/model.js';
import { ops } from '../onnx/ops/ops.js';
import type { Ops } from '../onnx/ops/ops-builder.js';
import { optimise } from '../onnx/passes/optimise.js';
import { saltOf, uniformLike } from '../train/step/random-graph.js';
import { checkInputName, seedInput, targetInput } from './names.js';

/** How the earlier columns' weights stand in the models. */
export type FrozenForm = 'inputs' | 'initializers';

export interface ColumnRequest {
  readonly column: Column;
  /** Weights of the earlier columns that the column reads. */
  readonly frozen: FrozenWeights;
  readonly frozenForm: FrozenForm;
}

/** A parameter of the models: an input, held by the checkpoint. */
export interface ArtifactParameter {
  readonly name: string;
  readonly shape: readonly number[];
  /** Of its column. */
  readonly task: string;
  /** "statistic": batch_norm's running mean and variance; "frozen": a weight of an earlier column; "moment": moments.ts. */
  readonly role: ParameterSpec['role'] | 'frozen' | 'moment';
}

export interface ColumnGraph {
  readonly g: Ops;
  readonly userInputs: readonly Value[];
  readonly parameters: ArtifactParameter[];
  /** The graph inputs of `parameters`, by name. */
  readonly values: Map<string, Value>;
  /** Statistics after this step, by name; empty in inference mode. */
  readonly moved: Map<string, Value>;
  readonly scores: Value;
  readonly loss: Value;
  /** The model, once outputs and inputs are declared. */
  readonly finished: () => Model;
}

/** Lowers the column; the caller adds outputs and orders the inputs. Earlier columns are in inference mode whatever `training` says. */
export function columnGraph(request: ColumnRequest, training: boolean): ColumnGraph {
  const { column, frozen, frozenForm } = request;
  const { task, head, network } = column;
  for (const { name } of column.inputs) checkInputName(name);
  const g = ops({ name: `${task}-${training ? 'training' : 'eval'}`, opset: network.opset });
  // ONNX Runtime's training API takes numbers alone: categories come as indices.
  for (const input of column.inputs) knownShape(input, 'training artifacts');
  const inputs = addInputs(g, keptInputs(column.inputs));
  const parameters: ArtifactParameter[] = [];
  const values = new Map<string, Value>();
  const moved = new Map<string, Value>();
  const parameter = (of: Column) => (spec: ParameterSpec) => {
    const { name, shape, dtype = 'float32' } = spec;
    const value = g.input(name, dtype, shape);
    parameters.push({ name, shape, task: of.task, role: of === column ? spec.role : 'frozen' });
    values.set(name, value);
    return value;
  };
  let seed: Value | undefined;
  const own: LayerScope = {
    g,
    training,
    parameter: parameter(column),
    update: (name, next) => {
      moved.set(name, next);
    },
    random: (name, like) => {
      seed ??= g.input(seedInput, 'int64', []);
      return uniformLike(g, like, seed, saltOf(name));
    },
  };
  const scope = (of: Column): LayerScope => {
    if (of === column) return own;
    if (frozenForm === 'inputs') return inferenceScope(g, parameter(of));
    return frozenScope(g, must(frozen.get(of.task), `weights of ${of.task}`));
  };
  const lowering = new NetworkLowering<Column>({ inputs, scope });
  const scores = lowering.scores(column);
  const wanted = targetsOf(head, 'N');
  const target = g.input(targetInput(head), wanted.dtype, wanted.shape);
  const loss = lowerLoss(g, head, scores, target, 'mean');
  const userInputs = [...Object.values(inputs), ...(seed === undefined ? [] : [seed]), target];
  const finished = (): Model => {
    lowering.finish(g.graph, () => optimise(g.graph, { opset: g.opset }));
    const model = withDomains(g.model(), network);
    model.producerVersion = version;
    return model;
  };
  return { g, userInputs, parameters, values, moved, scores, loss, finished };
}
