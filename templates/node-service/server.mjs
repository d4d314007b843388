// Serves the exported tasks over HTTP: node:http and onnxruntime-node, nothing else. README.md tells the routes, the limits and what they are
// in the environment. What a client sends is bounded before it is held; what goes wrong here is one line on stderr.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { ListReader } from './lists.mjs';
import { readNpy, writeNpy } from './npy.mjs';
import { outside, refuseBytes } from './ranges.mjs';
import { TableReader } from './table.mjs';

/** Milliseconds: for the rest of a refused body; for what is on its way when told to stop; for how often slow clients are looked for. */
const lingering = 2000;
const draining = 500;
const checking = 500;
/** Connections beyond the limit that are told so; further ones are dropped. */
const surplus = 64;

const firstLine = (error) =>
  String(error?.message ?? error)
    .split('\n', 1)[0]
    .slice(0, 300);

function fail(error) {
  console.error(`prognet-service: ${firstLine(error)}`);
  process.exit(1);
}
process.on('uncaughtException', fail);

function setting(name, fallback, least = 0) {
  const text = process.env[name];
  if (text === undefined || text === '') return fallback;
  if (!/^\d{1,10}$/.test(text) || Number(text) < least)
    throw new Error(`${name}: found "${text.slice(0, 40)}", expected a whole number${least > 0 ? ` of at least ${least}` : ''}`);
  return Number(text);
}
const port = setting('PORT', 8080);
const host = process.env.HOST || '127.0.0.1';
const maxBytes = setting('MAX_BYTES', 16 * 2 ** 20, 1);
const maxPending = setting('MAX_PENDING_BYTES', Math.max(64 * 2 ** 20, maxBytes), maxBytes);
const maxRows = setting('MAX_ROWS', 1024, 1);
const maxConnections = setting('MAX_CONNECTIONS', 256, 1);
const headersTimeout = setting('HEADERS_MS', 10_000, 1);
const requestTimeout = setting('REQUEST_MS', Math.max(30_000, headersTimeout), headersTimeout);
const threads = setting('THREADS', 0);

/** What must be there before a request can be answered; what failed is said with `what`. */
async function needed(what, work) {
  try {
    return await work();
  } catch (error) {
    throw new Error(`${what}: ${firstLine(error)}`);
  }
}
const here = (name) => new URL(name, import.meta.url);
const { default: ort } = await needed('onnxruntime-node cannot be loaded, run npm ci', () => import('onnxruntime-node'));
const { input, tasks } = await needed('tasks.json', () => JSON.parse(readFileSync(here('tasks.json'), 'utf8')));
const sampleSize = input.shape.reduce((a, b) => a * b, 1);
/** What the numbers of a table are; undefined for any other input. */
const { features } = input;
const counts = features && {
  numbers: features.filter((f) => !f.categories).length,
  texts: features.filter((f) => f.categories).length,
};
/** Whether the models take bytes as they are; else bytes are grey levels and become 0..1. */
const takesBytes = input.dtype === 'uint8';

/** By task, what makes samples of images; what makes token ids of texts. What does it lies beside this file where it is needed. */
const decoders = new Map();
for (const { task, decoding } of tasks)
  if (decoding !== undefined)
    decoders.set(task, await needed('images.mjs, run npm ci', async () => (await import('./images.mjs')).imageReader(decoding)));
const tokenise =
  input.tokens &&
  (await needed('texts.mjs, run npm ci', async () =>
    (await import('./texts.mjs')).textReader(input, readFileSync(here('tokenizer.json'), 'utf8')),
  ));

const sessions = new Map();
for (const { file } of tasks) {
  if (sessions.has(file)) continue;
  const options = { intraOpNumThreads: threads, logSeverityLevel: 3 };
  sessions.set(file, await needed(file, () => ort.InferenceSession.create(readFileSync(here(file)), options)));
}

/** What a client is told instead of an answer. */
class Refusal extends Error {
  constructor(status, message, headers = {}) {
    super(message.slice(0, 400));
    this.status = status;
    this.headers = headers;
  }
}
const wrong = (message) => new Refusal(400, message);
const busy = (what) => new Refusal(503, `${what}, try again`, { 'retry-after': '1' });
const tooMany = new Refusal(413, `found over ${maxRows} samples, expected at most ${maxRows} (MAX_ROWS)`);

