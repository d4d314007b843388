// Requests per second and latency of a network of five columns: `prognet serve`, MLServer on the folder of `deploy mlserver`, Triton with its Python backend on that of `deploy triton`, and
// the limits: the bare session, and a server of fastify's that answers without a model. One sample a request, at concurrency 1, 16 and 128, as JSON and as binary tensors (which MLServer does not take). All servers stand at one time and are
// asked in turn, round after round; the client, autocannon, runs on the same cores. Medians over the rounds. Writes its table into docs/serve.md.
//   node scripts/bench/serve.mjs [--quick] [--write]     Needs sh scripts/bench/setup and sh scripts/deploy-check/setup.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import autocannon from 'autocannon';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { writePart } from '../page-part.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const quick = process.argv.includes('--quick');
const [rounds, seconds, concurrencies] = quick ? [1, 1, [1, 16]] : [5, 4, [1, 16, 128]];
const width = 64;
const dir = mkdtempSync(join(tmpdir(), 'prognet-bench-serve-'));
const prognet = (...args) =>
  execFileSync(process.execPath, [join(root, 'dist/cli/main.js'), ...args, '-C', dir, '--quiet'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });

/** A sample of the seed's. */
function* drawn(seed) {
  for (let state = seed; ; ) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    yield state / 2 ** 32 - 0.5;
  }
}
const numbers = drawn(1);
const sample = () => Array.from({ length: width }, () => Math.fround(numbers.next().value));

function workspace() {
  const blocks = '[[{ dense: 256 }, relu], [{ dense: 256 }, relu]]';
  const columns = Array.from(
    { length: 5 },
    (_, i) =>
      `  - { task: t${i}, data: { source: t${i}.csv, header: false }, blocks: ${blocks}, head: { classify: 10 }, train: { epochs: 1, batch: 64 }${i > 0 ? ', laterals: { kind: adapter, rank: 32 }' : ''} }\n`,
  );
  writeFileSync(
    join(dir, 'prognet.yaml'),
    `prognet: 1\nname: five\ninput: { name: x, shape: [${width}] }\ncolumns:\n${columns.join('')}`,
  );
  for (let i = 0; i < 5; i++)
    writeFileSync(join(dir, `t${i}.csv`), Array.from({ length: 320 }, (_, row) => [...sample(), row % 10].join(',')).join('\n'));
  prognet('train', '--all');
}

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return String(port);
}

const started = [];
/** Starts a server and waits for its model. */
async function up(name, [command, ...args], port, options = {}) {
  let log = '';
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      log = `${log}${chunk}`.slice(-4000);
    });
  started.push(child);
  const url = `http://127.0.0.1:${port}/v2/models/t4`;
  for (;;) {
    if (
      await fetch(`${url}/ready`).then(
        ({ ok }) => ok,
        () => false,
      )
    )
      return { name, url: `${url}/infer` };
    if (child.exitCode !== null) throw new Error(`${name} ended: ${log}`);
    await setTimeout(200);
  }
}

async function servers() {
  prognet('deploy', 'triton', '-o', join(dir, 'triton'));
  prognet('deploy', 'mlserver', '-o', join(dir, 'mlserver'));
  const [own, t1, t2, t3, m1, m2, m3, echo] = await Promise.all(Array.from({ length: 8 }, freePort));
  const serve = ['serve', dir, '--port', own, '--grpc-port', 'none', '--metrics-port', 'none', '--log-level', 'error'];
  const triton = ['scripts/deploy-check/tritonserver', join(dir, 'triton'), t1, t2, t3, '--model-config-name=python'];
  const env = { ...process.env, ORT_THREADS: '1', MLSERVER_HTTP_PORT: m1, MLSERVER_GRPC_PORT: m2, MLSERVER_METRICS_PORT: m3 };
  return [
    { ...(await up('prognet serve', [process.execPath, join(root, 'dist/cli/main.js'), ...serve], own)), binary: true },
    { ...(await up('Triton, Python backend', ['sh', ...triton], t1, { cwd: root, env })), binary: true },
    {
      ...(await up('MLServer', [join(root, '.venv-mlserver/bin/mlserver'), 'start', '.'], m1, {
        cwd: join(dir, 'mlserver'),
        env,
      })),
      binary: false,
    },
    {
      ...(await up('HTTP without a model', [process.execPath, join(root, 'scripts/bench/serve-echo.mjs'), echo], echo)),
      binary: true,
      json: false,
    },
  ];
}

