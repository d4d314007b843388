// prognet serve as its users run it: a child process on ports that are free, which ends with the test file.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { repo } from '../cli/support.js';

const running: ChildProcess[] = [];
afterAll(() => {
  for (const child of running) child.kill('SIGKILL');
});

export interface Serving {
  readonly http: string;
  readonly metrics: string;
  readonly grpc: string;
  readonly models: readonly string[];
  readonly refused: readonly { readonly model: string; readonly reason: string }[];
  readonly child: ChildProcess;
  /** All of stderr so far. */
  readonly log: () => string;
  /** Of its end. */
  readonly ended: Promise<{ readonly code: number | null; readonly signal: string | null }>;
}

/** Begins a server; resolves once it listens. */
export const serving = (...args: string[]): Promise<Serving> => servingIn({}, ...args);

/** The same, with more in its environment. */
export function servingIn(env: Readonly<Record<string, string>>, ...args: string[]): Promise<Serving> {
  return servingOf(repo, env, ...args);
}

/** A package that lies in a folder of its own, and runs there. */
export function servingOf(root: string, env: Readonly<Record<string, string>>, ...args: string[]): Promise<Serving> {
  const ports = ['--port', '0', '--grpc-port', '0', '--metrics-port', '0'];
  const child = spawn('node', [join(root, 'dist/cli/main.js'), 'serve', '--json', ...ports, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: root,
    env: { ...process.env, ...env },
  });
  running.push(child);
  let log = '';
  child.stderr.on('data', (chunk) => {
    log += chunk;
  });
  const ended = new Promise<{ code: number | null; signal: string | null }>((resolve) =>
    child.on('close', (code, signal) => resolve({ code, signal })),
  );
  return new Promise((resolve, reject) => {
    let said = '';
    child.stdout.on('data', (chunk) => {
      said += chunk;
      if (said.endsWith('\n')) resolve({ ...JSON.parse(said), child, ended, log: () => log });
    });
    void ended.then(({ code }) => reject(new Error(`prognet serve ended with ${code}: ${log}`)));
  });
}

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** A request on a connection of its own. */
export async function ask(
  url: string,
  body?: unknown,
  headers: Record<string, string> = {},
  signal: AbortSignal | null = null,
): Promise<Reply> {
  const own =
    body === undefined
      ? {}
      : { method: 'POST', body: typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body) };
  const answer = await fetch(url, { ...(own as RequestInit), headers: { ...headers, connection: 'close' }, signal });
  return { status: answer.status, headers: answer.headers, text: await answer.text() };
}

export const json = async (url: string, body?: unknown) => JSON.parse((await ask(url, body)).text);

/** A certificate of its own for 127.0.0.1, written into a folder. */
export function certificate(folder: string, name = ''): { readonly cert: string; readonly key: string } {
  const [cert, key] = [join(folder, `cert${name}.pem`), join(folder, `key${name}.pem`)];
  const made = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=localhost'.split(' ');
  const files = ['-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', cert];
  execFileSync('openssl', [...made, ...files], { stdio: 'pipe' });
  return { cert, key };
}
