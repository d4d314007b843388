// `predict` on inputs of any length: the answers of all rows at once, in as little memory as a part takes; a pipe is answered as it comes; what cannot be
// answered to its end leaves no file.
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Answered, AnswerRows } from '../../src/data/answer-rows.js';
import { joinRows } from '../../src/data/rows.js';
import { writeNpy } from '../../src/formats/npy.js';
import { writeNpz } from '../../src/formats/npz.js';
import { must } from '../../src/onnx/core/errors.js';
import { Random } from '../../src/onnx/core/random.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { loadWorkspace } from '../../src/tasks/load-workspace.js';
import { predict } from '../../src/tasks/predict.js';
import { runtime } from '../support/run.js';
import { okIn, prognet, repo, workspace, yaml } from './support.js';

const main = join(repo, 'dist/cli/main.js');
let dir = '';
const at = (name: string) => join(dir, name);
const ask = (...args: string[]) => prognet('predict', 'a', '-C', dir, ...args);
/** Three blocks of a CSV file, and runs that end in none of them. */
const count = 400_001;
const rows = new Float32Array(count * 4);
let answers: Answered;

beforeAll(async () => {
  dir = workspace(yaml('', 1));
  okIn(dir, 'train', 'a', '--freeze', '--quiet');
  const r = new Random(5, 'rows');
  const lines = Array.from({ length: count }, (_, i) => {
    const cells = Array.from({ length: 4 }, () => (r.uniform() * 4 - 2).toFixed(9));
    rows.set(cells.map(Number), i * 4);
    return cells.join(',');
  });
  writeFileSync(at('x.csv'), `${lines.join('\n')}\n`);
  const x = new Tensor('float32', [count, 4], rows);
  writeFileSync(at('x.npy'), writeNpy(x));
  writeFileSync(at('x.npz'), writeNpz(new Map([['x', x]])));
  const runs: Answered[] = [];
  for await (const run of predict(runtime, loadWorkspace(dir), 'a', [{ x }], {})) runs.push(run);
  answers = {
    kind: 'probabilities',
    values: joinRows(runs.map(({ values }) => values)),
    labels: joinRows(runs.map(({ labels }) => must(labels, 'labels'))),
  };
  expect([answers.values.dims, answers.labels?.dims]).toEqual([[count, 2], [count]]);
}, 120_000);

describe('all answers, whatever the input is read by', () => {
  it.each(['x.csv', 'x.npy', 'x.npz'])(
    '%s as .npy',
    (name) => {
      const { status, stdout } = ask('--input', at(name), '--output', at('y.npy'));
      expect([status, stdout]).toEqual([0, `${at('y.npy')} written: probabilities float32 [${count},2]\n`]);
      expect(readFileSync(at('y.npy')).equals(writeNpy(answers.values))).toBe(true);
    },
    60_000,
  );

  it.each(['csv', 'jsonl', 'json', 'txt'] as const)(
    'x.npy as %s',
    (format) => {
      expect(ask('--input', at('x.npy'), '--output', at(`y.${format}`)).status).toBe(0);
      const whole = new AnswerRows(answers);
      const labels = Array.from({ length: count }, (_, row) => whole.label(row));
      const document = { task: 'a', frozen: true, rows: count, labels, probabilities: whole.values };
      const texts = { csv: () => whole.csv(), jsonl: () => whole.jsonl(), txt: () => `${whole.text()}\n` };
      const expected = format === 'json' ? `${JSON.stringify(document)}\n` : texts[format]();
      expect(readFileSync(at(`y.${format}`), 'utf8') === expected).toBe(true);
    },
    60_000,
  );

  it('a .npy in a pipe is answered as the file', () => {
    const args = [main, 'predict', 'a', '-C', dir, '--input', '-', '--format', 'npy'];
    const piped = execFileSync('node', args, { input: readFileSync(at('x.npy')), maxBuffer: 2 ** 28 });
    expect(piped.equals(Buffer.from(writeNpy(answers.values)))).toBe(true);
  }, 60_000);
});

describe('a pipe', () => {
  const pipe = (...args: string[]) => {
    const child = spawn('node', [main, 'predict', 'a', '-C', dir, '--input', '-', '--quiet', ...args]);
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
    });
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    const ended = new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) =>
      child.on('close', (code) => resolve({ code, stdout, stderr })),
    );
    const lines = async (wanted: number) => {
      while (stdout.split('\n').length <= wanted) {
        if (child.exitCode !== null) throw new Error(`ended: ${stderr}`);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      return stdout.split('\n').length - 1;
    };
    return { child, ended, lines };
  };

  it('that stays open gets the answers of what has come', async () => {
    const { child, ended, lines } = pipe();
    child.stdin.write('1,2,3,4\n');
    expect(await lines(1)).toBe(1);
    child.stdin.write('1,2,3,4\n-1,-2,-3,');
    expect(await lines(2)).toBe(2);
    child.stdin.end('-4');
    const { code, stdout } = await ended;
    const [first, second, third] = stdout.split('\n');
    expect([code, stdout.split('\n').length]).toEqual([0, 4]);
    expect(first).toMatch(/^[01]: \d\.\d{4} \d\.\d{4}$/);
    expect([second, third === first]).toEqual([first, false]);
  }, 60_000);

  it('of a row that cannot be read is given up, and is not waited for', async () => {
    const { child, ended } = pipe('--format', 'jsonl');
    child.stdin.write('1,2,3,4\n1,2,5,4\n1,2,wrong,4\n');
    const { code, stderr } = await ended;
    expect([code, stderr]).toEqual([2, 'prognet: stdin: row 3, column 3 holds "wrong", expected a number\n']);
  }, 60_000);

  it('is left at Ctrl-C at once, with no file', async () => {
    const before = readdirSync(dir);
    const { child, ended, lines } = pipe();
    child.stdin.write('1,2,3,4\n');
    await lines(1);
    child.kill('SIGINT');
    expect((await ended).code).toBe(130);
    const other = pipe('--output', at('never.csv'));
    other.child.stdin.write('1,2,3,4\n');
    while (readdirSync(dir).length === before.length) await new Promise((resolve) => setTimeout(resolve, 10));
    other.child.kill('SIGINT');
    expect((await other.ended).code).toBe(130);
    expect(readdirSync(dir)).toEqual(before);
  }, 60_000);
});

