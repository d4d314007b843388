// prognet serve over HTTP: answers, refusals in Triton's words, the binary extension, what clients decide.
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { status } from '@grpc/grpc-js';
import { beforeAll, describe, expect, it } from 'vitest';
import { okIn, prognet, workspace } from '../cli/support.js';
import { caller, question } from './grpc.js';
import { same, slow, times, types } from './models.js';
import { ask, json, type Serving, serving } from './serving.js';

const folder = mkdtempSync(join(tmpdir(), 'prognet-serve-'));
let dir = '';
let own: Serving;
let url = '';

beforeAll(async () => {
  dir = workspace();
  okIn(dir, 'train', '--all', '--quiet');
  for (const [name, dtype] of Object.entries(types)) writeFileSync(join(folder, `${name}.onnx`), same(dtype));
  mkdirSync(join(folder, 'double/2'), { recursive: true });
  mkdirSync(join(folder, 'double/10'));
  writeFileSync(join(folder, 'double/2/model.onnx'), times(3));
  writeFileSync(join(folder, 'double/10/model.onnx'), times(2));
  own = await serving(dir, folder, '--forms', 'task,all,routed', '--max-bytes', '65536');
  url = own.http;
});

const rows = [
  [0.5, -1, 0.25, 2],
  [1, 1, -3, 0],
];
const x = { name: 'x', shape: [2, 4], datatype: 'FP32', data: rows };
const infer = (model: string, body: unknown, headers?: Record<string, string>) =>
  ask(`${url}/v2/models/${model}/infer`, body, headers);
const error = async (reply: ReturnType<typeof ask>) => {
  const { status, text } = await reply;
  return { status, error: JSON.parse(text).error };
};

/** A body of the binary extension. */
function binary(document: object, ...bytes: Uint8Array[]): { body: Uint8Array; headers: Record<string, string> } {
  const text = Buffer.from(JSON.stringify(document));
  return { body: Buffer.concat([text, ...bytes]), headers: { 'inference-header-content-length': String(text.length) } };
}

describe('models', () => {
  it('are tasks, the forms that were asked for, files, and the latest version of a repository', async () => {
    expect(own.models).toEqual([...Object.keys(types), 'a', 'b', 'double', 'toy', 'toy-routed'].sort());
    const index = await ask(`${url}/v2/repository/index`, '');
    expect(JSON.parse(index.text)).toContainEqual({ name: 'a', version: '1', state: 'READY' });
    const doubled = await infer('double', { inputs: [{ name: 'x', shape: [1, 2], datatype: 'FP32', data: [1.5, 2] }] });
    expect(JSON.parse(doubled.text).outputs).toEqual([{ name: 'y', datatype: 'FP32', shape: [1, 2], data: [3, 4] }]);
  });

  it('say what they take and give', async () => {
    expect(await json(`${url}/v2/models/a`)).toEqual({
      name: 'a',
      versions: ['1'],
      platform: 'onnxruntime_onnx',
      inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 4] }],
      outputs: [
        { name: 'a', datatype: 'FP32', shape: [-1, 2] },
        { name: 'a_probabilities', datatype: 'FP32', shape: [-1, 2] },
        { name: 'a_label', datatype: 'INT64', shape: [-1] },
      ],
    });
    const config = await json(`${url}/v2/models/a/versions/1/config`);
    expect(config).toMatchObject({
      name: 'a',
      backend: 'onnxruntime',
      max_batch_size: 256,
      input: [{ name: 'x', data_type: 'TYPE_FP32', dims: [4] }],
      dynamic_batching: { max_queue_delay_microseconds: 0 },
    });
    expect(config.output[2]).toEqual({ name: 'a_label', data_type: 'TYPE_INT64', dims: [1], reshape: { shape: [] } });
    expect(JSON.parse(config.parameters['prognet.trained.a'].string_value)).toHaveProperty('test');
    expect(await json(`${url}/v2/models/double/config`)).toMatchObject({ max_batch_size: 0, input: [{ dims: [-1, 2] }] });
  });

  it('answer as the exported files do, bit for bit', async () => {
    const { text, status, headers } = await infer('b', { id: 'seven', inputs: [x] });
    expect({ status, id: headers.get('x-request-id')?.length }).toEqual({ status: 200, id: 36 });
    const said = JSON.parse(text);
    expect(said).toMatchObject({ id: 'seven', model_name: 'b', model_version: '1' });
    expect(said.outputs.map((o: { name: string }) => o.name)).toEqual(['b', 'b_probabilities', 'b_label']);
    writeFileSync(join(dir, 'two.csv'), `${rows.map((row) => row.join()).join('\n')}\n`);
    const told = JSON.parse(okIn(dir, 'predict', 'b', '--input', join(dir, 'two.csv'), '--json'));
    const [, probabilities, label] = said.outputs;
    expect(probabilities.data).toEqual(told.probabilities.flat());
    expect(label).toMatchObject({ datatype: 'INT64', shape: [2], data: told.labels });
    const all = JSON.parse((await infer('toy', { inputs: [x], outputs: [{ name: 'b_probabilities' }] })).text);
    expect(all.outputs).toEqual([{ ...probabilities }]);
    const routed = { name: 'task_id', shape: [1], datatype: 'INT64', data: [1] };
    const one = JSON.parse((await infer('toy-routed', { inputs: [x, routed] })).text);
    expect(one.outputs[0].data).toEqual(said.outputs[0].data);
  });
});

