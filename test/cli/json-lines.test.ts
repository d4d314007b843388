// Lines of JSON as inputs of `predict`: the answers of the arrays that hold the same; what does not fit is one line that names line and input.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { asJson, rows, sixDtypes } from '../support/six-dtypes.js';
import { okIn, prognet } from './support.js';

let dir = '';
const at = (name: string) => join(dir, name);
const lines = (rowsOf: readonly unknown[]) => `${rowsOf.map((row) => JSON.stringify(row)).join('\n')}\n`;
beforeAll(() => {
  dir = sixDtypes();
  okIn(dir, 'train', '--all', '--freeze', '--quiet', '--threads', '1');
  writeFileSync(at('rows.jsonl'), lines(Array.from({ length: rows }, (_, i) => asJson(i))));
});

it.each(['plain', 'numbers', 'all', 'words'])('task "%s" answers lines as it answers arrays', (task) => {
  // What was passed over is told of lines alone.
  const ask = (file: string) => ({
    ...JSON.parse(okIn(dir, 'predict', task, '--input', at(file), '--json', '--quiet')),
    notes: 0,
  });
  expect(ask('rows.jsonl')).toEqual(ask('asked.npz'));
});

it.each<[string, (row: Record<string, unknown>) => unknown, string]>([
  [
    'an input is missing',
    ({ kind: _, ...rest }) => rest,
    'line 2: has no input "kind", it has "image", "person", "shop", "half", "open", "pixels", "note"',
  ],
  ['a number is no whole one', (row) => ({ ...row, kind: 1.5 }), '"kind": holds 1.5 at [1], expected a whole number of int32'],
  ['a byte is none', (row) => ({ ...row, pixels: [1, 2, 3, 256] }), '"pixels": holds 256, expected whole numbers from 0 to 255'],
  ['a truth is none', (row) => ({ ...row, open: 'yes' }), 'line 2: "open": holds "yes", expected true or false'],
  ['a shape does not fit', (row) => ({ ...row, half: [1, 2] }), 'line 2: "half": is a list of 2 at depth 0, expected [3]'],
  [
    'a feature is missing',
    (row) => ({ ...row, person: { city: 'Bern' } }),
    'line 2: "person": "age" is nothing, expected a number',
  ],
  ['it is no object', () => [1, 2], 'line 2: is [1,2], expected an object with the inputs by name'],
])('%s: one line says it', (_, change, message) => {
  writeFileSync(at('wrong.jsonl'), lines([asJson(0), change(asJson(1))]));
  const { status, stderr } = prognet('predict', 'all', '--input', at('wrong.jsonl'), '-C', dir);
  expect([status, stderr]).toEqual([2, expect.stringContaining(`wrong.jsonl: ${message}`)]);
});

it('what is no JSON, and no lines, are refused; what is not read is told', () => {
  writeFileSync(at('wrong.jsonl'), '{"image": \n');
  expect(prognet('predict', 'all', '--input', at('wrong.jsonl'), '-C', dir).stderr).toContain(
    'wrong.jsonl: line 1: is no JSON, expected an object with the inputs by name',
  );
  writeFileSync(at('wrong.jsonl'), '');
  expect(prognet('predict', 'all', '--input', at('wrong.jsonl'), '-C', dir).stderr).toContain('wrong.jsonl: holds no lines');
  expect(prognet('predict', 'words', '--input', at('rows.jsonl'), '-C', dir).stderr).toContain(
    'rows.jsonl: not read: "image", "kind", "shop", "half", "open", "pixels"',
  );
});
