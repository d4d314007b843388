// Layers lowered to ONNX ops, block by block, in the order that training or inference asks for. What laterals carry is added at the block's joint (joint.ts).
import { DescriptionError, InternalError, must, PrognetError } from '../../onnx/core/errors.js';
import type { Value } from '../../onnx/ir/graph.js';
import { inputJoint, type Lateral } from './joint.js';
import type { AnyLayer, LayerContext, NamedInputs } from './layer.js';
import { behaviourOf, heldBy, layoutAfter } from './layers.js';
import { numbersOf } from './numbers.js';
import { countsSteps, lengthsOf, presentOf } from './present.js';
import { formatSample, type Layout, sampleDims } from './sample.js';
import { type LayerScope, trainable } from './scope.js';

/** What laterals carry, on its way to the layer that is the joint: by the indices that lead there from the layers at hand. */
interface Arriving {
  readonly at: readonly number[];
  readonly lateral: Lateral;
}

/** Layers of a block, or of a layer that holds them. */
interface Place {
  readonly scope: LayerScope;
  /** `<task>/<block>`, or the name of the layer around. */
  readonly prefix: string;
  /** `columns[0].blocks[1]`, for errors. */
  readonly path: string;
  readonly arriving: Arriving | undefined;
  /** Of what comes in. */
  readonly layout: Layout | undefined;
  readonly inputs: NamedInputs | undefined;
}

/** Names within a block: the kind, then kind_1, kind_2 for the next of that kind. */
export class LayerNames {
  private readonly counts = new Map<string, number>();
  next(kind: string): string {
    const n = this.counts.get(kind) ?? 0;
    this.counts.set(kind, n + 1);
    return n === 0 ? kind : `${kind}_${n}`;
  }
}

/** The layer at which laterals join a block: indices from the block inwards. Undefined: no layer has a joint, they join the block's input. */
export function jointOf(layers: readonly AnyLayer[]): readonly number[] | undefined {
  for (const [i, layer] of layers.entries()) {
    if (behaviourOf(layer).joint !== undefined) return [i];
    const inside = jointOf(heldBy(layer));
    if (inside !== undefined) return [i, ...inside];
  }
  return undefined;
}

/** What else a block is lowered with. */
export interface BlockPlace {
  readonly scope: LayerScope;
  /** `<task>/<block>` */
  readonly prefix: string;
  /** Its path in the description, which errors name. */
  readonly path: string;
  /** What earlier columns add to it. */
  readonly lateral?: Lateral | undefined;
  /** The layout of its input. */
  readonly layout?: Layout | undefined;
  /** The network's inputs, which its layers may name. */
  readonly inputs?: NamedInputs | undefined;
}

/** The tap of a block. Errors name the layer's path in the description. */
export function lowerBlock(block: BlockPlace, layers: readonly AnyLayer[], x: Value): Value {
  const { scope, prefix, path, lateral, layout, inputs } = block;
  const place = { scope, prefix, path, arriving: undefined, layout, inputs };
  if (lateral === undefined) return lowerLayers(place, layers, x);
  const at = jointOf(layers);
  if (at === undefined) return lowerLayers(place, layers, scope.g.add(x, lateral(inputJoint(x, layout))));
  return lowerLayers({ ...place, arriving: { at, lateral } }, layers, x);
}

function lowerLayers(place: Place, layers: readonly AnyLayer[], x: Value): Value {
  const names = new LayerNames();
  let h = x;
  let { layout } = place;
  for (const i of loweringOrder(layers, place.scope.training)) {
    const layer = must(layers[i], 'layer');
    const path = `${place.path}[${i}]`;
    const arriving = place.arriving?.at[0] === i ? { ...place.arriving, at: place.arriving.at.slice(1) } : undefined;
    try {
      h = lowerLayer({ ...place, prefix: `${place.prefix}/${names.next(layer.kind)}`, path, arriving, layout }, layer, h);
      layout = layoutAfter([layer], layout);
    } catch (error) {
      if (!(error instanceof PrognetError) || error instanceof DescriptionError) throw error;
      throw new DescriptionError(`${path}: ${layer.kind} does not fit its input ${formatSample(h)}: ${error.message}`, {
        path,
        cause: error,
      });
    }
  }
  return h;
}

/** Layers by index in the order of lowering: in training a layer goes ahead of those that it overtakes. */
function loweringOrder(layers: readonly AnyLayer[], training: boolean): number[] {
  const order = layers.map((_, i) => i);
  if (!training) return order;
  for (const [i, layer] of layers.entries()) {
    const ahead = layers[i - 1];
    if (ahead !== undefined && behaviourOf(layer).overtakes?.includes(ahead.kind)) [order[i - 1], order[i]] = [i, i - 1];
  }
  return order;
}

/** `place` is the layer's own here: its name and its path. */
function lowerLayer(place: Place, layer: AnyLayer, x: Value): Value {
  const { scope, prefix: name, path, arriving, layout, inputs } = place;
  const { g } = scope;
  const behaviour = behaviourOf(layer);
  const lateral = arriving?.at.length === 0 ? arriving.lateral : undefined;
  let joined = 0;
  const said = (named: string, sequence: Value) => {
    const from = must(inputs, 'inputs');
    const [input, [steps = 1]] = [from.raw(named, path), sampleDims(sequence)];
    if (countsSteps(input, steps)) from.counted?.(named, steps);
    return [input, from.tokensOf(named), sequence] as const;
  };
  const context: LayerContext = {
    g,
    scope,
    name,
    layout,
    trainable: (what, shape, init) => trainable(scope, `${name}/${what}`, shape, init),
    join: (y) => {
      joined++;
      const joint = behaviour.joint?.(layer, x, layout);
      if (joint === undefined) throw new InternalError(`${layer.kind} joins without a joint`);
      return lateral === undefined ? y : g.add(y, lateral(joint));
    },
    tokens: inputs?.tokens,
    input: (named) => must(inputs, 'inputs').input(named, path),
    raw: (named) => must(inputs, 'inputs').raw(named, path),
    present: (named, sequence) => presentOf(g, ...said(named, sequence)),
    lengths: (named, sequence) => lengthsOf(g, ...said(named, sequence)),
    inside: (layers, from, beside) =>
      beside === undefined
        ? lowerLayers({ ...place, path: `${path}.${layer.kind}` }, layers, from)
        : lowerLayers({ ...place, prefix: `${name}/${beside}`, path: `${path}.${beside}`, arriving: undefined }, layers, from),
    layoutAfter: (layers) => layoutAfter(layers, layout),
  };
  const y = g.scope(name, () =>
    behaviour.lower(context, layer, behaviour.takesIds === true ? x : numbersOf(g, x, context.tokens)),
  );
  if (joined !== (behaviour.joint === undefined ? 0 : 1)) throw new InternalError(`${layer.kind} joins ${joined} times`);
  return y;
}