describe('elements', () => {
  const asked: Record<keyof typeof types, { data: unknown[]; bytes: Uint8Array }> = {
    FP32: { data: [0.1, -3], bytes: new Uint8Array(Float32Array.of(0.1, -3).buffer) },
    FP64: { data: [0.1, 1e300], bytes: new Uint8Array(Float64Array.of(0.1, 1e300).buffer) },
    FP16: { data: [], bytes: Uint8Array.of(0, 60, 1, 2) },
    INT8: { data: [-128, 127], bytes: Uint8Array.of(128, 127) },
    INT16: { data: [-32768, 1], bytes: new Uint8Array(Int16Array.of(-32768, 1).buffer) },
    INT32: { data: [-(2 ** 31), 7], bytes: new Uint8Array(Int32Array.of(-(2 ** 31), 7).buffer) },
    INT64: { data: [2 ** 53 - 1, -1], bytes: new Uint8Array(BigInt64Array.of(2n ** 53n - 1n, -1n).buffer) },
    UINT8: { data: [255, 0], bytes: Uint8Array.of(255, 0) },
    UINT16: { data: [65535, 0], bytes: new Uint8Array(Uint16Array.of(65535, 0).buffer) },
    UINT32: { data: [2 ** 32 - 1, 0], bytes: new Uint8Array(Uint32Array.of(2 ** 32 - 1, 0).buffer) },
    UINT64: { data: [2 ** 53 - 1, 0], bytes: new Uint8Array(BigUint64Array.of(2n ** 53n - 1n, 0n).buffer) },
    BOOL: { data: [true, false], bytes: Uint8Array.of(1, 0) },
    BYTES: {
      data: ['Zürich', ''],
      bytes: Buffer.concat([Buffer.from([7, 0, 0, 0]), Buffer.from('Zürich'), Buffer.from([0, 0, 0, 0])]),
    },
  };

  it.each(Object.entries(asked))('of %s go in and come out, as JSON and as bytes', async (datatype, { data, bytes }) => {
    const own = { name: 'x', shape: [1, 2], datatype };
    if (datatype === 'FP16') {
      const said = 'sending FP16 data via JSON is not supported. Please use the binary data format for input x';
      expect(await error(infer(datatype, { inputs: [{ ...own, data: [1, 2] }] }))).toEqual({ status: 400, error: said });
    } else {
      const plain = JSON.parse((await infer(datatype, { inputs: [{ ...own, data: [data] }] })).text);
      expect(plain.outputs[0].data).toEqual(datatype === 'FP32' ? [Math.fround(0.1), -3] : data);
    }
    const document = {
      inputs: [{ ...own, parameters: { binary_data_size: bytes.length } }],
      parameters: { binary_data_output: true },
    };
    const { body, headers } = binary(document, bytes);
    const reply = await fetch(`${url}/v2/models/${datatype}/infer`, {
      method: 'POST',
      body: body as Uint8Array<ArrayBuffer>,
      headers,
    });
    const length = Number(reply.headers.get('inference-header-content-length'));
    const all = Buffer.from(await reply.arrayBuffer());
    expect(JSON.parse(all.subarray(0, length).toString()).outputs).toEqual([
      { name: 'y', datatype, shape: [1, 2], parameters: { binary_data_size: bytes.length } },
    ]);
    expect(all.subarray(length)).toEqual(Buffer.from(bytes));
  });

  it('that JSON or the type cannot hold are refused', async () => {
    const wrong = (datatype: string, data: unknown, shape = [1, 2]) =>
      error(infer(datatype, { inputs: [{ name: 'x', shape, datatype, data }] }));
    const of = (said: string) => ({ status: 400, error: `inference input 'x': ${said}` });
    expect(await wrong('INT64', [2 ** 53, 0])).toEqual(
      of(
        'element 0 is 9007199254740992, expected a whole number from -9007199254740991 to 9007199254740991; others as binary data',
      ),
    );
    expect(await wrong('FP32', [1, 1e39])).toEqual(of('element 1 is 1e+39, expected a number of FP32'));
    expect(await wrong('UINT8', [1, 256])).toEqual(of('element 1 is 256, expected a whole number from 0 to 255'));
    expect(await wrong('BYTES', [1, 'a'])).toEqual(of('element 0 is 1, expected a text'));
    expect(await wrong('FP32', [[1], [2, 3]], [2, 2])).toEqual(
      of("'data' holds a list of 1 where its shape says 2, expected lists nested as the shape, or one flat list"),
    );
    expect(await wrong('FP32', [1, null])).toEqual(of('element 1 is null, expected a number of FP32'));
    const broken = Buffer.concat([Buffer.from([1, 0, 0, 0, 255]), Buffer.from([0, 0, 0, 0])]);
    const { body, headers } = binary(
      { inputs: [{ name: 'x', shape: [1, 2], datatype: 'BYTES', parameters: { binary_data_size: 9 } }] },
      broken,
    );
    expect(await error(infer('BYTES', body, headers))).toEqual(of('element 0 is no valid UTF-8, expected a text'));
  });
});

