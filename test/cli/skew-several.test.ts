// No skew of networks of several inputs, six dtypes, a table and a text among them: what `predict` says of raw arrays say all exported forms in Python's
// onnxruntime and the Node service (the page: test/studio/several-inputs.test.ts); files of lower precision say nearly the same.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { readNpy } from '../../src/formats/npy.js';
import { must } from '../../src/onnx/core/errors.js';
import { loadModel } from '../../src/onnx/serde/external-data.js';
import { environment, python } from '../python/python.js';
import { serve } from '../support/service.js';
import { asGraphInputs, asJson, rows, sixDtypes } from '../support/six-dtypes.js';
import { okIn } from './support.js';

const { missing, note } = environment('.venv');
const answers = z.record(z.string(), z.array(z.unknown()));
const tasks = ['plain', 'numbers', 'all', 'words'] as const;

describe.skipIf(missing)(`several inputs give the same everywhere${note}`, () => {
  let dir = '';
  const at = (name: string) => join(dir, name);
  const ok = (...args: string[]) => okIn(dir, ...args);
  const inside = new Map<string, readonly number[]>();
  beforeAll(() => {
    dir = sixDtypes();
    ok('train', '--all', '--freeze', '--quiet', '--threads', '1');
    ok('verify', '--quiet');
    writeFileSync(at('taken.json'), JSON.stringify(asGraphInputs()));
    for (const task of tasks) {
      ok('predict', task, '--input', at('asked.npz'), '--output', at('answers.npy'), '--quiet');
      inside.set(task, readNpy(readFileSync(at('answers.npy')), 'answers.npy').numbers());
    }
  });
  const ask = (file: string, ...id: string[]) => answers.parse(python('.venv', 'answers.py', at(file), at('taken.json'), ...id));
  const near = (task: string, found: readonly unknown[] | undefined, what: string, tolerance = 1e-5) => {
    const own = must(inside.get(task), task);
    const values = (found ?? []).flat().map(Number);
    expect(values.length, what).toBe(own.length);
    for (const [i, v] of values.entries())
      expect(Math.abs(v - must(own[i], what)), `${what}, number ${i}`).toBeLessThan(tolerance);
  };

  it('in every form, in Python', () => {
    ok('export', '--all', '--probabilities', '-o', at('all.onnx'));
    ok('export', '--all', '--fused', '--probabilities', '-o', at('fused.onnx'));
    ok('export', '--routed', '--probabilities', '-o', at('routed.onnx'));
    const [all, fused] = [ask('all.onnx'), ask('fused.onnx')];
    for (const task of tasks) {
      ok('export', '--task', task, '--probabilities', '-o', at(`${task}.onnx`));
      near(task, ask(`${task}.onnx`)[`${task}_probabilities`], `${task}.onnx`);
      near(task, all[`${task}_probabilities`], `${task} of all.onnx`);
      near(task, fused[`${task}_probabilities`], `${task} of fused.onnx`);
    }
    for (const [id, task] of tasks.entries()) near(task, ask('routed.onnx', String(id)).probabilities, `${task} of routed.onnx`);
  });

  it('in the Node service', async () => {
    ok('deploy', 'node', '-o', at('service'));
    const url = await serve(at('service'));
    const all = Array.from({ length: rows }, (_, i) => asJson(i));
    const said = Object(await (await fetch(`${url}/tasks`)).json());
    for (const { task, inputs } of said.tasks) {
      const names: string[] = inputs.filter((name: string) => name !== 'mask');
      const body = JSON.stringify({ inputs: Object.fromEntries(names.map((name) => [name, all.map((row) => row[name])])) });
      const headers = { 'content-type': 'application/json' };
      const response = await fetch(`${url}/predict/${task}`, { method: 'POST', headers, body });
      expect(Object(await response.json()).probabilities.flat(), task).toEqual(inside.get(task));
    }
  });

  it.each(['fp16', 'fp16 --fused', 'int8', 'int8-dynamic'])('nearly, in %s', (flags) => {
    for (const task of tasks) {
      ok('export', '--task', task, '--probabilities', '--precision', ...flags.split(' '), '-o', at('low.onnx'));
      // What a task takes stays as it is: weights and what is computed are of lower precision.
      const taken = (file: string) => loadModel(at(file)).graph.inputs.map((v) => [v.name, v.dtype, v.shape]);
      ok('export', '--task', task, '-o', at('full.onnx'));
      expect(taken('low.onnx')).toEqual(taken('full.onnx'));
      near(task, ask('low.onnx')[`${task}_probabilities`], `${task}, ${flags}`, 0.06);
    }
  });
});
