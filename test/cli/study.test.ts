// A study as a user runs it: trainings in processes, kept one by one, so that a kill costs no more than those that ran.
import { appendFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type StudyResult, studySchema } from '../../src/analysis/study/result.js';
import { toBinary } from '../../src/onnx/serde/to-binary.js';
import { mlp } from '../support/tuned.js';
import { csv, prognet, start, until, workspace, yaml } from './support.js';

/** Three tasks of the same kind. */
const three = (epochs = 4) =>
  yaml(
    '  - task: c\n    data: { source: c.csv, header: false }\n    like: a\n    train: { epochs: 4, batch: 16, lr: 0.01 }\n',
    epochs,
  );

function folder(text = three()): string {
  const dir = workspace(text);
  writeFileSync(join(dir, 'c.csv'), csv(3));
  return dir;
}

const resultIn = (dir: string): StudyResult => studySchema.parse(JSON.parse(readFileSync(join(dir, 'study/study.json'), 'utf8')));
/** All of a result but how long it took. */
const figures = ({ methods, trainings: _, ...rest }: StudyResult) => ({
  ...rest,
  methods: methods.map(({ tasks, ...method }) => ({ ...method, tasks: tasks.map(({ seconds: _seconds, ...task }) => task) })),
});
const trainings = (dir: string) => readdirSync(join(dir, 'study/trainings')).filter((name) => name.endsWith('.json'));

it('compares baselines and progressive networks over the same tasks and seeds', () => {
  const dir = folder();
  const args = ['study', join(dir, 'prognet.yaml'), '--seeds', '2', '--equal-parameters'];
  const { status, stdout, stderr } = prognet(...args);
  expect(status, stderr).toBe(0);
  const study = resultIn(dir);
  const of = (name: string) => {
    const found = study.methods.find(({ method }) => method === name);
    if (found === undefined) throw new Error(name);
    return found;
  };
  expect(study.methods.map(({ method }) => method)).toEqual([
    ...['b1', 'b2', 'b3', 'b4', 'linear', 'adapter'],
    ...['linear-equal', 'adapter-equal'],
  ]);
  expect(study).toMatchObject({ name: 'toy', seeds: [0, 1], threads: 1 });
  expect(study.tasks[1]).toMatchObject({ task: 'b', metric: 'accuracy', epochs: 4 });
  for (const { tasks } of study.methods)
    for (const { curve, learned } of tasks) {
      expect(curve).toHaveLength(4);
      expect(learned.values).toHaveLength(2);
    }
  // Every method learns the first task as baseline 1 does, but for those whose columns are narrower.
  for (const name of ['b2', 'b3', 'b4', 'linear', 'adapter']) expect(of(name).tasks[0]?.curve).toEqual(of('b1').tasks[0]?.curve);
  expect(of('linear-equal').tasks[0]?.curve).not.toEqual(of('b1').tasks[0]?.curve);
  // The same first head and the same order of rows: a start from what was learned, and a source that learned nothing, are what makes the difference.
  expect(of('b3').tasks[1]?.curve).not.toEqual(of('b1').tasks[1]?.curve);
  expect(of('b4').tasks[1]?.curve).not.toEqual(of('linear').tasks[1]?.curve);
  expect(of('b1').summary.transfer?.values).toEqual([1, 1]);
  // Frozen columns answer with the same bits after each later task; a column that is tuned on does not.
  for (const name of ['b2', 'linear', 'adapter', 'linear-equal', 'adapter-equal'])
    expect(of(name)).toMatchObject({ bitIdentical: true, summary: { backwardTransfer: { mean: 0 }, forgetting: { mean: 0 } } });
  expect(of('b3').bitIdentical).toBe(false);
  // 4-8-8-2: 40, 72 and 18 parameters; a second head has 18.
  expect(of('b1').parameters).toBe(3 * 130);
  expect(of('b2').parameters).toBe(130 + 2 * 18);
  expect(of('b3').parameters).toBe(130 + 2 * 18);
  expect(of('b2').tasks[2]?.parameters.trained).toBe(18);
  // Laterals into block 1 and the head: 8 x 8 and 8 x 2 for each source.
  expect(of('linear').parameters).toBe(3 * 130 + 3 * 80);
  expect(of('b4').parameters).toBe(4 * 130 + 2 * 80);
  expect(of('linear-equal').equal).toMatchObject({ to: 'b3' });
  expect(of('linear-equal').parameters).toBeLessThanOrEqual(of('b3').parameters);
  const [matrix] = study.matrices;
  expect(matrix).toMatchObject({ method: 'linear', tasks: ['a', 'b', 'c'] });
  expect(matrix?.transfer[0]?.[1]).toEqual(of('linear').tasks[1]?.transfer);
  expect(matrix?.transfer.flat().filter((cell) => cell === null)).toHaveLength(3);
  expect(stdout).toMatch(/^method +parameters +accuracy at the end +transfer/m);
  expect(stdout).toMatch(/^linear +630 .* the same bits$/m);
  expect(stdout).toMatch(/^B3 +166 .* changed$/m);
  expect(stdout).toMatch(/^linear, from +to a +to b +to c$/m);
  const lines = (name: string) =>
    readFileSync(join(dir, 'study', name), 'utf8')
      .trim()
      .split('\n');
  expect(lines('tasks.csv')).toHaveLength(1 + 3 * 8);
  expect(lines('matrix.csv')).toHaveLength(1 + 9);
  expect(lines('methods.csv')[0]).toBe(
    'method,parameters,bit-identical,average,average deviation,transfer,transfer deviation,medianTransfer,medianTransfer deviation,forwardTransfer,forwardTransfer deviation,backwardTransfer,backwardTransfer deviation,forgetting,forgetting deviation,gain,gain deviation',
  );

  // The same command trains nothing again; other seeds are trained beside those that are there.
  const again = prognet(...args, '--json', '--quiet');
  expect(again.status, again.stderr).toBe(0);
  expect(figures(studySchema.parse(JSON.parse(again.stdout)))).toEqual(figures(study));
  const before = trainings(dir);
  expect(before).toHaveLength(study.trainings.count);
  writeFileSync(join(dir, 'c.csv'), csv(4));
  expect(prognet('study', dir, '--seeds', '2', '--methods', 'linear', '--matrix', 'none', '--quiet').status).toBe(0);
  // Of the third task alone there is something new: alone and over the others, for each seed.
  expect(trainings(dir).filter((name) => !before.includes(name))).toHaveLength(4);
}, 180_000);