describe('a row that is bad late', () => {
  const long = 1_100_000;
  /** Of four cells, the one at `bad` with another text. */
  const written = (name: string, bad: number, text: string) => {
    const lines = Array.from({ length: long }, () => '0.5,1,1.5,2');
    lines[bad - 1] = text;
    writeFileSync(at(name), lines.join('\n'));
  };
  it.each([
    ['1,2,x,4', 'row 1000000, column 3 holds "x", expected a number'],
    ['1,2,3', 'row 1000000 has 3 columns, expected 4'],
  ])(
    '%s: is named, and no file is left',
    (text, message) => {
      mkdirSync(at('out'));
      written('long.csv', 1_000_000, text);
      const { status, stdout, stderr } = ask('--input', at('long.csv'), '--output', at('out/y.csv'), '--quiet');
      expect([status, stdout, stderr]).toEqual([2, '', `prognet: ${at('long.csv')}: ${message}\n`]);
      expect(readdirSync(at('out'))).toEqual([]);
      rmSync(at('out'), { recursive: true });
    },
    60_000,
  );

  it('of an array too, by its index', () => {
    const x = new Float32Array(long * 4).fill(0.5);
    x[4_000_001] = Number.NaN;
    writeFileSync(at('long.npy'), writeNpy(new Tensor('float32', [long, 4], x)));
    const { status, stderr } = ask('--input', at('long.npy'), '--output', at('never.npy'), '--quiet');
    const message = `${at('long.npy')}: holds NaN at [1000000,1], expected a finite float32`;
    expect([status, stderr]).toEqual([2, `prognet: ${message}\n`]);
    expect(readdirSync(dir).filter((name) => name.includes('never'))).toEqual([]);
  }, 60_000);
});

describe('memory', () => {
  const width = 1024;
  let wide = '';
  beforeAll(() => {
    const column = `{ task: a, data: { source: a.csv, header: false }, blocks: [[{ dense: 4 }, relu]], head: { classify: 2 }, train: { epochs: 1 } }`;
    wide = workspace(`prognet: 1\nname: wide\ninput: { name: x, shape: [${width}] }\ncolumns: [${column}]\n`);
    const lines = Array.from({ length: 40 }, (_, i) => `${'0.25,'.repeat(width)}${i % 2}`);
    writeFileSync(join(wide, 'a.csv'), lines.join('\n'));
    okIn(wide, 'train', 'a', '--freeze', '--quiet');
    // What the system calls the peak of a process counts that of the one that started it too.
    const told = [
      'let peak = 0;',
      'const look = () => { peak = Math.max(peak, process.memoryUsage.rss()); };',
      'setInterval(look, 5).unref();',
      'process.on("exit", () => { look(); require("node:fs").writeSync(1, "peak " + peak); });',
    ];
    writeFileSync(join(wide, 'told.cjs'), told.join('\n'));
  }, 60_000);

  /** Of a whole run, in bytes, beside the size of its input. */
  const measure = (name: string, bytes: Uint8Array): { peak: number; size: number } => {
    const input = join(wide, name);
    writeFileSync(input, bytes);
    const asked = ['predict', 'a', '-C', wide, '--input', input, '--output', join(wide, 'answers.npy')];
    const args = ['--require', join(wide, 'told.cjs'), main, ...asked];
    const stdout = execFileSync('node', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    rmSync(input);
    return { peak: Number(/peak (\d+)/.exec(stdout)?.[1]), size: bytes.length };
  };
  const files = {
    npy: (rows: number) => writeNpy(new Tensor('float32', [rows, width], new Float32Array(rows * width).fill(0.25))),
    csv: (rows: number) => new TextEncoder().encode(`${'0.123456789,'.repeat(width - 1)}0.25\n`.repeat(rows)),
  };

  it.each(['npy', 'csv'] as const)(
    'a .%s of 256 MB takes less than half of its size more than one of 4 MB',
    (ending) => {
      const row = files[ending](2).length - files[ending](1).length;
      const [small, large] = [2 ** 22, 2 ** 28].map((size) => measure(`x.${ending}`, files[ending](Math.floor(size / row))));
      const more = (large?.peak ?? 0) - (small?.peak ?? 0);
      console.info(`a .${ending} of 256 MB takes ${(more / 1e6).toFixed(0)} MB more than one of 4 MB`);
      expect(more).toBeLessThan((large?.size ?? 0) / 2);
    },
    300_000,
  );
});
