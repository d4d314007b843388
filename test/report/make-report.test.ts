// `report` of prognet/node gives what the command writes: the same page and the same files, of a workspace and of a study.
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { report } from '../../src/node.js';
import { okIn, prognet, workspace } from '../cli/support.js';
import { runtime } from '../support/run.js';
import { exampleStudy } from '../support/study-example.js';

/** Without the moment at which it was made. */
const undated = (text: string) => text.replace(/\d{4}-\d\d-\d\d[T ,]*\d\d:\d\d[\d:.Z]*( UTC)?/g, 'then');

async function isAsWritten(folder: string, made: Awaited<ReturnType<typeof report>>, ...flags: string[]): Promise<void> {
  const out = mkdtempSync(join(tmpdir(), 'prognet-report-'));
  const { status, stderr } = prognet('report', folder, '-o', join(out, 'page.html'), '--data', join(out, 'data'), ...flags);
  expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
  expect(undated(made.page)).toBe(undated(readFileSync(join(out, 'page.html'), 'utf8')));
  const names = readdirSync(join(out, 'data')).filter((name) => !name.startsWith('.'));
  expect([...made.data.keys()].sort()).toEqual(names.sort());
  for (const [name, bytes] of made.data)
    expect(undated(new TextDecoder().decode(bytes)), name).toBe(undated(readFileSync(join(out, 'data', name), 'utf8')));
}

it('of a workspace, with its tasks asked and without', async () => {
  const dir = workspace();
  okIn(dir, 'train', 'a', '--freeze', '--quiet', '--threads', '1');
  const [plain, asked] = [await report(dir), await report(dir, { runtime, threads: 1 })];
  expect([plain.moved, asked.moved]).toEqual([[], []]);
  expect(asked.page).not.toBe(plain.page);
  await isAsWritten(dir, plain);
  await isAsWritten(dir, asked, '--verify', '--threads', '1');
});

it('of a study, which nothing is run for', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'prognet-study-'));
  writeFileSync(join(dir, 'study.json'), JSON.stringify(exampleStudy()));
  await isAsWritten(dir, await report(dir));
  await expect(report(dir, { runtime })).rejects.toThrow(/^report: found a runtime, .* holds a study, expected none$/);
});

it('of what is neither: one line', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'prognet-neither-'));
  await expect(report(dir)).rejects.toThrow(/^[^\n]*prognet\.yaml[^\n]*$/);
  await expect(report(3 as never)).rejects.toThrow(/^report: [^\n]*a text[^\n]*$/);
});
