// A soak of `prognet serve`: for twenty minutes clients ask it whose answers are known, hang up, and send what is none, while columns are frozen, unloaded and loaded, and a file is replaced. In
// the middle it gets SIGTERM with requests under way, and a new server takes its place. Counts what was lost, wrong or unexpected; descriptors and threads over the time, and memory once the last
// column is frozen.
//   node scripts/serve/soak.mjs [--minutes 20] [--json FILE] [--write]     Needs npm run build. --write puts the table into docs/serve.md. Exit code 1 where something is not as it should be.
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { writePart } from '../page-part.mjs';
import { Clients, Seen } from './soak/clients.mjs';
import { Models, main, maxBatch, maxBytes } from './soak/models.mjs';

const { values: options } = parseArgs({
  options: { minutes: { type: 'string', default: '20' }, json: { type: 'string' }, write: { type: 'boolean', default: false } },
});
const seconds = 60 * Number(options.minutes);
if (!(seconds >= 10)) throw new Error(`--minutes ${options.minutes}: expected at least 0.17`);
const warmUp = Math.min(60, Math.max(3, 0.1 * seconds));
/** Of each of the two servers, beside its warm-up: a fifth for columns that are frozen. */
const span = Math.max(4, (seconds - 2 * warmUp) / 2);
/** By how much the memory of the last third of a server's time may be above that of the first: short runs have not filled their pools. */
const bound = seconds >= 600 ? 1.05 : 1.5;

const dir = mkdtempSync(join(tmpdir(), 'prognet-soak-'));
const seen = new Seen();
const models = new Models(dir, ['a', 'b', 'c', ...(seconds >= 600 ? ['d', 'e', 'f', 'g', 'h'] : [])]);
const begun = performance.now();
const at = () => (performance.now() - begun) / 1000;

/** What the clients look at. */
const soak = {
  over: false,
  resting: false,
  swapped: 1,
  current: undefined,
  waiting: 0,
  async server() {
    while (this.current === undefined || this.current.ending !== undefined) await after(50);
    return this.current;
  },
  async rested() {
    this.waiting += 1;
    while (this.resting && !this.over) await after(50);
    this.waiting -= 1;
  },
};

async function begin() {
  const bounds = ['--max-batch', String(maxBatch), '--max-bytes', String(maxBytes), '--poll-ms', '200', '--workers', '2'];
  const ports = ['--port', '0', '--grpc-port', '0', '--metrics-port', '0', '--log-level', 'warn'];
  const child = spawn(process.execPath, [main, 'serve', models.workspace, models.files, '--json', ...bounds, ...ports], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  child.stderr.on('data', (chunk) => {
    log = `${log}${chunk}`.slice(-20_000);
  });
  const ended = new Promise((resolve) => child.on('close', (code, signal) => resolve({ code, signal })));
  const said = await new Promise((resolve, reject) => {
    let all = '';
    child.stdout.on('data', (chunk) => {
      all += chunk;
      if (all.endsWith('\n')) resolve(JSON.parse(all));
    });
    void ended.then(({ code, signal }) => reject(new Error(`the server ended with ${code ?? signal}: ${log}`)));
  });
  const server = { ...said, child, ended, log: () => log, ending: undefined, samples: [] };
  void ended.then(({ code, signal }) => {
    if (server.ending === undefined) seen.problem('lost', `the server ended by itself, ${code ?? signal}: ${log.slice(-2000)}`);
  });
  soak.current = server;
  return server;
}

const descriptors = ({ child: { pid } }) =>
  readdirSync(`/proc/${pid}/fd`)
    .map((name) => {
      try {
        return readlinkSync(`/proc/${pid}/fd/${name}`).replace(/\d+/g, '');
      } catch {
        return '';
      }
    })
    .filter((what) => what !== '');

function sample(server) {
  const status = readFileSync(`/proc/${server.child.pid}/status`, 'utf8');
  const of = (name) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]);
  return { at: at(), mebibytes: of('VmRSS') / 1024, threads: of('Threads'), descriptors: descriptors(server).length };
}

