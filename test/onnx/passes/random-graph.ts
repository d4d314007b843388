// Random graphs over every op that the passes have something to say of, built from a list of numbers so that fast-check can shrink them.
import fc from 'fast-check';
import { Tensor } from '../../../src/onnx/core/tensor.js';
import type { Value } from '../../../src/onnx/ir/graph.js';
import type { Model } from '../../../src/onnx/ir/model.js';
import { ops } from '../../../src/onnx/ops/ops.js';
import type { Ops } from '../../../src/onnx/ops/ops-builder.js';

/** What to build: each step is an op and three choices. */
export interface Program {
  readonly symbolic: boolean;
  readonly steps: readonly (readonly [op: number, a: number, b: number, c: number])[];
  readonly outputs: readonly number[];
}

const choice = fc.nat({ max: 1000 });

export const programs: fc.Arbitrary<Program> = fc.record({
  symbolic: fc.boolean(),
  steps: fc.array(fc.tuple(choice, choice, choice, choice), { minLength: 1, maxLength: 30 }),
  outputs: fc.array(choice, { minLength: 1, maxLength: 4 }),
});

const columns = 3;
const rows = 2;

/**
 * ONNX Runtime 1.30 loses the second of two Casts in a row when only a subgraph reads it ("Missing Input", at every optimisation level), so
 * none is built here.
 */
function isCast(v: Value): boolean {
  return v.producer?.opType.startsWith('Cast') ?? false;
}

/** Everything in the pool is float32 [rows, columns] or, in `flipped`, its transpose; ops are chosen so that this holds. */
class Builder {
  /** Values by whether they are transposed. */
  readonly pool: [Value[], Value[]] = [[], []];

  constructor(
    readonly g: Ops,
    readonly condition: Value,
    readonly depth = 0,
    private readonly counter = { next: 0 },
  ) {}

  private fresh(hint: string): string {
    return `${hint}#${this.counter.next++}`;
  }

  pick(side: 0 | 1, n: number): Value {
    const list = this.pool[side];
    return list[n % list.length] as Value;
  }

  constant(n: number): Value {
    const { g } = this;
    const values = [0, -0, 1, -1, 0.1, -2.5, 3e38, 1e-40, Number.POSITIVE_INFINITY, Number.NaN];
    const v = Math.fround(values[n % values.length] as number);
    switch (Math.floor(n / values.length) % 4) {
      case 0:
        return g.scalar(v, 'float32');
      case 1:
        return g.initializer(this.fresh('p'), Tensor.from('float32', v));
      case 2:
        return g.node('Constant', [], new Map([['value', { kind: 'tensor', value: Tensor.from('float32', v) }]]))[0] as Value;
      default:
        return g.node('Constant', [], new Map([['value_float', { kind: 'float', value: v }]]))[0] as Value;
    }
  }

  step([op, a, b, c]: readonly [number, number, number, number]): void {
    const { g } = this;
    const side: 0 | 1 = c % 5 === 0 && this.pool[1].length > 0 ? 1 : 0;
    const x = this.pick(side, a);
    const y = b % 3 === 0 ? this.constant(b) : this.pick(side, b);
    const push = (v: Value, on: 0 | 1 = side) => this.pool[on].push(v);
    const dims = side === 0 ? [rows, columns] : [columns, rows];
    const float = { to: 'float32' } as const;
    switch (op % 33) {
      case 0:
        return void push(g.add(x, y));
      case 1:
        return void push(g.sub(x, y));
      case 2:
        return void push(g.mul(x, y));
      case 3:
        return void push(g.div(x, y));
      case 4:
        return void push(g.neg(x));
      case 5:
        return void push(g.relu(x));
      case 6:
        return void push(g.identity(x));
      case 7:
        return void push(isCast(x) ? g.identity(x) : g.cast(x, float));
      case 8:
        return void push(isCast(x) ? g.identity(x) : g.castLike(x, y));
      case 9:
        return void push(g.transpose(x, c % 2 === 0 ? {} : { perm: [1, 0] }), side === 0 ? 1 : 0);
      case 10:
        return void push(g.transpose(x, { perm: [0, 1] }));
      case 11:
        return void push(g.reshape(x, g.ints(dims)));
      case 12:
        return void push(g.reshape(x, g.shape(this.pick(side, b))));
      case 13:
        return void push(g.reshape(g.reshape(x, g.ints([-1])), g.ints(dims)));
      case 14:
        return void push(g.flatten(x, { axis: 1 }));
      case 15:
        return void push(g.squeeze(g.unsqueeze(x, g.ints([0])), g.ints([0])));
      case 16:
        return void push(g.dropout(x));
      case 17:
        return void push(g.concat(x, { axis: 0 }));
      case 18:
        return void push(c % 2 === 0 ? g.sum(x) : g.max(x));
      case 19:
        return void push(g.min(x, y));
      case 20:
        return void push(g.expand(g.add(x, this.constant(c)), g.ints(dims)));
      case 21:
        return void push(g.tile(x, g.ints([1, 1])));
      case 22: {
        // arithmetic on shapes and constants: all of it folds
        const size = g.cast(g.reduceProd(g.shape(x), { keepdims: 0 }), float);
        return void push(g.add(x, g.mul(g.sqrt(g.abs(this.constant(b))), g.div(size, this.constant(c)))));
      }
      case 23: {
        const count = g.gather(g.shape(x), g.ints([c % 2]), { axis: 0 });
        const total = g.cast(g.mod(g.mul(count, g.ints([b])), g.ints([7])), float);
        return void push(g.max(x, g.neg(total)));
      }
      case 24:
        return void push(g.where(g.less(this.constant(b), this.constant(c)), x, y));
      case 25: {
        const random = g.randomUniformLike(x);
        return void push(g.add(x, g.mul(random, g.scalar(0, x))));
      }
      case 26:
      case 27:
        if (this.depth <= 1) push(this.branches(x, [op, a, b, c], side));
        return;
      case 28: {
        // what was joined is taken apart again
        const axis = c % 2;
        const at = dims[axis] as number;
        return void push(
          g.op('Split', [g.concat(x, this.pick(side, b), { axis }), g.ints([at, at])], { axis }, 2)[b % 2] as Value,
        );
      }
      case 29: {
        const one = (v: Value) => g.unsqueeze(v, g.ints([0]));
        return void push(g.gather(g.concat(one(x), one(this.pick(side, b)), { axis: 0 }), g.scalar((b % 2) - (c % 2), 'int64')));
      }
      case 30: {
        const at = (dims[0] as number) * (b % 2);
        const joined = g.concat(x, this.pick(side, b), { axis: 0 });
        return void push(g.slice(joined, g.ints([at]), g.ints([at + (dims[0] as number)]), g.ints([0])));
      }
      case 31: {
        const row = g.slice(this.pick(side, b), g.ints([0]), g.ints([1]), g.ints([c % 2]));
        return void push(g.sub(g.expand(row, c % 3 === 0 ? g.shape(x) : g.ints(dims)), x));
      }
      default:
        if (this.depth <= 1) push(this.loop(x, [op, a, b, c], side));
        return;
    }
  }

