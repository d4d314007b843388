// A backbone: a column without head and data, whose taps later columns read; and an imported column whose output, of any shape, nothing judges.
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { writeNpz } from '../../src/formats/npz.js';
import { readNetwork } from '../../src/network/read-network.js';
import { must } from '../../src/onnx/core/errors.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { ops } from '../../src/onnx/ops/ops.js';
import { fromBinary } from '../../src/onnx/serde/from-binary.js';
import { toBinary } from '../../src/onnx/serde/to-binary.js';
import { lastLine, okIn, prognet } from '../cli/support.js';
import { deepHidden, waves } from '../support/deep-hidden.js';
import { runModel } from '../support/run.js';

const rows = Tensor.from('float32', waves(24 * 6, 3), [24, 6]);

/** Four blocks of dense and relu, then [T, N, k] beside probabilities. */
function deep(): Uint8Array {
  const g = ops({ name: 'deep' });
  const h = deepHidden(g);
  g.output(g.softmax(h), 'p');
  g.output(g.transpose(g.reshape(h, [0, 4, 2]), { perm: [1, 0, 2] }), 'steps');
  return toBinary(g.model());
}

describe('a backbone', () => {
  const dir = join(mkdtempSync(join(tmpdir(), 'prognet-backbone-')), 'family');
  const file = join(dir, '..', 'deep.onnx');
  const run = (...args: string[]) => lastLine(okIn(dir, ...args, '--json'));
  const exported = (name: string, ...flags: string[]) => {
    const path = join(dir, `${name}.onnx`);
    run('export', ...flags, '-o', path);
    return fromBinary(new Uint8Array(readFileSync(path)));
  };
  const original = () => runModel(fromBinary(new Uint8Array(readFileSync(file))), { x: rows });

  beforeAll(() => {
    mkdirSync(dir);
    writeFileSync(file, deep());
    const labels = Tensor.from(
      'int64',
      Array.from({ length: 24 }, (_, i) => i % 3),
    );
    const parts = { x_train: rows, y_train: labels, x_test: rows, y_test: labels };
    writeFileSync(join(dir, 'd.npz'), writeNpz(new Map(Object.entries(parts))));
    const begun = prognet('import', file, '--task', 'base', '--backbone', '--taps', 'auto:2', '-o', dir, '--json');
    expect(begun).toMatchObject({ status: 0, stderr: '' });
    expect(JSON.parse(begun.stdout)).toMatchObject({
      taps: [
        { name: 'relu1', shape: [8] },
        { name: 'relu3', shape: [8] },
      ],
      metrics: {},
    });
    const text = readFileSync(join(dir, 'prognet.yaml'), 'utf8');
    expect(text).not.toMatch(/head|scores|data/);
    writeFileSync(
      join(dir, 'prognet.yaml'),
      `${text}  - task: next
    data: d.npz
    blocks: []
    head: { classify: 3 }
    laterals: { kind: linear }
    train: { epochs: 1, batch: 8, seed: 1 }
`,
    );
    expect(run('train', 'next', '--freeze').trained[0].earlier).toMatchObject([{ task: 'base', identical: true }]);
  }, 60_000);

  it('verifies on samples of its own, beside a column that reads it', () => {
    expect(run('verify').tasks).toMatchObject([
      { task: 'base', rows: 4, identical: true },
      { task: 'next', rows: 24, identical: true },
    ]);
    expect(run('check').columns.map((c: { state: string }) => c.state)).toEqual(['frozen', 'frozen']);
  }, 60_000);

  it('exports its last tap, with the bits of the file', async () => {
    const graph = fromBinary(new Uint8Array(readFileSync(file)));
    graph.graph.outputs = graph.graph.nodes.flatMap((node) => node.outputs).filter(({ name }) => name === 'relu3');
    const { relu3 } = await runModel(graph, { x: rows });
    for (const flags of [['--task', 'base'], ['--all'], ['--all', '--fused']]) {
      const { base } = await runModel(exported('base', ...flags), { x: rows });
      expect(Buffer.compare(must(base, 'base').bytes, must(relu3, 'relu3').bytes), flags.join(' ')).toBe(0);
    }
    run('bundle', '-o', join(dir, 'base.prognet'));
    const network = await readNetwork(new Uint8Array(readFileSync(join(dir, 'base.prognet'))));
    const { base } = await runModel(network.model({ task: 'base' }), { x: rows });
    expect(Buffer.compare(must(base, 'base').bytes, must(relu3, 'relu3').bytes)).toBe(0);
  }, 60_000);

  it('is not trained or evaluated', () => {
    const refused = (...args: string[]) => prognet(...args, '-C', dir).stderr;
    expect(refused('train', 'base')).toMatch(/^prognet: task "base" is [^\n]*\n$/);
  });

  it('an output of any shape, which nothing judges', async () => {
    run('import', file, '--task', 'steps', '--scores', 'steps', '--head', 'none', '--taps', 'relu0');
    const { steps } = await runModel(exported('steps', '--task', 'steps'), { x: rows });
    const { steps: expected } = await original();
    expect(must(steps, 'steps').dims).toEqual([4, 24, 2]);
    expect(Buffer.compare(must(steps, 'steps').bytes, must(expected, 'steps').bytes)).toBe(0);
    expect(run('verify').tasks).toMatchObject([{ identical: true }, { identical: true }, { task: 'steps', identical: true }]);
  }, 60_000);

  it('what does not go together is told', () => {
    const refused = (...args: string[]) => {
      const { status, stderr } = prognet('import', file, '--task', 't', ...args, '-C', dir);
      expect(status).toBe(2);
      return stderr;
    };
    expect(refused('--backbone', '--data', 'd.npz')).toBe(
      'prognet: --data: nothing judges what the column gives, expected none\n',
    );
    expect(refused('--backbone', '--head', 'classify')).toBe('prognet: --head: found beside --backbone, which has none\n');
    expect(refused('--backbone', '--taps', 'auto:x')).toBe(
      'prognet: --taps: found "auto:x", expected auto:4 or names of values\n',
    );
    expect(refused('--head', 'none')).toMatch(/deep\.onnx: has the outputs p, steps: say which one it is, --scores <name>\n$/);
  });

  it('is read by the tasks of a routed model, none of which it is', async () => {
    const text = readFileSync(join(dir, 'prognet.yaml'), 'utf8');
    const other = text.slice(text.indexOf('  - task: next'), text.indexOf('seed: 1 }') + 9).replace('task: next', 'task: other');
    writeFileSync(join(dir, 'prognet.yaml'), `${text}${other}\n`);
    run('train', 'other', '--freeze');
    const routed = exported('routed', '--routed');
    expect(routed.metadata.get('prognet.tasks')).toBe('next,other');
    for (const [id, task] of ['next', 'other'].entries()) {
      const { scores } = await runModel(routed, { x: rows, task_id: Tensor.from('int64', [id]) });
      const alone = (await runModel(exported(task, '--task', task), { x: rows }))[task];
      expect(Buffer.compare(must(scores, 'scores').bytes, must(alone, task).bytes), task).toBe(0);
    }
    run('bundle', '-o', join(dir, 'routed.prognet'));
    const network = await readNetwork(new Uint8Array(readFileSync(join(dir, 'routed.prognet'))));
    expect(network.model({ all: true, routed: true }).metadata.get('prognet.tasks')).toBe('next,other');
    expect(() => network.model({ task: 'base', routed: true })).toThrow(
      'routed: task "base" has no head, expected tasks that answer alike, or another form',
    );
  }, 60_000);
});
