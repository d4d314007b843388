// A sample of the soak of scripts/serve/soak.mjs, whose twenty minutes stand in docs/serve.md: half a minute of clients that ask, hang up and send what is none, while models change, and SIGTERM in
// the middle of it.
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { repo } from '../cli/support.js';

it('loses no request, gives no wrong answer, leaves nothing open', async () => {
  const file = join(mkdtempSync(join(tmpdir(), 'prognet-soak-')), 'soak.json');
  const args = [join(repo, 'scripts/serve/soak.mjs'), '--minutes', '0.4', '--json', file];
  const { stderr } = await promisify(execFile)(process.execPath, args).catch((error) => error);
  const { counts, problems, servers } = JSON.parse(readFileSync(file, 'utf8'));
  expect(problems, stderr).toEqual([]);
  expect(counts).toMatchObject({ lost: 0, wrong: 0, unexpected: 0, frozen: 1 });
  for (const name of ['answered', 'hungUp', 'malformed', 'loads', 'reloads']) expect(counts[name], name).toBeGreaterThan(0);
  for (const { descriptors, threads, code } of servers) {
    expect(descriptors.more).toEqual([]);
    expect({ descriptors: descriptors.after, threads: threads.after, code }).toEqual({
      descriptors: descriptors.before,
      threads: threads.before,
      code: 0,
    });
  }
}, 600_000);
