// The service of `prognet deploy node`, started with the packages of the repository; it ends with the test file.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll } from 'vitest';

const repo = new URL('../..', import.meta.url).pathname;
const running: ChildProcess[] = [];
afterAll(() => {
  for (const child of running) child.kill('SIGKILL');
});

/**
 * A request on a connection of its own: where a command is run and waited for in between, the service closes one that idles, and a request on it would find
 * nobody.
 */
export const ask = (url: string, { headers, ...init }: RequestInit = {}): Promise<Response> =>
  fetch(url, { ...init, headers: { ...Object(headers), connection: 'close' } });

export interface Started {
  readonly url: string;
  readonly child: ChildProcess;
  /** All of stderr so far. */
  readonly log: () => string;
  /** Its exit code. */
  readonly ended: Promise<number | null>;
}

/** Begins a service; resolves once it listens. */
export async function start(folder: string, ...flags: string[]): Promise<Started> {
  if (!existsSync(join(folder, 'node_modules'))) symlinkSync(join(repo, 'node_modules'), join(folder, 'node_modules'));
  const own = ['--port', '0', '--grpc-port', 'none', '--metrics-port', 'none', '--workers', '1', '--json'];
  // From elsewhere: what it reads lies beside it.
  const child = spawn('node', [join(folder, 'server.mjs'), ...own, ...flags], { stdio: ['ignore', 'pipe', 'pipe'] });
  running.push(child);
  let [said, log] = ['', ''];
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  child.stderr.on('data', (chunk) => {
    log += chunk;
  });
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.on('data', (chunk) => {
      said += chunk;
      if (said.endsWith('\n')) resolve(JSON.parse(said).http);
    });
    void ended.then(() => reject(new Error(log)));
  });
  return { url, child, log: () => log, ended };
}

/** Its address, once it listens. */
export const serve = async (folder: string): Promise<string> => (await start(folder)).url;
