// A sample of scripts/reliability/readers.mjs: damaged files through every reader, on the built package.
import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';

it('reads or refuses every damaged file, in bounded time', () => {
  const script = new URL('../../scripts/reliability/readers.mjs', import.meta.url).pathname;
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, '--inputs', '300'], { encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(
    stdout.match(
      /^\| (csv|npy|npz|idx|safetensors|yaml|parquet|records|images|arrow|tokenizer) \| 300 \| [1-9]\d* \| [1-9]\d* \| 0 \|/gm,
    ),
  ).toHaveLength(11);
  expect(status).toBe(0);
}, 120_000);
