// A column put into the text of a description: what stands there stays as it is, blank for blank.
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { withColumn } from '../../src/tasks/column-text.js';

const column = { task: 'new', data: 'new.npz', onnx: { graph: 'imported/new.onnx', taps: ['h'] }, head: { classify: 2 } };
const added = (blanks: string) =>
  [
    '- task: new',
    '  data: new.npz',
    '  onnx:',
    '    graph: imported/new.onnx',
    '    taps:',
    '      - h',
    '  head:',
    '    classify: 2',
  ]
    .map((line) => `${blanks}${line}\n`)
    .join('');

it.each([
  ['prognet: 1 # one\ncolumns:\n  - task:  a   # first\n    head: {classify: 2}   # two\n', '', '  '],
  ['columns:\n- task: a\n  blocks: [ [relu],[ {dense: 8} ] ]\n', '\n# end\ninput: {name: x, shape: [1, 28, 28]}\n', ''],
  ['columns:\n    - { task: a } # comment\n', 'seed:   3', '    '],
  ['columns:\n  - task: a\n    name: |\n      text\n', '\n  # c\nseed: 1\n', '  '],
])('%j', (before, after, blanks) => {
  const text = withColumn(before + after, 'prognet.yaml', column);
  expect(text).toBe(before + added(blanks) + after);
  expect(parse(text).columns.at(-1)).toEqual(column);
});

it('without an end of line, with no column yet, in flow form, in place of one with its task', () => {
  expect(withColumn('columns:\n  - task: a', 'prognet.yaml', column)).toBe(`columns:\n  - task: a\n${added('  ')}`);
  expect(withColumn('input: {shape: [1, 2]}\ncolumns: []\n', 'prognet.yaml', column)).toBe(
    `input: {shape: [1, 2]}\ncolumns:\n${added('  ')}`,
  );
  for (const text of [
    '{ columns: [{ task: a }] }',
    'columns: [{ task: a }]\nseed: 1\n',
    'columns:\n  - task: a\n  - task: new\n',
  ])
    expect(parse(withColumn(text, 'prognet.yaml', column)).columns).toEqual([{ task: 'a' }, column]);
});
