// Text with a tokenizer, as a user has it: trained and frozen from CSV files, exported, asked in Python's onnxruntime with ids that Python's tokenizers make,
// asked by `predict` on files, lines and a pipe: the same numbers everywhere.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { writeNpy } from '../../src/formats/npy.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { environment, python } from '../python/python.js';
import { parquet } from '../support/parquet.js';
import { serve } from '../support/service.js';
import { okIn, prognet, repo } from './support.js';

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
    data: { source: notes, label: topic }
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
  readFileSync(join(repo, 'templates/init/text/notes', file), 'utf8')
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((line) => {
      const [, text = '', topic = ''] = /^"?(.*?)"?,(?:yes|no),(\w+)$/.exec(line) ?? [];
      return { text, topic };
    });
const test = rowsOf('test.csv');
const texts = test.map(({ text }) => text);

beforeAll(() => {
  cpSync(join(repo, 'templates/init/text'), dir, { recursive: true });
  writeFileSync(at('prognet.yaml'), description);
  const asked = rowsOf('train.csv').map(({ text }) => `"${text}",${text.endsWith('?') ? 'yes' : 'no'},1`);
  writeFileSync(at('questions.csv'), `note,asks,other\n${asked.join('\n')}\n`);
  writeFileSync(at('lines.txt'), `${texts.join('\n')}\n`);
  ok('train', '--all', '--quiet', '--threads', '1');
});

const probabilitiesOf = (task: string, ...args: string[]): number[][] =>
  JSON.parse(ok('predict', task, '--json', ...args)).probabilities;

describe('the template', () => {
  it('is trained and asked as it comes', () => {
    const notes = join(mkdtempSync(join(tmpdir(), 'prognet-template-')), 'notes');
    expect(prognet('init', notes, '--template', 'text')).toMatchObject({ status: 0 });
    okIn(notes, 'train', '--all', '--quiet');
    const accuracy = (task: string) =>
      JSON.parse(readFileSync(join(notes, 'columns', task, 'column.json'), 'utf8')).metrics.accuracy;
    expect(['topic', 'asks'].map(accuracy)).toEqual([1, 1]);
    okIn(notes, 'verify');
    expect(prognet('init', notes, '--template', 'text').stderr).toContain('prognet.yaml is there already and stays as it is');
    rmSync(join(notes, 'prognet.yaml'));
    expect(prognet('init', notes, '--template', 'text').stderr).toContain('tokenizer.json is there already and stays as it is');
  });
});

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

