// Two imports of different opsets in one network: the older is brought up in memory, its file and record stay, and every form has the bits of both files.
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { writeNpz } from '../../src/formats/npz.js';
import { must } from '../../src/onnx/core/errors.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { ops } from '../../src/onnx/ops/ops.js';
import { fromBinary } from '../../src/onnx/serde/from-binary.js';
import { toBinary } from '../../src/onnx/serde/to-binary.js';
import { lastLine, okIn, prognet } from '../cli/support.js';
import { runModel } from '../support/run.js';

const waves = (count: number, by = 1) => Array.from({ length: count }, (_, i) => Math.sin(by * i + 1));
const rows = Tensor.from('float32', waves(24 * 6, 3), [24, 6]);

/** x [N, 6] less its mean, which is an attribute of opset 17 and an input from 18 on, through a dense layer and a branch of two to [N, 3]. */
function made(opset: number, by: number): Uint8Array {
  const g = ops({ name: `at${opset}`, opset });
  const x = g.input('x', 'float32', ['N', 6]);
  const mean =
    opset < 18 ? g.op('ReduceMean', [x], { axes: [1] }) : g.op('ReduceMean', [x, g.constant(Tensor.from('int64', [1]))]);
  const h = g.relu(g.matMul(g.sub(x, must(mean[0], 'mean')), g.initializer('w', Tensor.from('float32', waves(48, by), [6, 8]))));
  h.name = 'h';
  const [a, b] = opset < 18 ? g.op('Split', [h], { axis: 1 }, 2) : g.op('Split', [h], { axis: 1, num_outputs: 2 }, 2);
  const v = g.initializer('v', Tensor.from('float32', waves(12, by + 1), [4, 3]));
  g.output(g.matMul(g.add(must(a, 'a'), must(b, 'b')), v), 'y');
  return toBinary(g.model());
}

describe('imports of opsets 17 and 20', () => {
  const dir = join(mkdtempSync(join(tmpdir(), 'prognet-opsets-')), 'family');
  const file = (opset: number) => join(dir, '..', `at${opset}.onnx`);
  const run = (...args: string[]) => lastLine(okIn(dir, ...args, '--json'));
  const exported = (name: string, ...flags: string[]) => {
    run('export', ...flags, '-o', join(dir, `${name}.onnx`));
    return fromBinary(new Uint8Array(readFileSync(join(dir, `${name}.onnx`))));
  };
  const of = async (opset: number) =>
    must((await runModel(fromBinary(new Uint8Array(readFileSync(file(opset)))), { x: rows })).y, 'y').bytes;
  const kept = () =>
    ['imported/old.onnx', 'columns/old/column.json', 'columns/old/weights.safetensors'].map((name) =>
      readFileSync(join(dir, name)),
    );
  let before: Buffer[] = [];

  beforeAll(() => {
    mkdirSync(dir);
    writeFileSync(file(17), made(17, 2));
    writeFileSync(file(20), made(20, 5));
    const labels = Tensor.from(
      'int64',
      Array.from({ length: 24 }, (_, i) => i % 3),
    );
    const parts = { x_train: rows, y_train: labels, x_test: rows, y_test: labels };
    writeFileSync(join(dir, 'd.npz'), writeNpz(new Map(Object.entries(parts))));
    const begun = prognet('import', file(17), '--task', 'old', '--taps', 'h', '--data', 'd.npz', '-o', dir);
    expect(begun).toMatchObject({ status: 0 });
    before = kept();
    run('import', file(20), '--task', 'new', '--taps', 'h', '--data', 'd.npz');
  }, 60_000);

  it('leave the file and the record of the older as they were', () => {
    expect(kept()).toEqual(before);
  });

  it('answer both as on the day they were frozen', () => {
    expect(run('verify').tasks.map(({ identical }: { identical: boolean }) => identical)).toEqual([true, true]);
  });

  it('have the bits of both files in every form, at opset 20', async () => {
    const [old, newer] = [await of(17), await of(20)];
    const alone = exported('alone', '--task', 'old');
    const all = exported('all', '--all');
    const routed = exported('routed', '--routed');
    expect([alone.opset, all.opset, routed.opset]).toEqual([20, 20, 20]);
    expect(Buffer.compare(must((await runModel(alone, { x: rows })).old, 'old').bytes, old)).toBe(0);
    const both = await runModel(all, { x: rows });
    expect(Buffer.compare(must(both.old, 'old').bytes, old)).toBe(0);
    expect(Buffer.compare(must(both.new, 'new').bytes, newer)).toBe(0);
    for (const [id, bytes] of [old, newer].entries()) {
      const { scores } = await runModel(routed, { x: rows, task_id: Tensor.from('int64', [id]) });
      expect(Buffer.compare(must(scores, 'scores').bytes, bytes)).toBe(0);
    }
  }, 60_000);
});
