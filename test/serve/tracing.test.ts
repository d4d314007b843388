// Spans of prognet serve as a collector gets them: a server with the file that docs/serve.md shows, whose spans go to a file.
import { mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Metadata } from '@grpc/grpc-js';
import { expect, it } from 'vitest';
import { repo } from '../cli/support.js';
import { blocksOf } from '../support/tour.js';
import { caller, question } from './grpc.js';
import { times } from './models.js';
import { ask, serving, servingIn } from './serving.js';

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
const written = join(folder, 'spans.jsonl');
const model = join(folder, 'double.onnx');
writeFileSync(model, times(2));
/** Of the API: kinds and statuses of spans. */
const server = 1;
const unset = { code: 0 };
const failed = 2;
/** What writes each span as a line of JSON. */
const exporter = `{
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

/** The file of the page, with that in place of its exporter. */
function tracingFile(): string {
  const page = readFileSync(join(repo, 'docs/serve.md'), 'utf8');
  const shown = blocksOf(page).find(({ title }) => title === 'tracing.mjs')?.text ?? '';
  const console = 'new ConsoleSpanExporter()';
  expect(shown).toContain(console);
  const text = shown.replace(console, () => exporter);
  symlinkSync(join(repo, 'node_modules'), join(folder, 'node_modules'));
  const path = join(folder, 'tracing.mjs');
  writeFileSync(path, `import { appendFileSync } from 'node:fs';\n${text}`);
  return path;
}

const body = (data: readonly number[]) => ({ inputs: [{ name: 'x', shape: [data.length / 2, 2], datatype: 'FP32', data }] });
/** As clients that trace send it. */
const parent = 'b7ad6b7169203331';
const traceparent = (trace: string) => `00-${trace}-${parent}-01`;
const trace = (n: number) => n.toString(16).padStart(32, 'a');

it('requests over HTTP and gRPC give a span each, within the trace of the client, and failures of the server are errors', async () => {
  const own = await servingIn({ NODE_OPTIONS: `--import ${tracingFile()}` }, model);
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
  own.child.kill('SIGTERM');
  expect((await own.ended).code).toBe(0);
  expect(own.log()).toContain('requests give spans of OpenTelemetry');

  const spans: Span[] = readFileSync(written, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const http = (path: string, status: number, more: object, route = '/v2/models/{model}/infer') => ({
    name: `POST ${route}`,
    kind: server,
    attributes: {
      'http.request.method': 'POST',
      'http.route': route,
      'url.path': path,
      'url.scheme': 'http',
      'http.response.status_code': status,
      ...more,
    },
  });
  const rpc = (code: number, more: object) => ({
    name: 'inference.GRPCInferenceService/ModelInfer',
    kind: server,
    attributes: {
      'rpc.system': 'grpc',
      'rpc.service': 'inference.GRPCInferenceService',
      'rpc.method': 'ModelInfer',
      'rpc.grpc.status_code': code,
      ...more,
    },
  });
  const found = { 'prognet.model': 'double', 'prognet.version': '1' };
  const own500 = { code: failed, message: JSON.parse(infinite.text).error };
  const versions = '/v2/models/{model}/versions/{version}/infer';
  const alone = { trace: expect.stringMatching(/^[0-9a-f]{32}$/) };
  const child = (n: number) => ({ trace: trace(n), parent });
  expect(spans).toEqual([
    { ...http('/v2/models/double/infer', 200, { ...found, 'prognet.batch': 2 }), ...child(1), status: unset },
    { ...http('/v2/models/double/versions/1/infer', 200, { ...found, 'prognet.batch': 1 }, versions), ...alone, status: unset },
    { ...http('/v2/models/nope/infer', 404, {}), ...child(2), status: unset },
    {
      ...http('/v2/models/double/infer', 500, { ...found, 'prognet.batch': 1, 'error.type': '500' }),
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
