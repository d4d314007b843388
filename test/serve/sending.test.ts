// Clients that ask for large answers and do not read them, or read them slowly: on sockets of their own, whose buffers fill.
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { caller, framed, question } from './grpc.js';
import { times, wide } from './models.js';
import { ask, certificate, type Serving, serving } from './serving.js';

const folder = mkdtempSync(join(tmpdir(), 'prognet-sending-'));
/** Elements of an answer: more bytes than the buffers of two sockets hold. */
const count = 6 * 2 ** 20;
const sendMs = 1500;
let server: Serving;
beforeAll(async () => {
  writeFileSync(join(folder, 'wide.onnx'), wide(count));
  writeFileSync(join(folder, 'm.onnx'), times(2));
  server = await serving(folder, '--workers', '1', '--send-ms', String(sendMs));
});

const wanted = { parameters: { binary_data_output: true } };
const asked = JSON.stringify({ inputs: [{ name: 'x', shape: [1, 1], datatype: 'FP32', data: [3] }], ...wanted });
const request = `POST /v2/models/wide/infer HTTP/1.1\r\nhost: x\r\ncontent-length: ${asked.length}\r\n\r\n${asked}`;
const body = { inputs: [{ name: 'x', shape: [1, 2], datatype: 'FP32', data: [1, 2] }] };

/** A connection that reads nothing until it is told to. */
function deaf(base: string): { readonly socket: Socket; readonly closed: Promise<number> } {
  const { hostname, port } = new URL(base);
  const socket = connect(Number(port), hostname);
  onTestFinished(() => {
    socket.destroy();
  });
  socket.pause();
  const begun = performance.now();
  const closed = new Promise<number>((resolve) => {
    socket.on('error', () => {}).on('close', () => resolve(performance.now() - begun));
  });
  return { socket, closed };
}
/** Whether the server has closed it: a socket that is not read does not hear of it before it is written to. */
async function ended({ socket, closed }: ReturnType<typeof deaf>): Promise<number> {
  const knock = setInterval(() => socket.writable && socket.write('\r\n'), 100);
  try {
    return await closed;
  } finally {
    clearInterval(knock);
  }
}
const answered = () => ask(`${server.http}/v2/models/m/infer`, body).then(({ status }) => status);
/** Bytes of buffers outside the heap, of the server's process. */
async function external(): Promise<number> {
  const { text } = await ask(`${server.metrics}/metrics`);
  return Number(/^nodejs_external_memory_bytes (\S+)$/m.exec(text)?.[1]);
}

