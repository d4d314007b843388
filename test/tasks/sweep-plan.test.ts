// What a sweep tries, and the text of a description with another value in it.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { must } from '../../src/onnx/core/errors.js';
import { withValue, writtenColumn } from '../../src/tasks/description-value.js';
import { loadWorkspace } from '../../src/tasks/load-workspace.js';
import { linesOf, planTrials } from '../../src/tasks/sweep/plan.js';
import { messageOf } from '../workspace/support.js';

const text = `prognet: 1
name: toy # a toy
input: { name: x, shape: [4] }
columns:
  - task: a # the first
    data: { source: a.csv }
    blocks:
      - [{ dense: 32 }, relu, { dropout: 0.1 }] # wide
      - [{ dense: { units: 8, bias: false } }, relu]
    head: { classify: 2 }
    train: { epochs: 2, lr: 0.01 } # quick
  - task: b
    data: { source: b.csv }
    like: a
    laterals: { kind: adapter, rank: 3 }
`;

function plan(task: string, set: readonly string[], more: { trials?: number; seeds?: number } = {}, description = text) {
  const dir = mkdtempSync(join(tmpdir(), 'prognet-plan-'));
  writeFileSync(join(dir, 'prognet.yaml'), description);
  return planTrials(loadWorkspace(dir), description, task, { set, ...more });
}
const refused = (task: string, ...set: string[]) => messageOf(() => plan(task, set));

