// Spans of prognet serve as a collector gets them: a server with the file that docs/serve.md shows, whose spans go to a file.
import { mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Metadata } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { okIn, repo, workspace } from '../cli/support.js';
import { laidDown } from '../support/alone.js';
import { blocksOf } from '../support/tour.js';
import { caller, question } from './grpc.js';
import { slow, times } from './models.js';
import { ask, serving, servingIn, servingOf } from './serving.js';

interface Span {
  readonly name: string;
  readonly kind: number;
  readonly trace: string;
  /** The id of the span that it is a child of. */
  readonly parent?: string;
  readonly status: { readonly code: number; readonly message?: string };
  readonly attributes: Readonly<Record<string, string | number>>;
}

const folder = mkdtempSync(join(tmpdir(), 'prognet-tracing-'));
const model = join(folder, 'double.onnx');
writeFileSync(model, times(2));
/** Of the API: kinds and statuses of spans. */
const server = 1;
const unset = { code: 0 };
const failed = 2;
/** What writes each span as a line of JSON. */
const exporter = (written: string) => `{
  export(spans, done) {
    for (const span of spans) {
      const { name, kind, status, attributes } = span;
      const told = { name, kind, status, attributes, trace: span.spanContext().traceId, parent: span.parentSpanContext?.spanId };
      appendFileSync(${JSON.stringify(written)}, JSON.stringify(told) + '\\n');
    }
    done({ code: 0 });
  },
  shutdown: async () => {},
}`;

symlinkSync(join(repo, 'node_modules'), join(folder, 'node_modules'));

/** The file of the page, with that in place of its exporter. */
function tracingFile(written: string): string {
  const page = readFileSync(join(repo, 'docs/serve.md'), 'utf8');
  const shown = blocksOf(page).find(({ title }) => title === 'tracing.mjs')?.text ?? '';
  const console = 'new ConsoleSpanExporter()';
  expect(shown).toContain(console);
  const text = shown.replace(console, () => exporter(written));
  const path = `${written}.mjs`;
  writeFileSync(path, `import { appendFileSync } from 'node:fs';\n${text}`);
  return path;
}

/** A server that gives spans, and all of them once it has ended. */
async function traced(...args: string[]) {
  const written = join(mkdtempSync(join(folder, 'spans-')), 'spans.jsonl');
  const own = await servingIn({ NODE_OPTIONS: `--import ${tracingFile(written)}` }, ...args);
  const spans = async (): Promise<readonly Span[]> => {
    const begun = performance.now();
    own.child.kill('SIGTERM');
    expect((await own.ended).code).toBe(0);
    // Nothing that waits for a client who has gone.
    expect(performance.now() - begun).toBeLessThan(20_000);
    expect(own.log()).toContain('requests give spans of OpenTelemetry');
    const lines = readFileSync(written, 'utf8').trim().split('\n');
    return lines.map((line) => JSON.parse(line));
  };
  return { ...own, spans };
}

const http = (path: string, more: object, route = '/v2/models/{model}/infer') => ({
  name: `POST ${route}`,
  kind: server,
  attributes: { 'http.request.method': 'POST', 'http.route': route, 'url.path': path, 'url.scheme': 'http', ...more },
});
const rpc = (code: number, more: object, method = 'ModelInfer') => ({
  name: `inference.GRPCInferenceService/${method}`,
  kind: server,
  attributes: {
    'rpc.system': 'grpc',
    'rpc.service': 'inference.GRPCInferenceService',
    'rpc.method': method,
    'rpc.grpc.status_code': code,
    ...more,
  },
});

const body = (data: readonly number[]) => ({ inputs: [{ name: 'x', shape: [data.length / 2, 2], datatype: 'FP32', data }] });
/** As clients that trace send it. */
const parent = 'b7ad6b7169203331';
const traceparent = (trace: string) => `00-${trace}-${parent}-01`;
const trace = (n: number) => n.toString(16).padStart(32, 'a');