it.each(['SIGINT', 'SIGKILL'] as const)(
  'after %s the same command goes on, to the very figures of one that nothing stopped',
  async (signal) => {
    const dir = folder();
    const args = ['study', dir, '--seeds', '1', '--methods', 'b3,linear', '--matrix', 'none', '--jobs', '1'];
    const study = start(...args);
    await until(study, /training 3\/7/);
    study.child.kill(signal);
    const { code, stderr } = await study.ended;
    if (signal === 'SIGINT') {
      expect(code).toBe(130);
      expect(stderr).toMatch(
        /interrupted after \d of 7 trainings, which stand in \S+study; the same command goes on with the others$/m,
      );
    }
    const done = trainings(dir);
    expect(done.length).toBeGreaterThanOrEqual(3);
    expect(done.length).toBeLessThan(7);
    expect(existsSync(join(dir, 'study/study.json'))).toBe(false);
    const files = done.map((name) => readFileSync(join(dir, 'study/trainings', name), 'utf8'));
    expect(prognet(...args).status).toBe(0);
    expect(done.map((name) => readFileSync(join(dir, 'study/trainings', name), 'utf8'))).toEqual(files);
    expect(existsSync(join(dir, 'study/lock'))).toBe(false);
    const whole = folder();
    expect(prognet('study', whole, ...args.slice(2, -1), '2', '--quiet').status).toBe(0);
    expect(figures(resultIn(dir))).toEqual(figures(resultIn(whole)));
  },
  180_000,
);

it('killed in the middle of a training, it goes on from there to the same bits', async () => {
  const epochs = 1000;
  const text = yaml('', 4).replace('epochs: 4', `epochs: ${epochs}`);
  const dir = folder(text);
  const args = (of: string) => ['study', of, '--seeds', '1', '--methods', 'b3', '--matrix', 'none', '--jobs', '1'];
  const study = start(...args(dir));
  const own = join(dir, 'study/trainings');
  const checkpoints = () =>
    existsSync(own)
      ? readdirSync(own, { recursive: true, encoding: 'utf8' }).filter((name) => /^\w+.checkpoint-[2-9]\.safetensors$/.test(name))
      : [];
  await expect.poll(checkpoints, { timeout: 60_000, interval: 20 }).not.toEqual([]);
  study.child.kill('SIGKILL');
  await study.ended;
  expect(trainings(dir)).toEqual([]);
  const { status, stderr } = prognet(...args(dir));
  expect(status, stderr).toBe(0);
  const [, from] = /^B1 a, seed 0: went on from step (\d+)$/m.exec(stderr) ?? [];
  // 13 minibatches an epoch: whole epochs were not run again, and some were left.
  expect(Number(from)).toBeGreaterThanOrEqual(13);
  expect(Number(from)).toBeLessThan(13 * epochs);
  expect(checkpoints()).toEqual([]);
  const whole = folder(text);
  expect(prognet(...args(whole), '--quiet').status).toBe(0);
  const measured = (of: string) =>
    trainings(of).map((name) => {
      const { seconds, ...rest } = JSON.parse(readFileSync(join(of, 'study/trainings', name), 'utf8'));
      return { name, ...rest, timed: seconds > 0 };
    });
  expect(measured(dir)).toEqual(measured(whole));
  expect(measured(dir)).toHaveLength(3);
}, 300_000);

