// Every model of ONNX's backend tests that has a float input and a float output: decoded, upgraded where it is old, differentiated, verified, run
// on ONNX Runtime in float32, compared with finite differences along a random direction (float64 where the runtime has the kernels, to
// 2e-3; else float32, to 2e-2). gradient-sweep.json holds the counts, which may only rise; PROGNET_UPDATE=1 writes it anew.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { backendModels, folder } from '../serde/testdata.js';
import { sweepModel, type Verdict } from './sweep.js';

const file = new URL('gradient-sweep.json', import.meta.url).pathname;

interface Summary {
  readonly passed: number;
  /** Of these, compared with float64. */
  readonly float64: number;
  readonly failed: readonly string[];
  /** Reason to number of models. */
  readonly refused: Readonly<Record<string, number>>;
}

function summarise(verdicts: ReadonlyMap<string, Verdict>): Summary {
  const refused = new Map<string, number>();
  const all = [...verdicts.values()];
  for (const v of all) if (v.kind === 'refused') refused.set(v.reason, (refused.get(v.reason) ?? 0) + 1);
  return {
    passed: all.filter((v) => v.kind === 'passed').length,
    float64: all.filter((v) => v.kind === 'passed' && v.reference === 'float64').length,
    failed: [...verdicts].flatMap(([name, v]) => (v.kind === 'failed' ? [`${name}: ${v.detail}`] : [])),
    refused: Object.fromEntries([...refused].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))),
  };
}

it('gradients of the backend-test models', async () => {
  const verdicts = new Map<string, Verdict>();
  for (const name of backendModels()) {
    const verdict = await sweepModel(join(folder, name));
    if (verdict !== undefined) verdicts.set(name, verdict);
  }
  const found = summarise(verdicts);
  console.log(
    `${verdicts.size} models: ${found.passed} passed (${found.float64} against float64), ${verdicts.size - found.passed - found.failed.length} refused, ${found.failed.length} failed`,
  );
  if (process.env.PROGNET_UPDATE) {
    writeFileSync(file, `${JSON.stringify(found, null, 2)}\n`);
    const lines = [...verdicts].map(
      ([name, v]) =>
        `${v.kind}\t${name}\t${v.kind === 'passed' ? v.error : v.kind === 'refused' ? `${v.reason} | ${v.detail}` : v.detail}`,
    );
    if (process.env.PROGNET_UPDATE.endsWith('.tsv')) writeFileSync(process.env.PROGNET_UPDATE, lines.join('\n'));
  }
  const known: Summary = JSON.parse(readFileSync(file, 'utf8'));
  expect(found.failed).toEqual([]);
  expect(found.passed).toBeGreaterThanOrEqual(known.passed);
  expect(found.float64).toBeGreaterThanOrEqual(known.float64);
}, 300_000);
