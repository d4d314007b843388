// Where the time of a training goes, by ONNX Runtime's profiler, as one line of JSON. Arguments: dense | conv | encoder, the column's number, rows.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ort from 'onnxruntime-node';
import { train, trainSettings } from '../../dist/index.js';
import { NodeRuntime } from '../../dist/node.js';
import { threads } from './harness.mjs';
import { lastColumn, mnist, named, widths } from './networks.mjs';

const [kind, ...numbers] = process.argv.slice(2);
const [count, rows] = numbers.map(Number);
const folder = mkdtempSync(join(tmpdir(), 'prognet-profile-'));

// The profiler is an option of a session, and prognet's adapter has none for it: it is slipped in here.
const create = ort.InferenceSession.create;
const sessions = [];
ort.InferenceSession.create = async (model, options) => {
  const profileFilePrefix = join(folder, `session-${sessions.length}`);
  const started = performance.now();
  const session = await create.call(ort.InferenceSession, model, { ...options, enableProfiling: true, profileFilePrefix });
  sessions.push({ made: performance.now() - started, end: () => session.endProfiling() });
  const release = session.release.bind(session);
  session.release = async () => {
    session.endProfiling();
    await release();
  };
  return session;
};

const { column, frozen } = lastColumn(kind, count, count > 1 ? widths[kind] : undefined);
const batch = kind === 'encoder' ? 32 : 128;
const settings = trainSettings({ epochs: 2, batch, optimizer: 'adam', lr: 0.001 }, 0);
const started = performance.now();
const data = await mnist(rows);
const runtime = await NodeRuntime.load();
const { steps } = await train({ runtime, column, frozen, settings, train: named(data), session: { threads } });
const total = performance.now() - started;

const byOp = new Map();
for (const file of readdirSync(folder)) {
  for (const event of JSON.parse(readFileSync(join(folder, file), 'utf8'))) {
    const op = event.args?.op_name;
    // A Loop's time is that of the nodes inside.
    if (event.cat !== 'Node' || !event.name.endsWith('_kernel_time') || op === 'Loop') continue;
    const sum = byOp.get(op) ?? { ms: 0, nodes: 0 };
    byOp.set(op, { ms: sum.ms + event.dur / 1000, nodes: sum.nodes + 1 });
  }
}
rmSync(folder, { recursive: true });
const sessionsMade = sessions.reduce((sum, s) => sum + s.made, 0);
console.log(JSON.stringify({ steps, total, sessionsMade, ops: Object.fromEntries(byOp) }));
