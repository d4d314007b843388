// `prognet export --all --auto`: the model finds the task itself, and how often it does is said.
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { okIn, prognet, workspace } from './support.js';

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
  const line = (...args: string[]) => {
    const { status, stderr } = prognet('export', ...args, ...out, '-C', dir);
    return [status, stderr];
  };
  expect(line('--task', 'a', '--auto')).toEqual([2, 'prognet: --auto is of the model of all tasks, expected --all\n']);
  expect(line('--all', '--none-above', '0.5')).toEqual([2, 'prognet: --none-above is of --auto\n']);
  expect(line('--all', '--auto', '--none-above', '1')).toEqual([
    2,
    'prognet: --none-above: found "1", expected a doubt below 1\n',
  ]);
  expect(line('--all', '--auto', '--precision', 'fp16')).toEqual([2, 'prognet: --auto is for --precision fp32\n']);
});