describe('HTTP', () => {
  it('a client that never reads is closed, its answers are let go, and others are answered meanwhile', async () => {
    const before = await external();
    const all = Array.from({ length: 6 }, () => deaf(server.http));
    for (const { socket } of all) socket.write(request);
    await expect.poll(external, { timeout: 10_000 }).toBeGreaterThan(before + 5 * 4 * count - 2 ** 26);
    expect(await answered()).toBe(200);
    for (const time of await Promise.all(all.map(ended))) expect(time).toBeGreaterThan(sendMs);
    await expect.poll(() => server.log().match(/"a client does not read its answer/g)?.length ?? 0).toBeGreaterThan(0);
    const less = async () => {
      // Large answers that are read, so that the collector has a reason to run.
      const { text } = await ask(`${server.http}/v2/models/wide/infer`, asked);
      expect(text.length).toBeGreaterThan(count);
      return external();
    };
    await expect.poll(less, { timeout: 30_000 }).toBeLessThan(before + 4 * 4 * count);
  }, 60_000);

  it.each(['without TLS', 'with TLS'])(
    'one that reads slowly has its answer, however long it takes, %s',
    async (how) => {
      const { cert, key } = certificate(folder);
      const secured = how === 'with TLS';
      const own = secured
        ? await serving(folder, '--workers', '1', '--send-ms', String(sendMs), '--tls-cert', cert, '--tls-key', key)
        : server;
      const { hostname, port } = new URL(own.http);
      const at = { host: hostname, port: Number(port) };
      const socket = secured ? connectTls({ ...at, ca: readFileSync(cert) }) : connect(at);
      onTestFinished(() => {
        socket.destroy();
      });
      socket.write(request.replace('host: x', 'host: x\r\nconnection: close'));
      const begun = performance.now();
      let bytes = 0;
      let last = Buffer.alloc(0);
      const whole = new Promise<void>((resolve) => {
        let part = 0;
        socket.on('data', (chunk) => {
          bytes += chunk.length;
          part += chunk.length;
          last = chunk;
          if (part < 2 ** 21) return;
          part = 0;
          socket.pause();
          setTimeout(() => socket.resume(), sendMs / 3);
        });
        socket.on('end', resolve);
      });
      socket.resume();
      await whole;
      expect(performance.now() - begun).toBeGreaterThan(2 * sendMs);
      expect(bytes).toBeGreaterThan(4 * count);
      expect(last.readFloatLE(last.length - 4)).toBe(3);
    },
    60_000,
  );
});

const rpcPath = (method: string) => `/inference.GRPCInferenceService/${method}`;
const wideQuestion = question('wide', [1, 1], [3]);

/** The bytes of a call of HTTP/2: its client lets so many bytes come before it says that it has read some. */
function call(method: string, messages: Buffer, window: number): Buffer {
  const frame = (type: number, flags: number, stream: number, payload: Buffer) => {
    const head = Buffer.alloc(9);
    head.writeUIntBE(payload.length, 0, 3);
    head.writeUInt8(type, 3);
    head.writeUInt8(flags, 4);
    head.writeUInt32BE(stream, 5);
    return Buffer.concat([head, payload]);
  };
  const headers = {
    ':method': 'POST',
    ':scheme': 'http',
    ':path': rpcPath(method),
    ':authority': 'x',
    te: 'trailers',
    'content-type': 'application/grpc',
  };
  const text = (all: string) => Buffer.concat([Buffer.of(all.length), Buffer.from(all)]);
  // Each by its name and value, in none of the tables.
  const block = Buffer.concat(Object.entries(headers).flatMap(([name, value]) => [Buffer.of(0), text(name), text(value)]));
  const settings = Buffer.alloc(6);
  settings.writeUInt16BE(4);
  settings.writeUInt32BE(window, 2);
  const more = Buffer.alloc(4);
  more.writeUInt32BE(Math.max(1, window - 65_535));
  return Buffer.concat([
    Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    frame(4, 0, 0, settings),
    frame(8, 0, 0, more),
    frame(1, 4, 1, block),
    frame(0, 1, 1, messages),
  ]);
}

describe('gRPC', () => {
  const ok = async () => (await caller(server.grpc).call('ModelInfer', question('m', [1, 2], [1, 2]))).code;

  it.each([
    ['never reads', 'ModelInfer', 2 ** 31 - 1, false],
    ['reads but lets nothing more come', 'ModelInfer', 65_535, true],
    ['never reads a stream', 'ModelStreamInfer', 2 ** 31 - 1, false],
  ])(
    'a client that %s is closed, and others are answered meanwhile',
    async (_, method, window, reads) => {
      const client = deaf(`http://${server.grpc}`);
      if (reads) client.socket.resume();
      client.socket.write(call(method, framed(method, wideQuestion), window));
      expect(await ok()).toBe(0);
      const knocked = reads ? client.closed : ended(client);
      expect(await knocked).toBeGreaterThan(sendMs);
      expect(await ok()).toBe(0);
      expect(server.log()).toContain('a client of gRPC does not read its answer, its connection is closed');
    },
    30_000,
  );

  it('a client that sends many requests of a stream and reads no answer is not computed for', async () => {
    const patient = await serving(folder, '--workers', '1');
    const client = deaf(`http://${patient.grpc}`);
    const many = Array.from({ length: 20 }, () => framed('ModelStreamInfer', wideQuestion));
    client.socket.write(call('ModelStreamInfer', Buffer.concat(many), 65_535));
    const count = async () => {
      const { text } = await ask(`${patient.metrics}/metrics`);
      return Number(/^nv_inference_request_success\{[^}]*wide[^}]*\} (\d+)$/m.exec(text)?.[1] ?? 0);
    };
    await expect.poll(count, { timeout: 10_000 }).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect(await count()).toBe(1);
    patient.child.kill('SIGKILL');
  }, 30_000);

  it.each(['without TLS', 'with TLS'])(
    'one that reads slowly has its answer, however long it takes, %s',
    async (how) => {
      const { cert, key } = certificate(folder);
      const secured = how === 'with TLS' ? ['--tls-cert', cert, '--tls-key', key] : [];
      const own = await serving(folder, '--workers', '1', '--send-ms', String(sendMs), ...secured);
      const session = connectHttp2(`${secured.length > 0 ? 'https' : 'http'}://${own.grpc}`, { ca: readFileSync(cert) });
      onTestFinished(() => session.destroy());
      const stream = session.request({
        ':method': 'POST',
        ':path': rpcPath('ModelInfer'),
        te: 'trailers',
        'content-type': 'application/grpc',
      });
      const begun = performance.now();
      let bytes = 0;
      stream.on('data', (chunk) => {
        bytes += chunk.length;
        stream.pause();
        setTimeout(() => stream.resume(), performance.now() - begun < 3 * sendMs ? sendMs / 15 : 0);
      });
      const trailers = new Promise<unknown>((resolve, reject) => {
        stream
          .on('trailers', resolve)
          .on('error', reject)
          .on('close', () => reject(new Error('closed')));
      });
      stream.end(framed('ModelInfer', wideQuestion));
      expect(await trailers).toMatchObject({ 'grpc-status': '0' });
      expect(performance.now() - begun).toBeGreaterThan(2 * sendMs);
      await expect.poll(() => bytes).toBeGreaterThan(4 * count);
      own.child.kill('SIGKILL');
    },
    60_000,
  );
});

it('at SIGTERM they have the time of those under way, and no more', async () => {
  const own = await serving(folder, '--workers', '1', '--drain-ms', '2000');
  const clients = [deaf(own.http), deaf(`http://${own.grpc}`)];
  clients[0]?.socket.write(request);
  clients[1]?.socket.write(call('ModelInfer', framed('ModelInfer', wideQuestion), 65_535));
  const all = async () => {
    const { text } = await ask(`${own.metrics}/metrics`);
    return Number(/^nv_inference_request_success\{[^}]*wide[^}]*\} (\d+)$/m.exec(text)?.[1] ?? 0);
  };
  await expect.poll(all, { timeout: 10_000 }).toBe(2);
  const begun = performance.now();
  own.child.kill('SIGTERM');
  expect(await own.ended).toEqual({ code: 0, signal: null });
  expect(performance.now() - begun).toBeGreaterThan(1900);
  expect(performance.now() - begun).toBeLessThan(15_000);
}, 30_000);
