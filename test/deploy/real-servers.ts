// The servers of others that tests start: Triton with its Python backend and MLServer, from the environments of scripts/deploy-check/setup.
import { execFileSync, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { repo } from '../cli/support.js';

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
export async function freePorts(count: number): Promise<string[]> {
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
export const servers = {
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
