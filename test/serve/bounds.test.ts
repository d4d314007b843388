import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compressionAlgorithms, credentials, Metadata } from '@grpc/grpc-js';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { caller, question } from './grpc.js';
import { times } from './models.js';
import { ask, certificate, type Serving, serving } from './serving.js';

const folder = mkdtempSync(join(tmpdir(), 'prognet-bounds-'));
const file = (name: string) => join(folder, name);
const model = file('m.onnx');
let server: Serving;
beforeAll(async () => {
  writeFileSync(model, times(2));
  const bounds = ['--max-connections', '8', '--receive-ms', '1000', '--max-bytes', '65536', '--max-header-bytes', '2048'];
  server = await serving(model, '--workers', '1', ...bounds);
});

/** A connection on which bytes are written as they are; `said` is all that came back, once it has ended. */
function raw(base: string, text = ''): { readonly socket: Socket; readonly said: Promise<string> } {
  const { hostname, port } = new URL(base);
  const socket = connect(Number(port), hostname);
  onTestFinished(() => {
    socket.destroy();
  });
  let all = '';
  socket.on('data', (chunk) => {
    all += chunk;
  });
  socket.on('error', () => {});
  if (text !== '') socket.write(text);
  return { socket, said: new Promise((resolve) => socket.on('close', () => resolve(all))) };
}

/** As many connections as a server takes: those of tests before may still be closing. */
async function filled(base: string): Promise<readonly Socket[]> {
  let held: readonly Socket[] = [];
  const stay = async () => {
    const more = Array.from({ length: 8 - held.length }, () => raw(base).socket);
    await Promise.all(more.map((socket) => new Promise((resolve) => socket.once('connect', resolve))));
    await new Promise((resolve) => setTimeout(resolve, 100));
    held = [...held, ...more].filter(({ destroyed }) => !destroyed);
    return held.length;
  };
  await expect.poll(stay).toBe(8);
  return held;
}

/** Status, whether it is the last answer of its connection, and the error of an answer. */
function parsed(said: string) {
  const [head = '', body = ''] = said.split('\r\n\r\n');
  return { status: Number(head.split(' ')[1]), last: /^connection: close$/im.test(head), error: JSON.parse(body).error };
}
const begin = 'POST /v2/models/m/infer HTTP/1.1\r\nhost: x\r\n';
const body = { inputs: [{ name: 'x', shape: [1, 2], datatype: 'FP32', data: [1, 2] }] };
const fits = () => ask(`${server.http}/v2/models/m/infer`, body).then(({ status }) => status);
const asked = question('m', [1, 2], [1, 2]);

describe('HTTP', () => {
  it('a request that comes slowly is answered 408 in its time, in its headers and in its body', async () => {
    const begun = performance.now();
    const slow = [raw(server.http, begin), raw(server.http, `${begin}content-length: 100\r\n\r\n{`)];
    const error = 'the request did not come in its time';
    for (const { said } of slow) expect(parsed(await said)).toEqual({ status: 408, last: true, error });
    expect(performance.now() - begun).toBeLessThan(20_000);
    expect(await fits()).toBe(200);
  });

  it('headers beyond the bound, and bytes that are none, end the connection by an answer that says so', async () => {
    const large = raw(server.http, `${begin}x-long: ${'a'.repeat(3000)}\r\n\r\n`);
    expect(parsed(await large.said)).toEqual({ status: 431, last: true, error: 'the headers are too large' });
    const none = raw(server.http, '\x16\x03\x01 what is this\r\n\r\n');
    const error = expect.stringMatching(/^this is no request of HTTP: /);
    expect(parsed(await none.said)).toEqual({ status: 400, last: true, error });
  });

  it('what Node refuses itself says why as well: no host, an expectation that nobody meets', async () => {
    const line = 'GET /v2/health/live HTTP/1.1\r\nconnection: close\r\n';
    const told = async (headers: string) => parsed(await raw(server.http, `${line}${headers}\r\n`).said);
    expect(await told('')).toEqual({ status: 400, last: true, error: 'the request has no header "host"' });
    expect(await told('host: x\r\nexpect: tea\r\n')).toEqual({
      status: 417,
      last: true,
      error: 'found the header "expect: tea", expected 100-continue or none',
    });
    expect(await raw(server.http, 'GET /v2/health/live HTTP/1.0\r\n\r\n').said).toMatch(/^HTTP\/1.1 200 /);
  });

  it('connections beyond the bound are closed, and there is room again when one has gone', async () => {
    const held = await filled(server.http);
    expect(await raw(server.http, `${begin}\r\n`).said).toBe('');
    held[0]?.destroy();
    await expect.poll(() => fits().catch(() => 0)).toBe(200);
  });

  it('a time beyond five minutes is one as well', async () => {
    const long = await serving(model, '--workers', '1', '--receive-ms', '600000');
    expect((await ask(`${long.http}/v2/models/m/infer`, body)).status).toBe(200);
    long.child.kill();
  });
});

