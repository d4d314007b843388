// What other makers of gradients do with the cases of our op table: up to three of each op, in float32. rivals.json, from which docs/ops.md is
// written, holds it with their versions; `sh scripts/rivals` writes it anew. Here: that it is about the ops that there are.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Tensor } from '../../../src/onnx/core/tensor.js';
import type { OpName } from '../../../src/onnx/ops/signature.js';
import { table } from '../../../src/onnx/ops/table.js';
import { modelsOfOps, type ProviderModel } from './provider-models.js';

const repo = new URL('../../..', import.meta.url).pathname;
const file = join(repo, 'test/onnx/ops/rivals.json');
const python = process.env.PROGNET_RIVALS;

const plain = (t: Tensor) => ({ dtype: t.dtype, dims: t.dims, numbers: Array.from(t.data, Number) });

/** A case as Python reads it. */
function caseOf({ feeds, expected, of, by }: ProviderModel, name: string) {
  const seeds = of.flatMap((y, i) => (feeds[`seed${i}`] === undefined ? [] : [[y, plain(feeds[`seed${i}`] as Tensor)]]));
  return {
    file: name,
    of,
    by,
    feeds: Object.fromEntries(Object.entries(feeds).flatMap(([k, t]) => (k.startsWith('x') ? [[k, plain(t)]] : []))),
    seeds: Object.fromEntries(seeds),
    gradients: Object.fromEntries(by.map((x, i) => [x, plain(expected[`d${i}`] as Tensor)])),
  };
}

it('rivals.json is about every op with a rule', async () => {
  if (python !== undefined) {
    const folder = mkdtempSync(join(tmpdir(), 'prognet-rivals-'));
    mkdirSync(folder, { recursive: true });
    const cases: Record<string, unknown> = {};
    for (const [op, models] of await modelsOfOps(3)) {
      cases[op] = models.map((m, i) => {
        writeFileSync(join(folder, `${op}-${i}.onnx`), m.forward);
        return caseOf(m, `${op}-${i}.onnx`);
      });
    }
    writeFileSync(join(folder, 'cases.json'), JSON.stringify(cases));
    const found = execFileSync(python, [join(repo, 'scripts/bench/rival-ops.py'), folder], { encoding: 'utf8', maxBuffer: 1e8 });
    const { versions, ops } = JSON.parse(found.trim().split('\n').at(-1) ?? '');
    const sorted = Object.fromEntries(Object.entries(ops).sort(([a], [b]) => (a < b ? -1 : 1)));
    writeFileSync(file, `${JSON.stringify({ versions, ops: sorted }, null, 1)}\n`);
  }
  const kept: unknown = Object.keys(JSON.parse(readFileSync(file, 'utf8')).ops).sort();
  const ruled = (Object.keys(table) as OpName[]).filter((op) => typeof table[op].gradient !== 'string').sort();
  expect(kept, 'sh scripts/rivals writes it anew').toEqual(ruled);
}, 1_200_000);
