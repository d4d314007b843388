// Ops that the table gives as functions of others: the function against ONNX Runtime's own kernel, in float32, on every gradient case.
import { afterAll, expect, it } from 'vitest';
import { GradientContext } from '../../../src/onnx/ops/op-def.js';
import { ops } from '../../../src/onnx/ops/ops.js';
import type { OpName } from '../../../src/onnx/ops/signature.js';
import { table } from '../../../src/onnx/ops/table.js';
import { runModel } from '../../support/run.js';
import { refloatTensor } from '../conformance/refloat.js';
import { families } from './cases/all.js';
import { opsOf } from './gradient-case.js';

const expanded = new Set((Object.keys(table) as OpName[]).filter((op) => typeof table[op].gradient === 'object'));
const cases = Object.values(families)
  .flat()
  .filter((c) => !c.name.endsWith('second order') && [...opsOf(c)].some((op) => expanded.has(op as OpName)));
const seen = new Set<string>();

it.each(cases.map((c) => [c.name, c] as const))('%s', async (_name, c) => {
  const g = ops({ opset: c.options?.opset ?? 17 });
  const inputs = c.inputs.map((t) => refloatTensor(t, 'float32'));
  c.build(
    g,
    inputs.map((t, i) => g.input(`x${i}`, t.dtype, c.options?.shapes?.[i] ?? t.dims)),
  );
  const pairs: string[] = [];
  for (const node of [...g.graph.nodes]) {
    const def = expanded.has(node.opType as OpName) ? table[node.opType as OpName] : undefined;
    if (typeof def?.gradient !== 'object') continue;
    seen.add(node.opType);
    const outputs = def.gradient.expand(new GradientContext(node, g.opset, g, [], () => true));
    node.outputs.forEach((v, i) => {
      const mine = outputs[i];
      if (v.name === '' || mine === undefined) return;
      const name = `${node.name}/${i}`;
      g.output(v, `${name}/kernel`);
      g.output(mine, `${name}/expansion`);
      pairs.push(name);
    });
  }
  expect(pairs.length).toBeGreaterThan(0);
  const results = await runModel(g.model(), Object.fromEntries(inputs.map((t, i) => [`x${i}`, t])));
  for (const name of pairs) {
    const [kernel, expansion] = [results[`${name}/kernel`], results[`${name}/expansion`]];
    expect(expansion?.dims).toEqual(kernel?.dims);
    const want = kernel?.numbers() ?? [];
    expansion?.numbers().forEach((v, i) => {
      const w = want[i] ?? Number.NaN;
      if (v !== w) expect(Math.abs(v - w) / Math.max(1, Math.abs(w)), `${name}[${i}]: ${v}, kernel ${w}`).toBeLessThan(1e-5);
    });
  }
});

afterAll(() => {
  expect(seen).toEqual(expanded);
});
