// Who may ask: with a key where there is one, and no page of a browser, whose requests its visitor does not know of; and by what name.
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { ServeError } from '../served-model.js';

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** The key of an `authorization: Bearer` or an `x-api-key`. */
export function keyOf(headers: Readonly<Record<string, unknown>>): string | undefined {
  const { authorization, 'x-api-key': own } = headers;
  if (typeof own === 'string') return own;
  return typeof authorization === 'string' ? /^Bearer +(\S+)$/i.exec(authorization)?.[1] : undefined;
}

/** Whether a key is the one, in the same time for any. */
export function keyCheck(expected: string | undefined): (given: string | undefined) => boolean {
  if (expected === undefined) return () => true;
  const own = digest(expected);
  return (given) => timingSafeEqual(own, digest(given ?? ''));
}

/** Browsers say where a page comes from that sends a request; clients of servers do not. Throws ServeError. */
export function refusePages(headers: Readonly<Record<string, unknown>>): void {
  if (headers.origin === undefined && headers['sec-fetch-site'] === undefined) return;
  throw new ServeError('forbidden', 'requests of web pages are not answered, expected a client that sends no origin');
}

/** Requests of HTTP/1.1 name the host that they ask (RFC 9112, 3.2). Throws ServeError. */
export function refuseHostless({ httpVersion, headers: { host } }: IncomingMessage): void {
  if (httpVersion === '1.1' && host === undefined) throw new ServeError('invalid', 'the request has no header "host"');
}
