// Training artifacts of columns whose inputs have open sizes: those of the same description with the sizes of its training data, byte for byte; TrainingSession takes the
// steps that our step graph takes. test/python/training.test.ts trains them in Python.
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { writeNpz } from '../../src/formats/npz.js';
import { must } from '../../src/onnx/core/errors.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { loadOrtTraining } from '../../src/onnx/runtime/ort-training-node.js';
import { okIn, prognet } from '../cli/support.js';
import { openCase, openDescription, openSteps, steps } from './cases.js';
import {
  apart,
  artifactsOf,
  type EngineSettings,
  trainWithLoop,
  trainWithSession,
  weightsApart,
  weightTolerance,
} from './engines.js';

const training = await loadOrtTraining();
const files = ['training_model.onnx', 'eval_model.onnx', 'optimizer_model.onnx', 'checkpoint'];

describe('prognet artifacts', () => {
  const { inputs, targets } = openCase();
  const workspace = (size: string | number): string => {
    const dir = mkdtempSync(join(tmpdir(), 'prognet-open-artifacts-'));
    writeFileSync(join(dir, 'prognet.yaml'), JSON.stringify(openDescription(size)));
    const tested = size === openSteps ? openSteps : 3;
    const parts = {
      tokens_train: must(inputs.tokens, 'tokens'),
      count_train: must(inputs.count, 'count'),
      y_train: targets,
      tokens_test: Tensor.zeros('int64', [2, tested]),
      count_test: Tensor.from('int64', [2, 3], [2]),
      y_test: Tensor.from('int64', [0, 1], [2]),
    };
    writeFileSync(join(dir, 'mood.npz'), writeNpz(new Map(Object.entries(parts))));
    return dir;
  };
  let open = '';
  beforeAll(() => {
    open = workspace('steps');
  });

  it('of the first and of a second column are those of known sizes, and say the size', () => {
    const known = workspace(openSteps);
    for (const task of ['first', 'second']) {
      const told = okIn(open, 'artifacts', task, '-o', join(open, task));
      expect(told).toContain(`\nof the size of the training data: steps ${openSteps}\n`);
      expect(okIn(known, 'artifacts', task, '-o', join(known, task))).not.toContain('of the size');
      for (const file of files)
        expect(readFileSync(join(open, task, file)).equals(readFileSync(join(known, task, file))), `${task} ${file}`).toBe(true);
      if (task === 'first') for (const dir of [open, known]) okIn(dir, 'train', task, '--freeze', '--quiet', '--threads', '1');
    }
    expect(JSON.parse(okIn(open, 'artifacts', 'second', '-o', join(open, 'second'), '--json')).sizes).toEqual({
      steps: openSteps,
    });
  });

  it('a column without data is told so in one line', () => {
    const dir = mkdtempSync(join(tmpdir(), 'prognet-open-artifacts-'));
    const { columns, ...rest } = openDescription('steps');
    writeFileSync(
      join(dir, 'prognet.yaml'),
      JSON.stringify({ ...rest, columns: columns.map(({ data: _, ...column }) => column) }),
    );
    const { status, stderr } = prognet('artifacts', 'first', '-o', join(dir, 'none'), '-C', dir);
    expect({ status, lines: stderr.trim().split('\n') }).toEqual({
      status: 2,
      lines: [expect.stringContaining('task "first" names no data, expected a source such as mnist')],
    });
  });
});

it('twenty steps in TrainingSession are those of our step graph', async () => {
  const given = openCase();
  const settings: EngineSettings = {
    optimizer: { kind: 'adamw', weightDecay: 0.02 },
    rates: Array.from({ length: steps }, () => 0.002),
  };
  const artifacts = artifactsOf(given, settings, 'inputs');
  const own = await trainWithLoop(given, settings);
  const official = await trainWithSession(training, given, artifacts);
  expect(apart(own.losses, official.losses)).toBeLessThan(1e-5);
  for (const { name, role } of artifacts.parameters) {
    const after = must(official.weights.get(name), name);
    if (role === 'frozen') expect(after.bytes, name).toEqual(must(given.frozen.get('first')?.get(name), name).bytes);
    else expect(weightsApart(own.weights.get(name), after), name).toBeLessThan(weightTolerance);
  }
});