it('compares columns with several heads, by the first', () => {
  const column = (task: string, file: string) => `  - task: ${task}
    data: { source: ${file}.csv, targets: { kind: y, size: s } }
    blocks: [[{ dense: 8 }, relu]]
    heads: { kind: { classify: 2 }, size: { regress: 1 } }
    train: { epochs: 4, batch: 16, lr: 0.02 }
`;
  const input = 'input: { name: x, features: [x0, x1, x2, x3] }';
  const dir = workspace(`prognet: 1\nname: several\n${input}\ncolumns:\n${column('a', 'a')}${column('b', 'b')}`);
  for (const [i, name] of ['a', 'b'].entries()) {
    const rows = csv(i + 1).split('\n');
    const lines = rows.map((row) => `${row},${(2 * Number(row.split(',')[1])).toFixed(3)}`);
    writeFileSync(join(dir, `${name}.csv`), ['x0,x1,x2,x3,y,s', ...lines].join('\n'));
  }
  const { status, stderr } = prognet('study', join(dir, 'prognet.yaml'), '--seeds', '1', '--matrix', 'none');
  expect(status, stderr).toBe(0);
  const study = resultIn(dir);
  expect(study.methods.map(({ method }) => method)).toEqual(['b1', 'b2', 'b3', 'b4', 'linear', 'adapter']);
  for (const { tasks } of study.methods) expect(tasks.every(({ end }) => end.mean > 0.3)).toBe(true);
  expect(study.tasks.map(({ metric }) => metric)).toEqual(['accuracy', 'accuracy']);
});

it('weights that changed since they were written are not taken', () => {
  const dir = folder();
  const args = ['study', dir, '--seeds', '1', '--methods', 'b2', '--matrix', 'none', '--quiet'];
  expect(prognet(...args).status).toBe(0);
  const own = join(dir, 'study/trainings');
  const weights = readdirSync(own).filter((name) => name.endsWith('.safetensors'));
  for (const name of weights) {
    const bytes = readFileSync(join(own, name));
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    writeFileSync(join(own, name), bytes);
  }
  appendFileSync(join(dir, 'b.csv'), `\n${csv(5)}`);
  const { status, stderr } = prognet(...args);
  expect([status, stderr.split('\n').length]).toEqual([1, 2]);
  expect(stderr).toMatch(
    /^prognet: B2 a > b, seed 0: .*\.safetensors: changed since it was written; remove it, and the same command/,
  );
});

it('a training that diverges is named', () => {
  const dir = folder(three().replace('lr: 0.01, seed: 3', 'lr: 1.0e+30'));
  expect(prognet('study', dir, '--seeds', '1', '--quiet')).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/^prognet: B1 a, seed 0: the loss is NaN at step \d+ .*\n$/),
  });
});

it('refuses what it cannot compare, before anything is trained', () => {
  const dir = folder();
  const says = (args: readonly string[], line: RegExp) => {
    const { status, stderr } = prognet('study', ...args, '--quiet');
    expect(stderr).toMatch(line);
    expect([status, stderr.trimEnd().split('\n').length]).toEqual([2, 1]);
  };
  says(
    [dir, '--tasks', 'a'],
    /^prognet: a study compares how tasks help each other: found one task, "a", expected at least two$/m,
  );
  says([dir, '--tasks', 'a,d'], /^prognet: unknown task "d", the description has: a, b, c$/m);
  says([dir, '--tasks', 'a,b,a'], /^prognet: tasks: found "a" twice, expected each task once$/m);
  says([dir, '--methods', 'b5'], /^prognet: --methods: found "b5", expected some of b1, b2, b3, b4, linear, adapter, lora$/m);
  says([dir, '--methods', 'b1,b1'], /^prognet: --methods: found "b1" twice, expected each method once$/m);
  says([dir, '--matrix', 'b4'], /^prognet: --matrix: found "b4", expected some of b2, b3, linear, adapter, lora$/m);
  says([dir, '--equal-parameters', 'b2'], /^prognet: --equal-parameters: found "b2", expected one of b1, b3$/m);
  says(
    [dir, '--methods', 'lora'],
    /^prognet: method lora is for columns that tune an imported one, these have layers of their own; /m,
  );
  says([dir, '--seeds', '0'], /^prognet: --seeds: found "0", expected a positive integer$/m);
  says([join(dir, 'none.yaml')], /none\.yaml/);
  says([join(dir, 'a.csv')], /a\.csv/);
  says([dir, '--output', dir], /: holds files of something else, expected an empty folder or that of a study: --output$/m);
  const without = folder(
    three()
      .replace('validation: 0.2', 'validation: 0')
      .replace(/, early_stopping: \{[^}]*\}/, ''),
  );
  says(
    [without],
    /^prognet: task "b": learning curves are measured on the validation part, found validation: 0, expected it above 0$/m,
  );
  expect(existsSync(join(dir, 'study'))).toBe(false);
});

