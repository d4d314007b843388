// prognet fleet train as a process, and what it leaves in the folder.
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readColumn, readFleet } from '../../src/fleet/folder.js';

const repo = new URL('../..', import.meta.url).pathname;

/** Begins the command; what it says so far, and its exit code once it has ended. */
export function begin(...args: string[]) {
  const child = spawn(process.execPath, [join(repo, 'dist/cli/main.js'), 'fleet', 'train', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = { out: '', err: '' };
  child.stdout.on('data', (chunk) => {
    said.out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    said.err += chunk;
  });
  return { child, said, ended: new Promise<number | null>((resolve) => child.on('close', resolve)) };
}

/** Until it has said this on stderr, or ended. */
export async function when(child: ChildProcess, said: { readonly err: string }, text: RegExp): Promise<void> {
  while (!text.test(said.err) && child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** Files of trained columns. */
export const columnsIn = (folder: string): string[] =>
  readdirSync(join(folder, 'columns')).filter((name) => /^c\d+\.safetensors$/.test(name));

/** The hash of a column's weights, which are checked against it. */
export const weightsOf = (folder: string, name: string): string =>
  readColumn(folder, readFleet(folder), name).record.sha256.weights;
