// Text with a tokenizer, as a user has it: trained and frozen from CSV files, exported, asked in Python's onnxruntime with ids that Python's tokenizers make,
// asked by `predict` on files, lines and a pipe: the same numbers everywhere.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { writeNpy } from '../../src/formats/npy.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { environment, python } from '../python/python.js';
import { parquet } from '../support/parquet.js';
import { okIn, repo } from './support.js';

const dir = mkdtempSync(join(tmpdir(), 'prognet-text-'));
const at = (...names: string[]) => join(dir, ...names);
const ok = (...args: string[]) => okIn(dir, ...args);
const length = 16;
const settings = 'train: { epochs: 8, batch: 16, lr: 0.01 }';
const description = `prognet: 1
name: notes
input: { name: text, tokenizer: tokenizer.json, length: ${length} }
columns:
  - task: topic
    data: notes
    blocks: [[{ embedding: { size: 12, pool: mean } }], [{ dense: 12 }, relu]]
    head: { classify: { classes: 2, names: [sailing, cooking] } }
    ${settings}
  - task: question
    data: { source: questions.csv, label: asks, columns: [note] }
    blocks: [[{ embedding: { size: 6, pool: max } }], [{ dense: 8 }, relu]]
    head: { classify: { classes: 2, names: ['no', 'yes'] } }
    laterals: { kind: adapter, rank: 4 }
    ${settings}
`;

/** Texts and topics of a CSV file of the template. */
const rowsOf = (file: string) =>
  readFileSync(join(repo, 'templates/text/notes', file), 'utf8')
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((line) => {
      const [, text = '', topic = ''] = /^"?(.*?)"?,(\w+)$/.exec(line) ?? [];
      return { text, topic };
    });
const test = rowsOf('test.csv');
const texts = test.map(({ text }) => text);

beforeAll(() => {
  cpSync(join(repo, 'templates/text'), dir, { recursive: true });
  writeFileSync(at('prognet.yaml'), description);
  const asked = rowsOf('train.csv').map(({ text }) => `"${text}",${text.endsWith('?') ? 'yes' : 'no'},1`);
  writeFileSync(at('questions.csv'), `note,asks,other\n${asked.join('\n')}\n`);
  writeFileSync(at('lines.txt'), `${texts.join('\n')}\n`);
  ok('train', '--all', '--quiet', '--threads', '1');
});

const probabilitiesOf = (task: string, ...args: string[]): number[][] =>
  JSON.parse(ok('predict', task, '--json', ...args)).probabilities;

describe('columns over text', () => {
  it('learn, and stay as they are', () => {
    const accuracy = (task: string) => JSON.parse(readFileSync(at('columns', task, 'column.json'), 'utf8')).metrics.accuracy;
    expect([accuracy('topic'), accuracy('question')].every((found) => found > 0.9)).toBe(true);
    expect(ok('verify')).not.toMatch(/changed|differ/);
  });

  it('lines, a pipe, a CSV file, a Parquet file and ids are answered alike', () => {
    const lines = probabilitiesOf('topic', '--input', at('lines.txt'));
    expect(lines).toHaveLength(test.length);
    expect(probabilitiesOf('topic', '--input', at('notes', 'test.csv'))).toEqual(lines);
    writeFileSync(at('one.csv'), `text\n${texts.map((text) => `"${text}"`).join('\n')}\n`);
    expect(probabilitiesOf('topic', '--input', at('one.csv'))).toEqual(lines);
    writeFileSync(at('notes.parquet'), parquet({ name: 'text', data: texts }, { name: 'n', data: texts.map((_, i) => i) }));
    expect(probabilitiesOf('topic', '--input', at('notes.parquet'))).toEqual(lines);
    const piped = spawnSync('node', [join(repo, 'dist/cli/main.js'), 'predict', 'topic', '-C', dir, '--input', '-', '--json'], {
      input: texts.join('\n'),
      encoding: 'utf8',
    });
    expect(JSON.parse(piped.stdout).probabilities).toEqual(lines);
  });

  const onnx = environment('.venv');
  const python3 = environment('.venv-text');
  it.skipIf(onnx.missing || python3.missing)(`Python alone gives the same numbers${onnx.note}${python3.note}`, () => {
    writeFileSync(at('request.json'), JSON.stringify({ tokenizer: at('tokenizer.json'), length, pad: '[PAD]', texts }));
    const ids = python('.venv-text', 'tokens.py', 'ids', at('request.json'));
    const flat = Array.isArray(ids) ? ids.flat().map(Number) : [];
    writeFileSync(at('ids.npy'), writeNpy(Tensor.from('int64', flat, [texts.length, length])));
    for (const task of ['topic', 'question']) {
      const own = probabilitiesOf(task, '--input', at('lines.txt'));
      expect(probabilitiesOf(task, '--input', at('ids.npy'))).toEqual(own);
      ok('export', '--task', task, '--probabilities', '-o', at(`${task}.onnx`));
      expect(python('.venv', 'answers.py', at(`${task}.onnx`), at('ids.npy'))).toMatchObject({ [`${task}_probabilities`]: own });
    }
  });

  it.each(['fp16', 'int8-dynamic', 'int8'])('exports in %s answer nearly as well', (precision) => {
    const out = ok('export', '--task', 'question', '--precision', precision, '-o', at(`${precision}.onnx`), '--json');
    const [{ metric }] = JSON.parse(out).measured.tasks;
    expect(Math.abs(metric.difference)).toBeLessThan(0.05);
  });
});