describe('a value in the text of a description', () => {
  const changed = (path: readonly (string | number)[], value: unknown, task = 'a') =>
    withValue(text, 'prognet.yaml', task, path, value);
  it.each([
    [['train', 'lr'], 0.5, 'lr: 0.01', 'lr: 0.5'],
    [['blocks', 0, 0, 'dense'], 64, 'dense: 32', 'dense: 64'],
    [['blocks', 1, 0, 'dense', 'units'], 9, 'units: 8', 'units: 9'],
    [['blocks', 0, 1], 'tanh', '32 }, relu', '32 }, tanh'],
    [['train', 'batch'], 16, 'lr: 0.01 }', 'lr: 0.01, batch: 16 }'],
    [['train', 'schedule'], { step: { every: 3 } }, 'lr: 0.01 }', 'lr: 0.01, schedule: { step: { every: 3 } } }'],
  ])('%j is put there, and nothing else moves', (path, value, from, to) => {
    expect(changed(path, value)).toBe(text.replace(from, to));
  });
  it('is added where its object is not there yet, comments kept', () => {
    const written = changed(['train', 'lr'], 0.5, 'b');
    expect(writtenColumn(written, 'b').train).toEqual({ lr: 0.5 });
    expect(written).toContain('# the first');
  });
  it('of blocks that are taken from another column is written out, and the other keeps its own', () => {
    const written = changed(['blocks', 0, 0, 'dense'], 64, 'b');
    expect(writtenColumn(written, 'b')).toMatchObject({ like: 'a', blocks: [[{ dense: 64 }, 'relu', { dropout: 0.1 }], {}] });
    expect(writtenColumn(written, 'a')).toEqual(writtenColumn(text, 'a'));
  });
  it('is written as JSON where the description is', () => {
    const json = '{"columns":[{"task":"a","train":{"lr":0.1},"blocks":[["relu"]]}]}';
    const put = (path: readonly (string | number)[], value: unknown) =>
      JSON.parse(withValue(json, 'prognet.json', 'a', path, value)).columns[0];
    expect(put(['train', 'lr'], 0.2).train).toEqual({ lr: 0.2 });
    expect(put(['train', 'epochs'], 3).train).toEqual({ lr: 0.1, epochs: 3 });
    expect(put(['blocks', 0, 0], 'tanh').blocks).toEqual([['tanh']]);
  });
  it('cannot stand where nothing is', () => {
    expect(messageOf(() => changed(['blocks', 7, 0], 'relu'))).toMatch(
      /^blocks\[7\]\[0\]: task "a" has \[.* at blocks, where 7 cannot be set$/,
    );
    expect(messageOf(() => changed(['head', 'classify', 'smoothing'], 0.1))).toBe(
      'head.classify.smoothing: task "a" has 2 at head.classify, where "smoothing" cannot be set',
    );
  });
  it('that is an option of a head stands beside its width, written out', () => {
    const put = (value: string) =>
      withValue(text.replace('head: { classify: 2 }', value), 'prognet.yaml', 'a', ['head', 'classify', 'label_smoothing'], 0.1);
    expect(put('head: { classify: 2 }')).toBe(
      text.replace('head: { classify: 2 }', 'head: { classify: { classes: 2, label_smoothing: 0.1 } }'),
    );
    expect(put('head: { classify: { classes: 2 } }')).toBe(put('head: { classify: 2 }'));
    const flat = text.replace('head: { classify: 2 }', 'head: { kind: classify, classes: 2 }');
    const plans = plan('a', ['label_smoothing=0.1'], {}, flat);
    expect(plans[0]?.text).toContain('head: { kind: classify, classes: 2, label_smoothing: 0.1 }');
    expect(writtenColumn(must(plan('b', ['label_smoothing=0.1'])[0], 'trial').text, 'b').head).toEqual({
      classify: { classes: 2, label_smoothing: 0.1 },
    });
  });
});

describe('what --set names', () => {
  it('stands for the one place of that name, or a path', () => {
    const [trial] = plan('a', ['lr=0.5', 'dropout=0.3', 'units=9', 'blocks[0][1]=tanh', 'batch=4']);
    expect(trial?.combination).toEqual({ lr: 0.5, dropout: 0.3, units: 9, 'blocks[0][1]': 'tanh', batch: 4 });
    expect(writtenColumn(trial?.text ?? '', 'a')).toMatchObject({
      train: { lr: 0.5, batch: 4, validation: 0.1 },
      blocks: [
        [{ dense: 32 }, 'tanh', { dropout: 0.3 }],
        [{ dense: { units: 9, bias: false } }, 'relu'],
      ],
    });
    expect(linesOf(text, 'a', trial?.values ?? [])).toEqual([
      'train.lr: 0.5',
      'blocks[0][0].dropout: 0.3'.replace('[0].dropout', '[2].dropout'),
      'blocks[1][0].dense.units: 9',
      'blocks[0][1]: "tanh"',
      'train.batch: 4',
      'train.validation: 0.1',
    ]);
  });
  it.each([
    ['dense=3', /^--set dense: stands at blocks\[0\]\[0\]\.dense and blocks\[1\]\[0\]\.dense, expected one of these paths$/],
    [
      'foo=3',
      /^--set foo: task "a" has no such value, expected a path such as train\.lr or blocks\[0\]\[0\]\.dense, or one of epochs, /,
    ],
    ['task=c', /^--set task: task makes another task of it, expected what decides how it is learnt$/],
    ['data.source=x', /^--set data\.source: data makes another task of it/],
    ['lr', /^--set: found "lr", expected <name>=<value>,<value> such as lr=0\.1,0\.01$/],
    ['lr=', /^--set: found "lr=", expected/],
    ['lr=-1', /^prognet\.yaml: columns\[0\]\.train\.lr: found -1, expected a positive number$/],
    ['blocks[0][0].dense=many', /^prognet\.yaml: columns\[0\]\.blocks\[0\]\[0\].*found "many"/],
    ['validation=0', /^a sweep measures on the validation part, expected a validation above 0$/],
  ])('%s is refused', (set, line) => {
    expect(refused('a', set)).toMatch(line);
  });
  it('is set once', () => {
    expect(refused('a', 'lr=1', 'train.lr=2')).toBe('--set train.lr: is set twice');
  });
});

describe('the trials of a plan', () => {
  const all = (set: readonly string[], more = {}) =>
    plan('a', set, more).map(({ combination, seed }) => [Object.values(combination).join(), seed]);
  it('are all combinations, the last name first to change', () => {
    expect(all(['lr=1,2', 'batch=4,8']).map(([c]) => c)).toEqual(['1,4', '1,8', '2,4', '2,8']);
  });
  it('are drawn by the seed where there are fewer, without one twice', () => {
    const drawn = all(['lr=1,2,3,4,5', 'batch=4,8'], { trials: 4 }).map(([c]) => c);
    expect(new Set(drawn).size).toBe(4);
    expect(all(['lr=1,2,3,4,5', 'batch=4,8'], { trials: 4 }).map(([c]) => c)).toEqual(drawn);
    expect(
      plan('a', ['lr=1,2,3,4,5', 'batch=4,8'], { trials: 4 }, text.replace('name: toy', 'name: toy\nseed: 9')).map((t) =>
        Object.values(t.combination).join(),
      ),
    ).not.toEqual(drawn);
  });
  it("have seeds that follow the column's own", () => {
    expect(all(['lr=1,2'], { seeds: 2 })).toEqual([
      ['1', undefined],
      ['1', 1],
      ['2', undefined],
      ['2', 1],
    ]);
  });
});
