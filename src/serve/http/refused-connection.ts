// What is told to a connection whose bytes are no request, or whose request came too slowly, and to requests that Node itself would refuse without a word: no handler has seen them. The connection ends
// with it.
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
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

/** Answers 417: of what a client may expect first there is 100-continue alone. */
export function refuseExpectation({ headers: { expect } }: IncomingMessage, response: ServerResponse): void {
  const body = JSON.stringify({
    error: `found the header "expect: ${String(expect).slice(0, 60)}", expected 100-continue or none`,
  });
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), connection: 'close' };
  response.writeHead(417, headers).end(body);
}