it('the card says what makes the ids', () => {
  ok('export', '--task', 'topic', '-o', at('carded.onnx'), '--card');
  const card = readFileSync(at('carded.md'), 'utf8');
  expect(card).toMatch(
    /`text`: int64 \[N,16\]\. Token ids of texts, as this says: `\{"kind":"tokenizer","input":"text","length":16,"sha256":"[0-9a-f]{64}"/,
  );
  expect(card).toContain('"text": numpy.zeros([1, 16], dtype=numpy.int64)');
  expect(ok('inspect', at('carded.onnx'), '--card')).toBe(card);
});

it('the Node service takes texts and answers as predict does', async () => {
  ok('deploy', 'node', '-o', at('service'));
  const url = await serve(at('service'));
  const post = async (body: string, type = 'application/json') => {
    const response = await fetch(`${url}/predict/topic`, { method: 'POST', headers: { 'content-type': type }, body });
    const said: unknown = await response.json();
    return { status: response.status, ...Object(said) };
  };
  const inside = probabilitiesOf('topic', '--input', at('lines.txt')).flat();
  const found: { probabilities: number[][] } = await post(JSON.stringify({ inputs: texts }));
  expect(found.probabilities).toHaveLength(texts.length);
  for (const [i, p] of found.probabilities.flat().entries())
    expect(Math.abs(p - (inside[i] ?? Number.NaN)), `${i}`).toBeLessThan(1e-6);
  expect(await post('{"inputs": [[1, 2]]}')).toEqual({ status: 400, error: 'expected {"inputs": ["a text", ...]}' });
  expect(await post('{"inputs": ')).toEqual({ status: 400, error: 'the body is no JSON' });
  expect(await post('a text', 'text/plain')).toMatchObject({ status: 415 });
  expect(await post(JSON.stringify({ inputs: ['a '.repeat(40_000)] }))).toEqual({
    status: 400,
    error: 'text 0 has 80000 characters, expected at most 65536',
  });
  expect(await post(JSON.stringify({ inputs: Array(1025).fill('x') }))).toMatchObject({ status: 413 });
}, 60_000);

describe('refused', () => {
  const says = (args: readonly string[], said: string | RegExp) => {
    const { status, stderr } = prognet(...args, '-C', dir);
    expect(status).not.toBe(0);
    if (typeof said === 'string') expect(stderr).toContain(said);
    else expect(stderr).toMatch(said);
  };

  it('floats for token ids, and another length', () => {
    writeFileSync(at('floats.npy'), writeNpy(Tensor.zeros('float32', [2, length])));
    const right = 'token ids, whole numbers [D,16], or texts as .txt, .csv or .parquet';
    says(['predict', 'topic', '--input', at('floats.npy')], `floats.npy: holds float32 [2,16], input "text" takes ${right}`);
    writeFileSync(at('short.npy'), writeNpy(Tensor.zeros('int64', [2, 8])));
    says(['predict', 'topic', '--input', at('short.npy')], `short.npy: holds int64 [2,8], input "text" takes ${right}`);
    writeFileSync(
      at('strange.npy'),
      writeNpy(
        Tensor.from(
          'int64',
          Array.from({ length }, () => 999),
          [1, length],
        ),
      ),
    );
    says(['predict', 'topic', '--input', at('strange.npy')], 'inputs hold 999 at [0,0], expected an id of the tokenizer, 0..158');
  });

  it('where nothing tokenises', () => {
    says(
      ['deploy', 'web', '-o', at('page')],
      'web: the network takes text, which the page cannot tokenise, expected node, triton, kserve or mlserver',
    );
    says(['studio', '--build', at('studio')], 'studio: the network takes text, which the page cannot tokenise');
  });

  it('a table that does not say which column is the text, and lines that are no UTF-8', () => {
    writeFileSync(at('two.csv'), 'a,b,label\nx,y,z\n');
    says(
      ['predict', 'topic', '--input', at('two.csv')],
      'two.csv: which of "a", "b", "label" is the text nobody says, expected a column "text", or "columns" in the data entry',
    );
    writeFileSync(at('latin.txt'), Uint8Array.of(0xe9, 0x0a));
    says(['predict', 'topic', '--input', at('latin.txt')], 'latin.txt: not valid UTF-8, expected texts, one a line');
    says(
      ['predict', 'topic', '--input', at('lines.txt'), '--input-format', 'docx'],
      '--input-format: found "docx", expected one of npy, npz',
    );
  });

  it('another tokenizer under a frozen column, a missing one, and one from outside', () => {
    const file = at('tokenizer.json');
    const own = readFileSync(file, 'utf8');
    writeFileSync(file, own.replace('"whole"', '"hole"').replace('"yacht"', '"yawl"'));
    says(
      ['verify'],
      /task "topic" no longer fits its frozen column, inputs\[0\]\.tokens\.sha256: "[0-9a-f]{56}\.\.\., frozen with/,
    );
    writeFileSync(file, 'no JSON');
    says(['check'], 'prognet.yaml: input.tokenizer: the file is no JSON object, expected a tokenizer.json');
    rmSync(file);
    says(['check'], /cannot read .*tokenizer\.json: it does not exist/);
    writeFileSync(file, own);
    writeFileSync(at('prognet.yaml'), description.replace('tokenizer.json', '../tokenizer.json'));
    says(['check'], 'prognet.yaml: input.tokenizer: "../tokenizer.json" leaves the workspace, expected a path within it');
    writeFileSync(at('prognet.yaml'), description);
  });
});