describe('gRPC', () => {
  const codes = { ok: 0, exhausted: 8, unavailable: 14, unauthenticated: 16 };

  it('messages beyond the bound are refused, packed ones too', async () => {
    const rpc = caller(server.grpc);
    const large = { ...asked, raw_input_contents: [Buffer.alloc(70_000)] };
    expect((await rpc.call('ModelInfer', large)).code).toBe(codes.exhausted);
    const packing = caller(server.grpc, credentials.createInsecure(), {
      'grpc.default_compression_algorithm': compressionAlgorithms.gzip,
    });
    expect(await packing.call('ModelInfer', large)).toEqual({
      code: codes.exhausted,
      said: 'Received message that decompresses to a size larger than 65536',
    });
    expect(await packing.call('ModelInfer', asked)).toMatchObject({ code: codes.ok });
    expect((await rpc.call('ModelInfer', asked)).answer?.raw_output_contents?.[0]).toEqual(
      Buffer.from(Float32Array.of(2, 4).buffer),
    );
  });

  it('metadata beyond the bound are refused', async () => {
    const rpc = caller(server.grpc);
    const sized = (length: number) => {
      const metadata = new Metadata();
      metadata.set('x-long', 'a'.repeat(length));
      return rpc.call('ModelInfer', asked, metadata);
    };
    expect(await sized(3000)).toEqual({ code: codes.exhausted, said: 'the metadata have over 2048 bytes' });
    expect(await sized(1000)).toMatchObject({ code: codes.ok });
  });

  it('connections beyond the bound are closed; requests of one connection have it too', async () => {
    const held = await filled(`http://${server.grpc}`);
    expect(await caller(server.grpc).call('ServerLive', {})).toMatchObject({ code: codes.unavailable });
    for (const socket of held) socket.destroy();
    await expect.poll(async () => (await caller(server.grpc).call('ServerLive', {})).code).toBe(codes.ok);

    const session = connectHttp2(`http://${server.grpc}`);
    const settings = await new Promise((resolve) => session.once('remoteSettings', resolve));
    expect(settings).toMatchObject({ maxConcurrentStreams: 8 });
    session.destroy();
  });

  it('with a certificate and a key', async () => {
    const { cert, key } = certificate(folder);
    writeFileSync(file('key'), 'sesame\n');
    const secured = ['--tls-cert', cert, '--tls-key', key, '--api-key-file', file('key')];
    const { grpc } = await serving(model, '--workers', '1', ...secured);
    const by = credentials.createSsl(readFileSync(cert));
    const rpc = caller(grpc, by);
    const said = 'expected the key as metadata "authorization: Bearer ..." or x-api-key';
    const keyed = (name: string, value: string) => {
      const metadata = new Metadata();
      metadata.set(name, value);
      return rpc.call('ModelInfer', asked, metadata);
    };
    expect(await rpc.call('ModelInfer', asked)).toEqual({ code: codes.unauthenticated, said });
    expect(await keyed('x-api-key', 'Sesame')).toEqual({ code: codes.unauthenticated, said });
    expect(await keyed('x-api-key', 'sesame')).toMatchObject({ code: codes.ok });
    expect(await keyed('authorization', 'Bearer sesame')).toMatchObject({ code: codes.ok });
    expect(await rpc.call('ServerReady', {})).toMatchObject({ code: codes.ok, answer: { ready: true } });
    // Neither without encryption nor with another certificate.
    expect(await caller(grpc).call('ServerReady', {})).toMatchObject({ code: codes.unavailable });
    const other = caller(grpc, credentials.createSsl(readFileSync(certificate(folder, '2').cert)));
    expect(await other.call('ServerReady', {})).toMatchObject({ code: codes.unavailable });
  });
});
