// Second derivatives of every op with a rule: with L = sum f(x)^2 / 2 and a direction v, the gradient of <grad L, v> is H v, which is compared
// with a central difference of grad L along v. Twenty cases are one graph and one session, which five runs check.
import { afterAll, expect, it } from 'vitest';
import { gradient } from '../../../src/onnx/autodiff/gradient.js';
import { isFloat } from '../../../src/onnx/core/dtype.js';
import { Random } from '../../../src/onnx/core/random.js';
import { Tensor } from '../../../src/onnx/core/tensor.js';
import type { Value } from '../../../src/onnx/ir/graph.js';
import { defaultOpset } from '../../../src/onnx/ir/model.js';
import { reduceSum } from '../../../src/onnx/ops/families/reduce.js';
import { ops } from '../../../src/onnx/ops/ops.js';
import type { Ops } from '../../../src/onnx/ops/ops-builder.js';
import type { OpName } from '../../../src/onnx/ops/signature.js';
import { table } from '../../../src/onnx/ops/table.js';
import { toBinary } from '../../../src/onnx/serde/to-binary.js';
import { runtime } from '../../support/run.js';
import { families } from './cases/all.js';
import { at, type Case, opsOf } from './gradient-case.js';

/** Families of which every case is checked: state carried over time, and functions written out. */
const whole: readonly string[] = ['recurrent', 'attention'];
const withRule = (Object.keys(table) as OpName[]).filter((op) => typeof table[op].gradient !== 'string');

/** The case of the fewest ops that holds this one. */
function caseOf(op: OpName): Case {
  const holding = Object.values(families)
    .flat()
    .filter((c) => !c.name.endsWith('second order') && opsOf(c).has(op));
  const [first] = holding.sort((a, b) => opsOf(a).size - opsOf(b).size);
  if (first === undefined) throw new Error(`no case holds ${op}`);
  return first;
}

const chosen = new Set([
  ...withRule.map(caseOf),
  ...whole.flatMap((f) => families[f] ?? []).filter((c) => !c.name.endsWith('second order')),
]);

interface Checked {
  readonly name: string;
  readonly feeds: Record<string, Tensor>;
  /** Inputs differentiated by, with their directions. */
  readonly by: ReadonlyMap<string, Tensor>;
  readonly float64: boolean;
}

/** Adds a case to the graph: its inputs, grad L and H v. */
function add(g: Ops, c: Case, id: string): Checked {
  const inputs = c.inputs.map((t, i) => g.input(`${id}/x${i}`, t.dtype, c.options?.shapes?.[i] ?? t.dims));
  const feeds: Record<string, Tensor> = Object.fromEntries(c.inputs.map((t, i) => [`${id}/x${i}`, t]));
  const y = c.build(g, inputs);
  const terms = (Array.isArray(y) ? y : [y])
    .filter((v) => isFloat(v.dtype))
    .map((v) => g.mul(reduceSum(g, g.mul(v, v), 'all', 0), g.scalar(0.5, v)));
  const by = (c.options?.by ?? inputs.map((_, i) => i)).map((i) => at(inputs, i)).filter((v) => isFloat(v.dtype));
  const first = gradient(g, { of: terms.reduce((a, b) => g.add(a, g.castLike(b, a))), by });
  const directions = new Map<string, Tensor>();
  const along = by.map((v, i) => {
    const like = feeds[v.name] as Tensor;
    const r = new Random(3, `${c.name}/${i}`);
    const t = Tensor.from(
      like.dtype,
      Array.from({ length: like.size }, () => 2 * r.uniform() - 1),
      like.dims,
    );
    directions.set(v.name, t);
    feeds[`${v.name}/v`] = t;
    const direction = g.input(`${v.name}/v`, v.dtype, v.shape);
    return reduceSum(g, g.mul(first[i] as Value, direction), 'all', 0);
  });
  const second = gradient(g, { of: along.reduce((a, b) => g.add(a, g.castLike(b, a))), by });
  by.forEach((v, i) => {
    g.output(g.identity(at(first, i)), `${v.name}/g`);
    g.output(g.identity(at(second, i)), `${v.name}/Hv`);
  });
  return { name: c.name, feeds, by: directions, float64: [...by, ...terms].every((v) => v.dtype === 'float64') };
}

/** Short enough for values that stand 0.06 from a kink. */
const step = { float64: 1e-4, float32: 1e-3 };
const tolerance = { float64: 2e-6, float32: 2e-3 };

const moved = (c: Checked, h: number): Record<string, Tensor> => {
  const out = { ...c.feeds };
  for (const [name, v] of c.by) {
    const x = (c.feeds[name] as Tensor).numbers();
    const size = c.float64 ? step.float64 : step.float32;
    const u = v.numbers();
    out[name] = Tensor.from(
      v.dtype,
      Array.from(x, (a, i) => a + h * size * (u[i] ?? 0)),
      v.dims,
    );
  }
  return out;
};

/** The largest difference between H v and the central difference of fourth order, by the size of H v. */
function errorOf(c: Checked, at0: Record<string, Tensor>, around: readonly Record<string, Tensor>[]): number {
  const size = c.float64 ? step.float64 : step.float32;
  const rows = [...c.by.keys()].map((name) => {
    const got = at0[`${name}/Hv`]?.numbers() ?? [];
    const [up2, up, down, down2] = around.map((r) => r[`${name}/g`]?.numbers() ?? []);
    const n = (list: ArrayLike<number> | undefined, i: number) => list?.[i] ?? Number.NaN;
    return Array.from(got, (v, i) => {
      const want = (8 * (n(up, i) - n(down, i)) - (n(up2, i) - n(down2, i))) / (12 * size);
      return { v, want };
    });
  });
  const scale = Math.max(1, ...rows.flat().map(({ want }) => Math.abs(want)));
  return Math.max(0, ...rows.flat().map(({ v, want }) => (Math.abs(v - want) <= 0 ? 0 : Math.abs(v - want) / scale)));
}

/** Of one opset, and few enough that ONNX Runtime's optimiser is quick with their graph. */
function groups(): { readonly opset: number; readonly cases: readonly Case[] }[] {
  const opsetOf = (c: Case) => c.options?.opset ?? defaultOpset;
  return [...new Set([...chosen].map(opsetOf))].flatMap((opset) => {
    const all = [...chosen].filter((c) => opsetOf(c) === opset);
    return Array.from({ length: Math.ceil(all.length / 20) }, (_, i) => ({ opset, cases: all.slice(20 * i, 20 * (i + 1)) }));
  });
}

let count = 0;

it.each(groups())('second derivatives, opset $opset', async ({ opset, cases }) => {
  const g = ops({ opset });
  const problems: string[] = [];
  const checked: Checked[] = [];
  cases.forEach((c, i) => {
    try {
      checked.push(add(g, c, `c${i}`));
    } catch (error) {
      problems.push(`${c.name}: ${error instanceof Error ? error.message : error}`);
    }
  });
  const session = await runtime.createSession(toBinary(g.model()), { threads: 1 });
  const run = (h: number) => session.run(Object.assign({}, ...checked.map((c) => moved(c, h))));
  const base = await run(0);
  const around = [await run(2), await run(1), await run(-1), await run(-2)];
  await session.release();
  for (const c of checked) {
    const error = errorOf(c, base, around);
    if (!(error <= (c.float64 ? tolerance.float64 : tolerance.float32))) problems.push(`${c.name}: H v is off by ${error}`);
  }
  count += checked.length;
  expect(problems).toEqual([]);
});

afterAll(() => {
  console.log(`second derivatives of ${withRule.length} ops in ${count} cases`);
});
