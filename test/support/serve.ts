// A static server for pages under test: files from folders and memory, with or without cross-origin isolation.
import { createReadStream, existsSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
};

export interface Served {
  readonly url: string;
  close(): Promise<void>;
}

export interface ServeOptions {
  /** Looked up in this order. */
  readonly folders: readonly string[];
  /** Path without its slash to what is sent. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  /** Sends COOP and COEP, which threads in wasm need. */
  readonly isolated?: boolean;
}

export async function serve({ folders, files = {}, isolated = false }: ServeOptions): Promise<Served> {
  const server = createServer((request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname)).slice(1) || 'index.html';
    response.setHeader('content-type', types[extname(path)] ?? 'application/octet-stream');
    if (isolated) {
      response.setHeader('cross-origin-opener-policy', 'same-origin');
      response.setHeader('cross-origin-embedder-policy', 'require-corp');
    }
    const own = Object.hasOwn(files, path) ? files[path] : undefined;
    if (own !== undefined) return response.end(own);
    const file = folders.map((folder) => join(folder, path)).find((f) => existsSync(f) && statSync(f).isFile());
    if (file !== undefined) return createReadStream(file).pipe(response);
    response.statusCode = 404;
    return response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