describe('refusals', () => {
  const refused: readonly (readonly [string, string, unknown, number, string])[] = [
    ['ready of an unknown model', 'nope/ready', undefined, 400, 'Model version not ready'],
    ['metadata of one', 'nope', undefined, 404, "Request for unknown model: 'nope' is not found"],
    ['an unknown version', 'a/versions/2', undefined, 404, "Request for unknown model: 'a' version 2 is not found"],
    ['inference of one', 'nope/infer', { inputs: [] }, 404, "Request for unknown model: 'nope' is not found"],
    ['GET on infer', 'a/infer', undefined, 405, 'Method Not Allowed'],
    ['another input', 'a/infer', { inputs: [{ ...x, name: 'bad' }] }, 400, "unexpected inference input 'bad' for model 'a'"],
    [
      'no input',
      'a/infer',
      { id: '5', inputs: [] },
      400,
      "[request id: 5] expected 1 inputs but got 0 inputs for model 'a'. Got input(s) [], but missing required input(s) ['x']. Please provide all required input(s).",
    ],
    [
      'another shape',
      'a/infer',
      { inputs: [{ ...x, shape: [4, 2] }] },
      400,
      "[request id: <id_unknown>] unexpected shape for input 'x' for model 'a'. Expected [-1,4], got [4,2]. ",
    ],
    [
      'another type',
      'a/infer',
      { inputs: [{ ...x, datatype: 'INT8' }] },
      400,
      "[request id: <id_unknown>] inference input 'x' data-type is 'INT8', but model 'a' expects 'FP32'",
    ],
    [
      'another output',
      'a/infer',
      { inputs: [x], outputs: [{ name: 'c' }] },
      400,
      "unexpected inference output 'c' for model 'a'",
    ],
    [
      'too few elements',
      'a/infer',
      { inputs: [{ ...x, data: [1] }] },
      400,
      "unexpected number of elements for inference input 'x'. Expecting 8, got 1",
    ],
    [
      'too many rows',
      'a/infer',
      { inputs: [{ ...x, shape: [257, 4], data: [] }] },
      400,
      "[request id: <id_unknown>] inference request batch-size must be <= 256 for 'a'",
    ],
    [
      'shared memory',
      'a/infer',
      { inputs: [{ ...x, parameters: { shared_memory_region: 'r' } }] },
      501,
      "parameter 'shared_memory_region' is of an extension that this server has not: see the extensions at /v2",
    ],
    [
      'an order of requests',
      'a/infer',
      { inputs: [x], parameters: { priority: 1 } },
      501,
      "parameter 'priority' is of an extension that this server has not: see the extensions at /v2",
    ],
    [
      'a time that is none',
      'a/infer',
      { inputs: [x], parameters: { timeout: 'soon' } },
      400,
      'parameter \'timeout\' is "soon", expected a whole number of microseconds',
    ],
    ['a name too much in the path', 'a/b/c', undefined, 404, 'Not Found'],
  ];
  it.each(refused)('%s', async (_, path, body, status, said) => {
    expect(await error(ask(`${url}/v2/models/${path}`, body))).toEqual({ status, error: said });
  });

  it('an input that holds its elements twice, in JSON and as bytes', async () => {
    const { body, headers } = binary({ inputs: [{ ...x, parameters: { binary_data_size: 32 } }] }, new Uint8Array(32));
    expect(await error(infer('a', body, headers))).toEqual({
      status: 400,
      error: "input 'x' has both 'data' and 'binary_data_size', expected one",
    });
  });

  it('broken JSON, and lengths that are none', async () => {
    expect(await error(infer('a', '{'))).toMatchObject({
      status: 400,
      error: expect.stringMatching(/^failed to parse the request JSON buffer: /),
    });
    const { body, headers } = binary(
      { inputs: [{ ...x, data: undefined, parameters: { binary_data_size: 32 } }] },
      new Uint8Array(28),
    );
    expect(await error(infer('a', body, headers))).toEqual({
      status: 400,
      error: "unexpected size for input 'x', expecting 4 additional bytes for model 'a'",
    });
    expect(await error(infer('a', body, { 'inference-header-content-length': '9999' }))).toMatchObject({ status: 400 });
  });

  it('pages of browsers are not answered', async () => {
    expect(await error(infer('a', { inputs: [x] }, { origin: 'http://evil.example' }))).toMatchObject({ status: 403 });
  });
});

