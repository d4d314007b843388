// The command line as a user runs it: child processes over the built package (test/support/build.ts keeps it current), real workspaces in temporary folders.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Random } from '../../src/onnx/core/random.js';

export const repo = new URL('../..', import.meta.url).pathname;
const main = join(repo, 'dist/cli/main.js');

export function prognet(...args: string[]) {
  const { status, stdout, stderr } = spawnSync('node', [main, ...args], { encoding: 'utf8' });
  return { status, stdout, stderr };
}

const sourceOf = (name: string): string => readFileSync(join(repo, `src/cli/${name}.ts`), 'utf8');
/** The source of the command line: what all commands have, then each command from `command('` at the start of a line, as help lists them. */
export const commandLine = [
  sourceOf('program'),
  sourceOf('main')
    .replace(/^addAnalysis\(\);$/m, () => sourceOf('analysis').replace(/^ {2}/gm, ''))
    .replace(/^addServing\(\);$/m, () => sourceOf('serving').replace(/^ {2}/gm, '')),
].join('\n');

/** Runs a command in a workspace that must take it; its stdout. */
export const okIn = (dir: string, ...args: string[]): string => {
  const { status, stdout, stderr } = prognet(...args, '-C', dir);
  if (status !== 0) throw new Error(`prognet ${args.join(' ')} ended with ${status}: ${stderr}`);
  return stdout;
};

/** The document of the last line, of a command that prints a line for each thing that happens. */
export const lastLine = (stdout: string) => JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');

/** A child that runs on; `ended` gives its exit code, signal and stderr. */
export function start(...args: string[]) {
  const child = spawn('node', [main, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const ended = new Promise<{ code: number | null; signal: string | null; stderr: string }>((resolve) =>
    child.on('close', (code, signal) => resolve({ code, signal, stderr })),
  );
  return { child, ended, stderr: () => stderr };
}

/** Resolves once a training has written this to stderr. */
export async function until(training: ReturnType<typeof start>, text: RegExp): Promise<void> {
  const begun = performance.now();
  while (!text.test(training.stderr())) {
    if (performance.now() - begun > 50_000) throw new Error(`never said ${text}: ${training.stderr()}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Two tasks over four numbers, the second with an adapter, dropout and early stopping. */
export const yaml = (extra = '', epochs = 6) => `prognet: 1
name: toy
input: { name: x, shape: [4] }
columns:
  - task: a
    data: { source: a.csv, header: false }
    blocks: [[{ dense: 8 }, relu, { dropout: 0.1 }], [{ dense: 8 }, relu]]
    head: { classify: 2 }
    train: { epochs: ${epochs}, batch: 16, lr: 0.01, seed: 3 }
  - task: b
    data: { source: b.csv, header: false }
    like: a
    laterals: { kind: adapter, rank: 3 }
    train: { epochs: ${epochs}, batch: 16, lr: 0.01, validation: 0.2, early_stopping: { patience: ${epochs} } }
${extra}`;

export function csv(seed: number): string {
  const r = new Random(seed, 'csv');
  return Array.from({ length: 200 }, () => {
    const x = Array.from({ length: 4 }, () => r.normal());
    return [...x.map((v) => v.toFixed(4)), (x[seed % 4] ?? 0) > 0 ? 1 : 0].join(',');
  }).join('\n');
}

/** A new folder with that description and its data. */
export function workspace(text = yaml()): string {
  const dir = mkdtempSync(join(tmpdir(), 'prognet-cli-'));
  writeFileSync(join(dir, 'prognet.yaml'), text);
  writeFileSync(join(dir, 'a.csv'), csv(1));
  writeFileSync(join(dir, 'b.csv'), csv(2));
  return dir;
}
