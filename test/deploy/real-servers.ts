// The servers of others that tests start: Triton with its Python backend and MLServer, from the environments of scripts/deploy-check/setup.
import { execFileSync, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect } from 'vitest';
import { okIn, prognet, repo, workspace } from '../cli/support.js';

function withoutServers(): string | undefined {
  try {
    execFileSync('sh', [join(repo, 'scripts/deploy-check/setup')], { stdio: 'pipe' });
    return undefined;
  } catch (error) {
    return `scripts/deploy-check/setup failed: ${error instanceof Error ? error.message.split('\n')[0] : error}`;
  }
}
/** Why they are not there; undefined where they are. */
export const missing = withoutServers();
/** For names of tests. */
export const why = missing === undefined ? '' : ` (not run: ${missing})`;

/** Ports that nothing listens on at this moment. */
async function freePorts(count: number): Promise<string[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return server;
    }),
  );
  return Promise.all(
    servers.map((server) => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? String(address.port) : '';
      return new Promise<string>((resolve) => server.close(() => resolve(port)));
    }),
  );
}

/** Each takes its folder and the ports of HTTP, gRPC and metrics; Triton more of its flags. */
const servers = {
  triton: (folder: string, [http = '', grpc = '', metrics = '']: readonly string[], ...flags: string[]) =>
    spawn(
      'sh',
      [join(repo, 'scripts/deploy-check/tritonserver'), folder, http, grpc, metrics, '--model-config-name=python', ...flags],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    ),
  mlserver: (folder: string, [http, grpc, metrics]: readonly string[]) =>
    spawn(join(repo, '.venv-mlserver/bin/mlserver'), ['start', '.'], {
      cwd: folder,
      env: { ...process.env, MLSERVER_HTTP_PORT: http, MLSERVER_GRPC_PORT: grpc, MLSERVER_METRICS_PORT: metrics },
      stdio: ['ignore', 'pipe', 'pipe'],
    }),
};

export type Target = keyof typeof servers;

/** A server of others that answers, with its addresses, until `stop`. */
export interface Started {
  readonly http: string;
  /** Host and port. */
  readonly grpc: string;
  readonly metrics: string;
  stop(): Promise<void>;
}

/** Serves a folder; resolves once `ready`, a path, is answered 200. Throws what the server said where it ends before. */
export async function started(target: Target, folder: string, ready: string, ...flags: string[]): Promise<Started> {
  const ports = await freePorts(3);
  const child = servers[target](folder, ports, ...flags);
  let log = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk) => {
      log += chunk;
    });
  const [http, grpc, metrics] = ports.map((port) => `127.0.0.1:${port}`);
  const isReady = () =>
    fetch(`http://${http}${ready}`).then(
      ({ status }) => status === 200,
      () => false,
    );
  while (!(await isReady())) {
    if (child.exitCode !== null) throw new Error(log);
    await setTimeout(200);
  }
  const stop = async () => {
    const ended = new Promise((resolve) => child.once('close', resolve));
    child.kill('SIGTERM');
    await ended;
  };
  return { http: `http://${http}`, grpc: grpc ?? '', metrics: `http://${metrics}`, stop };
}

/** A trained workspace of the tabular template, whose tasks are "left" and "took", and what `deploy` writes of it for a server. */
export function deployedShop(target: Target): { readonly dir: string; readonly folder: string } {
  const dir = join(workspace(), 'shop');
  expect(prognet('init', dir, '--template', 'tabular', '--quiet').status).toBe(0);
  okIn(dir, 'train', '--all', '--quiet');
  const folder = join(dir, '..', target);
  okIn(dir, 'deploy', target, '-o', folder, '--quiet');
  return { dir, folder };
}