  /** Builds inside a subgraph, over all that is visible, and returns what it made last. */
  private inside(g: Ops, seed: readonly number[], side: 0 | 1, extra: readonly Value[] = []): Value {
    const inner = new Builder(g, this.condition, this.depth + 1, this.counter);
    inner.pool[0].push(...this.pool[0]);
    inner.pool[1].push(...this.pool[1]);
    inner.pool[side].push(...extra);
    let n = seed.reduce((h, v) => (Math.imul(h, 31) + v) >>> 0, 7);
    const next = () => {
      n = (Math.imul(n, 1103515245) + 12345) >>> 0;
      return n >>> 8;
    };
    for (let i = next() % 6; i >= 0; i--) inner.step([next(), next(), next(), next()]);
    return inner.pool[side].at(-1) as Value;
  }

  /** ONNX Runtime wants outputs of a branch computed in it. */
  private close(g: Ops, v: Value): void {
    g.output(v.producer !== undefined && g.graph.nodes.includes(v.producer) ? v : g.identity(v));
  }

  private branches(x: Value, seed: readonly number[], side: 0 | 1): Value {
    const branch = (name: string, salt: number) => {
      const g = this.g.subgraph(name);
      this.close(g, this.inside(g, [...seed, salt], side, [x]));
      return g.graph;
    };
    const v = this.g.if(this.condition, { then_branch: branch('then', 1), else_branch: branch('else', 2) });
    if (x.type !== undefined) v.type = x.type;
    return v;
  }

  private loop(x: Value, seed: readonly number[], side: 0 | 1): Value {
    const g = this.g.subgraph('body');
    g.input(this.fresh('iteration'), 'int64', []);
    const more = g.input(this.fresh('more'), 'bool', []);
    const carried = g.input(this.fresh('carried'), 'float32', x.shape);
    g.output(more, this.fresh('again'));
    this.close(g, this.inside(g, seed, side, [carried]));
    const v = this.g.loop(this.g.scalar(2, 'int64'), null, x, { body: g.graph });
    if (x.type !== undefined) v.type = x.type;
    return v;
  }
}

/** The same model each time for the same program. */
export function build(program: Program): Model {
  const g = ops();
  const condition = g.input('c', 'bool', []);
  const builder = new Builder(g, condition);
  for (const name of ['x', 'y'])
    builder.pool[0].push(g.input(name, 'float32', program.symbolic ? ['N', columns] : [rows, columns]));
  for (const step of program.steps) builder.step(step);
  const all = [...builder.pool[0], ...builder.pool[1]];
  program.outputs.forEach((n, i) => {
    // counted from the end, where the deep expressions are
    g.output(all[all.length - 1 - (n % all.length)] as Value, `out${i}`);
  });
  return g.model();
}

export function feeds(condition: boolean): Record<string, Tensor> {
  return {
    c: new Tensor('bool', [], Uint8Array.of(condition ? 1 : 0)),
    x: Tensor.from('float32', [0, -0, 1.5, -2.25, 1e-3, 7], [rows, columns]),
    y: Tensor.from('float32', [3, 0.1, -1, 1e30, -0.5, 2], [rows, columns]),
  };
}
