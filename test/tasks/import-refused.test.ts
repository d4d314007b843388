// Bad input of an import and of what is asked of its column: one line each that says what was found and what would be right, and nothing is left behind.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { writeNpz } from '../../src/formats/npz.js';
import { must } from '../../src/onnx/core/errors.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { ops } from '../../src/onnx/ops/ops.js';
import { saveModel } from '../../src/onnx/serde/save-model.js';
import { prognet } from '../cli/support.js';

const waves = (count: number, by = 1) => Array.from({ length: count }, (_, i) => Math.sin(by * i + 1));

/** Ids and a mask, a value that is computed from no input, one of unknown rank that is a single number. */
function model() {
  const g = ops({ name: 'm', opset: 18 });
  const ids = g.input('ids', 'int64', ['N', 'length']);
  const mask = g.input('mask', 'float32', ['N', 'length']);
  const table = g.initializer('table', Tensor.from('float32', waves(2 * 64), [2, 64]));
  const tokens = g.relu(g.mul(g.gather(table, ids), g.unsqueeze(mask, [2])));
  tokens.name = 'tokens';
  const alone = g.relu(g.initializer('c', Tensor.from('float32', waves(4096), [1, 4096])));
  alone.name = 'alone';
  const [total] = g.node('Gelu', [g.reduceMax(tokens, undefined, { keepdims: 0 })], new Map(), 1, 'com.microsoft');
  g.output(g.add(tokens, g.reduceMax(alone, undefined, { keepdims: 0 })), 'y');
  g.output(must(total, 'total'), 'whole');
  return g.model();
}

describe('one line for', () => {
  const root = mkdtempSync(join(tmpdir(), 'prognet-refused-'));
  const [file, dir] = [join(root, 'm.onnx'), join(root, 'family')];
  const take = (...args: string[]) => {
    const { status, stderr } = prognet('import', file, '--task', 't', '--backbone', ...args);
    return { status, stderr };
  };
  const begin = (...args: string[]) => take('--dim', 'length=6', '-o', join(root, 'new'), ...args);
  const line = (pattern: RegExp) => ({ status: 2, stderr: expect.stringMatching(pattern) });

  beforeAll(() => {
    saveModel(model(), file, { externalData: true, sizeThreshold: 256 });
    mkdirSync(dir);
    const input = 'input:\n  - { name: ids, shape: [6], dtype: int64 }\n  - { name: mask, shape: [6] }\n';
    writeFileSync(join(dir, 'prognet.yaml'), `prognet: 1\nname: n\n${input}columns: []\n`);
  });

  it('a tap that does not exist', () => {
    expect(begin('--taps', 'tokenz')).toEqual(
      line(/^prognet: [^:]*m\.onnx: computes no "tokenz", it computes: [^\n]*tokens[^\n]*\n$/),
    );
  });

  it('a tap that depends on no input', () => {
    expect(begin('--taps', 'tokens,alone')).toEqual(line(/^prognet: [^:]*m\.onnx: the tap "alone" depends on no input\n$/));
  });

  it('scores of one number under a head that chooses among classes', () => {
    const one = join(root, 'one.onnx');
    const g = ops({ name: 'one', opset: 18 });
    const h = g.relu(g.matMul(g.input('x', 'float32', ['N', 3]), g.initializer('w', Tensor.from('float32', waves(12), [3, 4]))));
    g.output(g.matMul(h, g.initializer('v', Tensor.from('float32', waves(4), [4, 1]))), 'y');
    saveModel(g.model(), one);
    const said = prognet('import', one, '--task', 't', '--head', 'classify', '--data', 'x.npz', '-o', join(root, 'one'));
    const { status, stderr } = said;
    expect({ status, stderr }).toEqual(
      line(
        /^prognet: [^:]*one\.onnx: the output "y" is \[N,1\], too few scores for the head classify, --head <binary or regress>\n$/,
      ),
    );
    expect(existsSync(join(root, 'one'))).toBe(false);
  });

  it('a tap of unknown rank, as the run shows that it is no row for each sample', () => {
    const found = line(/^prognet: [^:]*m\.onnx: "whole" is \[\] for 2 samples, expected one row for each\n$/);
    expect(begin('--taps', 'whole')).toEqual(found);
  });

  it('lengths that are not those of the network', () => {
    const found = /^prognet: [^:]*m\.onnx: its input "ids" is int64\[N,5\], the network gives it int64\[N,6\] \("ids"\)\n$/;
    expect(take('--taps', 'tokens', '--dim', 'length=5', '-C', dir)).toEqual(line(found));
    expect(existsSync(join(dir, 'columns'))).toBe(false);
  });

  it('one input too few', () => {
    expect(take('--taps', 'tokens', '--dim', 'length=6', '--layout', 'tokens=NTF', '-C', dir)).toEqual({ status: 0, stderr: '' });
    const only = join(root, 'only.npz');
    writeFileSync(only, writeNpz(new Map([['ids', Tensor.zeros('int64', [2, 6])]])));
    const { status, stderr } = prognet('predict', 't', '--input', only, '-C', dir);
    expect({ status, stderr }).toEqual(line(/^prognet: [^\n]*only\.npz[^\n]*"mask"[^\n]*\n$/));
  }, 60_000);

  it('a file of external data that is missing', () => {
    const data = readdirSync(root).find((name) => name.endsWith('.data'));
    rmSync(join(root, must(data, 'data')));
    const missing =
      /^prognet: [^:]*m\.onnx: initializer "\w+": its external data "m\.onnx\.data" cannot be read: no such file or directory \(ENOENT\)\n$/;
    expect(begin('--taps', 'tokens')).toEqual(line(missing));
    expect(existsSync(join(root, 'new'))).toBe(false);
  });
});
