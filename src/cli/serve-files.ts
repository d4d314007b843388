// A web server for this machine alone: a fixed set of files from memory, nothing else. Cross-origin isolated, so that wasm may have threads.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { extname } from 'node:path';
import type { Files } from '../deploy/deployment.js';
import { UsageError } from '../onnx/core/errors.js';

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
};

const headers = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'cross-origin-resource-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
  // Checked again at each load, so that a page of another prognet never stays.
  'cache-control': 'no-cache',
};

export interface Serving {
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

const loopback = '127.0.0.1';

/** Hosts by which a browser may name this machine; any other is a page elsewhere that points its own name here. */
function known(host: string | undefined): boolean {
  return /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/.test(host ?? '');
}

function answer(files: Files, request: IncomingMessage, response: ServerResponse): void {
  const say = (status: number, what: string) => {
    response.writeHead(status, { ...headers, 'content-type': 'text/plain; charset=utf-8' }).end(`${what}\n`);
  };
  // Names are looked up as they are: there is no path to leave.
  const name = (request.url ?? '/').split(/[?#]/, 1)[0]?.slice(1) || 'index.html';
  const bytes = files.get(name);
  if (!known(request.headers.host)) say(403, 'this server answers to localhost alone');
  else if (request.method !== 'GET' && request.method !== 'HEAD') say(405, 'expected GET or HEAD');
  else if (bytes === undefined) say(404, 'there is no such file');
  else {
    response.writeHead(200, {
      ...headers,
      'content-type': types[extname(name)] ?? 'application/octet-stream',
      'content-length': bytes.length,
    });
    response.end(request.method === 'HEAD' ? undefined : bytes);
  }
}

/**
 * Listens on 127.0.0.1.
 * @param port 0 takes any that is free
 * @throws UsageError where the port is taken or forbidden
 */
export async function serveFiles(files: Files, port: number): Promise<Serving> {
  const server = createServer((request, response) => answer(files, request, response));
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const why = cause.code === 'EADDRINUSE' ? 'is in use' : `cannot be listened on (${cause.code})`;
      reject(new UsageError(`port ${port} ${why}, choose another: --port 0 takes any that is free`, { path: '--port', cause }));
    });
    server.listen(port, loopback, resolve);
  });
  const address = server.address();
  const bound = typeof address === 'object' && address !== null ? address.port : port;
  return {
    url: `http://${loopback}:${bound}/`,
    port: bound,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
