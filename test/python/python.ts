// Runs the scripts of scripts/python in the environments that scripts/python/setup makes. Where one is not there, its tests are skipped and say
// so; with CI=true that is a failure.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const repo = new URL('../..', import.meta.url).pathname;

export type Environment = '.venv' | '.venv-tensorboard' | '.venv-tables' | '.venv-text' | '.venv-training' | '.venv-ray';

const requirements: Readonly<Record<Environment, string>> = {
  '.venv': 'requirements.txt',
  '.venv-tables': 'requirements-tables.txt',
  '.venv-text': 'requirements-text.txt',
  '.venv-tensorboard': 'requirements-tensorboard.txt',
  '.venv-training': 'requirements-training.txt',
  '.venv-ray': 'ray/requirements.txt',
};

const setupOf = (name: Environment): string => (name === '.venv-ray' ? 'scripts/python/ray/setup' : 'scripts/python/setup');

/** True where the environment is not there, or made for other versions than the pinned ones; and the reason to skip a test. */
export function environment(name: Environment): { readonly missing: boolean; readonly note: string } {
  const stamp = join(repo, name, 'prognet-stamp');
  const pinned = readFileSync(join(repo, 'scripts/python', requirements[name]), 'utf8');
  const fault = !existsSync(stamp) ? 'is missing' : !readFileSync(stamp, 'utf8').startsWith(pinned) ? 'is outdated' : undefined;
  if (fault === undefined) return { missing: false, note: '' };
  if (process.env.CI === 'true') throw new Error(`${name} ${fault}: sh ${setupOf(name)}`);
  return { missing: true, note: ` (skipped: ${name} ${fault}, run sh ${setupOf(name)})` };
}

/** The JSON that a script prints as its last line. */
export function python(name: Environment, script: string, ...args: string[]): unknown {
  const command = join(repo, name, 'bin/python');
  const { status, stdout, stderr } = spawnSync(command, [join(repo, 'scripts/python', script), ...args], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${script} ended with ${status}:\n${stderr.slice(-3000)}`);
  const last = stdout.trim().split('\n').at(-1) ?? '';
  return last === '' ? undefined : JSON.parse(last);
}
