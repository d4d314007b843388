// What trains further columns of a fleet where prognet does not run: graphs for ONNX Runtime alone. Taps of the base, which are the same for every column; a step over them, rolled in a Loop; and the
// step in two halves, gradients and update, for several workers that train one column together.
import { parseDataSpec } from '../data/schema.js';
import { encodeSafetensors } from '../formats/safetensors.js';
import { hasCategories } from '../model/description/features.js';
import { headLoss, lowerLoss, metricName, targetsOf, toBalance } from '../model/heads/heads.js';
import type { Column } from '../model/progressive/column.js';
import { NetworkLowering } from '../model/progressive/lowering.js';
import { knownShape } from '../model/progressive/open-inputs.js';
import { type FrozenWeights, initialWeights } from '../model/progressive/weights.js';
import { gradient } from '../onnx/autodiff/gradient.js';
import { must, UsageError } from '../onnx/core/errors.js';
import { version } from '../onnx/core/version.js';
import type { Value } from '../onnx/ir/graph.js';
import type { Model } from '../onnx/ir/model.js';
import { ops } from '../onnx/ops/ops.js';
import { noParameters, optimise } from '../onnx/passes/optimise.js';
import { traitsOf } from '../onnx/runtime/traits.js';
import { toBinary } from '../onnx/serde/to-binary.js';
import { dataInputs, networkInputsFrom } from '../train/network-input.js';
import { clipGradients } from '../train/optim/clip.js';
import { optimizer } from '../train/optim/optimizer.js';
import { trainSettings } from '../train/settings.js';
import { lossOutput, nextName, stepGraph, stepInputs } from '../train/step/step-graph.js';
import { tapGraph } from '../train/taps/tap-graph.js';
import { tapInputs, tapOptions } from '../train/taps/tap-inputs.js';
import { stableJson } from '../workspace/json.js';
import { anonymous, refuseUnfit } from './forms.js';
import { trainingFormat } from './training-folder.js';

/** Of the gradient of a weight in the two halves of a step. */
const gradientName = (name: string): string => `${name}/gradient`;

/** Files of the folder training/ of a fleet, by their paths in it. Throws UsageError for what is trained by prognet alone. */
export function trainingFiles(column: Column, frozen: FrozenWeights): ReadonlyMap<string, Uint8Array> {
  refuseUnfit(column);
  const settings = trainSettings(column.train, column.seed, column.head);
  refuseSettings(column, settings);
  const own = anonymous(column);
  const { head } = own;
  const rule = optimizer(settings.optimizer);
  const dtypes = Object.fromEntries(own.inputs.map(({ name, dtype }) => [name, dtype]));
  const clip = settings.clip === undefined ? {} : { clip: settings.clip };
  const { channelsLast } = traitsOf('cpu');
  const step = stepGraph({ column: own, optimizer: rule, dtypes, frozen, channelsLast, ...clip });
  const start = initialWeights(own);
  const bytes = (model: Model) => {
    model.producerVersion = version;
    return toBinary(model);
  };
  const files = new Map([
    ['training/taps.onnx', bytes(tapGraph(own.network, step.taps, frozen, dtypes))],
    ['training/step.onnx', bytes(step.model)],
    ['training/loss.onnx', bytes(lossModel(own))],
    ['training/start.safetensors', encodeSafetensors(start, { producer: 'prognet' })],
  ]);
  const statistic = step.specs.find(({ role }) => role !== 'trainable');
  const apart = statistic === undefined ? halves(own, column) : undefined;
  const why =
    statistic !== undefined
      ? `has "${statistic.name}", which follows from each minibatch`
      : apart === undefined
        ? 'has dropout, which draws anew in each step'
        : undefined;
  if (apart !== undefined) for (const [name, model] of Object.entries(apart)) files.set(`training/${name}.onnx`, bytes(model));
  const target = targetsOf(head, 'N');
  const about = {
    format: trainingFormat,
    inputs: own.inputs.map(({ name, dtype, shape, tokens, features }, i) => ({
      name,
      dtype,
      shape,
      ...(tokens !== undefined && { vocabulary: tokens.vocabulary }),
      ...(features !== undefined && { columns: features.map((feature) => feature.name) }),
      data: i === 0 ? stepInputs.data : `${stepInputs.data}/${name}`,
    })),
    targets: { dtype: target.dtype, shape: target.shape.slice(1) },
    head: column.description.head,
    ...tableOf(column),
    metric: metricName(head),
    loss: headLoss(head),
    taps: step.taps.map(({ name }) => name),
    weights: step.specs.map(({ name, role }) => ({ name, role })),
    carried: step.carried,
    epochs: settings.epochs,
    batch: settings.batch,
    rate: settings.rate,
    seed: settings.seed,
    optimizer: settings.optimizer,
    ...(why !== undefined && { apart: why }),
  };
  return files.set('training/training.json', new TextEncoder().encode(`${stableJson(JSON.parse(JSON.stringify(about)), 2)}\n`));
}

