// Serves the exported tasks over HTTP: node:http and onnxruntime-node, nothing else. README.md tells the routes.
// Environment: PORT (8080), HOST (0.0.0.0), MAX_BYTES of a request (16 MiB), MAX_ROWS of a request (1024), THREADS of one op (one per core).
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import ort from 'onnxruntime-node';
import { readNpy, writeNpy } from './npy.mjs';

const setting = (name, fallback) => {
  const text = process.env[name];
  if (text === undefined || text === '') return fallback;
  if (!/^\d{1,10}$/.test(text)) throw new Error(`${name}: found "${text}", expected a whole number`);
  return Number(text);
};
const port = setting('PORT', 8080);
const host = process.env.HOST ?? '0.0.0.0';
const maxBytes = setting('MAX_BYTES', 16 * 2 ** 20);
const maxRows = setting('MAX_ROWS', 1024);
const threads = setting('THREADS', 0);

const here = (name) => new URL(name, import.meta.url);
const { input, tasks } = JSON.parse(readFileSync(here('tasks.json'), 'utf8'));
const sampleSize = input.shape.reduce((a, b) => a * b, 1);

const sessions = new Map();
for (const { file } of tasks) {
  if (sessions.has(file)) continue;
  sessions.set(
    file,
    await ort.InferenceSession.create(readFileSync(here(file)), { intraOpNumThreads: threads, logSeverityLevel: 3 }),
  );
}

/** What a client did wrong, with the status that says so. */
class Refusal extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function bodyOf(request) {
  const tooLarge = () => new Refusal(413, `the request is over ${maxBytes} bytes (MAX_BYTES)`);
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge();
  const chunks = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length > maxBytes) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Numbers in lists of lists, all of one length at each depth: their elements and shape. */
function readLists(inputs) {
  const dims = [];
  for (let value = inputs; Array.isArray(value); value = value[0]) dims.push(value.length);
  const values = [];
  const visit = (value, depth) => {
    if (depth === dims.length) {
      if (typeof value !== 'number') throw new Refusal(400, '"inputs" must be numbers in lists');
      values.push(value);
      return;
    }
    if (!Array.isArray(value)) throw new Refusal(400, '"inputs" must be numbers in lists');
    if (value.length !== dims[depth]) throw new Refusal(400, '"inputs" must be lists of one length at each depth');
    for (const inner of value) visit(inner, depth + 1);
  };
  visit(inputs, 0);
  return { values: Float32Array.from(values), dims };
}

/** The body of a request as an array. */
function arrayOf(request, body) {
  const type = request.headers['content-type'] ?? '';
  if (type.startsWith('application/json')) {
    let parsed;
    try {
      parsed = JSON.parse(body.toString('utf8'));
    } catch {
      throw new Refusal(400, 'the body is no JSON');
    }
    if (!Array.isArray(parsed?.inputs)) throw new Refusal(400, 'expected {"inputs": [...]}, a list of samples');
    return readLists(parsed.inputs);
  }
  if (!type.startsWith('application/x-npy') && !type.startsWith('application/octet-stream'))
    throw new Refusal(415, 'expected content-type application/json or application/x-npy');
  try {
    return readNpy(body);
  } catch (error) {
    throw new Refusal(400, error.message);
  }
}

const withoutOnes = (dims) => dims.filter((d) => d !== 1).join();

/** Whether dims are one sample, or a batch of samples, with axes of size 1 left out or not; a sample may also be its numbers in one row. */
function fits(dims) {
  if (dims.length <= 1 || withoutOnes(dims) === withoutOnes(input.shape)) return true;
  const sample = dims.slice(1);
  return withoutOnes(sample) === withoutOnes(input.shape) || (sample.length === 1 && sample[0] === sampleSize);
}