/** A workspace whose only column is an imported one, and its description. */
function overImported() {
  const dir = mkdtempSync(join(tmpdir(), 'prognet-study-'));
  const { model, taps } = mlp();
  writeFileSync(join(dir, 'original.onnx'), toBinary(model));
  const begun = prognet('import', join(dir, 'original.onnx'), '--task', 'base', '--backbone', '--taps', taps.join(), '-o', dir);
  expect(begun.status, begun.stderr).toBe(0);
  const file = join(dir, 'prognet.yaml');
  return { dir, file };
}

it('over an imported column: a head alone, all weights tuned on and on, low-rank updates, and the same network from the start', () => {
  const { dir, file } = overImported();
  const task = (name: string) => `  - task: ${name}
    data: { source: ${name}.csv, header: false }
    tune: { base: base, lora: { rank: 2, on: ["fc*"] } }
    head: { classify: 2 }
    train: { epochs: 3, batch: 16, lr: 0.02 }
`;
  writeFileSync(file, `${readFileSync(file, 'utf8')}${['a', 'b', 'c'].map(task).join('')}`);
  for (const [i, name] of ['a', 'b', 'c'].entries()) writeFileSync(join(dir, `${name}.csv`), csv(i + 1));
  const { status, stderr } = prognet('study', dir, '--seeds', '1', '--quiet');
  expect(status, stderr).toBe(0);
  const study = resultIn(dir);
  expect(study.matrices).toEqual([]);
  expect(study.tasks.map((each) => each.task)).toEqual(['a', 'b', 'c']);
  const [b1, b2, b3, lora] = study.methods;
  expect(study.methods.map(({ method }) => method)).toEqual(['b1', 'b2', 'b3', 'lora']);
  // 4-6-5-4: 24 + 6, 30 + 5 and 20; a head of two over four has 10. Updates of rank 2: 2 (4 + 6), 2 (6 + 5), 2 (5 + 4).
  const [body, head, updates] = [85, 10, 60];
  expect(b1?.parameters).toBe(3 * (body + head));
  expect(b3?.parameters).toBe(body + 3 * head);
  expect(b2?.tasks[1]?.parameters.trained).toBe(head);
  expect(lora?.tasks[1]?.parameters.trained).toBe(updates + head);
  expect((lora?.parameters ?? 0) - (b2?.parameters ?? 0)).toBe(3 * updates);
  // The imported column helps the first task too, which is learned from there.
  expect(b3?.tasks[0]?.curve).not.toEqual(b1?.tasks[0]?.curve);
  expect([b2?.bitIdentical, b3?.bitIdentical, lora?.bitIdentical]).toEqual([true, false, true]);
  const says = (args: readonly string[], line: RegExp) =>
    expect(prognet('study', dir, '--quiet', ...args)).toMatchObject({ status: 2, stderr: expect.stringMatching(line) });
  says(
    ['--methods', 'b4'],
    /^prognet: method b4 is for columns with layers of their own, these tune an imported one; expected .*\n$/,
  );
  says(['--equal-parameters'], /^prognet: an equal number of parameters is for columns by themselves, these tune .*\n$/);
  says(
    ['--matrix', 'b2'],
    /^prognet: matrix: b2 carries nothing from one of these tasks to another, expected some of b3, lora\n$/,
  );
  // Of a pair of tasks the second begins with what the first made of the imported column: of its weights, or of its updates.
  const pairs = prognet('study', dir, '--seeds', '1', '--quiet', '--methods', 'b3,lora', '--matrix', 'b3,lora');
  expect(pairs.status, pairs.stderr).toBe(0);
  const [b3Pairs, loraPairs] = resultIn(dir).matrices;
  expect(b3Pairs?.transfer[0]?.[1]).toEqual(b3?.tasks[1]?.transfer);
  expect(loraPairs).toMatchObject({ method: 'lora', label: 'LoRA', tasks: ['a', 'b', 'c'] });
  expect(new Set([...[0, 1].map((i) => loraPairs?.learned[i]?.[2]?.mean), lora?.tasks[2]?.learned.mean]).size).toBeGreaterThan(1);
  appendFileSync(file, task('e').replace('rank: 2', 'rank: 1').replace('e.csv', 'c.csv'));
  says(
    ['--matrix', 'lora', '--tasks', 'a,e'],
    /^prognet: matrix: lora: tasks "a" and "e" update other weights or by other ranks, expected the same, .*\n$/,
  );
  says(['--tasks', 'base,a'], /^prognet: prognet.yaml: task "base" is an imported column, a study expects .*\n$/);
}, 180_000);

