// `study` of prognet/node: what the command does, from a program.
import { existsSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type StudyProgress, type StudyResult, study } from '../../src/node.js';
import { prognet, workspace } from '../cli/support.js';

/** All of a result but how long it took. */
const figures = ({ methods, trainings: _, ...rest }: StudyResult) => ({
  ...rest,
  methods: methods.map(({ tasks, ...method }) => ({ ...method, tasks: tasks.map(({ seconds: _seconds, ...task }) => task) })),
});
const trainings = (folder: string) => readdirSync(join(folder, 'trainings')).filter((name) => name.endsWith('.json'));

it('stops on abort, goes on when called again, and gives what the command gives', async () => {
  const dir = workspace();
  const options = { methods: ['b3', 'linear'], matrix: [], seeds: 1, jobs: 1, output: join(dir, 'by-program') } as const;
  const controller = new AbortController();
  const first: StudyProgress[] = [];
  const stopped = study(dir, {
    ...options,
    signal: controller.signal,
    onProgress: (progress) => {
      first.push(progress);
      controller.abort();
    },
  });
  await expect(stopped).rejects.toThrow(/^interrupted after 1 of 4 trainings, which stand in \S+by-program; /);
  expect(first).toEqual([{ training: 'B1 a, seed 0', done: 1, total: 4 }]);
  expect(existsSync(join(options.output, 'lock'))).toBe(false);
  const [done = ''] = trainings(options.output);
  const kept = readFileSync(join(options.output, 'trainings', done), 'utf8');

  const seen: StudyProgress[] = [];
  const result = await study(dir, { ...options, onProgress: (progress) => seen.push(progress) });
  expect(seen.map((progress) => progress.done)).toEqual([1, 2, 3, 4]);
  expect(readFileSync(join(options.output, 'trainings', done), 'utf8')).toBe(kept);
  expect(JSON.parse(readFileSync(join(options.output, 'study.json'), 'utf8'))).toEqual(result);

  const folder = join(dir, 'by-command');
  const flags = ['--methods', 'b3,linear', '--matrix', 'none', '--seeds', '1', '--jobs', '2', '--json', '--quiet'];
  const { status, stdout, stderr } = prognet('study', join(dir, 'prognet.yaml'), '-o', folder, ...flags);
  expect(status, stderr).toBe(0);
  expect(figures(result)).toEqual(figures(JSON.parse(stdout)));
}, 120_000);

it('refuses in one line, with nothing written', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'prognet-study-'));
  const says = (options: object, line: RegExp) => expect(study(workspace(), options)).rejects.toThrow(line);
  await expect(study(3 as never)).rejects.toThrow(/^study: description is 3, expected a text$/);
  await expect(study(join(dir, 'none.yaml'))).rejects.toThrow(/^[^\n]*none\.yaml[^\n]*$/);
  await says({ seeds: 0 }, /^study: seeds is 0, expected a positive integer$/);
  await says({ jobs: 1.5 }, /^study: jobs is 1.5, expected a positive integer$/);
  await says({ tasks: 'a,b' }, /^study: tasks is "a,b", expected names$/);
  await says({ tasks: ['a'] }, /^a study compares how tasks help each other: found one task, "a", expected at least two$/);
  await says({ methods: ['b7'] }, /^methods: found "b7", expected some of b1, b2, b3, b4, linear, adapter, lora$/);
  await says({ matrix: ['b1'] }, /^matrix: found "b1", expected some of b2, b3, linear, adapter, lora$/);
  await says({ equalParameters: 'b2' }, /^study: equalParameters is "b2", expected "b1" or "b3"$/);
});