/** The samples of a request, one after another. */
function samples(request, body) {
  const { values, dims } = arrayOf(request, body);
  const rows = values.length / sampleSize;
  if (!Number.isInteger(rows) || rows < 1)
    throw new Refusal(400, `found ${values.length} numbers, expected samples of [${input.shape}], ${sampleSize} numbers each`);
  if (!fits(dims)) throw new Refusal(400, `found shape [${dims}], expected samples of [${input.shape}]`);
  if (rows > maxRows) throw new Refusal(413, `found ${rows} samples, expected at most ${maxRows} (MAX_ROWS)`);
  const at = values.findIndex((v) => !Number.isFinite(v));
  if (at >= 0) throw new Refusal(400, `found ${values[at]} at number ${at}, expected finite float32`);
  return { values, rows };
}

function rowsOf(tensor, rows) {
  const data = Array.from(tensor.data, Number);
  const width = data.length / rows;
  return tensor.dims.length === 1 ? data : Array.from({ length: rows }, (_, i) => data.slice(i * width, (i + 1) * width));
}

async function predict(task, request) {
  const { values, rows } = samples(request, await bodyOf(request));
  const feeds = { [input.name]: new ort.Tensor('float32', values, [rows, ...input.shape]) };
  for (const [name, id] of Object.entries(task.feeds ?? {})) feeds[name] = new ort.Tensor('int64', [BigInt(id)], [1]);
  const names = Object.values(task.outputs);
  const results = await sessions.get(task.file).run(feeds, names);
  if ((request.headers.accept ?? '').startsWith('application/x-npy')) {
    const best = results[task.outputs.probabilities ?? task.outputs.scores];
    return { type: 'application/x-npy', body: writeNpy(best.data, best.dims) };
  }
  const found = Object.entries(task.outputs).map(([what, name]) => [what, rowsOf(results[name], rows)]);
  return json({ task: task.task, rows, ...Object.fromEntries(found) });
}

const json = (document) => ({ type: 'application/json', body: `${JSON.stringify(document)}\n` });

async function answer(request) {
  const { pathname } = new URL(request.url, 'http://localhost');
  if (request.method === 'GET' && pathname === '/health') return json({ status: 'ok' });
  if (request.method === 'GET' && pathname === '/tasks')
    return json({ input, tasks: tasks.map(({ task, outputs }) => ({ task, outputs: Object.keys(outputs) })) });
  const name = /^\/predict\/([^/]+)$/.exec(pathname)?.[1];
  if (name === undefined) throw new Refusal(404, 'expected GET /health, GET /tasks or POST /predict/<task>');
  const task = tasks.find((t) => t.task === name);
  if (task === undefined) throw new Refusal(404, `no task "${name}", there are: ${tasks.map((t) => t.task).join(', ')}`);
  if (request.method !== 'POST') throw new Refusal(405, 'expected POST');
  return predict(task, request);
}

const server = createServer(async (request, response) => {
  let status = 200;
  let reply;
  try {
    reply = await answer(request);
  } catch (error) {
    status = error instanceof Refusal ? error.status : 500;
    if (status === 500) console.error(error);
    reply = json({ error: status === 500 ? 'internal error' : error.message });
    // What was not read of a refused request is not waited for.
    if (!request.complete) response.setHeader('connection', 'close');
  }
  response.writeHead(status, { 'content-type': reply.type, 'content-length': Buffer.byteLength(reply.body) });
  response.end(reply.body);
});
server.requestTimeout = 30_000;
server.headersTimeout = 10_000;

/** Takes no more connections, ends the requests under way, then goes. */
function stop() {
  setTimeout(() => process.exit(1), 10_000).unref();
  server.close(async () => {
    for (const session of sessions.values()) await session.release();
    process.exit(0);
  });
  server.closeIdleConnections();
}
process.once('SIGTERM', stop);
process.once('SIGINT', stop);

server.listen(port, host, () =>
  console.log(`listening on port ${server.address().port}: ${tasks.map((t) => t.task).join(', ')}`),
);
