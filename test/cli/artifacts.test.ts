// prognet artifacts: writes a folder that trains, and takes a trained checkpoint in as the frozen column; a damaged one changes nothing.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readCheckpoint } from '../../src/artifacts/checkpoint/read-checkpoint.js';
import type { TrainingCheckpoint } from '../../src/artifacts/checkpoint/schema.js';
import { writeCheckpoint } from '../../src/artifacts/checkpoint/write-checkpoint.js';
import { decodeSafetensors } from '../../src/formats/safetensors.js';
import { must } from '../../src/onnx/core/errors.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { prognet, workspace } from './support.js';

const read = (file: string): TrainingCheckpoint => readCheckpoint(new Uint8Array(readFileSync(file)), file);

it('writes artifacts, takes a checkpoint in, and refuses what does not fit with nothing written', () => {
  const dir = workspace();
  const artifacts = (...args: string[]) => prognet('artifacts', ...args, '-C', dir);
  const refuses = (args: string[], message: RegExp) => {
    const { status, stderr } = artifacts(...args);
    expect(stderr).toMatch(message);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(status).toBe(2);
    expect(existsSync(join(dir, 'columns/b'))).toBe(false);
  };
  refuses(['b', '-o', join(dir, 'none')], /task "b" reads the column "a", which is not trained yet/);
  expect(existsSync(join(dir, 'none'))).toBe(false);
  refuses(['a'], /give -o <folder> to write artifacts, or --absorb <checkpoint>/);
  refuses(['a', '-o', join(dir, 'none'), '--frozen', 'both'], /--frozen: found "both", expected one of inputs, initializers/);
  refuses(['a', '-o', join(dir, 'none'), '--resume'], /runs\/a: no unfinished training to resume/);

  expect(prognet('train', 'a', '--freeze', '--quiet', '-C', dir).status).toBe(0);
  const out = join(dir, 'b-training');
  const written = artifacts('b', '-o', out, '--json', '--clip', '1', '--lr-scale', '10', '--adam-mode', '1');
  expect(written.stderr).toBe('');
  expect(JSON.parse(written.stdout)).toMatchObject({ task: 'b', userInputs: ['x', 'dropout_seed', 'labels'], step: 0 });
  expect(readdirSync(out).sort()).toEqual([
    '.prognet-bundle.json',
    'checkpoint',
    'eval_model.onnx',
    'optimizer_model.onnx',
    'training_model.onnx',
  ]);
  refuses(['b', '-o', join(dir, 'none'), '--nominal', '--checkpoint-version', '1'], /version 1 cannot be nominal/);
  const fresh = read(join(out, 'checkpoint'));
  expect(artifacts('b', '-o', join(dir, 'old'), '--checkpoint-version', '1', '--frozen', 'initializers').status).toBe(0);
  expect(read(join(dir, 'old/checkpoint'))).toMatchObject({ version: 1, frozen: new Map() });

  const file = join(dir, 'trained');
  const absorb = (checkpoint: TrainingCheckpoint | Uint8Array, message: RegExp) => {
    writeFileSync(file, checkpoint instanceof Uint8Array ? checkpoint : writeCheckpoint(checkpoint));
    refuses(['b', '--absorb', file], message);
  };
  const bytes = new Uint8Array(readFileSync(join(out, 'checkpoint')));
  absorb(bytes.subarray(0, bytes.length / 2), /trained: .*the file has \d+/);
  absorb(new TextEncoder().encode('this is no checkpoint'), /trained: is no training checkpoint, its identifier is/);
  absorb({ ...fresh, version: 3 as 2 }, /trained: is a checkpoint of version 3, expected 1 or 2/);
  absorb({ ...fresh, nominal: true }, /trained: is a nominal checkpoint/);
  const weight = 'b/head/dense/weight';
  const changed = (name: string, tensor: Tensor | undefined) => {
    const trainable = new Map(fresh.trainable);
    if (tensor === undefined) trainable.delete(name);
    else trainable.set(name, tensor);
    return { ...fresh, trainable };
  };
  absorb(changed(weight, undefined), /trained: has no "b\/head\/dense\/weight", which task "b" needs/);
  absorb(changed(weight, Tensor.zeros('float32', [2, 8])), /"b\/head\/dense\/weight" is float32\[2,8\], expected float32\[8,2\]/);
  absorb(
    changed(weight, new Tensor('float32', [8, 2], new Float32Array(16).fill(Number.NaN))),
    /is NaN at 0, expected finite numbers/,
  );
  absorb(changed('b/extra', Tensor.zeros('float32', [1])), /has "b\/extra", which is no parameter of this task/);
  const [name, tensor] = must([...fresh.frozen][0], 'a frozen parameter');
  const moved = new Map(fresh.frozen).set(name, new Tensor('float32', tensor.dims, new Float32Array(tensor.size)));
  absorb({ ...fresh, frozen: moved }, /of a frozen column was moved/);

  const trained = new Tensor(
    'float32',
    [8, 2],
    Float32Array.from({ length: 16 }, (_, i) => i / 16),
  );
  writeFileSync(file, writeCheckpoint(changed(weight, trained)));
  const taken = artifacts('b', '--absorb', file, '--json');
  expect(JSON.parse(taken.stdout)).toMatchObject({ task: 'b' });
  const { tensors } = decodeSafetensors(new Uint8Array(readFileSync(join(dir, 'columns/b/weights.safetensors'))), 'b');
  expect(tensors.get(weight)?.bytes).toEqual(trained.bytes);
  expect(JSON.parse(prognet('verify', '--json', '-C', dir).stdout).tasks).toMatchObject([
    { identical: true },
    { identical: true },
  ]);
  expect(artifacts('b', '--absorb', file)).toMatchObject({ status: 2 });
}, 60_000);