it('requests over HTTP and gRPC give a span each, within the trace of the client, and failures of the server are errors', async () => {
  const own = await traced(model);
  const url = `${own.http}/v2/models/double`;
  expect((await ask(`${url}/infer`, body([1, 2, 3, 4]), { traceparent: traceparent(trace(1)) })).status).toBe(200);
  expect((await ask(`${url}/versions/1/infer?x=1`, body([1, 2]))).status).toBe(200);
  expect((await ask(`${own.http}/v2/models/nope/infer`, body([1, 2]), { traceparent: traceparent(trace(2)) })).status).toBe(404);
  const infinite = await ask(`${url}/infer`, body([3e38, 0]), { traceparent: traceparent(trace(3)) });
  expect(infinite.status).toBe(500);
  expect((await ask(url)).status).toBe(200);
  const { call } = caller(own.grpc);
  const within = (n: number) => {
    const metadata = new Metadata();
    metadata.set('traceparent', traceparent(trace(n)));
    return metadata;
  };
  const asked = question('double', [1, 2], [1, 2]);
  expect((await call('ModelInfer', asked, within(4))).code).toBe(0);
  expect((await call('ModelInfer', asked)).code).toBe(0);
  expect((await call('ModelInfer', { ...asked, model_name: 'nope' }, within(5))).code).toBe(5);
  const shared = await call('ModelInfer', { ...asked, parameters: { sequence_id: { int64_param: 1 } } }, within(6));
  expect(shared.code).toBe(12);
  expect((await call('ModelReady', { name: 'double' })).code).toBe(0);
  const found = { 'prognet.model': 'double', 'prognet.version': '1' };
  const own500 = { code: failed, message: JSON.parse(infinite.text).error };
  const versions = '/v2/models/{model}/versions/{version}/infer';
  const alone = { trace: expect.stringMatching(/^[0-9a-f]{32}$/) };
  const child = (n: number) => ({ trace: trace(n), parent });
  expect(await own.spans()).toEqual([
    {
      ...http('/v2/models/double/infer', { 'http.response.status_code': 200, ...found, 'prognet.batch': 2 }),
      ...child(1),
      status: unset,
    },
    {
      ...http('/v2/models/double/versions/1/infer', { 'http.response.status_code': 200, ...found, 'prognet.batch': 1 }, versions),
      ...alone,
      status: unset,
    },
    { ...http('/v2/models/nope/infer', { 'http.response.status_code': 404 }), ...child(2), status: unset },
    {
      ...http('/v2/models/double/infer', { 'http.response.status_code': 500, ...found, 'prognet.batch': 1, 'error.type': '500' }),
      ...child(3),
      status: own500,
    },
    { ...rpc(0, { ...found, 'prognet.batch': 1 }), ...child(4), status: unset },
    { ...rpc(0, { ...found, 'prognet.batch': 1 }), ...alone, status: unset },
    { ...rpc(5, {}), ...child(5), status: unset },
    { ...rpc(12, { 'error.type': '12' }), ...child(6), status: { code: failed, message: shared.said } },
  ]);
});

it('a server without a tracer provider gives none', async () => {
  const own = await serving(model);
  expect((await ask(`${own.http}/v2/models/double/infer`, body([1, 2]), { traceparent: traceparent(trace(7)) })).status).toBe(
    200,
  );
  own.child.kill('SIGTERM');
  expect((await own.ended).code).toBe(0);
  expect(own.log()).not.toContain('OpenTelemetry');
});

const metadataOf = (n: number) => {
  const metadata = new Metadata();
  metadata.set('traceparent', traceparent(trace(n)));
  return metadata;
};
const asked = question('double', [1, 2], [1, 2]);
const found = { 'prognet.model': 'double', 'prognet.version': '1' };