/** No client asks; what the server then holds open. */
async function rest(server, clients) {
  soak.resting = true;
  while (soak.waiting < clients) await after(50);
  // Clients of gRPC keep a connection for ten seconds after the last of them was closed.
  await after(11_000);
  let last = '';
  for (let alike = 0, n = 0; alike < 4 && n < 100; n++) {
    await after(250);
    const now = descriptors(server).toSorted().join();
    alike = now === last ? alike + 1 : 0;
    last = now;
  }
  const { threads, mebibytes } = sample(server);
  const open = descriptors(server).toSorted();
  soak.resting = false;
  return { descriptors: open.length, threads, mebibytes, open };
}

async function end(server) {
  server.ending = performance.now();
  server.child.kill('SIGTERM');
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
function thirds(samples) {
  const third = Math.floor(samples.length / 3);
  const of = (some) => median(some.map(({ mebibytes }) => mebibytes));
  return [of(samples.slice(0, third)), of(samples.slice(-third))];
}

/** A server's time: warm-up, rest, a part in which columns are frozen, a part in which memory is watched, rest. */
async function live(clients, freezing) {
  const server = await begin();
  await after(1000 * warmUp);
  const before = await rest(server, clients);
  const start = performance.now();
  // One after another: later columns read the earlier ones.
  for (const [i, task] of freezing.entries())
    await freeze(task, start + (1000 * span * (i + 1)) / (5 * freezing.length)).catch((error) =>
      seen.problem('unexpected', error.message),
    );
  // From now on the server holds all of its models, each of which takes memory of its own.
  const until = performance.now() + 800 * span;
  const pause = Math.max(100, (1000 * span) / 300);
  while (performance.now() < until && server.child.exitCode === null) {
    server.samples.push(sample(server));
    await after(pause);
  }
  const idle = await rest(server, clients);
  return { server, before, idle };
}

/** Freezes a column, not before a time, and waits until it answers. */
async function freeze(task, time) {
  await after(Math.max(0, time - performance.now()));
  await models.freeze(task);
  for (const limit = performance.now() + 120_000; performance.now() < limit; await after(100)) {
    const { http } = await soak.server();
    const { ok } = await fetch(`${http}/v2/models/${task}/ready`, { headers: { connection: 'close' } }).catch(() => ({
      ok: false,
    }));
    if (!ok) continue;
    seen.frozen += 1;
    return;
  }
  seen.problem('unexpected', `the column ${task} is not served two minutes after it was frozen`);
}

function table(result) {
  const { counts, servers } = result;
  const whole = (n) => n.toLocaleString('en');
  const each = (what) => servers.map(what).join('; ');
  const rows = [
    ['answers that were compared bit for bit', whole(counts.answered)],
    ['accepted requests that were lost', whole(counts.lost)],
    ['wrong answers', whole(counts.wrong)],
    ['statuses that were not expected', whole(counts.unexpected)],
    ['clients that hung up', whole(counts.hungUp)],
    ['malformed and too large requests, refused', whole(counts.malformed)],
    ['a column unloaded and loaded', whole(counts.loads)],
    ['a file replaced under requests', whole(counts.reloads)],
    ['columns frozen meanwhile', whole(counts.frozen)],
    [
      'memory, median of the first and of the last third',
      each(({ memory: [a, b] }) => `${a.toFixed(0)} MiB, ${b.toFixed(0)} MiB`),
    ],
    ['open descriptors at rest, before and after', each(({ descriptors: d }) => `${d.before}, ${d.after}`)],
    ['threads at rest, before and after', each(({ threads: t }) => `${t.before}, ${t.after}`)],
    ['exit code after SIGTERM', each(({ code }) => code)],
  ];
  return ['| | |', '| --- | ---: |', ...rows.map(([name, v]) => `| ${name} | ${v} |`)].join('\n');
}

function faults({ counts, servers }) {
  const wrong = ['lost', 'wrong', 'unexpected'].filter((name) => counts[name] > 0).map((name) => `${name}: ${counts[name]}`);
  for (const name of ['answered', 'hungUp', 'malformed', 'loads', 'reloads', 'frozen'])
    if (counts[name] === 0) wrong.push(`${name}: none`);
  for (const [
    i,
    {
      memory: [first, last],
      descriptors: d,
      threads: t,
      code,
    },
  ] of servers.entries()) {
    if (last > first * bound) wrong.push(`server ${i}: memory grew from ${first} to ${last} MiB`);
    if (d.before !== d.after) wrong.push(`server ${i}: ${d.before} descriptors before, ${d.after} after: ${d.more}`);
    if (t.before !== t.after) wrong.push(`server ${i}: ${t.before} threads before, ${t.after} after`);
    if (code !== 0) wrong.push(`server ${i}: exit code ${code}`);
  }
  return wrong;
}

/** What is open more often after than before. */
function more(before, now) {
  const left = [...before];
  return now.filter((what) => {
    const place = left.indexOf(what);
    if (place >= 0) left.splice(place, 1);
    return place < 0;
  });
}

try {
  await models.prepare(2);
  const clients = new Clients(soak, models, seen);
  let turn = 0;
  const next = (step) => (connected) => {
    turn += 1;
    return step.call(clients, connected, turn);
  };
  let changes = 0;
  const loops = [
    ...Array.from({ length: 6 }, () => clients.loop(20, next(clients.normal))),
    clients.loop(30, (connected) => clients.swapped(connected)),
    clients.loop(700, (connected) => clients.replacing(connected)),
    clients.loop(400, (connected) => {
      changes += 1;
      return clients.loading(connected, changes);
    }),
    ...[0, 3].map((i) => {
      let n = i;
      return clients.loop(60, (connected) => {
        n += 1;
        return clients.hangingUp(connected, n);
      });
    }),
    (() => {
      let n = 0;
      return clients.loop(60, (connected) => {
        n += 1;
        return clients.malformed(connected, n);
      });
    })(),
  ];
  const later = models.tasks.slice(2);
  const first = await live(loops.length, later.slice(0, Math.ceil(later.length / 2)));
  console.error(`${at().toFixed(0)} s: SIGTERM with requests under way`);
  await after(1000);
  const under = await clients.underWay(first.server);
  await end(first.server);
  await under.finish();
  const firstEnd = await first.server.ended;
  const second = await live(loops.length, later.slice(Math.ceil(later.length / 2)));
  soak.over = true;
  await Promise.all(loops);
  await end(second.server);
  const secondEnd = await second.server.ended;

  const servers = [
    [first, firstEnd],
    [second, secondEnd],
  ].map(([{ server, before, idle }, { code, signal }]) => ({
    memory: thirds(server.samples),
    descriptors: { before: before.descriptors, after: idle.descriptors, more: more(before.open, idle.open) },
    threads: { before: before.threads, after: idle.threads },
    code: code ?? signal,
    samples: server.samples,
  }));
  const { problems, ...counts } = seen;
  const result = { minutes: Number(options.minutes), bound, counts, problems, servers };
  const text = `${table(result)}\n\n${options.minutes} minutes, ${cpus().length} cores (${cpus()[0].model.trim()}), clients and server on the same machine.`;
  console.log(text);
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(result, null, 1)}\n`);
  const wrong = faults(result);
  for (const line of [...wrong, ...problems]) console.error(line);
  if (wrong.length > 0) {
    console.error(second.server.log().slice(-3000));
    process.exitCode = 1;
  } else if (options.write) writePart('serve.md', 'soak', text);
} finally {
  soak.over = true;
  soak.current?.child.kill('SIGKILL');
  rmSync(dir, { recursive: true, force: true });
}
