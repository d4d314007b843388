// Every gradient rule of the op table against full numeric Jacobians on ONNX Runtime. An op with a rule and without a case fails; the
// numbers of cases and of Jacobian entries are printed. The first case of each op runs at other opsets as well.
import { afterAll, describe, expect, test } from 'vitest';
import { defaultOpset } from '../../../src/onnx/ir/model.js';
import type { OpName } from '../../../src/onnx/ops/signature.js';
import { findOp, table } from '../../../src/onnx/ops/table.js';
import { families } from './cases/all.js';
import { type Case, opsOf } from './gradient-case.js';
import { runCases } from './run-cases.js';

/** If, Loop and Scan are differentiated by the driver, with their subgraphs; test/autodiff checks them. */
const elsewhere: ReadonlySet<string> = new Set(['If', 'Loop', 'Scan']);
const withRule = (Object.keys(table) as OpName[]).filter((op) => typeof table[op].gradient !== 'string' && !elsewhere.has(op));

const counts = { cases: 0, entries: 0 };
const covered = new Map<string, number>();
const otherOpsets = [13, 15, 18, 21, 24, 26];
/** From these opsets on, ONNX Runtime 1.30 has no kernel for the op. */
const withoutKernel: Readonly<Record<string, number>> = { GlobalLpPool: 22, MaxRoiPool: 22, RoiAlign: 22, Swish: 25 };

function done(entries: number): void {
  counts.cases++;
  counts.entries += entries;
}

for (const [family, cases] of Object.entries(families)) {
  describe(family, () => {
    runCases(cases, done);
    const first: Case[] = [];
    for (const c of cases) {
      const own = [...opsOf(c)].filter((op): op is OpName => op in table);
      const fresh = own.filter((op) => !covered.has(op) && withRule.includes(op));
      for (const op of own) covered.set(op, (covered.get(op) ?? 0) + 1);
      if (fresh.length === 0) continue;
      const since = Math.max(...own.map((op) => findOp(op)?.since ?? 1));
      for (const opset of otherOpsets) {
        if (own.some((op) => opset >= (withoutKernel[op] ?? Number.POSITIVE_INFINITY))) continue;
        if (opset < since || opset === (c.options?.opset ?? defaultOpset)) continue;
        first.push({ ...c, name: `${c.name}, opset ${opset}`, options: { ...c.options, opset } });
      }
    }
    runCases(first, done);
  });
}

test('every op with a rule has a case', () => {
  expect(withRule.filter((op) => !covered.has(op))).toEqual([]);
});

afterAll(() => {
  console.log(`${counts.cases} cases of ${withRule.length} ops, ${counts.entries} Jacobian entries`);
});