it('columns with layers over an imported one: what it is worth, and what earlier tasks add', () => {
  const { dir, file } = overImported();
  const task = (name: string) => `  - task: ${name}
    data: { source: ${name}.csv, header: false }
    blocks: [[{ dense: 4 }, tanh], [{ dense: 4 }, tanh]]
    laterals: { kind: adapter, rank: 2 }
    head: { classify: 2 }
    train: { epochs: 3, batch: 16, lr: 0.02 }
`;
  writeFileSync(file, `${readFileSync(file, 'utf8')}${['a', 'b'].map(task).join('')}`);
  for (const [i, name] of ['a', 'b'].entries()) writeFileSync(join(dir, `${name}.csv`), csv(i + 1));
  const { status, stderr } = prognet('study', dir, '--seeds', '1', '--quiet');
  expect(status, stderr).toBe(0);
  const { methods, matrices } = resultIn(dir);
  expect(methods.map(({ method }) => method)).toEqual(['b1', 'b2', 'b3', 'b4', 'linear', 'adapter']);
  const [b1, b2, b3, b4, linear, adapter] = methods;
  // Imported 4-6-5-4 without its scores: 24 + 6, 30 + 5 and 20. Own 4-4-4-2: 20, 20 and 10. Laterals from it into block 1, of tap 0 or 1, and the head, of the last.
  const [imported, own, head] = [85, 50, 10];
  expect(b1?.parameters).toBe(2 * own);
  expect(b2?.tasks.map(({ parameters }) => parameters)).toEqual([
    { trained: head, network: imported + head },
    { trained: head, network: imported + 2 * head },
  ]);
  const lateral = (linear?.tasks[0]?.parameters.trained ?? 0) - own;
  expect([5 * 4, 6 * 4].map((into) => into + 4 * 2)).toContain(lateral);
  expect(linear?.tasks[0]?.parameters.network).toBe(imported + own + lateral);
  // From the earlier task: 4 x 4 into block 1 and 4 x 2 into the head.
  expect(linear?.parameters).toBe(imported + 2 * (own + lateral) + 24);
  expect(b4?.parameters).toBe((linear?.parameters ?? 0) + own + lateral);
  expect(b3?.parameters).toBe(imported + own + lateral + head + 4 * 2);
  // All but baseline 1 begin with the imported column; the second task's column has the first one's beside it.
  expect(linear?.tasks[0]?.curve).not.toEqual(b1?.tasks[0]?.curve);
  expect(b3?.tasks[0]?.curve).toEqual(linear?.tasks[0]?.curve);
  expect(b4?.tasks[0]?.curve).toEqual(linear?.tasks[0]?.curve);
  expect([b2, b3, linear, adapter].map((each) => each?.bitIdentical)).toEqual([true, false, true, true]);
  const [matrix] = matrices;
  expect(matrix).toMatchObject({ method: 'linear', tasks: ['a', 'b'] });
  expect(matrix?.transfer[0]?.[1]).toEqual(linear?.tasks[1]?.transfer);
  const says = (args: readonly string[], line: RegExp) =>
    expect(prognet('study', dir, '--quiet', ...args)).toMatchObject({ status: 2, stderr: expect.stringMatching(line) });
  says(
    ['--equal-parameters'],
    /^prognet: an equal number of parameters is for columns by themselves, these read an imported one\n$/,
  );
  says(['--matrix', 'b2'], /^prognet: matrix: b2 carries nothing .* expected some of b3, linear, adapter\n$/);
}, 180_000);
