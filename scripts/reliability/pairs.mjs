// Two prognet processes at once in one workspace, in all pairs of commands. Needs npm run build.
//   node scripts/reliability/pairs.mjs [--every 1]
// Each ends with 0, or with one line of refusal (another works here, was changed meanwhile, is frozen already); after both, verify passes, models
// load, and nothing half written is left. Prints how often both were done and how often one was refused; exits 1 on any miss.
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { describe, prognet, prognetBeside } from './small-workspace.mjs';

const { load } = await import(new URL('../../dist/onnx/node.js', import.meta.url).href);
const { values } = parseArgs({ options: { every: { type: 'string', default: '1' } } });

const commands = {
  train: ['train', 'b', '--freeze', '--threads', '1'],
  resume: ['train', 'b', '--freeze', '--resume', '--threads', '1'],
  freeze: ['freeze', 'b'],
  reset: ['reset', 'b'],
  import: ['import', 'seed.onnx', '--task', 'c', '--data', '{ source: a.csv, header: false, label: -1 }', '--threads', '1'],
  'import-other': [
    'import',
    'seed.onnx',
    '--task',
    'd',
    '--data',
    '{ source: a.csv, header: false, label: -1 }',
    '--threads',
    '1',
  ],
  export: ['export', '--task', 'a', '-o', 'out.onnx'],
  'export-external': ['export', '--task', 'a', '--external-data', '-o', 'out.onnx'],
  bundle: ['bundle', '-o', 'out.prognet'],
  deploy: ['deploy', 'node', '--tasks', 'a', '-o', 'service'],
  artifacts: ['artifacts', 'a', '-o', 'service'],
  predict: ['predict', 'a', '--input', 'rows.npy', '--output', 'out.npy'],
  verify: ['verify'],
};
const refusal =
  /^prognet: .*(works here since|changed while|trained by another process|frozen|unfinished training|not trained yet|nothing to take back|already|no run|was not written by prognet|exists)/m;

const top = mkdtempSync(join(tmpdir(), 'prognet-pairs-'));
const base = join(top, 'base');
describe(base);
for (const args of [
  ['train', 'a', '--freeze', '--threads', '1'],
  ['train', 'b', '--threads', '1'],
  ['export', '--task', 'a', '-o', 'seed.onnx'],
]) {
  const { status, stderr } = prognet(base, args);
  if (status !== 0) throw new Error(stderr);
}

let [misses, done, refused, tried] = [0, 0, 0, 0];
const names = Object.keys(commands);
const pairs = names.flatMap((a, i) => names.slice(i).map((b) => [a, b]));
for (let i = 0; i < pairs.length; i += Number(values.every)) {
  const pair = pairs[i];
  const folder = mkdtempSync(join(top, 'run-'));
  cpSync(base, folder, { recursive: true });
  tried++;
  const wrong = [];
  const ends = await Promise.all(pair.map((name) => prognetBeside(folder, commands[name])));
  for (const [k, { status, stderr }] of ends.entries()) {
    if (status === 0) continue;
    refused++;
    if (status !== 2 || !refusal.test(stderr)) wrong.push(`${pair[k]}: exit ${status}, ${stderr.trim()}`);
  }
  if (ends.every(({ status }) => status !== 0)) wrong.push('neither was done');
  if (ends.every(({ status }) => status === 0)) done++;
  const { status, stderr } = prognet(folder, ['verify']);
  if (status !== 0) wrong.push(`verify: ${stderr.trim()}`);
  const left = readdirSync(folder, { recursive: true });
  if (left.includes('out.onnx')) load(join(folder, 'out.onnx'));
  const stray = left.filter((path) => /\.tmp-|\.lock$|\.pending$|\.replaced$/.test(path));
  if (left.filter((path) => path.startsWith('out.onnx')).length > 2) stray.push('a second data file');
  if (stray.length > 0) wrong.push(`left ${stray.join(', ')}`);
  if (wrong.length > 0) misses++;
  for (const what of wrong) console.error(`${pair.join(' and ')}: ${what}`);
  rmSync(folder, { recursive: true });
}
rmSync(top, { recursive: true });
console.log(`${tried} pairs: both done in ${done}, ${refused} commands refused, ${misses} misses`);
process.exitCode = misses === 0 ? 0 : 1;
