// Inference of five dense columns of 256 features with adapters, all heads: prognet's export, plain and fused, against PyTorch eager and
// torch.onnx's export on the same ONNX Runtime; the roofline is one Gemm with as many weights, in the same run. And the routed form against each
// task's own model.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { node, python, race, row } from './harness.mjs';
import { columns, writeModels } from './inference-models.mjs';

/** A turn takes tens of milliseconds here, and many of them even out what else the machine does. */
const turns = { rounds: 21 };
/** Largest ratio to PyTorch eager and to torch.onnx's export, by batch. */
const bars = { 1: [0.15, 0.8], 32: [0.5, 0.9], 256: [0.9, 1.0] };
const eager = 'PyTorch eager';
const exported = "torch.onnx's export, same ONNX Runtime";
const roofline = 'roofline: one Gemm of as many weights';

export const bench = { title: 'Inference, five dense columns of 256 with adapters', run };

async function run() {
  const folder = mkdtempSync(join(tmpdir(), 'prognet-bench-'));
  const model = (name) => join(folder, `${name}.onnx`);
  try {
    const { weights } = await writeModels(folder);
    const [file, ...args] = python('inference-torch.py', 'export', model('torch'));
    execFileSync(file, args, { cwd: new URL('.', import.meta.url), stdio: ['ignore', 2, 'inherit'] });
    const rows = [];
    const notes = [];
    for (const [batch, [eagerBar, exportBar]] of Object.entries(bars)) {
      const ort = (name, ...more) => node('inference-ort.mjs', model(name), batch, ...more);
      const results = await race(
        {
          'prognet, fused': ort('fused'),
          'prognet, plain': ort('plain'),
          [eager]: python('inference-torch.py', 'run', batch),
          [exported]: ort('torch'),
          [roofline]: ort('roofline'),
        },
        turns,
      );
      const work = `five columns, all heads, batch ${batch}`;
      const barred = [
        [eager, eagerBar],
        [exported, exportBar],
      ].map(([peer, bar]) => row(work, results, 'prognet, fused', peer, bar));
      rows.push(...barred);
      rows.push(row(work, results, 'prognet, fused', 'prognet, plain'));
      rows.push(row(work, results, 'prognet, fused', roofline));
      const ms = results[roofline].median;
      const rate = (2 * weights * Number(batch)) / ms / 1e6;
      notes.push(
        `Batch ${batch}: the one Gemm reaches ${rate.toFixed(0)} GFLOP/s and reads its weights at ${((4 * weights) / ms / 1e6).toFixed(0)} GB/s.`,
      );
      const missed = barred
        .filter(({ ratio, bar }) => ratio > bar)
        .map(({ bar, peer }) => `${(bar * peer.median).toFixed(3)} ms for the bar of ${bar} of ${peer.name}`);
      if (missed.length > 0)
        notes.push(
          `It would take ${missed.join(' and ')}; the one Gemm takes ${ms.toFixed(3)} ms, and ours computes as many products in ${results['prognet, fused'].median.toFixed(3)} ms.`,
        );
    }
    const extra = [];
    for (let task = 0; task < columns; task++) {
      const own = `the own model of t${task}`;
      const results = await race(
        {
          routed: node('inference-ort.mjs', model('routed'), '1', String(task)),
          [own]: node('inference-ort.mjs', model(`t${task}`), '1'),
        },
        turns,
      );
      rows.push(row(`routed, task t${task} of five, batch 1`, results, 'routed', own, 1.1));
      extra.push(((results.routed.median - results[own].median) * 1000).toFixed(0));
    }
    notes.push(
      'A routed run costs a fixed part more than the own model: the check of task_id, and for task k of columns that read all before them k + 1 Ifs',
      `(4 at most here); here it is ${extra.join(', ')} microseconds for t0 to t${columns - 1}, which the smaller models cannot hide. Fused, plain and torch.onnx run the same products, so beyond batch 1 they differ by elementwise passes alone.`,
    );
    return { rows, notes: [notes.join(' ')] };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