describe('what clients decide has bounds', () => {
  it('of bodies, packed and unpacked', async () => {
    expect(await error(infer('a', new Uint8Array(65537)))).toMatchObject({ status: 413 });
    const bomb = gzipSync(new Uint8Array(1 << 20));
    expect(await error(infer('a', bomb, { 'content-encoding': 'gzip' }))).toEqual({
      status: 413,
      error: 'the body unpacked has over 65536 bytes',
    });
    const small = gzipSync(JSON.stringify({ inputs: [x] }));
    expect((await infer('a', small, { 'content-encoding': 'gzip' })).status).toBe(200);
  });

  it('of headers', async () => {
    expect((await infer('a', { inputs: [x] }, { 'x-long': 'a'.repeat(20_000) })).status).toBe(431);
  });

  it('of requests that wait, of the time that they wait, and of who still waits', async () => {
    const slowly = mkdtempSync(join(tmpdir(), 'prognet-slow-'));
    writeFileSync(join(slowly, 'slow.onnx'), slow(100));
    const server = await serving(join(slowly, 'slow.onnx'), '--workers', '1', '--max-queue', '2', '--timeout-ms', '1500');
    const at = `${server.http}/v2/models/slow/infer`;
    const one = (n: number) => ({
      inputs: [{ name: 'x', shape: [n, 512], datatype: 'FP32', data: new Array(n * 512).fill(0.5) }],
      outputs: [{ name: 'y', parameters: { binary_data: true } }],
    });
    const metric = async (name: string) => {
      const { text } = await ask(`${server.metrics}/metrics`);
      return Number(new RegExp(`^${name}\\{[^}]*\\} (\\S+)$`, 'm').exec(text)?.[1]);
    };
    const busy = ask(at, one(250));
    await expect.poll(() => metric('nv_inference_pending_request_count')).toBe(1);
    // A request may wait a shorter time than the server lets it: a millisecond here.
    const short = await ask(at, { ...one(1), parameters: { timeout: 1000 } });
    const overRpc = caller(server.grpc).call('ModelInfer', {
      ...question('slow', [1, 512], new Array(512).fill(0.5)),
      parameters: { timeout: { int64_param: 1000 } },
    });
    expect([short.status, JSON.parse(short.text).error]).toEqual([503, 'Request timeout expired']);
    expect(await overRpc).toMatchObject({ code: status.UNAVAILABLE, said: 'Request timeout expired' });
    expect(await metric('nv_inference_pending_request_count')).toBe(1);
    const gone = new AbortController();
    const left = fetch(at, { method: 'POST', body: JSON.stringify(one(1)), signal: gone.signal }).catch((e) => e.name);
    const waits = ask(at, one(1));
    await expect.poll(() => metric('nv_inference_pending_request_count')).toBe(3);
    const full = await ask(at, one(1));
    expect({ status: full.status, retry: full.headers.get('retry-after'), said: JSON.parse(full.text).error }).toEqual({
      status: 503,
      retry: '1',
      said: 'Exceeds maximum queue size: 2 requests wait',
    });
    gone.abort();
    expect(await left).toBe('AbortError');
    const replies = await Promise.all([busy, waits]);
    // The one that runs is answered however long it takes; the one that waited may have waited too long.
    expect(replies[0].status).toBe(200);
    expect([200, 503]).toContain(replies[1].status);
    const failures = (await ask(`${server.metrics}/metrics`)).text
      .split('\n')
      .filter((line) => /^nv_inference_request_failure.*CANCELED/.test(line));
    expect(failures).toEqual(['nv_inference_request_failure{model="slow",version="1",reason="CANCELED"} 1']);
  });
});

