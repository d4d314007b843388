// The service of `prognet deploy node`, started with the packages of the repository; it ends with the test file.
import { spawn } from 'node:child_process';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll } from 'vitest';

const repo = new URL('../..', import.meta.url).pathname;
const running: ReturnType<typeof spawn>[] = [];
afterAll(() => {
  for (const child of running) child.kill('SIGKILL');
});

/**
 * A request on a connection of its own: where a command is run and waited for in between, the service closes one that idles, and a request on it would find
 * nobody.
 */
export const ask = (url: string, { headers, ...init }: RequestInit = {}): Promise<Response> =>
  fetch(url, { ...init, headers: { ...Object(headers), connection: 'close' } });

/** Its address, once it listens. */
export async function serve(folder: string): Promise<string> {
  symlinkSync(join(repo, 'node_modules'), join(folder, 'node_modules'));
  const child = spawn('node', ['server.mjs'], { cwd: folder, env: { ...process.env, PORT: '0', THREADS: '1' } });
  running.push(child);
  return await new Promise((resolve, reject) => {
    let log = '';
    const hear = (chunk: Buffer) => {
      log += chunk;
      const port = /listening on port (\d+)/.exec(log)?.[1];
      if (port !== undefined) resolve(`http://127.0.0.1:${port}`);
    };
    child.stdout?.on('data', hear);
    child.stderr?.on('data', hear);
    child.on('close', () => reject(new Error(log)));
  });
}
