// Tables of scikit-learn, with labels of texts, empty cells and a category: `init --from` describes each, and training, the exported file in Python's
// onnxruntime on raw rows, and `predict` on the raw file answer alike.
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { environment, python } from '../python/python.js';
import { prognet } from './support.js';

const tables = environment('.venv-tables');
const onnx = environment('.venv');
const missing = tables.missing || onnx.missing;
const folder = mkdtempSync(join(tmpdir(), 'prognet-tables-'));
const facts = z.record(
  z.string(),
  z.object({ rows: z.number(), numbers: z.array(z.string()), category: z.string().nullable(), label: z.string() }),
);
let written: z.infer<typeof facts> = {};
beforeAll(() => {
  if (!missing) written = facts.parse(python('.venv-tables', 'tables.py', folder));
});

/** The cells of a CSV file whose quoted cells hold no quotes. */
const cellsOf = (text: string) =>
  text
    .trimEnd()
    .split(/\r?\n/)
    .map((line) => line.split(/,(?=(?:[^"]*"[^"]*")*[^"]*$)/).map((cell) => cell.replaceAll('"', '')));

describe.skipIf(missing)(`tables${tables.note}${onnx.note}`, () => {
  it.each([
    ['iris', 'accuracy', 0.85],
    ['wine', 'accuracy', 0.85],
    ['breast_cancer', 'accuracy', 0.9],
    ['diabetes', 'error', 80],
  ] as const)(
    '%s',
    (name, metric, bound) => {
      const dir = join(folder, name);
      const at = (file: string) => join(dir, file);
      const ok = (...args: string[]) => {
        const { status, stdout, stderr } = prognet(...args, '-C', dir);
        expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
        return stdout;
      };
      const source = join(folder, `${name}.csv`);
      expect(prognet('init', dir, '--from', source).status).toBe(0);
      const { label, numbers, category } = written[name] ?? { label: '', numbers: [], category: null };
      const task = label;
      ok('train', task, '--freeze', '--quiet', '--threads', '1');
      const { metrics } = JSON.parse(readFileSync(at(`columns/${task}/column.json`), 'utf8'));
      if (metric === 'accuracy') expect(metrics.accuracy).toBeGreaterThan(bound);
      else expect(metrics.error).toBeLessThan(bound);
      ok('verify', '--quiet');
      ok('export', '--task', task, '--probabilities', '-o', at('model.onnx'));
      const [header = [], ...rows] = cellsOf(readFileSync(source, 'utf8'));
      const cell = (row: readonly string[], column: string) => row[header.indexOf(column)] ?? '';
      const number = (text: string) => (text === '' ? null : Number(text));
      const feeds = {
        row: rows.map((row) => numbers.map((column) => number(cell(row, column)))),
        ...(category !== null && { row_categories: rows.map((row) => [cell(row, category)]) }),
      };
      writeFileSync(at('raw.json'), JSON.stringify(feeds));
      const outside = z
        .record(z.string(), z.array(z.unknown()))
        .parse(python('.venv', 'answers.py', at('model.onnx'), at('raw.json')));
      const inside = JSON.parse(ok('predict', task, '--input', source, '--json'));
      const [a, b] = [
        (outside[`${task}_probabilities`] ?? outside[task] ?? []).flat().map(Number),
        (inside.probabilities ?? inside.values).flat(),
      ];
      expect(a).toHaveLength(b.length);
      expect(b.length).toBeGreaterThanOrEqual(rows.length);
      for (const [i, v] of a.entries()) expect(Math.abs(v - b[i]) / Math.max(1, Math.abs(v))).toBeLessThan(1e-5);
    },
    120_000,
  );
});

describe('init --from', () => {
  const from = (text: string, ...flags: string[]) => {
    const dir = mkdtempSync(join(tmpdir(), 'prognet-from-'));
    writeFileSync(join(dir, 't.csv'), text);
    const { status, stderr } = prognet('init', dir, '--from', join(dir, 't.csv'), ...flags);
    return { status, stderr, dir, text: status === 0 ? readFileSync(join(dir, 'prognet.yaml'), 'utf8') : '' };
  };
  const rows = (count: number, row: (i: number) => string) => Array.from({ length: count }, (_, i) => row(i)).join('\n');

  it('says what it leaves out and takes for granted, and what it writes trains', () => {
    const { status, stderr, text, dir } = from(
      `,id,Größe;x,note,city,grade\n${rows(60, (i) => `${i},${i + 1},"${i % 5}",t${i},${['Bern', 'yes', ''][i % 3]},${i % 3}`)}\n`,
    );
    expect([status, stderr.trim().split('\n')]).toEqual([
      0,
      [
        'column "grade", the last, is the label; --label names another',
        'column "" is left out: it has no name, as the index that pandas writes',
        'column "id" is left out: it numbers the rows',
        'column "note" is left out: it has more than 50 different texts',
        'the label "grade" has 3 whole numbers, taken as classes; { regress: 1 } as the head predicts it as a number',
      ],
    ]);
    expect(text).toContain('    - "Größe;x"\n    - { city: ["", Bern, "yes"] }\n  prepare: [standardise, one_hot]\n');
    expect(text).toContain('    head: { classify: 3 }\n');
    expect(prognet('train', 'grade', '--freeze', '--epochs', '2', '--quiet', '-C', dir)).toMatchObject({ status: 0 });
  });

  it('says which texts are numbers with decimal commas, and which numbers look like codes', () => {
    const { status, stderr } = from(`plz;wert;art\n${rows(40, (i) => `0${1000 + i};${i % 9},5;${i % 2 === 0 ? 'a' : 'b'}`)}\n`);
    expect([status, stderr.trim().split('\n')]).toEqual([
      0,
      [
        'column "art", the last, is the label; --label names another',
        'column "plz" is taken as numbers, though "01000" begins with a zero as codes do',
        'column "wert" is taken as texts, such as "0,5"; --decimal , reads them as numbers',
      ],
    ]);
  });

  it('decimal commas, another delimiter and a label that is named', () => {
    const { status, text, dir } = from(
      `zahl;wert;art\n${rows(40, (i) => `${i % 2 === 0 ? '' : `${i},5`};${i},25;${i % 2 === 0 ? 'a b' : 'c'}`)}\n`,
      '--label',
      'wert',
      '--decimal',
      ',',
    );
    expect(status).toBe(0);
    expect(text).toContain(`data: { source: "t.csv", label: wert, delimiter: ";", decimal: ',' }`);
    expect(text).toContain('head: { regress: { outputs: 1, names: [wert] } }');
    expect(text).toContain('prepare: [{ fill: median }, standardise, one_hot]');
    expect(prognet('train', 'wert', '--freeze', '--epochs', '2', '--quiet', '-C', dir)).toMatchObject({ status: 0 });
  });

  it.each([
    ['1,2\n3,4\n', [], /t\.csv: row 1 holds numbers, expected the names of the columns\n$/],
    ['a,y\n1,0\n2,\n', [], /t\.csv: the label "y" is missing in 1 rows, expected it in every row\n$/],
    ['a,y\n1,0\n2,0\n', [], /t\.csv: the label "y" is the same in every row, expected at least two values\n$/],
    ['a,y\n1,0\n2,1\n', ['--label', 'z'], /t\.csv: no column is named "z", expected one of "a", "y"\n$/],
    ['a,y\n,0\n,1\n', [], /t\.csv: no column beside the label can be a feature: column "a" is left out: it is empty\n$/],
    ['a y\n1 0\n2 1\n', [], /t\.csv: no column beside the label can be a feature: there is none, with cells parted at ","\n$/],
    ['a,y\n1,0\n2,1\n', ['--template', 'mnist'], /--template beside --from, expected one of them\n$/],
    ['a,y\n1,0\n2,1\n', ['--decimal', ';'], /--decimal: found ";", expected "," or "\."\n$/],
  ])('%j %j is refused', (text, flags, message) => {
    const { status, stderr } = from(text, ...flags);
    expect([status, stderr]).toEqual([2, expect.stringMatching(message)]);
  });
});