/** Bytes of the bodies of all requests under way. */
let pending = 0;

/** Gives `take` the body piece by piece. What it throws leaves the connection as it is: an answer can follow. */
async function readBody(request, held, take) {
  const tooLarge = () => new Refusal(413, `the request is over ${maxBytes} bytes (MAX_BYTES)`);
  const full = () => busy(`requests of ${maxPending} bytes are under way (MAX_PENDING_BYTES)`);
  const stated = Number(request.headers['content-length'] ?? 0);
  if (stated > maxBytes) throw tooLarge();
  if (pending + stated > maxPending) throw full();
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    if (held.bytes + chunk.length > maxBytes) throw tooLarge();
    if (pending + chunk.length > maxPending) throw full();
    held.bytes += chunk.length;
    pending += chunk.length;
    take(chunk);
  }
}

const isJson = (request) => (request.headers['content-type'] ?? '').startsWith('application/json');

async function wholeBody(request, held) {
  const chunks = [];
  await readBody(request, held, (chunk) => chunks.push(chunk));
  return Buffer.concat(chunks);
}

/** The body of a request as an array. */
async function arrayOf(request, held, missing) {
  const type = request.headers['content-type'] ?? '';
  if (isJson(request)) {
    const lists = new ListReader(maxRows * sampleSize, tooMany, wrong, missing);
    await readBody(request, held, (chunk) => lists.read(chunk));
    return lists.finish();
  }
  if (!type.startsWith('application/x-npy') && !type.startsWith('application/octet-stream'))
    throw new Refusal(415, 'expected content-type application/json or application/x-npy');
  return readNpy(await wholeBody(request, held), maxRows * sampleSize, takesBytes, tooMany, wrong);
}

const withoutOnes = (dims) => dims.filter((d) => d !== 1).join();

/** Whether dims are one sample, or a batch of samples, with axes of size 1 left out or not; a sample may also be its numbers in one row. */
function fits(dims) {
  if (dims.length <= 1 || withoutOnes(dims) === withoutOnes(input.shape)) return true;
  const sample = dims.slice(1);
  return withoutOnes(sample) === withoutOnes(input.shape) || (sample.length === 1 && sample[0] === sampleSize);
}

/** The samples of a request, one after another. */
async function samples(request, held, missing) {
  const { values, dims, scaled = false } = await arrayOf(request, held, missing);
  const rows = values.length / sampleSize;
  if (!Number.isInteger(rows) || rows < 1)
    throw wrong(`found ${values.length} numbers, expected samples of [${input.shape}], ${sampleSize} numbers each`);
  if (!fits(dims)) throw wrong(`found shape [${dims}], expected samples of [${input.shape}]`);
  const right = takesBytes ? (v) => Number.isInteger(v) && v >= 0 && v <= 255 : Number.isFinite;
  const at = values.findIndex((v) => !right(v) && !(missing && Number.isNaN(v)));
  if (at >= 0)
    throw wrong(`found ${values[at]} at number ${at}, expected ${takesBytes ? 'whole numbers from 0 to 255' : 'finite float32'}`);
  return { values, rows, scaled };
}

function rowsOf(tensor, rows) {
  const data = Array.from(tensor.data, Number);
  const width = data.length / rows;
  return tensor.dims.length === 1 ? data : Array.from({ length: rows }, (_, i) => data.slice(i * width, (i + 1) * width));
}

/** What labels are called: the class of each row, or of each row the labels that are there. */
function calledOf({ classes }, labels) {
  if (classes === undefined || labels === undefined) return {};
  return { names: labels.map((row) => (Array.isArray(row) ? classes.filter((_, i) => row[i] === 1) : classes[row])) };
}

