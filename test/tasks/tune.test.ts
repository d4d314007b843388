// A tuned column in a workspace: imported base, trained, frozen, exported merged and apart, brought to another workspace, read from a .prognet file; what a
// column that reads its taps makes of it, and what a base that is reset means to it.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { writeNpz } from '../../src/formats/npz.js';
import { decodeSafetensors } from '../../src/formats/safetensors.js';
import { readNetwork } from '../../src/network/read-network.js';
import { must } from '../../src/onnx/core/errors.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { fromBinary } from '../../src/onnx/serde/from-binary.js';
import { toBinary } from '../../src/onnx/serde/to-binary.js';
import { lastLine, okIn, prognet } from '../cli/support.js';
import { runModel, runtime } from '../support/run.js';
import { mlp, noise } from '../support/tuned.js';

const x = noise('rows', [40, 4], 1);
const y = Tensor.from(
  'int64',
  Array.from({ length: 40 }, (_, i) => i % 3),
);

describe('a workspace with a tuned column', () => {
  const root = mkdtempSync(join(tmpdir(), 'prognet-tune-'));
  const dir = join(root, 'family');
  const run = (...args: string[]) => lastLine(okIn(dir, ...args, '--json'));
  const exported = (name: string, ...flags: string[]) => {
    run('export', ...flags, '-o', join(root, name));
    return fromBinary(new Uint8Array(readFileSync(join(root, name))));
  };
  const answer = async (name: string, ...flags: string[]) => must((await runModel(exported(name, ...flags), { x })).pets, 'pets');

  beforeAll(() => {
    mkdirSync(dir);
    const { model, taps } = mlp();
    writeFileSync(join(root, 'original.onnx'), toBinary(model));
    const begun = ['--task', 'base', '--backbone', '--taps', taps.join(), '-o', dir];
    expect(prognet('import', join(root, 'original.onnx'), ...begun)).toMatchObject({ status: 0 });
    const parts = { x_train: x, y_train: y, x_test: x, y_test: y };
    writeFileSync(join(dir, 'd.npz'), writeNpz(new Map(Object.entries(parts))));
    const text = readFileSync(join(dir, 'prognet.yaml'), 'utf8');
    const tuned = `${text}  - task: pets
    data: d.npz
    tune: { base: base, lora: { rank: 2, on: ["fc*"] } }
    head: { classify: 3 }
    train: { epochs: 2, batch: 8, lr: 0.02, seed: 1 }
  - task: next
    data: d.npz
    blocks: [[{ dense: 4 }, relu], [{ dense: 4 }, relu]]
    head: { classify: 3 }
    laterals: { kind: adapter, from: [base, pets] }
    train: { epochs: 1, batch: 8, seed: 1 }
`;
    writeFileSync(join(dir, 'prognet.yaml'), tuned);
    run('train', 'pets', '--freeze');
    run('train', 'next', '--freeze');
  }, 60_000);

  it('keeps A, B and the head, and is proven with the rest', () => {
    const file = new Uint8Array(readFileSync(join(dir, 'columns', 'pets', 'weights.safetensors')));
    const kept = [...decodeSafetensors(file).tensors.keys()];
    expect(kept.every((name) => /^pets\/(lora\/fc\d\.weight\/[AB]|head\/dense\/(weight|bias))$/.test(name))).toBe(true);
    expect(kept).toHaveLength(8);
    expect(run('verify')).toMatchObject({ tasks: [{ identical: true }, { identical: true }, { identical: true }] });
  });

  it('says what low-rank updates may name, where the description names what is not there too', () => {
    const first = { name: 'fc1.weight', shape: [6, 4], op: 'Gemm', node: 'Gemm' };
    expect(run('inspect', 'base').tunable).toMatchObject([first, { name: 'fc2.weight' }, { name: 'fc3.weight' }]);
    const wrong = join(root, 'wrong');
    cpSync(dir, wrong, { recursive: true });
    const text = readFileSync(join(wrong, 'prognet.yaml'), 'utf8');
    const other = '  - { task: other, data: d.npz, tune: { base: base, lora: { on: [nothing] } }, head: { classify: 3 } }\n';
    writeFileSync(join(wrong, 'prognet.yaml'), text + other);
    expect(prognet('check', '--workspace', wrong)).toMatchObject({
      status: 2,
      stderr:
        'prognet: prognet.yaml: columns[3].tune.lora.on[0]: found "nothing", which is no weight of "base", expected one of "fc1.weight", "fc2.weight", "fc3.weight"\n',
    });
    const { status, stdout, stderr } = prognet('inspect', 'base', '--workspace', wrong);
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^ {2}lora\.on +fc1\.weight \[6,4\], Gemm Gemm\n {13,}fc2\.weight \[5,6\], MatMul MatMul\n/m);
  });

  it('answers alike merged, apart, with all tasks, and from a .prognet file', async () => {
    const merged = await answer('merged.onnx', '--task', 'pets');
    const apart = await answer('apart.onnx', '--task', 'pets', '--lora', 'apart');
    const all = await answer('all.onnx', '--all', '--lora', 'apart');
    const far = (other: Tensor) => Math.max(...Array.from(merged.numbers(), (v, i) => Math.abs(v - Number(other.data[i]))));
    expect([far(apart), far(all)].every((v) => v < 1e-5)).toBe(true);
    run('bundle', '-o', join(root, 'all.prognet'));
    const network = await readNetwork(new Uint8Array(readFileSync(join(root, 'all.prognet'))));
    const { scores } = await network.predict('pets', { x }, { on: runtime });
    expect(scores.bytes).toEqual(merged.bytes);
    await network.close();
  });

  it('is brought to another workspace under another name, with its base', () => {
    const there = join(root, 'there');
    mkdirSync(there);
    writeFileSync(join(there, 'prognet.yaml'), 'prognet: 1\nname: there\ninput: { name: x, shape: [4] }\ncolumns: []\n');
    cpSync(join(dir, 'd.npz'), join(there, 'd.npz'));
    const { status, stderr } = prognet('import', dir, '--task', 'pets', '--as', 'mine', '-C', there);
    expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
    const { stdout } = prognet('verify', '--json', '-C', there);
    expect(lastLine(stdout)).toMatchObject({ tasks: [{ identical: true }, { task: 'mine', identical: true }] });
  });

  it('is swept by rank and alpha', () => {
    const text = readFileSync(join(dir, 'prognet.yaml'), 'utf8');
    writeFileSync(
      join(dir, 'prognet.yaml'),
      `${text}  - task: tried
    data: d.npz
    tune: { base: base, lora: { rank: 2, alpha: 4 } }
    head: { classify: 3 }
    train: { epochs: 1, batch: 8, validation: 0.2 }
`,
    );
    const found = run('sweep', 'tried', '--set', 'tune.lora.rank=1,3', '--set', 'tune.lora.alpha=2', '--jobs', '1');
    expect(JSON.stringify(found)).toContain('tune.lora.rank');
    writeFileSync(join(dir, 'prognet.yaml'), text);
  }, 60_000);

  it.each([
    ['both', '--lora: found "both", expected merged or apart'],
    ['apart', 'low-rank updates apart: the model holds no column with "lora"'],
  ])('refuses --lora %s where it says nothing', (form, message) => {
    const { status, stderr } = prognet('export', '--task', 'base', '--lora', form, '-o', join(root, 'no.onnx'), '-C', dir);
    expect({ status, stderr }).toEqual({ status: 2, stderr: `prognet: ${message}\n` });
  });
});
