// Gradient graphs of three models that torch.onnx exported, ours and onnx-ad's: ops covered, nodes, time of one evaluation on the same ONNX
// Runtime. The table also goes into docs/gradients.md.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readNpz } from '../../dist/formats/npz.js';
import { fromBinary, grad, toBinary } from '../../dist/onnx/index.js';
import { allNodes } from '../../dist/onnx/ir/graph.js';
import { table } from '../../dist/onnx/ops/table.js';
import { withPart } from '../page-part.mjs';
import { node, python, race, row } from './harness.mjs';

const names = ['resnet', 'encoder', 'lstm'];
const titles = { resnet: 'ResNet', encoder: 'transformer encoder layer', lstm: 'two-layer bidirectional LSTM' };
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const fixture = (name) => here(`../../test/onnx/autodiff/torch/${name}`);

/** Old names that are brought to ops of the table before anything is differentiated. */
const upgraded = ['Upsample', 'Scatter'];

/** Nodes of a graph and its subgraphs; constants are data, not work. */
const countNodes = (graph) => [...allNodes(graph)].filter((n) => n.opType !== 'Constant').length;

function ours(name, folder) {
  const model = fromBinary(new Uint8Array(readFileSync(`${fixture(name)}.onnx`)));
  const arrays = readNpz(new Uint8Array(readFileSync(`${fixture(name)}.npz`)));
  const by = [...arrays.keys()].filter((k) => k.startsWith('grad/')).map((k) => k.slice('grad/'.length));
  const made = grad(model, { of: 'loss', by });
  writeFileSync(join(folder, `${name}-prognet.onnx`), toBinary(made));
  return { model: countNodes(model.graph), nodes: countNodes(made.graph) };
}

async function run() {
  const folder = mkdtempSync(join(tmpdir(), 'prognet-gradients-'));
  try {
    const [file, ...args] = python('gradient-peers.py', folder, ...names);
    const peer = JSON.parse(execFileSync(file, args, { cwd: here('.'), encoding: 'utf8' }));
    const rows = [];
    const models = [];
    for (const name of names) {
      const own = ours(name, folder);
      const other = peer.models[name];
      const contestant = (who) => node('gradient-run.mjs', join(folder, `${name}-${who}.onnx`), fixture(name));
      const contestants = {
        prognet: contestant('prognet'),
        ...(other.raised === undefined && { 'onnx-ad': contestant('onnx-ad') }),
      };
      const results = await race(contestants, { rounds: 7 });
      if (other.raised === undefined)
        rows.push(row(`${titles[name]}: loss and all gradients, one evaluation, one thread`, results, 'prognet', 'onnx-ad'));
      const side = (who, count) => ({ nodes: count, ms: results[who].median, difference: results[who].info.difference });
      models.push({
        name: titles[name],
        nodes: own.model,
        prognet: side('prognet', own.nodes),
        'onnx-ad': other.raised === undefined ? side('onnx-ad', other.nodes) : { raised: other.raised },
      });
    }
    const covered = Object.keys(table).filter((op) => !['zero', 'unsupported'].includes(table[op].gradient));
    const [a, b] = [new Set([...covered, ...upgraded]), new Set(peer.ops)];
    const ops = {
      prognet: a.size,
      'onnx-ad': b.size,
      onlyPrognet: [...a].filter((op) => !b.has(op)).sort(),
      onlyOnnxAd: [...b].filter((op) => !a.has(op)).sort(),
    };
    return { rows, notes: ['Nodes and ops covered stand in docs/gradients.md.'], version: peer.version, ops, models };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export const bench = { title: 'Gradient graphs of exported models', run };

/** docs/gradients.md with the table of these results in its place. */
export function withTable(document, result) {
  return withPart(document, 'peers', tableOf(result));
}

function tableOf({ models, ops, version, date, machine }) {
  const cell = (side) => (side.raised === undefined ? `${side.nodes} | ${side.ms.toFixed(2)} ms` : `${side.raised} | `);
  const worst = Math.max(...models.flatMap((m) => [m.prognet, m['onnx-ad']]).map((s) => s.difference ?? 0));
  const list = (names) => (names.length === 0 ? 'none' : names.join(', '));
  return [
    `prognet beside onnx-ad ${version}, both run by the same onnxruntime-node, ${date}; ${machine}`,
    '',
    '| model | its nodes | ours: nodes | time | onnx-ad: nodes | time |',
    '|---|---|---|---|---|---|',
    ...models.map((m) => `| ${m.name} | ${m.nodes} | ${cell(m.prognet)} | ${cell(m['onnx-ad'])} |`),
    '',
    `Nodes: of the graph that computes the model and its gradients, subgraphs included, constants not. Time: one evaluation on one thread, median of turns.`,
    `Gradients of both differ from PyTorch's by less than ${worst.toExponential(0)}.`,
    '',
    `Ops with a gradient: ${ops.prognet} here, ${ops['onnx-ad']} in onnx-ad (by a rule, a lowering or the function body of the specification).`,
    `Only here: ${list(ops.onlyPrognet)}. Only there: ${list(ops.onlyOnnxAd)}.`,
  ].join('\n');
}
