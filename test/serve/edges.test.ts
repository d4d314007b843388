// prognet serve at its edges: texts that ONNX Runtime would cut, paths that are none, addresses and ports.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { prognet } from '../cli/support.js';
import { runtime } from '../support/run.js';
import { caller, question } from './grpc.js';
import { same, times } from './models.js';
import { ask, type Serving, serving } from './serving.js';

const folder = mkdtempSync(join(tmpdir(), 'prognet-edges-'));
const model = join(folder, 'double.onnx');
let server: Serving;
beforeAll(async () => {
  writeFileSync(model, times(2));
  writeFileSync(join(folder, 'texts.onnx'), same('string'));
  server = await serving(folder, '--workers', '1');
});

const told = async (reply: ReturnType<typeof ask>) => {
  const { status, text } = await reply;
  return { status, ...JSON.parse(text) };
};

describe('texts that ONNX Runtime would not carry as they are', () => {
  const nul = 'element 1 holds the character U+0000, at which ONNX Runtime ends a text, expected a text without it';
  const half = 'element 0 holds half of a surrogate pair, expected whole characters';
  const infer = (body: unknown, headers = {}) => told(ask(`${server.http}/v2/models/texts/infer`, body as string, headers));
  const json = (...data: string[]) => ({ inputs: [{ name: 'x', datatype: 'BYTES', shape: [1, 2], data }] });
  const bytes = Buffer.concat(
    ['a', 'b\0c'].flatMap((text) => [Buffer.from(Uint32Array.of(text.length).buffer), Buffer.from(text)]),
  );

  it('are refused, in JSON, as bytes and over gRPC', async () => {
    expect(await infer(json('a', 'b\0c'))).toEqual({ status: 400, error: `inference input 'x': ${nul}` });
    expect(await infer(json('\ud800', 'b'))).toEqual({ status: 400, error: `inference input 'x': ${half}` });
    const input = { name: 'x', datatype: 'BYTES', shape: [1, 2], parameters: { binary_data_size: bytes.length } };
    const document = Buffer.from(JSON.stringify({ inputs: [input] }));
    const sent = { 'inference-header-content-length': String(document.length) };
    expect(await infer(Buffer.concat([document, bytes]), sent)).toEqual({ status: 400, error: `inference input 'x': ${nul}` });
    const { call } = caller(server.grpc);
    const asked = { model_name: 'texts', inputs: [{ name: 'x', datatype: 'BYTES', shape: [1, 2] }] };
    expect(await call('ModelInfer', { ...asked, raw_input_contents: [bytes] })).toEqual({
      code: 3,
      said: `inference input 'x': ${nul}`,
    });
    expect((await infer(json('a', '\u{1f600} é'))).outputs[0].data).toEqual(['a', '\u{1f600} é']);
  });

  it('are refused by every session', async () => {
    const session = await runtime.createSession(same('string'));
    const run = (...data: string[]) => session.run({ x: new Tensor('string', [1, 2], data) });
    await expect(run('a', 'b\0c')).rejects.toThrow(/^element 1 of a tensor of texts holds the character U\+0000, .* expected /);
    await expect(run('\udc00a', 'b')).rejects.toThrow(
      /^element 0 of a tensor of texts holds half of a surrogate pair, expected /,
    );
    expect((await run('a', 'é')).y?.data).toEqual(['a', 'é']);
    await session.release();
  });
});

it('paths that cannot be read are answered as other errors are', async () => {
  const at = (name: string) => told(ask(`${server.http}/v2/models/${name}`));
  expect(await at('%zz')).toEqual({ status: 400, error: "'/v2/models/%zz' is not a valid url component" });
  expect(await at('a'.repeat(600))).toEqual({ status: 414, error: expect.stringMatching(/is exceeding the max param length$/) });
  expect(await at('dou%62le')).toMatchObject({ status: 200, name: 'double' });
  expect(await at('a%2Fb')).toEqual({ status: 404, error: "Request for unknown model: 'a/b' is not found" });
});

it('the name of a coding is read in any case', async () => {
  const body = gzipSync(JSON.stringify({ inputs: [{ name: 'x', shape: [1, 2], datatype: 'FP32', data: [1, 2] }] }));
  const headers = { 'content-encoding': 'GZIP' };
  expect(await told(ask(`${server.http}/v2/models/double/infer`, body, headers))).toMatchObject({ status: 200 });
});

it('on an address of IPv6, whose name stands in brackets', async () => {
  const six = await serving(model, '--workers', '1', '--host', '::1');
  expect([six.http, six.metrics]).toEqual([
    expect.stringMatching(/^http:\/\/\[::1\]:/),
    expect.stringMatching(/^http:\/\/\[::1\]:/),
  ]);
  expect(six.grpc).toMatch(/^\[::1\]:\d+$/);
  expect((await ask(`${six.http}/v2/models/double`)).status).toBe(200);
  expect((await caller(six.grpc).call('ModelInfer', question('double', [1, 2], [1, 2]))).code).toBe(0);
});

it('a port that is taken and a host that is none are said in one line', () => {
  const said = (...args: string[]) => {
    const none = ['--metrics-port', 'none', '--workers', '1', '--log-level', 'silent'];
    const { status, stderr } = prognet('serve', model, ...none, ...args);
    return `${status} ${stderr}`;
  };
  const [http, grpc] = [new URL(server.http).port, server.grpc.split(':')[1] ?? ''];
  const choose = 'choose another: 0 takes any that is free';
  expect(said('--port', http, '--grpc-port', 'none')).toBe(`2 prognet: port: port ${http} of 127.0.0.1 is in use, ${choose}\n`);
  expect(said('--port', '0', '--grpc-port', grpc)).toBe(`2 prognet: grpc_port: port ${grpc} of 127.0.0.1 is in use, ${choose}\n`);
  const expected = 'expected one of this machine, such as 127.0.0.1, ::1 or 0.0.0.0';
  for (const host of ['nope.invalid', '203.0.113.7'])
    expect(said('--port', '0', '--grpc-port', '0', '--host', host)).toBe(
      `2 prognet: host: found the address ${host}, ${expected}\n`,
    );
});
