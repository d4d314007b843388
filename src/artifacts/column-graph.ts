// What the training and the eval model share: a column lowered up to its loss, with the inputs that ONNX Runtime's training API expects. The
// lowering is the one of every other form; only where parameters come from differs. Parameters come in the order of lowering, which is
// the order of the initializers of the exported model.

import type { Description } from '../model/description/description.js';
import { lowerLoss } from '../model/heads/head.js';
import { headWidth } from '../model/heads/head-schema.js';
import type { LayerScope, ParameterSpec } from '../model/nn/scope.js';
import { opsetOf } from '../model/progressive/imported.js';
import { NetworkLowering } from '../model/progressive/lowering.js';
import { networkInput, type Weights } from '../model/progressive/parameters.js';
import { must } from '../onnx/core/errors.js';
import type { Value } from '../onnx/ir/graph.js';
import { type Ops, ops } from '../onnx/ops/ops.js';
import { saltOf, uniformLike } from '../train/step/random-graph.js';
import { frozenScope, inferenceScope } from '../train/taps/frozen-graph.js';
import { checkInputName, seedInput, targetInput } from './names.js';

/** How the earlier columns' weights stand in the models. */
export type FrozenForm = 'inputs' | 'initializers';

export interface ColumnRequest {
  readonly description: Description;
  readonly column: number;
  /** Weights of the earlier columns that the column reads, by index. */
  readonly frozen: readonly (Weights | undefined)[];
  readonly frozenForm: FrozenForm;
}

/** A parameter of the models: an input, held by the checkpoint. */
export interface ArtifactParameter {
  readonly name: string;
  readonly shape: readonly number[];
  /** Index of its column. */
  readonly column: number;
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
}

/** Lowers the column; the caller adds outputs and orders the inputs. Earlier columns are in inference mode whatever `training` says. */
export function columnGraph(request: ColumnRequest, training: boolean): ColumnGraph {
  const { description, column: index, frozen, frozenForm } = request;
  const { task, head } = must(description.columns[index], `column ${index}`);
  checkInputName(must(description.inputs[0], 'input').name);
  const g = ops({ name: `${task}-${training ? 'training' : 'eval'}`, opset: opsetOf(description) });
  const x = networkInput(g, description);
  const parameters: ArtifactParameter[] = [];
  const values = new Map<string, Value>();
  const moved = new Map<string, Value>();
  const parameter = (column: number) => (spec: ParameterSpec) => {
    const { name, shape } = spec;
    const value = g.input(name, 'float32', shape);
    parameters.push({ name, shape, column, role: column === index ? spec.role : 'frozen' });
    values.set(name, value);
    return value;
  };
  let seed: Value | undefined;
  const own: LayerScope = {
    g,
    training,
    parameter: parameter(index),
    update: (name, next) => {
      moved.set(name, next);
    },
    random: (name, like) => {
      seed ??= g.input(seedInput, 'int64', []);
      return uniformLike(g, like, seed, saltOf(name));
    },
  };
  const scopes = new Map<number, LayerScope>([[index, own]]);
  const scope = (c: number): LayerScope => {
    const known = scopes.get(c);
    if (known !== undefined) return known;
    const made =
      frozenForm === 'inputs'
        ? inferenceScope(g, parameter(c))
        : frozenScope(g, must(frozen[c], `weights of column ${description.columns[c]?.task}`));
    scopes.set(c, made);
    return made;
  };
  const scores = new NetworkLowering(description, { x, scope }).scores(index);
  const classify = head.kind === 'classify';
  const target = g.input(targetInput(head), classify ? 'int64' : 'float32', classify ? ['N'] : ['N', headWidth(head)]);
  const loss = lowerLoss(g, head, scores, target, 'mean');
  return { g, userInputs: seed === undefined ? [x, target] : [x, seed, target], parameters, values, moved, scores, loss };
}
