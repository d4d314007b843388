// `prognet export --all --auto`: the model finds the task itself, and how often it does is said.
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { okIn, prognet, workspace, yaml } from './support.js';

const refusal =
  (dir: string, out: readonly string[]) =>
  (...args: string[]) => {
    const { status, stderr } = prognet('export', ...args, ...out, '-C', dir);
    return [status, stderr];
  };

it('says how often each task is found, and refuses what makes no sense', () => {
  const dir = workspace();
  okIn(dir, 'train', '--all', '--quiet');
  const out = ['-o', join(dir, 'auto.onnx')];
  const said = okIn(dir, 'export', '--all', '--auto', '--none-above', '0.9', ...out);
  expect(said).toMatch(/^task +test rows +told the task +finds it +and answers rightly +none$/m);
  expect(said).toMatch(/^a +40 +[01]\.\d{4} +[01]\.\d{4} +[01]\.\d{4} +[01]\.\d{4}$/m);
  const { outputs } = JSON.parse(okIn(dir, 'inspect', join(dir, 'auto.onnx'), '--json'));
  expect(outputs.map(({ name }: { name: string }) => name)).toEqual(['a', 'b', 'auto_task', 'auto_label', 'auto_doubt']);
  const { auto } = JSON.parse(okIn(dir, 'export', '--all', '--auto', '--json', ...out));
  expect(auto.map(({ task, rows, none }: Record<string, unknown>) => [task, rows, none])).toEqual([
    ['a', 40, 0],
    ['b', 40, 0],
  ]);
  for (const { found, right, told } of auto) expect([found >= right, told > 0.5]).toEqual([true, true]);
  const line = refusal(dir, out);
  expect(line('--task', 'a', '--auto')).toEqual([2, 'prognet: --auto is of the model of all tasks, expected --all\n']);
  expect(line('--all', '--none-above', '0.5')).toEqual([2, 'prognet: --none-above is of --auto\n']);
  expect(line('--all', '--auto', '--none-above', '1')).toEqual([
    2,
    'prognet: --none-above: found "1", expected a doubt below 1\n',
  ]);
  expect(line('--all', '--auto', '--precision', 'fp16', '--half-io')).toEqual([
    2,
    'prognet: --half-io is not for --auto, whose doubt is float32\n',
  ]);
});

it('routes by features, measures samples of none of the tasks, and refuses what is not there', () => {
  const dir = workspace(yaml('', 2));
  okIn(dir, 'train', '--all', '--quiet');
  const out = ['-o', join(dir, 'auto.onnx')];
  const by = ['--auto', 'mean', '--features', 'b:0', '--none-above', '0.9', '--others', '{ source: a.csv, header: false }'];
  const routed = okIn(dir, 'export', '--all', ...by, ...out);
  expect(routed).toMatch(/^b +40 +[01]\.\d{4} +[01]\.\d{4} +[01]\.\d{4} +[01]\.\d{4}$/m);
  expect(routed).toMatch(/^of none of them +test rows +none +in more doubt$/m);
  const json = JSON.parse(okIn(dir, 'export', '--all', ...by, '--json', ...out));
  expect(json.others).toMatchObject([{ source: '{ source: a.csv, header: false }', rows: 40 }]);
  // What is of none here are a's own test rows: as many are given to none, and chance tells them apart from b's.
  expect(json.others[0].none).toBe(json.auto[0].none);
  expect(Math.abs(json.others[0].apart - 0.5)).toBeLessThan(0.25);
  const { metadata } = JSON.parse(okIn(dir, 'inspect', join(dir, 'auto.onnx'), '--json'));
  expect(metadata).toMatchObject({ 'prognet.auto': 'a,b', 'prognet.auto.router': 'mean' });
  const line = refusal(dir, out);
  expect(line('--all', '--others', 'a.csv')).toEqual([2, 'prognet: --others is of --auto\n']);
  expect(line('--all', '--auto', 'guess')).toEqual([
    2,
    'prognet: --auto: found "guess", expected one of entropy, mean, autoencoder, trained\n',
  ]);
  expect(line('--all', '--auto', '--features', 'a')).toEqual([
    2,
    'prognet: --features is of --auto mean, autoencoder, trained\n',
  ]);
  expect(line('--all', '--auto', 'mean', '--features', 'c')).toEqual([
    2,
    'prognet: --features: found "c", expected one of a, b\n',
  ]);
  expect(line('--all', '--auto', 'mean', '--features', 'a:2')).toEqual([
    2,
    'prognet: --features: found "a:2", expected a:0 to a:1\n',
  ]);
  expect(line('--all', '--auto', 'mean', '--others', 'none.csv')[1]).toMatch(/^prognet: --others none.csv: .*there is no .*\n$/);
}, 120_000);

it('in float16 and int8 it finds the tasks as well, as measured in the file that is written', async () => {
  const dir = workspace();
  okIn(dir, 'train', '--all', '--quiet');
  const found = (kind: string, precision: string) => {
    const out = join(dir, `${kind}-${precision}.onnx`);
    const { auto } = JSON.parse(
      okIn(dir, 'export', '--all', '--auto', kind, '--precision', precision, '-o', out, '--json', '--quiet'),
    );
    const { outputs } = JSON.parse(okIn(dir, 'inspect', out, '--json'));
    expect(outputs.map(({ name }: { name: string }) => name)).toEqual(['a', 'b', 'auto_task', 'auto_label', 'auto_doubt']);
    return auto.map((task: { found: number }) => task.found);
  };
  for (const kind of ['entropy', 'mean']) {
    const own = found(kind, 'fp32');
    for (const precision of ['fp16', 'int8', 'int8-dynamic']) {
      const other = found(kind, precision);
      for (const [i, share] of other.entries()) expect(Math.abs(share - own[i]), `${kind} ${precision}`).toBeLessThan(0.2);
    }
  }
}, 180_000);
