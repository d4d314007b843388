// Gradients of models of real size by all of their weights: ResNet-50, ViT-B/16, BERT-base, GPT-2 small, as torch.onnx exports them. Seconds and
// peak memory of `prognet grad`, of onnx-ad and of onnxsim's graph_grad; size of what they make; one step in onnxruntime, element by element
// against PyTorch's gradients of float64. All seconds are the processor's, and steps run on one thread: what else the machine does is not counted. The table also goes into docs/gradients.md: node scripts/bench/gradient-size.mjs [name...] [--keep FOLDER]
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { load } from '../../dist/onnx/node.js';
import { withPart } from '../page-part.mjs';
import { machine } from './harness.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const python = here('../../.venv-bench/bin/python');
const withTorch = [here('../../.venv-models/bin/python'), python].find(existsSync);
const titles = { resnet50: 'ResNet-50', vit_b: 'ViT-B/16', bert_base: 'BERT-base', gpt2: 'GPT-2 small' };
const rivals = ['onnx-ad', 'onnxsim'];
const json = (command, args) =>
  JSON.parse(execFileSync(command, args, { encoding: 'utf8', maxBuffer: 1e9 }).trim().split('\n').at(-1));

/** The names of `<name>.npz`'s gradients that the model has as weights. */
function weightsOf(model, arrays) {
  const script = 'import sys, numpy, json; print(json.dumps(numpy.load(sys.argv[1]).files))';
  const known = new Set(load(model, undefined, true).graph.initializers.map((v) => v.name));
  return json(python, ['-c', script, arrays]).flatMap((k) =>
    k.startsWith('grad/') && known.has(k.slice(5)) ? [k.slice(5)] : [],
  );
}

function ours(model, by, out, folder) {
  const [peak, cpu] = [join(folder, 'peak'), join(folder, 'cpu')];
  const args = [
    '--require',
    here('peak.cjs'),
    here('../../dist/cli/main.js'),
    'grad',
    model,
    '--of',
    'loss',
    '--by',
    by.join(),
    '-o',
    out,
  ];
  const env = { ...process.env, PEAK_FILE: peak, CPU_FILE: cpu };
  execFileSync(process.execPath, args, { env, stdio: ['ignore', 'ignore', 'inherit'] });
  const seconds = Number(readFileSync(cpu, 'utf8'));
  const gradients = Object.fromEntries(by.map((name) => [name, `grad/${name}`]));
  return { seconds, peak: Number(readFileSync(peak, 'utf8')), gradients, seeds: {} };
}

function theirs(rival, model, by, out, folder) {
  const names = join(folder, 'names');
  writeFileSync(names, by.join('\n'));
  const ran = spawnSync(python, [here('gradient-size-peer.py'), rival, model, names, out], { encoding: 'utf8', maxBuffer: 1e9 });
  if (ran.status !== 0) return { raised: `ended with ${ran.status ?? ran.signal}: ${ran.stderr.trim().split('\n').at(-1)}` };
  return JSON.parse(ran.stdout.trim().split('\n').at(-1));
}

function measure(name, folder) {
  const [model, arrays] = [join(folder, `${name}.onnx`), join(folder, `${name}.npz`)];
  if (!existsSync(arrays))
    execFileSync(withTorch, [here('gradient-size.py'), folder, name], { stdio: ['ignore', 'ignore', 'inherit'] });
  const by = weightsOf(model, arrays);
  const bytes = statSync(model).size + statSync(`${model}.data`).size;
  const row = { name: titles[name], weights: by.length, bytes, nodes: load(model, undefined, true).graph.nodes.length };
  for (const who of ['prognet', ...rivals]) {
    const out = join(folder, `${name}-${who}.onnx`);
    for (const file of [out, `${out}.data`]) rmSync(file, { force: true });
    const { gradients, seeds, ...built } = who === 'prognet' ? ours(model, by, out, folder) : theirs(who, model, by, out, folder);
    row[who] = built;
    if (built.raised !== undefined) continue;
    const called = JSON.stringify({ model, gradients, seeds });
    const ran = spawnSync(python, [here('gradient-size-step.py'), out, arrays, called], { encoding: 'utf8', maxBuffer: 1e9 });
    if (ran.status === 0) Object.assign(row[who], JSON.parse(ran.stdout.trim().split('\n').at(-1)));
    else row[who].raised = `does not run: ${ran.stderr.trim().split('\n').at(-1)?.slice(0, 160)}`;
    for (const file of [out, `${out}.data`]) rmSync(file, { force: true });
  }
  console.error(JSON.stringify(row));
  return row;
}

const args = process.argv.slice(2);
const kept = args.includes('--keep') ? args.splice(args.indexOf('--keep'), 2)[1] : undefined;
const folder = kept ?? mkdtempSync(join(tmpdir(), 'prognet-gradient-size-'));
mkdirSync(folder, { recursive: true });
try {
  const measured = (args.length > 0 ? args : Object.keys(titles)).map((name) => measure(name, folder));
  const versions = json(python, [
    '-c',
    'import json; from importlib.metadata import version as v; print(json.dumps({p: v(p) for p in ("onnx-ad", "onnxsim", "onnxruntime")}))',
  ]);
  const file = here('results/gradient-size.json');
  // Models that are not measured this time keep their figures.
  const before = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).models : [];
  const models = Object.values(titles).flatMap((title) => [...measured, ...before].find((m) => m.name === title) ?? []);
  const results = { date: new Date().toISOString().slice(0, 10), machine: machine(), versions, models };
  writeFileSync(file, `${JSON.stringify(results, null, 1)}\n`);
  const page = here('../../docs/gradients.md');
  writeFileSync(page, withTable(readFileSync(page, 'utf8'), results));
} finally {
  if (kept === undefined) rmSync(folder, { recursive: true, force: true });
}

/** docs/gradients.md with the table of these results in its place. */
function withTable(document, results) {
  return withPart(document, 'size', tableOf(results));
}

function tableOf({ models, versions, date, machine }) {
  const cells = (m, who) => {
    const r = m[who];
    const built = r.seconds === undefined ? ' | ' : `${r.seconds.toFixed(1)} s | ${(r.peak / m.bytes).toFixed(1)}`;
    if (r.raised !== undefined) return `| | ${who} | ${built} | | | | ${r.raised.replaceAll('|', '/')} |`;
    return `| | ${who} | ${built} | ${r.nodes} | ${(r.bytes / 1e6).toFixed(1)} MB | ${r.step.toFixed(2)} s | ${r.difference.toExponential(0)} |`;
  };
  return [
    `prognet, onnx-ad ${versions['onnx-ad']}, onnxsim ${versions.onnxsim} (graph_grad), onnxruntime ${versions.onnxruntime}, ${date}; ${machine}`,
    '',
    '| model | by | build | memory | nodes | size | step | difference |',
    '|---|---|---|---|---|---|---|---|',
    ...models.flatMap((m) => [
      `| ${m.name}, ${(m.bytes / 1e6).toFixed(0)} MB, ${m.nodes} nodes, ${m.weights} weights | PyTorch, float32 | | | | | ${m.prognet.torch.toFixed(2)} s | ${m.prognet.torchDifference.toExponential(0)} |`,
      ...['prognet', ...rivals].map((who) => cells(m, who)),
    ]),
  ].join('\n');
}
