// Exported files, first weights, step and gradient graphs have the bits of test/same-bits.json. A difference on purpose: list it in CHANGELOG,
// look at it with `sh scripts/same-bits OTHER-CHECKOUT untrained`, then `sh scripts/same-bits --keep`.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const repo = new URL('..', import.meta.url).pathname;

it('every file that no processor has a part in is as it was kept', () => {
  const { status, stdout, stderr } = spawnSync('node', [join(repo, 'scripts/bits/kept.mjs'), join(repo, 'dist')], {
    encoding: 'utf8',
  });
  expect({ status, stdout, stderr }).toEqual({
    status: 0,
    stdout: expect.stringMatching(/^\d{3} files have the bits that were kept\n$/),
    stderr: '',
  });
});
