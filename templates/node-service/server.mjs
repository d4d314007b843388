// Serves the exported tasks over HTTP: node:http and onnxruntime-node, nothing else. README.md tells the routes, the limits and what they are
// in the environment. What a client sends is bounded before it is held; what goes wrong here is one line on stderr.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { requestReader } from './inputs.mjs';
import { writeNpy } from './npy.mjs';

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
const { tasks, ...taken } = await needed('tasks.json', () => JSON.parse(readFileSync(here('tasks.json'), 'utf8')));
/** What the models take: one input, or several by name. */
const several = taken.inputs !== undefined;
const inputs = several ? taken.inputs : [taken.input];

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
const busy = (what) => new Refusal(503, `${what}, try again`, { 'retry-after': '1' });

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

const readRequest = await requestReader({
  ort,
  inputs,
  several,
  tasks,
  maxRows,
  readBody,
  refusal: (status, message) => new Refusal(status, message),
  needed,
});

/** The numbers of a tensor in lists, one in another by its axes. */
function rowsOf(tensor) {
  const nested = (data, [, ...dims]) => {
    if (dims.length === 0) return data;
    const width = dims.reduce((a, b) => a * b, 1);
    return Array.from({ length: data.length / width }, (_, i) => nested(data.slice(i * width, (i + 1) * width), dims));
  };
  return nested(Array.from(tensor.data, Number), tensor.dims);
}

/** What labels are called: the class of each row or step, or of each the labels that are there. */
function calledOf({ classes }, labels, flags) {
  if (classes === undefined || labels === undefined) return {};
  const called = (label) => {
    if (!Array.isArray(label)) return classes[label];
    return flags && !Array.isArray(label[0]) ? classes.filter((_, i) => label[i] === 1) : label.map(called);
  };
  return { names: labels.map(called) };
}

async function predict(task, request, held) {
  if (task.heads !== undefined && asArray(request))
    throw new Refusal(
      406,
      `task "${task.task}" has several heads, whose answers are no one array: expected accept: application/json`,
    );
  const { feeds, rows, beside } = await readRequest(request, held, task);
  for (const [name, id] of Object.entries(task.feeds ?? {})) feeds[name] = new ort.Tensor('int64', [BigInt(id)], [1]);
  const parts = task.heads === undefined ? [task] : Object.values(task.heads);
  const names = parts.flatMap(({ outputs }) => Object.values(outputs));
  const results = await sessions.get(task.file).run(feeds, names);
  if (asArray(request)) {
    const best = results[task.outputs.probabilities ?? task.outputs.scores];
    return { type: 'application/x-npy', body: writeNpy(best.data, best.dims) };
  }
  const answers =
    task.heads === undefined
      ? answersOf(task, results)
      : { heads: Object.fromEntries(Object.entries(task.heads).map(([name, head]) => [name, answersOf(head, results)])) };
  return json({ task: task.task, rows, ...answers, ...beside });
}

/** What a task, or one of its heads, answers. */
function answersOf(head, results) {
  const answers = Object.fromEntries(Object.entries(head.outputs).map(([what, name]) => [what, rowsOf(results[name])]));
  return { ...answers, ...calledOf(head, answers.labels, results[head.outputs.labels]?.type === 'bool') };
}

/** Whether the answer is to be one array. */
const asArray = (request) => (request.headers.accept ?? '').startsWith('application/x-npy');

const json = (document) => ({ type: 'application/json', body: `${JSON.stringify(document)}\n` });

/** What a client may know of a task. */
function told({ file: _, feeds: __, outputs, heads, ...said }) {
  if (heads === undefined) return { ...said, outputs: Object.keys(outputs) };
  return { ...said, heads: Object.fromEntries(Object.entries(heads).map(([name, head]) => [name, told(head)])) };
}

/** Path of `/path?query` or of `http://host/path`. */
const pathOf = (url) => /^(?:https?:\/\/[^/?#]*)?([^?#]*)/i.exec(url)[1];

async function answer(request, held) {
  if (crowded.has(request.socket)) throw busy(`${maxConnections} connections are open (MAX_CONNECTIONS)`);
  const path = pathOf(request.url);
  if (request.method === 'GET' && path === '/health') return json({ status: 'ok' });
  if (request.method === 'GET' && path === '/tasks')
    return json({
      ...taken,
      tasks: tasks.map(told),
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
