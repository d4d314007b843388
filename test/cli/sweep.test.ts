// A sweep as a user runs it: trials in processes, a table that outlives a kill, and the best one on its way to be frozen.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { prognet, start, until, workspace, yaml } from './support.js';

const table = (dir: string) => JSON.parse(readFileSync(join(dir, 'runs/a/sweep/sweep.json'), 'utf8')).trials;
const rows = (dir: string) => readFileSync(join(dir, 'runs/a/sweep/sweep.csv'), 'utf8').trim().split('\n');
const set = ['--set', 'lr=0.05,0.0001', '--set', 'dropout=0,0.2'];

it('ranks combinations on the validation part, keeps the best, and freezing makes it final', () => {
  const dir = workspace(yaml('', 3));
  const { status, stdout, stderr } = prognet('sweep', 'a', ...set, '--json', '-C', dir);
  expect(status, stderr).toBe(0);
  const found = JSON.parse(stdout);
  expect(found).toMatchObject({ by: 'accuracy', measuredOn: 'validation part', asked: 4, ended: 4 });
  const metrics = found.trials.map((t: { metric: number }) => t.metric);
  expect([...metrics].sort((a, b) => b - a)).toEqual(metrics);
  expect(found.trials[0].settings.lr).toBe(0.05);
  expect(rows(dir)[0]).toBe('lr,dropout,seed,state,validation accuracy,validation loss,epoch,seconds,reason');
  expect(rows(dir)).toHaveLength(5);
  // Nothing is trained for good, and nothing is in the way of a training.
  expect(readdirSync(join(dir, 'runs/a'))).toEqual(['sweep']);
  expect(JSON.parse(prognet('check', '--json', '-C', dir).stdout).columns[0].state).toBe('new');

  // The same bits as one training with these settings, whose figures are those of the trial.
  const before = table(dir);
  const kept = prognet('sweep', 'a', ...set, '--keep', 'best', '-C', dir);
  expect(kept.status, kept.stderr).toBe(0);
  expect(table(dir)).toEqual(before);
  expect(kept.stdout).toMatch(/measured on the validation part; the test set was not looked at/);
  expect(kept.stdout).toMatch(
    /^prognet\.yaml does not say so yet; in the column of a put, or give --write:\n(?: {2}.*\n)* {2}train\.lr: 0\.05\n/m,
  );
  const [, epochs] = /validation loss (\S+), .* \(\S+ s\)\n(?:.*continues.*\n)?$/.exec(kept.stderr) ?? [];
  const best = found.trials[0].trials[0];
  expect(epochs).toBe(best.loss.toFixed(4));
  expect(prognet('freeze', 'a', '-C', dir)).toMatchObject({
    status: 2,
    stderr: expect.stringMatching(/train\.lr: 0\.01, trained with 0\.05/),
  });
  expect(prognet('sweep', 'a', ...set, '--keep', 'best', '--write', '--quiet', '-C', dir)).toMatchObject({
    status: 0,
    stderr: '',
  });
  expect(readFileSync(join(dir, 'prognet.yaml'), 'utf8')).toContain('lr: 0.05, seed: 3, validation: 0.1 }');
  expect(prognet('freeze', 'a', '-C', dir).status).toBe(0);
  // The table stays, a frozen column is swept no more.
  expect(readdirSync(join(dir, 'runs/a'))).toEqual(['sweep']);
  expect(prognet('sweep', 'a', ...set, '-C', dir).stderr).toMatch(/task "a" is trained and frozen for good.*: prognet reset a$/m);
});