/** Of a .png, .jpg or .webp, the sample that training would make of it. */
async function imageOf(request, held, { task, seen }) {
  const decode = decoders.get(task);
  if (decode === undefined) throw new Refusal(415, 'found an image, and the task was trained on arrays: expected those');
  const { values: bytes, notes } = await decode(await wholeBody(request, held), wrong);
  if (!takesBytes) refuseBytes(seen, wrong);
  const values = takesBytes ? bytes : Float32Array.from(bytes, (v) => v * Math.fround(1 / 255));
  const beside = notes.length > 0 ? { notes } : {};
  return { feeds: { [input.name]: new ort.Tensor(input.dtype, values, [1, ...input.shape]) }, rows: 1, beside };
}

/** Of {"inputs": ["a text", ...]}. */
async function textsOf(request, held) {
  if (!isJson(request)) throw new Refusal(415, 'expected content-type application/json, {"inputs": ["a text", ...]}');
  let texts;
  try {
    texts = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(await wholeBody(request, held)))?.inputs;
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw wrong('the body is no JSON');
  }
  if (typeof texts === 'string') texts = [texts];
  if (!Array.isArray(texts) || texts.length === 0 || texts.some((text) => typeof text !== 'string'))
    throw wrong('expected {"inputs": ["a text", ...]}');
  if (texts.length > maxRows) throw tooMany;
  const ids = new ort.Tensor('int64', tokenise(texts, wrong), [texts.length, ...input.shape]);
  return { feeds: { [input.name]: ids }, rows: texts.length, beside: {} };
}