/** A request for the scores of one sample. */
function request(binary) {
  const values = sample();
  const tensor = { name: 'x', datatype: 'FP32', shape: [1, width] };
  if (!binary) {
    const body = JSON.stringify({ inputs: [{ ...tensor, data: values }], outputs: [{ name: 't4' }] });
    return { headers: { 'content-type': 'application/json' }, body };
  }
  const bytes = Buffer.from(Float32Array.from(values).buffer);
  const inputs = [{ ...tensor, parameters: { binary_data_size: bytes.length } }];
  const head = Buffer.from(JSON.stringify({ inputs, outputs: [{ name: 't4', parameters: { binary_data: true } }] }));
  const headers = { 'content-type': 'application/octet-stream', 'inference-header-content-length': String(head.length) };
  return { headers, body: Buffer.concat([head, bytes]) };
}

async function load({ url }, connections, binary, duration) {
  const result = await autocannon({ url, method: 'POST', connections, duration, ...request(binary) });
  if (result.non2xx + result.errors + result.timeouts > 0)
    throw new Error(`${url}: ${result.non2xx} refused, ${result.errors} failed`);
  return { rate: result.requests.average, p50: result.latency.p50, p99: result.latency.p99 };
}

/** The bare session: runs of a batch of so many rows, one after another, in milliseconds. */
async function bare(session, rows, duration) {
  const x = new Tensor('float32', Float32Array.from(Array.from({ length: rows }, sample).flat()), [rows, width]);
  const times = [];
  for (const end = performance.now() + 1000 * duration; performance.now() < end; ) {
    const begun = performance.now();
    await session.run({ x }, ['t4']);
    times.push(performance.now() - begun);
  }
  times.sort((a, b) => a - b);
  const at = (share) => times[Math.floor(share * (times.length - 1))];
  return { rate: (rows * times.length) / duration, p50: at(0.5), p99: at(0.99) };
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

function table(measured) {
  const lines = ['| | concurrency | requests per second | p50 | p99 |', '| --- | ---: | ---: | ---: | ---: |'];
  for (const [key, runs] of measured) {
    const [name, concurrency] = key.split('|');
    const of = (what) => median(runs.map((run) => run[what]));
    const ms = (value) => `${value < 10 ? value.toFixed(2) : Math.round(value)} ms`;
    lines.push(
      `| ${name} | ${concurrency} | ${Math.round(of('rate')).toLocaleString('en')} | ${ms(of('p50'))} | ${ms(of('p99'))} |`,
    );
  }
  return lines.join('\n');
}

try {
  workspace();
  const all = await servers();
  const session = await InferenceSession.create(join(dir, 'triton/t4/1/model.onnx'), { intraOpNumThreads: 1 });
  const measured = new Map();
  const keep = (key, run) => measured.set(key, [...(measured.get(key) ?? []), run]);
  for (let round = 0; round < rounds; round++)
    for (const concurrency of concurrencies) {
      for (const server of all)
        for (const binary of [true, false]) {
          if (server[binary ? 'binary' : 'json'] === false) continue;
          if (round === 0) await load(server, concurrency, binary, 1);
          keep(`${server.name}, ${binary ? 'binary' : 'JSON'}|${concurrency}`, await load(server, concurrency, binary, seconds));
        }
      keep(`session, batches of ${concurrency}|${concurrency}`, await bare(session, concurrency, 1));
      console.error(`round ${round + 1} of ${rounds}, concurrency ${concurrency}`);
    }
  const text = `${table(measured)}\n\n${rounds} rounds of ${seconds} s, ${cpus().length} cores (${cpus()[0].model.trim()}), client and servers on the same machine.`;
  console.log(text);
  if (process.argv.includes('--write')) writePart('serve.md', 'load', text);
} finally {
  for (const child of started) child.kill('SIGTERM');
  await Promise.all(
    started.map((child) => (child.exitCode === null ? new Promise((resolve) => child.once('close', resolve)) : undefined)),
  );
  rmSync(dir, { recursive: true });
}
