// Requests per second that `prognet serve --fleet` answers over HTTP, each for a column drawn at random, with few columns in the folder and with many: both servers stand at one time and are asked
// in turn, round after round, after each column was asked once. Binary tensors of one row. The client, autocannon, runs on the same cores. Medians over the rounds.
//   node scripts/bench/fleet-serve.mjs [--quick] [--write]     Needs sh scripts/bench/setup. --write puts the table into docs/fleet.md.
import { spawn } from 'node:child_process';
import { cpSync, readdirSync, rmSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import autocannon from 'autocannon';
import { loadRuntime } from '../../dist/node.js';
import { writePart } from '../page-part.mjs';
import { fleetOfCopies } from './fleet-copies.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const quick = process.argv.includes('--quick');
const counts = quick ? [5, 20] : [5, 1000];
const [rounds, seconds, concurrencies] = quick ? [1, 1, [16]] : [5, 4, [1, 16]];
const { runtime } = await loadRuntime();
const { random, rows, dir, folder, names } = await fleetOfCopies(runtime, counts.at(-1));

const bytes = Buffer.from(rows(1).bytes);
const inputs = [{ name: 'x', datatype: 'FP32', shape: [1, 256], parameters: { binary_data_size: bytes.length } }];
const head = Buffer.from(JSON.stringify({ inputs, outputs: [{ name: 'scores', parameters: { binary_data: true } }] }));
const body = Buffer.concat([head, bytes]);
const headers = { 'content-type': 'application/octet-stream', 'inference-header-content-length': String(head.length) };
const path = (name) => `/v2/models/${name}/infer`;

/** A server of the first so many columns. */
async function serving(count) {
  const own = join(dir, `fleet-${count}`);
  cpSync(folder, own, { recursive: true });
  const kept = new Set(names.slice(0, count).map((name) => `${name}.safetensors`));
  for (const file of readdirSync(join(own, 'columns'))) if (!kept.has(file)) rmSync(join(own, 'columns', file));
  const args = [
    'serve',
    '--fleet',
    own,
    '--port',
    '0',
    '--grpc-port',
    'none',
    '--metrics-port',
    'none',
    '--json',
    '--log-level',
    'error',
  ];
  const child = spawn(process.execPath, [join(root, 'dist/cli/main.js'), ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const { value } = await createInterface({ input: child.stdout })[Symbol.asyncIterator]().next();
  const { http: url } = JSON.parse(value);
  for (const name of names.slice(0, count)) {
    const { ok } = await fetch(`${url}${path(name)}`, { method: 'POST', headers, body });
    if (!ok) throw new Error(`${name} does not answer`);
  }
  return { count, child, url };
}

async function load({ url, count }, connections, counted = true) {
  const drawn = Array.from({ length: 4096 }, () => ({
    method: 'POST',
    headers,
    body,
    path: path(names[Math.floor(random.uniform() * count)]),
  }));
  const result = await autocannon({ url, connections, duration: seconds, requests: drawn });
  if (counted && result.non2xx + result.errors + result.timeouts > 0)
    throw new Error(
      `${count} columns, ${connections} connections: ${result.non2xx} refused, ${result.errors} failed, ${result.timeouts} of them late`,
    );
  return { rate: result.requests.average, p50: result.latency.p50, p99: result.latency.p99 };
}

const servers = [];
const measured = new Map();
const before = loadavg()[0];
try {
  for (const count of counts) servers.push(await serving(count));
  // The sessions of batches of many columns are made when they are first asked.
  for (const server of servers) await load(server, concurrencies.at(-1), false);
  for (let round = 0; round < rounds; round++)
    for (const connections of concurrencies)
      for (const server of servers) {
        const key = `${server.count}|${connections}`;
        measured.set(key, [...(measured.get(key) ?? []), await load(server, connections)]);
      }
} finally {
  for (const { child } of servers) child.kill();
  rmSync(dir, { recursive: true });
}
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const lines = ['| columns | concurrency | requests per second | p50 | p99 |', '|---:|---:|---:|---:|---:|'];
for (const [key, runs] of measured) {
  const [count, connections] = key.split('|');
  const of = (what) => median(runs.map((run) => run[what]));
  lines.push(
    `| ${Number(count).toLocaleString('en')} | ${connections} | ${Math.round(of('rate')).toLocaleString('en')} | ${of('p50')} ms | ${of('p99')} ms |`,
  );
}
const text = [
  `The mean number of processes that wanted to run on the two cores was ${before.toFixed(1)} before and ${loadavg()[0].toFixed(1)} after:`,
  '',
  ...lines,
].join('\n');
console.log(text);
if (process.argv.includes('--write')) writePart('fleet.md', 'serving', text);