it('each request of a stream has a span of its own, within the trace of the stream', async () => {
  const own = await traced(model);
  const stream = caller(own.grpc).stream('ModelStreamInfer', metadataOf(1));
  const unknown = { ...asked, model_name: 'nope' };
  expect(await stream.ask(asked)).toMatchObject({ infer_response: { model_name: 'double' } });
  expect(await stream.ask(unknown)).toMatchObject({ error_message: "Request for unknown model: 'nope' is not found" });
  const sequence = await stream.ask({ ...asked, parameters: { sequence_id: { int64_param: 1 } } });
  expect(await stream.ask(question('double', [2, 2], [1, 2, 3, 4]))).toMatchObject({ error_message: '' });
  expect(await stream.end()).toBe(0);
  const child = { trace: trace(1), parent };
  const of = (code: number, more: object) => ({ ...rpc(code, more, 'ModelStreamInfer'), ...child });
  expect(await own.spans()).toEqual([
    { ...of(0, { ...found, 'prognet.batch': 1 }), status: unset },
    { ...of(5, {}), status: unset },
    { ...of(12, { 'error.type': '12' }), status: { code: failed, message: sequence.error_message } },
    { ...of(0, { ...found, 'prognet.batch': 2 }), status: unset },
  ]);
});

it('clients that hang up, over HTTP, gRPC and in a stream: spans end with that', async () => {
  const place = mkdtempSync(join(folder, 'slow-'));
  writeFileSync(join(place, 'slow.onnx'), slow(150));
  const own = await traced(place, '--workers', '1', '--drain-ms', '60000');
  const values = new Array(200 * 512).fill(0.5);
  const long = question('slow', [200, 512], values);
  const text = JSON.stringify({ inputs: [{ name: 'x', shape: [200, 512], datatype: 'FP32', data: values }] });
  const rest = caller(own.grpc);
  // The first is computed; the others wait behind it.
  const first = rest.call('ModelInfer', long, metadataOf(1));
  const aborted = new AbortController();
  const over = ask(`${own.http}/v2/models/slow/infer`, text, { traceparent: traceparent(trace(2)) }, aborted.signal);
  const single = rest.cancelled('ModelInfer', long, metadataOf(3));
  const stream = caller(own.grpc).stream('ModelStreamInfer', metadataOf(4));
  const never = stream.ask(long).catch(() => undefined);
  const waiting = async () => {
    const { text } = await ask(`${own.metrics}/metrics`);
    return Number(/^nv_inference_pending_request_count\{[^}]*\} (\d+)$/m.exec(text)?.[1]);
  };
  await expect.poll(waiting, { timeout: 10_000 }).toBe(4);
  aborted.abort();
  single.cancel();
  stream.cancel();
  await expect(over).rejects.toThrow();
  expect((await single.ended).code).toBe(1);
  await never;
  expect((await first).code).toBe(0);
  const slowly = { 'prognet.model': 'slow', 'prognet.version': '1' };
  const all = Object.fromEntries((await own.spans()).map((span) => [span.trace, span]));
  const child = (n: number) => ({ trace: trace(n), parent });
  expect(all).toEqual({
    [trace(1)]: { ...rpc(0, { ...slowly, 'prognet.batch': 200 }), ...child(1), status: unset },
    [trace(2)]: { ...http('/v2/models/slow/infer', { ...slowly, 'error.type': 'cancelled' }), ...child(2), status: unset },
    [trace(3)]: { ...rpc(1, slowly), ...child(3), status: unset },
    [trace(4)]: { ...rpc(1, slowly, 'ModelStreamInfer'), ...child(4), status: unset },
  });
}, 60_000);

