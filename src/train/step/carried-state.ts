// What a Loop carries from step to step: parameters, statistics and optimizer slots. Small parameters stand side by side in one vector, and so
// do their slots: an update is a dozen nodes, and each costs several microseconds for a scalar as for ten thousand elements. Outside of the
// Loop each has its own name.

import type { LayerScope, ParameterSpec } from '../../model/nn/scope.js';
import { must } from '../../onnx/core/errors.js';
import { elementCount } from '../../onnx/core/shape.js';
import type { Value } from '../../onnx/ir/graph.js';
import type { Ops } from '../../onnx/ops/ops-builder.js';
import type { Optimizer } from '../optim/optimizer.js';

/** A parameter of more elements than this is carried by itself: its copies into the vector and out would cost more than nodes do. */
const smallAtMost = 65_536;

export const slotName = (parameter: string, slot: string): string => `${parameter}/${slot}`;

/** A value that is carried from step to step. */
export interface Carried {
  /** What it is called in the graph. */
  readonly name: string;
  /** Its shape, float32. */
  readonly shape: readonly number[];
}

/** Parameters that are updated together: one by itself, or the small ones in a vector, each at its offset. */
interface Unit {
  readonly name: string;
  readonly shape: readonly number[];
  readonly members: readonly { readonly spec: ParameterSpec; readonly at: number }[];
}

export class CarriedState {
  private readonly units: readonly Unit[];
  private readonly statistics: readonly ParameterSpec[];
  /** What the step graph takes and gives, by name. */
  readonly outside: readonly Carried[];
  /** What the Loop carries. */
  readonly inside: readonly Carried[];

  /** @param join whether small parameters are carried as one; without a Loop every value is its own */
  constructor(
    specs: readonly ParameterSpec[],
    private readonly optimizer: Optimizer,
    join: boolean,
  ) {
    const trainables = specs.filter((s) => s.role === 'trainable');
    const isSmall = (s: ParameterSpec) => join && elementCount(s.shape) <= smallAtMost;
    const small = trainables.filter(isSmall);
    const together = small.length > 1 ? small : [];
    let size = 0;
    const members = together.map((spec) => {
      const at = size;
      size += elementCount(spec.shape);
      return { spec, at };
    });
    this.units = [
      ...trainables
        .filter((s) => !together.includes(s))
        .map((spec) => ({ name: spec.name, shape: spec.shape, members: [{ spec, at: 0 }] })),
      ...(members.length === 0 ? [] : [{ name: 'small', shape: [size], members }]),
    ];
    this.statistics = specs.filter((s) => s.role === 'statistic');
    this.outside = [
      ...specs.map(({ name, shape }) => ({ name, shape })),
      ...optimizer.slots.flatMap((slot) => trainables.map(({ name, shape }) => ({ name: slotName(name, slot), shape }))),
    ];
    this.inside = [
      ...this.units,
      ...this.statistics,
      ...optimizer.slots.flatMap((slot) => this.units.map(({ name, shape }) => ({ name: slotName(name, slot), shape }))),
    ].map(({ name, shape }) => ({ name, shape }));
  }

  /** Values of `inside` made of those of `outside`. */
  enter(g: Ops, outer: ReadonlyMap<string, Value>): Value[] {
    const read = (name: string) => must(outer.get(name), name);
    const of = (unit: Unit, name: (parameter: string) => string): Value => {
      const [only, ...more] = unit.members;
      if (only !== undefined && more.length === 0) return read(name(only.spec.name));
      const parts = unit.members.map(({ spec }) => g.reshape(read(name(spec.name)), [-1]));
      return must(g.op('Concat', parts, { axis: 0 })[0], unit.name);
    };
    return [
      ...this.units.map((unit) => of(unit, (p) => p)),
      ...this.statistics.map(({ name }) => read(name)),
      ...this.optimizer.slots.flatMap((slot) => this.units.map((unit) => of(unit, (p) => slotName(p, slot)))),
    ];
  }