it('keeps what each epoch measured: in its document, and as curves of all trials over one another', () => {
  const dir = workspace(yaml('', 3));
  const sweep = () => JSON.parse(prognet('sweep', 'a', ...set, '--seeds', '2', '--json', '-C', dir).stdout);
  const found = sweep();
  const best = found.trials[0].trials.toSorted((x: { metric: number }, y: { metric: number }) => y.metric - x.metric)[0];
  expect(best.history).toHaveLength(3);
  expect(best.history[best.epoch - 1]).toMatchObject({
    epoch: best.epoch,
    validation_loss: best.loss,
    validation_accuracy: best.metric,
  });
  // Those that are found again have theirs too.
  expect(sweep().trials[0].trials[0].history).toEqual(found.trials[0].trials[0].history);
  const file = join(dir, 'sweep.svg');
  const { status, stdout, stderr } = prognet('plot', 'a', '--sweep', '-o', file, '-C', dir);
  expect([status, stdout]).toEqual([0, `${file} written: loss, accuracy, macro f1\n`]);
  expect(stderr).toMatch(
    /^dropout \S+, lr \S+, seed [34]: best of the sweep; 3 epochs; weights of epoch [1-3]; validation accuracy \d\.\d{4}\n/,
  );
  expect(stderr.trim().split('\n')).toHaveLength(5);
  const svg = readFileSync(file, 'utf8');
  expect(svg.match(/<path class="(?:training|validation) [^"]+" clip-path/g)).toHaveLength(3 * 9);
  expect(svg).toContain('>3 more</text>');
  const document = JSON.parse(prognet('plot', 'a', '--sweep', '-o', file, '--json', '-C', dir).stdout);
  expect(document.runs).toHaveLength(8);
  expect(document.runs[0]).toMatchObject({ weight: 'strong', best: best.epoch });
});

it('no curves are drawn where no trial was run, nor of two tasks', () => {
  const dir = workspace(yaml('', 1));
  expect(prognet('plot', 'a', '--sweep', '-C', dir)).toMatchObject({
    status: 2,
    stderr: 'prognet: task "a" has no sweep yet: prognet sweep a --set lr=0.01,0.001\n',
  });
  expect(prognet('plot', 'a', 'b', '--sweep', '-C', dir)).toMatchObject({
    status: 2,
    stderr: 'prognet: --sweep draws the trials of one task, found a, b\n',
  });
});

it('a trial gives the same numbers however many run beside it', () => {
  const [one, two] = [workspace(yaml('', 3)), workspace(yaml('', 3))];
  for (const [dir, jobs] of [
    [one, '1'],
    [two, '3'],
  ] as const)
    expect(prognet('sweep', 'a', ...set, '--seeds', '2', '--jobs', jobs, '--quiet', '-C', dir).status).toBe(0);
  const figures = (dir: string) =>
    table(dir)
      .map(({ seconds, ...rest }: { seconds: number }) => JSON.stringify(rest))
      .sort();
  expect(figures(one)).toEqual(figures(two));
  expect(figures(one)).toHaveLength(8);
});

it('a trial that diverges is a row, and a sweep of nothing else fails', () => {
  const dir = workspace(yaml('', 2));
  const { status, stdout } = prognet('sweep', 'a', '--set', 'lr=0.01,1.0e+30', '--quiet', '-C', dir);
  expect(status).toBe(0);
  expect(stdout).toMatch(/^1e\+30 .* diverged: the loss is NaN at step \d+/m);
  expect(prognet('sweep', 'a', '--set', 'lr=1.0e+30', '--quiet', '-C', dir)).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/^prognet: no trial of task "a" could be measured: the loss is NaN/m),
  });
});

it.each(['SIGINT', 'SIGKILL'] as const)(
  'after %s the table stands, and the same command goes on with the others',
  async (signal) => {
    const dir = workspace(yaml('', 40));
    const args = ['sweep', 'a', '--set', 'lr=0.01,0.02,0.03,0.04,0.05,0.06', '--jobs', '1', '-C', dir];
    const sweep = start(...args);
    await until(sweep, /trial 2\/6/);
    sweep.child.kill(signal);
    const { code, stderr } = await sweep.ended;
    if (signal === 'SIGINT') {
      expect(code).toBe(130);
      expect(stderr).toMatch(
        /interrupted after \d of 6 trials, which stand in runs\/a\/sweep; the same command goes on with the others$/m,
      );
    }
    const done = table(dir);
    expect(done.length).toBeGreaterThan(1);
    expect(done.length).toBeLessThan(6);
    expect(prognet(...args).status).toBe(0);
    expect(table(dir).slice(0, done.length)).toEqual(done);
    expect(table(dir)).toHaveLength(6);
    expect(existsSync(join(dir, 'runs/a/sweep/lock'))).toBe(false);
  },
  60_000,
);

it('refuses what it cannot do, before anything is trained', () => {
  const dir = workspace();
  const says = (args: readonly string[], line: RegExp) => {
    const { status, stderr } = prognet('sweep', ...args, '-C', dir);
    expect(stderr).toMatch(line);
    expect(status).toBe(2);
  };
  says(['a'], /give what to try: prognet sweep <task> --set lr=0\.1,0\.01/);
  says(['b', ...set], /reads the column "a", which is not trained yet: prognet train a --freeze/);
  says(
    ['a', '--set', 'lr=0.1', '--metric', 'rmse'],
    /--metric: found "rmse", expected one of accuracy, balanced accuracy, macro f1, .*, loss/,
  );
  says(['a', '--set', 'lr=0.1', '--write'], /--write is for --keep best/);
  says(['a', '--set', 'dense=1'], /stands at blocks\[0\]\[0\]\.dense and blocks\[1\]\[0\]\.dense/);
  expect(existsSync(join(dir, 'runs'))).toBe(false);
});