/** How the column's table is read, so that those of customers are read alike. Throws DataError for what is no `data` entry. */
function tableOf({ task, description: { data } }: Column): { readonly table?: Readonly<Record<string, unknown>> } {
  if (data === undefined) return {};
  const spec = parseDataSpec(data, `data of "${task}"`);
  if (typeof spec === 'string') return {};
  const { label, header, delimiter, decimal, columns, drop, transform = [] } = spec;
  const changed = transform.length > 0 ? { transform: true } : {};
  const said = Object.entries({ label, header, delimiter, decimal, columns, drop, ...changed }).filter(
    ([, value]) => value !== undefined,
  );
  return said.length === 0 ? {} : { table: Object.fromEntries(said) };
}

function refuseSettings(
  { task, train, reads, head, inputs }: Column,
  { validation, schedule, augment }: ReturnType<typeof trainSettings>,
): void {
  const known =
    'known sizes where columns are trained elsewhere; without --training, train them in a workspace and add them by fleet add';
  for (const input of inputs) knownShape(input, 'fleet', known);
  const refused = [
    [reads.some(({ steps }) => steps.length > 0), 'prepare'],
    [inputs.some(({ features }) => hasCategories(features)), 'an input with categories'],
    [augment !== undefined, 'train.augment'],
    [validation > 0 || train.early_stopping !== undefined, 'train.validation'],
    [schedule.kind !== 'constant' || schedule.warmup > 0, 'train.schedule'],
    [toBalance(head) !== undefined, 'weights of classes that are learned of the data'],
  ] as const;
  const found = refused.find(([there]) => there)?.[1];
  if (found === undefined) return;
  throw new UsageError(`fleet: the column "${task}" has ${found}, expected none where it is trained elsewhere`, { got: found });
}

/** Scores and targets to the loss. */
function lossModel({ head, parameters, network }: Column): Model {
  const g = ops({ name: 'loss', opset: network.opset });
  const scores = g.input('scores', 'float32', ['N', ...parameters.scores]);
  const { dtype, shape } = targetsOf(head, 'N');
  g.output(lowerLoss(g, head, scores, g.input('targets', dtype, shape), 'mean'), 'loss');
  optimise(g.graph, { opset: g.opset, ...noParameters });
  return g.model();
}

/** A step in two halves: a minibatch, taps and weights to the loss and its gradients; weights, slots and gradients to both after them. undefined of a column with dropout. */
function halves(
  column: Column,
  { train, seed, head: described }: Column,
): { readonly gradient: Model; readonly update: Model } | undefined {
  const { head, network } = column;
  const { specs } = column.parameters;
  const settings = trainSettings(train, seed, described);
  const rule = optimizer(settings.optimizer);

  const g = ops({ name: 'gradient', opset: network.opset });
  const dtypes = Object.fromEntries(column.inputs.map(({ name, dtype }) => [name, dtype]));
  const data = dataInputs(g, column.inputs, dtypes, 'N');
  const wanted = targetsOf(head, 'N');
  const targets = g.input(stepInputs.targets, wanted.dtype, wanted.shape);
  const taps = tapInputs(column);
  const tapValues = new Map(taps.map(({ name, shape }) => [name, g.input(name, 'float32', ['N', ...shape])]));
  const weights = new Map(specs.map(({ name, shape }) => [name, g.input(name, 'float32', shape)]));
  let draws = false;
  const scope = {
    g,
    training: true,
    parameter: ({ name }: { readonly name: string }) => must(weights.get(name), name),
    update: () => {},
    random: (_: string, like: Value) => {
      draws = true;
      return like;
    },
  };
  const lowering = new NetworkLowering<Column>({
    inputs: networkInputsFrom(g, column.inputs, data),
    scope: () => scope,
    ...tapOptions(taps, ({ name }) => must(tapValues.get(name), name)),
  });
  const scores = lowering.scores(column);
  if (draws) return undefined;
  const loss = lowerLoss(g, head, scores, targets, 'mean');
  const gradients = gradient(g, { of: loss, by: [...weights.values()] });
  g.output(loss, lossOutput);
  specs.forEach(({ name }, i) => {
    g.output(g.identity(must(gradients[i], name)), gradientName(name));
  });
  optimise(g.graph, { opset: g.opset, ...noParameters });

  const u = ops({ name: 'update', opset: network.opset });
  const count = rule.scalars(0, 1).length;
  const row = u.input(stepInputs.scalars, 'float32', [count]);
  const scalars = Array.from({ length: count }, (_, j) => u.gather(row, j, { axis: 0 }));
  const values = specs.map(({ name, shape }) => u.input(name, 'float32', shape));
  const slots = specs.map(({ name, shape }) => rule.slots.map((slot) => u.input(`${name}/${slot}`, 'float32', shape)));
  const raw = specs.map(({ name, shape }) => u.input(gradientName(name), 'float32', shape));
  const clipped = settings.clip === undefined ? raw : clipGradients(u, raw, settings.clip);
  specs.forEach(({ name }, i) => {
    const next = rule.update(u, must(values[i], name), must(clipped[i], name), must(slots[i], name), scalars);
    u.output(next.p, nextName(name));
    rule.slots.forEach((slot, j) => {
      u.output(must(next.slots[j], slot), nextName(`${name}/${slot}`));
    });
  });
  optimise(u.graph, { opset: u.opset, ...noParameters });
  return { gradient: g.model(), update: u.model() };
}
