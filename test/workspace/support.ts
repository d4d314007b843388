// Temporary workspaces, sample columns, and child processes built from children/*.ts to be killed.
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { build } from 'vite';
import { afterAll, expect } from 'vitest';
import { PrognetError } from '../../src/onnx/core/errors.js';

const folders: string[] = [];

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A fresh folder, removed when the file's tests are done. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'prognet-workspace-'));
  folders.push(folder);
  return folder;
}

/** What `act` throws: an error about input, on one line. */
export function errorOf(act: () => unknown): PrognetError {
  try {
    act();
  } catch (error) {
    if (!(error instanceof PrognetError)) throw error;
    expect(error.message).not.toMatch(/[\n\r]/);
    return error;
  }
  throw new Error('nothing was thrown');
}

/** The message of what `act` throws. */
export function messageOf(act: () => unknown): string {
  return errorOf(act).message;
}

/** Bundles children/<name>.ts, with all it imports, into `folder`; the path of the script. */
export async function buildChild(name: string, folder: string): Promise<string> {
  const root = join(import.meta.dirname, '../..');
  await build({
    configFile: false,
    logLevel: 'error',
    root,
    ssr: { noExternal: true },
    build: {
      ssr: join(import.meta.dirname, 'children', `${name}.ts`),
      outDir: folder,
      emptyOutDir: false,
      minify: false,
      rolldownOptions: { output: { entryFileNames: '[name].mjs' } },
    },
  });
  return join(folder, `${name}.mjs`);
}

export interface Child {
  readonly pid: number;
  /** Lines written so far, whole ones only. */
  lines(): readonly string[];
  /** Waits until a line is there. */
  line(index: number): Promise<string>;
  /** Sends SIGKILL and waits for the end; false when it had ended by itself. */
  kill(): Promise<boolean>;
}

export function startChild(script: string, args: readonly string[]): Child {
  const child: ChildProcessByStdio<null, Readable, Readable> = spawn(process.execPath, [script, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let problems = '';
  child.stdout.on('data', (data: Buffer) => {
    out += data.toString();
  });
  child.stderr.on('data', (data: Buffer) => {
    problems += data.toString();
  });
  const end = new Promise<NodeJS.Signals | null>((resolve) => child.on('close', (_code, signal) => resolve(signal)));
  const lines = () => out.split('\n').slice(0, -1);
  return {
    pid: child.pid ?? 0,
    lines,
    async line(index) {
      for (;;) {
        const found = lines()[index];
        if (found !== undefined) return found;
        if (child.exitCode !== null || child.signalCode !== null) throw new Error(`the child ended early: ${problems}`);
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    },
    async kill() {
      child.kill('SIGKILL');
      const signal = await end;
      if (problems !== '') throw new Error(`the child failed: ${problems}`);
      return signal === 'SIGKILL';
    },
  };
}

export function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
