// Runs the scripts of scripts/python in the environments that scripts/python/setup makes. Where one is not there, its tests are skipped and say
// so; with CI=true that is a failure.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const repo = new URL('../..', import.meta.url).pathname;

export type Environment = '.venv' | '.venv-training';

/** True where the environment is there; the reason to skip a test else. */
export function environment(name: Environment): { readonly missing: boolean; readonly note: string } {
  const missing = !existsSync(join(repo, name, 'prognet-stamp'));
  if (missing && process.env.CI === 'true') throw new Error(`${name} is missing: sh scripts/python/setup`);
  return { missing, note: missing ? ` (skipped: ${name} is missing, run sh scripts/python/setup)` : '' };
}

/** The JSON that a script prints as its last line. */
export function python(name: Environment, script: string, ...args: string[]): unknown {
  const command = join(repo, name, 'bin/python');
  const { status, stdout, stderr } = spawnSync(command, [join(repo, 'scripts/python', script), ...args], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${script} ended with ${status}:\n${stderr.slice(-3000)}`);
  const last = stdout.trim().split('\n').at(-1) ?? '';
  return last === '' ? undefined : JSON.parse(last);
}