  /** Values of `outside` made of those of `inside`. */
  leave(g: Ops, inner: readonly Value[]): Map<string, Value> {
    const out = new Map<string, Value>();
    let i = 0;
    const take = () => must(inner[i++], 'carried value');
    const part = (unit: Unit, name: (parameter: string) => string) => {
      const v = take();
      if (unit.members.length === 1) {
        for (const { spec } of unit.members) out.set(name(spec.name), v);
        return;
      }
      for (const { spec, at } of unit.members) {
        const piece = g.slice(v, [at], [at + elementCount(spec.shape)], [0]);
        out.set(name(spec.name), g.reshape(piece, spec.shape));
      }
    };
    for (const unit of this.units) part(unit, (p) => p);
    for (const { name } of this.statistics) out.set(name, take());
    for (const slot of this.optimizer.slots) for (const unit of this.units) part(unit, (p) => slotName(p, slot));
    return out;
  }

  /** The state within one step; `values` are those of `inside`. */
  step(g: Ops, values: readonly Value[]): StepState {
    const named = new Map(this.inside.map(({ name }, i) => [name, must(values[i], name)]));
    return new StepState(g, this.units, this.optimizer, named);
  }
}

/** One step's state: parameters for layers to read, then the update. */
export class StepState {
  /** What stands for members of a unit, by their offset: what the loss is differentiated by. */
  private readonly leaves = new Map<Unit, Map<number, Value>>();
  private readonly next = new Map<string, Value>();
  private readonly places = new Map<string, { readonly unit: Unit; readonly at: number }>();

  constructor(
    private readonly g: Ops,
    private readonly units: readonly Unit[],
    private readonly optimizer: Optimizer,
    private readonly values: ReadonlyMap<string, Value>,
  ) {
    for (const unit of units) for (const { spec, at } of unit.members) this.places.set(spec.name, { unit, at });
  }

  /** How a column's layers read and update it. */
  scope(random: LayerScope['random']): LayerScope {
    return {
      g: this.g,
      training: true,
      parameter: (spec) => this.read([spec], spec.shape) ?? must(this.values.get(spec.name), spec.name),
      scalars: (specs) => this.read(specs, [specs.length, 1]),
      update: (name, value) => {
        this.next.set(name, value);
      },
      random,
    };
  }

  /** Neighbours of one unit as one value; undefined for what is no trainable parameter, and for several that are no neighbours. */
  private read(specs: readonly ParameterSpec[], shape: readonly number[]): Value | undefined {
    const found = specs.map(({ name }) => this.places.get(name));
    const [first] = found;
    if (first === undefined) return undefined;
    const { unit, at } = first;
    const size = specs.reduce((n, s) => n + elementCount(s.shape), 0);
    const alike = found.every((f, i) => f?.unit === unit && f.at === at + i * (size / specs.length));
    if (!alike) return undefined;
    const leaves = this.leaves.get(unit) ?? new Map<number, Value>();
    this.leaves.set(unit, leaves);
    const known = leaves.get(at);
    if (known !== undefined) return known;
    const { g } = this;
    const whole = must(this.values.get(unit.name), unit.name);
    const single = unit.members.length === 1;
    const value = single ? whole : g.reshape(g.slice(whole, [at], [at + size], [0]), shape);
    leaves.set(at, value);
    return value;
  }

  /** What to differentiate by. */
  by(): Value[] {
    return this.units.flatMap((unit) => this.leavesOf(unit));
  }

  private leavesOf(unit: Unit): Value[] {
    const leaves = must(this.leaves.get(unit), unit.name);
    return [...leaves].sort(([a], [b]) => a - b).map(([, v]) => v);
  }

  /** Every value after the step, in the order of `CarriedState.inside`; `gradients` belong to `by()`. */
  after(gradients: readonly Value[], scalars: readonly Value[], inside: readonly Carried[]): Value[] {
    const { g, optimizer, values } = this;
    let i = 0;
    for (const unit of this.units) {
      const own = this.leavesOf(unit).map(() => must(gradients[i++], unit.name));
      const flat = () =>
        must(
          g.op(
            'Concat',
            own.map((d) => g.reshape(d, [-1])),
            { axis: 0 },
          )[0],
          unit.name,
        );
      const gradient = unit.members.length === 1 ? must(own[0], unit.name) : flat();
      const slots = optimizer.slots.map((slot) => must(values.get(slotName(unit.name, slot)), slot));
      const result = optimizer.update(g, must(values.get(unit.name), unit.name), gradient, slots, scalars);
      this.next.set(unit.name, result.p);
      optimizer.slots.forEach((slot, k) => {
        this.next.set(slotName(unit.name, slot), must(result.slots[k], slot));
      });
    }
    return inside.map(({ name }) => this.next.get(name) ?? must(values.get(name), name));
  }
}
