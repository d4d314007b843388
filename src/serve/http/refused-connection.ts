// What a connection is told whose bytes are no request, or whose request came too slowly: no handler has seen it. The connection ends with it.
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';

const refusals: Readonly<Record<string, readonly [status: number, said: string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'the request did not come in its time'],
  HPE_HEADER_OVERFLOW: [431, 'the headers are too large'],
};

const told = new WeakMap<Socket, number>();

/** What a connection was told that ended so. */
export const statusOfRefused = (socket: Socket): number | undefined => told.get(socket);

/** Answers 408, 431 or 400 and closes. */
export function refuseConnection({ code = '', message }: NodeJS.ErrnoException, socket: Socket): void {
  if (code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, said] = refusals[code] ?? [400, `this is no request of HTTP: ${message}`];
  told.set(socket, status);
  const body = JSON.stringify({ error: said });
  const headers = [`content-type: application/json`, `content-length: ${Buffer.byteLength(body)}`, 'connection: close'];
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${headers.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}
