// What sweep, export --auto and compress measured stands in the report of their workspace: the numbers of the tables are those that the commands said, and what is
// of other weights by now is left out.
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { report } from '../../src/node.js';
import { okIn, workspace } from '../cli/support.js';

const rowsOf = (data: ReadonlyMap<string, Uint8Array>, name: string) => {
  const bytes = data.get(`${name}.csv`);
  if (bytes === undefined) return undefined;
  const [header = '', ...lines] = new TextDecoder().decode(bytes).trim().split(/\r?\n/);
  const keys = header.split(',');
  return lines.map((line) => Object.fromEntries(line.split(',').map((cell, i) => [keys[i], cell])));
};

it('sweeps, routers and compression: tables and pictures of what was measured', async () => {
  const dir = workspace();
  const json = (...args: string[]) => JSON.parse(okIn(dir, ...args, '--json', '--quiet'));
  const before = await report(dir);
  for (const heading of ['Sweeps', 'Which task a sample is of', 'What compression cost'])
    expect(before.page).not.toContain(heading);

  const sweep = json('sweep', 'a', '--set', 'lr=0.01,0.001', '--set', 'epochs=2,3', '--jobs', '1');
  const swept = await report(dir);
  const trials = rowsOf(swept.data, 'sweep-a') ?? [];
  expect(trials.map(({ epochs, lr, metric }) => [epochs, lr, Number(metric)])).toEqual(
    sweep.trials.map(({ settings, metric }: { settings: { epochs: number; lr: number }; metric: number }) => [
      String(settings.epochs),
      String(settings.lr),
      metric,
    ]),
  );
  expect(swept.page).toContain('What each setting reached: a');

  okIn(dir, 'train', '--all', '--quiet', '--threads', '1');
  const out = mkdtempSync(join(tmpdir(), 'prognet-kept-'));
  const asked = ['--others', '{ source: a.csv, header: false }', '--none-above', '0.9'];
  const { auto, others } = json('export', '--all', '--auto', 'mean', '-o', join(out, 'mean.onnx'), ...asked);
  json('export', '--all', '--auto', '-o', join(out, 'entropy.onnx'));
  const found = await report(dir);
  const routers = rowsOf(found.data, 'routers') ?? [];
  expect(routers.filter(({ router }) => router === 'nearest mean').map(({ found: share }) => share)).toEqual([
    ...auto.map((task: { found: number }) => String(task.found)),
    '',
  ]);
  expect(new Set(routers.map(({ router }) => router))).toEqual(new Set(['lowest entropy', 'nearest mean']));
  // Of each row all samples are somewhere, and in some doubt.
  for (const name of ['routers-given', 'routers-doubt']) {
    const all = (rowsOf(found.data, name) ?? []).filter(({ router }) => router === 'nearest mean');
    for (const { task, rows } of auto)
      expect(all.filter((row) => row.task === task).reduce((sum, row) => sum + Number(row.samples), 0)).toBe(rows);
  }
  expect(others[0].given.length).toBe(2);
  for (const title of [
    'How often the task is found',
    'What is taken for what: nearest mean',
    'How much doubt there is: nearest mean',
  ])
    expect(found.page).toContain(title);

  const smaller = join(out, 'smaller');
  const compressed = json('compress', '-o', smaller, '--epochs', '2');
  const cost = await report(smaller);
  expect(rowsOf(cost.data, 'compression')?.map(({ task, before: was, after }) => [task, Number(was), Number(after)])).toEqual(
    compressed.tasks.map(({ task, before: was, after }: { task: string; before: number; after: number }) => [task, was, after]),
  );
  expect(cost.page).toContain('Compression: accuracy before and after');

  // Of other weights: said, and not shown.
  okIn(dir, 'reset', 'b', '--quiet');
  const later = await report(dir);
  expect(later.page).toContain('Measured of other columns than those of now, so left out: lowest entropy, nearest mean.');
  expect(rowsOf(later.data, 'routers')).toBeUndefined();
  okIn(smaller, 'reset', 'b', '--quiet');
  const rest = await report(smaller);
  expect(rest.page).toContain('No longer the columns that compression gave, so left out: b.');
  expect(rowsOf(rest.data, 'compression')?.map(({ task }) => task)).toEqual(['a']);

  const kept = join(dir, 'analysis/.auto/mean.json');
  writeFileSync(kept, readFileSync(kept, 'utf8').replace('"kind":"mean"', '"kind":7'));
  await expect(report(dir)).rejects.toThrow(
    /^analysis\/\.auto\/mean\.json: found something else at "kind", expected the figures of prognet export --auto; remove it$/,
  );
}, 180_000);
