// Which ops a training spends its time on: the reason of a missed bar. The profiler itself takes time, so shares count here, not sums.
import { execFileSync } from 'node:child_process';
import { node } from './harness.mjs';

const cases = [
  ['step, dense column', 'dense', 1, 25_600],
  ['step, convolutional column', 'conv', 1, 6_400],
  ['step, four transformer encoder layers', 'encoder', 1, 256],
  ['dense column 2', 'dense', 2, 6_400],
  ['dense column 5', 'dense', 5, 6_400],
  ['dense column 10', 'dense', 10, 6_400],
  ['convolutional column 5', 'conv', 5, 2_560],
];
const shown = 9;

async function run() {
  const profile = [
    '| training | nodes per step | sessions made | ops by their share of the time in nodes |',
    '|---|---|---|---|',
  ];
  for (const [name, ...args] of cases) {
    const [file, ...rest] = node('profile-prognet.mjs', ...args.map(String));
    const options = { cwd: new URL('.', import.meta.url), encoding: 'utf8', maxBuffer: 1 << 26 };
    const { steps, sessionsMade, ops } = JSON.parse(execFileSync(file, rest, options).trim().split('\n').at(-1));
    const sorted = Object.entries(ops).sort(([, a], [, b]) => b.ms - a.ms);
    const all = sorted.reduce((sum, [, { ms }]) => sum + ms, 0);
    const nodes = sorted.reduce((sum, [, op]) => sum + op.nodes, 0);
    const share = ([op, { ms }]) => `${op} ${((100 * ms) / all).toFixed(0)} %`;
    const list = sorted.slice(0, shown).map(share).join(', ');
    profile.push(`| ${name} | ${(nodes / steps).toFixed(0)} | ${sessionsMade.toFixed(0)} ms | ${list} |`);
  }
  return {
    rows: [],
    notes: [
      "By ONNX Runtime's profiler, two epochs, the cache of taps included; MatMul, Gemm and their fused forms are products.",
    ],
    profile,
  };
}

export const bench = { title: 'Where the time goes', run };
