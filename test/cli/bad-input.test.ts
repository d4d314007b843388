// Bad input ends in one clear line and exit code 2.
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { writeNpy } from '../../src/formats/npy.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { normals } from '../support/random-network.js';
import { csv, prognet, workspace, yaml } from './support.js';

describe('bad input: one clear line, exit code 2', () => {
  const says = (dir: string, args: string[], message: RegExp) => {
    const { status, stderr } = prognet(...args, '-C', dir);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(stderr).toMatch(message);
    expect(status).toBe(2);
  };
  it('an unknown layer', () =>
    says(workspace(yaml().replace('dense: 8', 'densee: 8')), ['check'], /unknown layer "densee", did you mean "dense"/));
  it('shapes that do not fit', () =>
    says(
      workspace(yaml().replace('[{ dense: 8 }, relu]]', '[{ maxpool2d: 2 }]]')),
      ['check'],
      /prognet\.yaml: columns\[0\]\.blocks\[1\]\[0\]/,
    ));
  it('numbers beyond any machine, and a softmax over the batch', () => {
    says(
      workspace(yaml().replace('dense: 8', 'dense: 3000000000')),
      ['check'],
      /prognet\.yaml: columns\[0\]: has \d+ parameters, expected at most/,
    );
    says(
      workspace(yaml().replace('[{ dense: 8 }, relu]]', '[{ dense: 8 }, { softmax: { axis: 0 } }]]')),
      ['check'],
      /columns\[0\]\.blocks\[1\]\[1\]: softmax .*axis 0 is the batch/,
    );
  });
  it('a lateral from an unknown task', () =>
    says(workspace(yaml().replace('rank: 3', 'from: [zebra]')), ['check'], /unknown task "zebra"/));
  it('a lateral from a later task', () =>
    says(
      workspace(
        yaml().replace('    train: { epochs: 6, batch: 16, lr: 0.01, seed: 3 }', '    laterals: { kind: linear, from: [b] }'),
      ),
      ['check'],
      /columns\[0\]\.laterals\.from\[0\]: "b" comes later, expected/,
    ));
  it('an unknown task', () => says(workspace(), ['train', 'zebra'], /unknown task "zebra", the description has: a, b/));
  it('a task before its source', () =>
    says(workspace(), ['train', 'b', '--freeze'], /reads the column "a", which is not trained yet/));
  it('no workspace', () => says(mkdtempSync(join(tmpdir(), 'prognet-none-')), ['check'], /begin with: prognet init/));
  it('NaN in data', () => {
    const dir = workspace();
    writeFileSync(join(dir, 'a.csv'), csv(1).replace(/^[^,]+/, 'NaN'));
    says(dir, ['train', 'a', '--freeze'], /a\.csv/);
  });
  it('a label out of range', () => {
    const dir = workspace();
    writeFileSync(join(dir, 'a.csv'), csv(1).replace(/[01]$/, '7'));
    // The option says which column is the label: nothing is guessed, and nothing but the error is said.
    writeFileSync(join(dir, 'prognet.yaml'), yaml().replace('header: false }', 'header: false, label: -1 }'));
    says(dir, ['train', 'a', '--freeze'], /a\.csv: label column "column 5": label 7 at row 200 is out of range, expected 0\.\.1/);
  });
  it('a changed frozen file, and a description that no longer fits', () => {
    const dir = workspace();
    expect(prognet('train', 'a', '--freeze', '--quiet', '-C', dir).status).toBe(0);
    writeFileSync(join(dir, 'prognet.yaml'), yaml().replace('dense: 8', 'dense: 9'));
    says(
      dir,
      ['check'],
      /no longer fits its frozen column, blocks\[0\]\[0\]\.units: 9, frozen with 8; .*or take the column back: prognet reset a/,
    );
    writeFileSync(join(dir, 'prognet.yaml'), yaml());
    const file = join(dir, 'columns/a/weights.safetensors');
    chmodSync(file, 0o644);
    const bytes = readFileSync(file);
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    writeFileSync(file, bytes);
    says(dir, ['verify'], /changed since it was frozen/);
  });
  it('a truncated npy file', () => {
    const dir = workspace(yaml().replace('source: a.csv, header: false', 'source: arrays'));
    mkdirSync(join(dir, 'arrays'));
    const x = writeNpy(normals(1, [20, 4]));
    writeFileSync(join(dir, 'arrays/y.npy'), writeNpy(new Tensor('int64', [20], new BigInt64Array(20))));
    writeFileSync(join(dir, 'arrays/x.npy'), x.subarray(0, x.length - 9));
    says(dir, ['train', 'a', '--freeze'], /arrays\/x\.npy: /);
  });
  it.each(['whole header, a byte of data missing', 'half a header'])('a truncated IDX file: %s', (_what) => {
    const dir = workspace(yaml().replace('source: a.csv, header: false', 'source: idx'));
    mkdirSync(join(dir, 'idx'));
    // ubyte [2, 2, 2]
    const whole = [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8];
    writeFileSync(join(dir, 'idx/train-images-idx3-ubyte'), Uint8Array.from(whole.slice(0, _what.startsWith('half') ? 7 : -1)));
    says(dir, ['train', 'a', '--freeze'], /idx\/train-images-idx3-ubyte: /);
  });
  it('an unknown command, option, template and opset', () => {
    const dir = workspace();
    says(dir, ['trian', 'a'], /unknown command "trian", expected one of init, check, train/);
    says(dir, ['check', '--frobnicate'], /unknown option '--frobnicate'/);
    says(dir, ['init', join(dir, 'x'), '--template', 'cifar'], /unknown template "cifar", expected/);
    says(dir, ['train', 'a', '--freeze', '--epochs', 'many'], /--epochs: found "many", expected/);
    prognet('train', 'a', '--freeze', '--quiet', '-C', dir);
    says(
      dir,
      ['export', '--task', 'a', '--opset', '9', '-o', join(dir, 'a.onnx')],
      /opset 9 cannot be emitted, expected 17 to 25/,
    );
    says(dir, ['export', '--task', 'b', '-o', join(dir, 'b.onnx')], /task "b" is not trained yet: prognet train b/);
  });
  it('and under --json one document that says the same', () => {
    const { status, stdout, stderr } = prognet('train', 'zebra', '--json', '-C', workspace());
    expect(status).toBe(2);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(JSON.parse(stdout)).toEqual({
      error: {
        name: 'UsageError',
        message: 'unknown task "zebra", the description has: a, b',
        got: 'zebra',
        expected: 'a, b',
        exitCode: 2,
      },
    });
  });
  it('a truncated ONNX file', () => {
    const dir = workspace();
    prognet('train', 'a', '--freeze', '--quiet', '-C', dir);
    const file = join(dir, 'a.onnx');
    expect(prognet('export', '--task', 'a', '-o', file, '-C', dir).status).toBe(0);
    expect(JSON.parse(prognet('inspect', file, '--json').stdout)).toMatchObject({
      opsets: { 'ai.onnx': 17 },
      outputs: [{ name: 'a' }],
    });
    writeFileSync(file, readFileSync(file).subarray(0, 300));
    says(dir, ['inspect', file], /a\.onnx: /);
  });
  it('an output folder that cannot be written', () => {
    const dir = workspace();
    prognet('train', 'a', '--freeze', '--quiet', '-C', dir);
    says(dir, ['export', '--task', 'a', '-o', '/proc/none/x.onnx'], /cannot write|\/proc/);
  });
});