describe('what cannot be served', () => {
  it('is refused in one line', () => {
    const refused = (...args: string[]) => {
      const { status, stderr } = prognet('serve', ...args);
      return { status, said: stderr.trim().split('\n').at(-1) };
    };
    const said = (text: string) => ({ status: 2, said: `prognet: ${text}` });
    writeFileSync(join(folder, 'text.txt'), '');
    const expected = 'a workspace, a folder of models, an .onnx file or a .prognet file';
    expect(refused(join(folder, 'text.txt'))).toEqual(
      said(`${join(folder, 'text.txt')}: is no model to serve, expected ${expected}`),
    );
    expect(refused(folder, join(folder, 'FP32.onnx'))).toEqual(
      said(`the model "FP32" is in ${folder} and in ${join(folder, 'FP32.onnx')}, expected each name once`),
    );
    expect(refused(folder, '--max-batch', '0').said).toMatch(/^prognet: --max-batch: /);
    expect(refused(folder, '--tls-cert', 'c.pem').said).toMatch(/^prognet: found one of tls_cert and tls_key, expected both/);
    const port = new URL(url).port;
    expect(refused(join(folder, 'FP32.onnx'), '--port', port)).toEqual(
      said(`port: port ${port} of 127.0.0.1 is in use, choose another: 0 takes any that is free`),
    );
  });
});
