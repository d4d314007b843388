// Columns that read masks and answer each step, frozen: the proof holds over all steps, those that only fill up among them, and what fills up moves no bit
// of any answer, in the exported file of one task and of all.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { writeNpz } from '../../src/formats/npz.js';
import { must } from '../../src/onnx/core/errors.js';
import { Random } from '../../src/onnx/core/random.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { exportedModel } from '../../src/tasks/export-tasks.js';
import { freezeTask } from '../../src/tasks/freeze-task.js';
import { loadWorkspace } from '../../src/tasks/load-workspace.js';
import { trainTask } from '../../src/tasks/train-task.js';
import { verifyTask } from '../../src/tasks/verify.js';
import { runModel, runtime } from '../support/run.js';

const [rows, steps, width] = [40, 6, 4];
const random = new Random(3, 'masked');
// None, all, and some.
const lengths = Array.from({ length: rows }, (_, i) => (i < 2 ? i * steps : random.below(steps + 1)));
const isThere = (i: number) => i % steps < must(lengths[Math.floor(i / steps)], 'length');
const values = Array.from({ length: rows * steps * width }, () => random.normal());
/** Samples with one number in all that fills up; without one, whatever was drawn. */
const filled = (by?: number): Tensor =>
  Tensor.from(
    'float32',
    values.map((v, i) => (by === undefined || isThere(Math.floor(i / width)) ? v : by)),
    [rows, steps, width],
  );
const n = Tensor.from('int64', lengths, [rows]);
const y = Tensor.from(
  'int64',
  Array.from({ length: rows * steps }, (_, i) => (isThere(i) ? random.below(3) : -100)),
  [rows, steps],
);

const encoder = (options: string) => `[[{ transformer_encoder: { heads: 2, mask: n${options} } }]]`;
const blocks: Readonly<Record<string, string>> = {
  encoder: '[[{ transformer_encoder: { heads: 2, mask: n } }], [{ transformer_encoder: { heads: 1, mask: n } }]]',
  post: encoder(', norm: post'),
  causal: encoder(', causal: true, rotary: 100'),
  decoder: '[[{ transformer_decoder: { heads: 2, mask: n, cross: x, cross_mask: n } }]]',
  attention: '[[{ attention: { heads: 2, mask: n } }]]',
  lstm: '[[{ lstm: { units: 3, mask: n, sequences: true, direction: bidirectional } }]]',
  gru: '[[{ gru: { units: 3, mask: n, sequences: true } }]]',
  rnn: '[[{ rnn: { units: 3, mask: n, sequences: true } }]]',
};
const column = (task: string, of: string, laterals: string) => `  - task: ${task}
    data: d.npz
    inputs: [x, n]
    blocks: ${of}
    head: { classify: { classes: 3, each: step } }
    laterals: ${laterals}
    train: { epochs: 1, batch: 16, lr: 0.01 }
`;

it.each(['steps', String(steps)])(
  '%s: what fills up reaches no answer, and the proof holds',
  async (size) => {
    const root = mkdtempSync(join(tmpdir(), 'prognet-masked-'));
    writeFileSync(join(root, 'd.npz'), writeNpz(new Map(Object.entries({ x: filled(), n, y }))));
    const alone = Object.entries(blocks).map(([task, of]) => column(task, of, 'none'));
    const late = column('late', must(blocks.post, 'post'), '{ kind: linear, from: [encoder, gru] }');
    const inputs = `  - { name: x, shape: [${size}, ${width}] }\n  - { name: n, shape: [], dtype: int64 }`;
    writeFileSync(
      join(root, 'prognet.yaml'),
      `prognet: 1\nname: masked\ninput:\n${inputs}\ncolumns:\n${[...alone, late].join('')}`,
    );
    const tasks = [...Object.keys(blocks), 'late'];
    for (const task of tasks) {
      await trainTask(runtime, root, task, { threads: 1 });
      await freezeTask(runtime, root, task);
    }
    const loaded = loadWorkspace(root);
    const all = exportedModel(loaded, { tasks });
    for (const task of tasks) {
      expect((await verifyTask(runtime, loaded, task, { threads: 1 })).identical, task).toBe(true);
      const model = exportedModel(loaded, { tasks: [task] });
      const own = must((await runModel(model, { x: filled(), n }))[task], task);
      expect(own.numbers().every(Number.isFinite), task).toBe(true);
      for (const by of [0, Number.NaN, Number.POSITIVE_INFINITY])
        expect(
          Buffer.compare(must((await runModel(model, { x: filled(by), n }))[task], task).bytes, own.bytes),
          `${task} of ${by}`,
        ).toBe(0);
      expect(
        Buffer.compare(must((await runModel(all, { x: filled(Number.NaN), n }))[task], task).bytes, own.bytes),
        `${task} of all`,
      ).toBe(0);
    }
    // Other outputs than were recorded, of the same model and of another.
    const said = async (graph: string) => {
      const { frozen } = loaded;
      const { record, ...rest } = must(frozen.get('encoder'), 'encoder');
      const changed = { ...record, outputs: { ...record.outputs, sha256: '0'.repeat(64) }, sha256: { ...record.sha256, graph } };
      const moved = { ...loaded, frozen: new Map(frozen).set('encoder', { ...rest, record: changed }) };
      const { identical, reason } = await verifyTask(runtime, moved, 'encoder', { threads: 1 });
      return { identical, reason };
    };
    const graph = must(loaded.frozen.get('encoder'), 'encoder').record.sha256.graph;
    expect(await said(graph)).toEqual({ identical: false, reason: 'the outputs differ from those at freezing' });
    expect(await said('1'.repeat(64))).toEqual({
      identical: false,
      reason: 'the outputs differ from those at freezing, and so does the exported model: another version of prognet writes it',
    });
  },
  120_000,
);