it('requests that are refused before a model is asked: without a key, too large, too slow', async () => {
  const key = join(folder, 'key');
  writeFileSync(key, 'sesame');
  const own = await traced(model, '--api-key-file', key, '--max-bytes', '2000', '--receive-ms', '1000');
  const url = `${own.http}/v2/models/double/infer`;
  const headers = (n: number) => ({ traceparent: traceparent(trace(n)), 'x-api-key': 'sesame' });
  expect((await ask(url, body([1, 2]), { traceparent: traceparent(trace(1)) })).status).toBe(401);
  expect((await ask(url, body(new Array(2000).fill(1)), headers(2))).status).toBe(413);
  const { port } = new URL(own.http);
  const sent = Object.entries({ host: 'x', 'content-length': '100', ...headers(3) }).map((header) => header.join(': '));
  const answer = await new Promise<string>((resolve, reject) => {
    let said = '';
    const socket = connect(Number(port), '127.0.0.1');
    socket.on('data', (chunk) => {
      said += chunk;
    });
    socket.on('close', () => resolve(said)).on('error', reject);
    socket.write(`POST /v2/models/double/infer HTTP/1.1\r\n${sent.join('\r\n')}\r\n\r\n{`);
  });
  expect(answer).toMatch(/^HTTP\/1\.1 408 /);
  const { call } = caller(own.grpc);
  expect((await call('ModelInfer', asked, metadataOf(4))).code).toBe(16);
  const child = (n: number) => ({ trace: trace(n), parent });
  const at = '/v2/models/double/infer';
  expect(await own.spans()).toEqual([
    { ...http(at, { 'http.response.status_code': 401 }), ...child(1), status: unset },
    { ...http(at, { 'http.response.status_code': 413 }), ...child(2), status: unset },
    { ...http(at, { 'http.response.status_code': 408 }), ...child(3), status: unset },
    { ...rpc(16, {}), ...child(4), status: unset },
  ]);
});

it('samples that are asked by /predict', async () => {
  const dir = workspace();
  okIn(dir, 'train', '--all', '--quiet');
  const deployed = join(dir, 'service');
  okIn(dir, 'deploy', 'node', '-o', deployed);
  const own = await traced(join(deployed, 'models'), '--tasks', join(deployed, 'tasks.json'));
  const predict = (task: string, inputs: unknown, n: number) =>
    ask(`${own.http}/predict/${task}`, { inputs }, { 'content-type': 'application/json', traceparent: traceparent(trace(n)) });
  const rows = [
    [1, 2, 3, 4],
    [4, 3, 2, 1],
  ];
  expect((await predict('a', rows, 1)).status).toBe(200);
  expect((await predict('nope', rows, 2)).status).toBe(404);
  expect((await predict('a', [[1]], 3)).status).toBe(400);
  const of = (task: string, status: number, more: object, n: number) => ({
    ...http(`/predict/${task}`, { 'http.response.status_code': status, ...more }, '/predict/{task}'),
    trace: trace(n),
    parent,
    status: unset,
  });
  const model = { 'prognet.model': 'a', 'prognet.version': '1', 'prognet.batch': 2 };
  expect(await own.spans()).toEqual([of('a', 200, model, 1), of('nope', 404, {}, 2), of('a', 400, {}, 3)]);
});

describe("where OpenTelemetry's API", () => {
  const answers = async (root: string) => {
    const own = await servingOf(root, {}, model);
    const reply = await ask(`${own.http}/v2/models/double/infer`, body([1, 2]), { traceparent: traceparent(trace(1)) });
    expect(JSON.parse(reply.text).outputs[0].data).toEqual([2, 4]);
    expect((await caller(own.grpc).call('ModelInfer', asked, metadataOf(2))).code).toBe(0);
    own.child.kill('SIGTERM');
    expect((await own.ended).code).toBe(0);
    return own.log();
  };
  const root = laidDown('onnxruntime-node', 'onnxruntime-common');

  it('is not installed, the server starts and answers, and says nothing of it', async () => {
    expect(() => createRequire(join(root, 'package.json')).resolve('@opentelemetry/api')).toThrow(
      "Cannot find module '@opentelemetry/api'",
    );
    expect(await answers(root)).not.toMatch(/opentelemetry/i);
  });

  it('is broken, it says so and answers', async () => {
    const place = join(root, 'node_modules/@opentelemetry/api');
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, 'package.json'), '{"name": "@opentelemetry/api", "version": "1.9.1", "main": "index.js"}');
    writeFileSync(join(place, 'index.js'), "throw new Error('half an installation');");
    expect(await answers(root)).toMatch(
      /"why":"half an installation","msg":"@opentelemetry\/api cannot be loaded, requests give no spans"/,
    );
  });
});
