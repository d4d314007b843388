// sweep
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'vitest';
import { backendModels, folder } from '../serde/testdata.js';
import { sweepModel } from './sweep.js';

it('sweep', async () => {
  const lines: string[] = [];
  const counts = new Map<string, number>();
  const filter = process.env.SWEEP ?? '';
  for (const name of backendModels()) {
    if (!name.includes(filter)) continue;
    const t = performance.now();
    let v: Awaited<ReturnType<typeof sweepModel>>;
    try {
      v = await sweepModel(join(folder, name));
    } catch (e) {
      v = { kind: 'failed', detail: 'THROWN ' + String(e) + (e as Error).stack?.split('\n')[1] };
    }
    if (v === undefined) continue;
    counts.set(v.kind, (counts.get(v.kind) ?? 0) + 1);
    const ms = Math.round(performance.now() - t);
    lines.push(
      `${v.kind}\t${ms}\t${name}\t${v.kind === 'passed' ? v.reference + ' ' + v.error : v.kind === 'refused' ? v.reason + ' | ' + v.detail : v.detail}`,
    );
  }
  writeFileSync('/tmp/sweep.tsv', lines.join('\n'));
  console.log([...counts]);
}, 600_000);