/** What the model is fed, of how many rows, and what of them is not known. */
async function inputsOf(request, held, task) {
  const { missing = false, seen } = task;
  if (tokenise) return await textsOf(request, held);
  if (/^image\//.test(request.headers['content-type'] ?? '')) return await imageOf(request, held, task);
  if (features !== undefined && isJson(request)) {
    const reader = new TableReader(features, missing, maxRows, tooMany, wrong);
    const { rows, numbers, texts, unknown } = reader.read(await wholeBody(request, held));
    const feeds = {};
    if (counts.numbers > 0) feeds[input.name] = new ort.Tensor('float32', numbers, [rows, counts.numbers]);
    if (counts.texts > 0) feeds[`${input.name}_categories`] = new ort.Tensor('string', texts, [rows, counts.texts]);
    const numeric = seen?.each && { each: seen.each.filter((_, i) => !features[i]?.categories) };
    const names = features.filter((f) => !f.categories).map((f) => f.name);
    const notes = counts.numbers > 0 ? outside(numbers, numeric, names, wrong) : [];
    return { feeds, rows, beside: { ...(unknown.length > 0 && { unknown }), ...(notes.length > 0 && { notes }) } };
  }
  if (counts?.texts > 0) throw new Refusal(415, 'expected content-type application/json, since categories are texts');
  const { values, rows, scaled } = await samples(request, held, missing);
  const tensor = new ort.Tensor(input.dtype, takesBytes ? Uint8Array.from(values) : values, [rows, ...input.shape]);
  const names = features?.map((f) => f.name) ?? seen?.each?.map((_, i) => `number ${i}`) ?? [input.name];
  if (scaled) refuseBytes(seen, wrong);
  const notes = takesBytes ? [] : outside(values, seen, names, wrong);
  return { feeds: { [input.name]: tensor }, rows, beside: notes.length > 0 ? { notes } : {} };
}

async function predict(task, request, held) {
  const { feeds, rows, beside } = await inputsOf(request, held, task);
  for (const [name, id] of Object.entries(task.feeds ?? {})) feeds[name] = new ort.Tensor('int64', [BigInt(id)], [1]);
  const names = Object.values(task.outputs);
  const results = await sessions.get(task.file).run(feeds, names);
  if ((request.headers.accept ?? '').startsWith('application/x-npy')) {
    const best = results[task.outputs.probabilities ?? task.outputs.scores];
    return { type: 'application/x-npy', body: writeNpy(best.data, best.dims) };
  }
  const found = Object.entries(task.outputs).map(([what, name]) => [what, rowsOf(results[name], rows)]);
  const answers = Object.fromEntries(found);
  return json({ task: task.task, rows, ...answers, ...calledOf(task, answers.labels), ...beside });
}

const json = (document) => ({ type: 'application/json', body: `${JSON.stringify(document)}\n` });

/** Path of `/path?query` or of `http://host/path`. */
const pathOf = (url) => /^(?:https?:\/\/[^/?#]*)?([^?#]*)/i.exec(url)[1];

async function answer(request, held) {
  if (crowded.has(request.socket)) throw busy(`${maxConnections} connections are open (MAX_CONNECTIONS)`);
  const path = pathOf(request.url);
  if (request.method === 'GET' && path === '/health') return json({ status: 'ok' });
  if (request.method === 'GET' && path === '/tasks')
    return json({
      input,
      tasks: tasks.map(({ file: _, feeds: __, outputs, ...said }) => ({ ...said, outputs: Object.keys(outputs) })),
    });
  const name = /^\/predict\/([^/]+)$/.exec(path)?.[1];
  if (name === undefined) throw new Refusal(404, 'expected GET /health, GET /tasks or POST /predict/<task>');
  const task = tasks.find((t) => t.task === name);
  if (task === undefined)
    throw new Refusal(404, `no task "${name.slice(0, 100)}", there are: ${tasks.map((t) => t.task).join(', ')}`);
  if (request.method !== 'POST') throw new Refusal(405, 'expected POST', { allow: 'POST' });
  return predict(task, request, held);
}

/** The answer to a request: of what went wrong here the client learns nothing, stderr one line. */
async function replyTo(request, held) {
  try {
    return { status: 200, headers: {}, ...(await answer(request, held)) };
  } catch (error) {
    if (error instanceof Refusal) return { status: error.status, headers: error.headers, ...json({ error: error.message }) };
    // A client that is gone is no failure of the service.
    if (!request.socket.destroyed)
      console.error(`prognet-service: ${request.method} ${pathOf(request.url).slice(0, 100)}: ${firstLine(error)}`);
    return { status: 500, headers: {}, ...json({ error: 'internal error' }) };
  }
}

/** Reads on for a while, so that a client that is still sending sees its answer and no reset. */
async function linger(request) {
  await new Promise((resolve) => {
    const timer = setTimeout(resolve, lingering);
    request.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
    request.resume();
  });
}

let stopping = false;
/** Open connections, each with its newest request; those beyond the limit. */
const newest = new Map();
const crowded = new WeakSet();

const server = createServer(
  { headersTimeout, requestTimeout, connectionsCheckingInterval: checking },
  async (request, response) => {
    newest.set(request.socket, request);
    const held = { bytes: 0 };
    const { status, headers, type, body } = await replyTo(request, held);
    pending -= held.bytes;
    if (response.destroyed) return;
    const cut = !request.complete;
    // A request that came behind this one on the same connection is answered too.
    const last = newest.get(request.socket) === request;
    if (cut || crowded.has(request.socket) || (stopping && last)) response.setHeader('connection', 'close');
    response.writeHead(status, { ...headers, 'content-type': type, 'content-length': Buffer.byteLength(body) });
    response.write(body);
    if (cut) await linger(request);
    response.end();
  },
);
server.maxConnections = maxConnections + surplus;
server.on('connection', (socket) => {
  if (newest.size >= maxConnections) crowded.add(socket);
  newest.set(socket, undefined);
  socket.once('close', () => newest.delete(socket));
});
server.on('error', fail);

/**
 * Answers what is on its way, each answer saying that it is the connection's last, then takes no more, and goes when all are answered. A
 * second signal ends the process at once.
 */
function stop() {
  stopping = true;
  setTimeout(() => {
    server.close(async () => {
      for (const session of sessions.values()) await session.release();
      process.exit(0);
    });
    // Nothing came from these.
    for (const socket of newest.keys()) if (socket.bytesRead === 0) socket.end();
  }, draining);
  setTimeout(() => fail(`${newest.size} connections were cut, nothing moved on them`), requestTimeout * 2).unref();
}
process.once('SIGTERM', stop);
process.once('SIGINT', stop);

server.listen(port, host, () =>
  console.log(`listening on port ${server.address().port}: ${tasks.map((t) => t.task).join(', ')}`),
);
