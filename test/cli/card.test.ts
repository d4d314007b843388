// The card of a model: written beside it, the same from the file alone, and its code runs; and what values the input had in training, told wherever
// the model is asked.
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { getFloat16 } from '@petamoriken/float16';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeNpy } from '../../src/formats/npy.js';
import { writeNpz } from '../../src/formats/npz.js';
import { Random } from '../../src/onnx/core/random.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { toBinary } from '../../src/onnx/serde/to-binary.js';
import { smallModel } from '../onnx/small-model.js';
import { environment } from '../python/python.js';
import { launch } from '../support/browser.js';
import { serve } from '../support/serve.js';
import { chromium, noChromium } from '../support/swiftshader.js';
import { prognet, repo, workspace } from './support.js';

const random = new Random(3, 'card');
const count = 60;
const labels = Tensor.from(
  'int64',
  Array.from({ length: count }, (_, i) => i % 2),
);
const pixels = new Tensor(
  'uint8',
  [count, 4, 4, 1],
  Uint8Array.from({ length: count * 16 }, (_, i) => (Math.floor(i / 16) % 2) * 90 + random.below(160)),
);
const people = Array.from(
  { length: count },
  (_, i) =>
    `${i % 5 === 0 ? '' : 20 + (i % 2) * 30 + random.below(9)},${['Bern', 'Zug'][random.below(2)]},${i % 2 ? 'yes' : 'no'}`,
);

const cases = {
  table: `prognet: 1
name: people
input: { name: row, features: [age, { city: [Bern, Zug] }], prepare: [{ fill: median }, standardise, one_hot] }
columns:
  - { task: left, data: people.csv, blocks: [[{ dense: 4 }, relu]], head: { classify: { classes: 2, names: ["no", "yes"] } }, train: { epochs: 2 } }
`,
  bytes: `prognet: 1
name: photos
input: { name: image, shape: [4, 4, 1], dtype: uint8, prepare: [{ transpose: [2, 0, 1] }, scale] }
columns:
  - { task: a, data: photos.npz, blocks: [[flatten, { dense: 4 }, relu]], head: { classify: 2 }, train: { epochs: 2 } }
  - { task: b, data: photos.npz, blocks: [[flatten, { dense: 4 }, relu]], head: { classify: 2 }, train: { epochs: 2 } }
`,
  wide: `prognet: 1
name: photos
input: { name: image, shape: [4, 4, 1] }
columns:
  - { task: a, data: photos.npz, blocks: [[flatten, { dense: 64 }, relu]], head: { classify: 2 }, train: { epochs: 2 } }
`,
  scaled: `prognet: 1
name: photos
input: { name: image, shape: [4, 4, 1] }
columns:
  - { task: a, data: photos.npz, blocks: [[flatten, { dense: 4 }, relu]], head: { classify: 2 }, train: { epochs: 2 } }
`,
};

function trained(yaml: string): { at: (name: string) => string; ok: (...args: string[]) => string; dir: string } {
  const dir = workspace(yaml);
  const at = (name: string) => join(dir, name);
  writeFileSync(at('people.csv'), `age,city,left\n${people.join('\n')}\n`);
  writeFileSync(
    at('photos.npz'),
    writeNpz(
      new Map([
        ['x', pixels],
        ['y', labels],
      ]),
    ),
  );
  const ok = (...args: string[]) => {
    const { status, stdout, stderr } = prognet(...args, '-C', dir);
    expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
    return stdout;
  };
  ok('train', '--all', '--freeze', '--quiet');
  return { at, ok, dir };
}

const blocks = (card: string, language: string) =>
  [...card.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].map(([, code]) => code ?? '');

const { missing, note } = environment('.venv');

const withoutBrowser = chromium === undefined ? ` (skipped: ${noChromium})` : '';

/** What code of a card shows. */
interface Shown {
  readonly name: string;
  readonly dims: readonly number[];
  readonly halves: boolean;
  readonly data: readonly (number | string)[];
}

const capture = join(repo, 'test/support/capture-log.mjs');
const half = (bits: number) => getFloat16(new DataView(Uint16Array.of(bits).buffer), 0, true);
const numbersOf = ({ data, halves }: Shown) => (halves ? data.map((bits) => half(Number(bits))) : data);

/** The answers that the card's code for Node gives. */
function answersInNode(dir: string, code: string): Shown[] {
  if (!existsSync(join(dir, 'node_modules'))) symlinkSync(join(repo, 'node_modules'), join(dir, 'node_modules'));
  writeFileSync(join(dir, 'run.mjs'), code);
  return JSON.parse(execFileSync('node', ['--import', capture, join(dir, 'run.mjs')], { cwd: dir, encoding: 'utf8' }));
}

function expectSame(page: readonly Shown[], node: readonly Shown[]): void {
  const called = ({ name, dims }: Shown) => ({ name, dims });
  expect(page.map(called)).toEqual(node.map(called));
  page.forEach((output, i) => {
    const expected = numbersOf(node[i] ?? output);
    numbersOf(output).forEach((value, k) => {
      if (typeof value === 'string') expect(value).toBe(expected[k]);
      else expect(Math.abs(value - Number(expected[k])), `${output.name}[${k}]`).toBeLessThanOrEqual(1e-5);
    });
  });
}

const page = (map: string) =>
  `<!doctype html>${map}<script src="/capture-log.mjs"></script><script type="module">import './run.js'; window.ended = true;</script>`;

let browser: Browser | undefined;
afterAll(() => browser?.close());

/** What a page shows once its code has ended; what goes wrong in it is an error. */
async function answersOfPage(url: string): Promise<Shown[]> {
  browser ??= await launch(false);
  const tab = await browser.newPage();
  try {
    const fault = new Promise<never>((_, reject) => tab.on('pageerror', reject));
    await tab.goto(url);
    await Promise.race([tab.waitForFunction('window.ended', undefined, { timeout: 30_000 }), fault]);
    return await tab.evaluate('shown');
  } finally {
    await tab.close();
  }
}

describe.each([
  ['table', ['--all', '--probabilities'], ['left', 'left_probabilities', 'left_label'], 'In training the numbers of `row` were'],
  ['table', ['--all', '--category-indices'], ['left'], 'index of: `Bern`, `Zug`'],
  ['bytes', ['--routed', '--probabilities'], ['scores', 'probabilities', 'label'], 'Bytes 0 to 255, as they are.'],
  ['scaled', ['--all'], ['a'], 'Values 0 to 1: bytes divided by 255.'],
  ['scaled', ['--all', '--precision', 'fp16', '--half-io'], ['a'], 'float16 [N,4,4,1]'],
  [
    'wide',
    ['--all', '--probabilities', '--external-data'],
    ['a', 'a_probabilities', 'a_label'],
    'the model and its data lie beside',
  ],
] as const)('the card of %s %s', (name, flags, outputs, said) => {
  // A name with everything that an address would take for its own.
  const file = 'my 100% model #1?.onnx';
  let dir = '';
  let card = '';
  beforeAll(() => {
    const { at, ok, dir: made } = trained(cases[name]);
    dir = made;
    ok('export', ...flags, '--card', '-o', at(file));
    card = readFileSync(at(file.replace('.onnx', '.md')), 'utf8');
    expect(ok('inspect', at(file), '--card')).toBe(card);
  });

  it('says what the file says', () => {
    expect(card).toContain(said);
    expect(card).toMatch(/\| accuracy \| [01]\.\d{4} \|/);
    expect(card).toMatch(
      /Trained on 48 rows, sha256 [0-9a-f]{64}; 2 epochs; `loss cross_entropy, label_smoothing 0`; seed 0; onnxruntime-node \S+; prognet /,
    );
    expect(blocks(card, 'js')).toHaveLength(card.includes('takes no texts') ? 1 : 2);
  });
  it.skipIf(missing)(`has code that runs in Python and in Node${note}`, () => {
    const [python = ''] = blocks(card, 'python');
    const printed = execFileSync(join(repo, '.venv/bin/python'), ['-c', python], { cwd: dir, encoding: 'utf8' });
    for (const output of outputs) expect(printed).toMatch(new RegExp(`^${output} `, 'm'));
    expect(answersInNode(dir, blocks(card, 'js')[0] ?? '').map((shown) => shown.name)).toEqual(outputs);
  });
  it.skipIf(chromium === undefined)(`has code that answers in Chromium as in Node${withoutBrowser}`, async () => {
    const [node = '', code] = blocks(card, 'js');
    if (code === undefined) return expect(name).toBe('table'); // of texts
    const { imports } = JSON.parse(/<script type="importmap">(.*?)<\/script>/.exec(card)?.[1] ?? '');
    expect(Object.keys(imports)).toEqual(['onnxruntime-web']);
    const map = `<script type="importmap">${JSON.stringify({ imports })}</script>`;
    const files = { 'run.js': code, 'capture-log.mjs': readFileSync(capture), 'index.html': page(map) };
    const served = await serve({ folders: [dir, repo], files });
    try {
      expectSame(await answersOfPage(served.url), answersInNode(dir, node));
    } finally {
      await served.close();
    }
  });
});

it.skipIf(chromium === undefined)(
  `the code of a card for browsers, bundled by Vite${withoutBrowser}`,
  async () => {
    const { at, ok, dir } = trained(cases.wide);
    ok('export', '--all', '--external-data', '--card', '-o', at('model.onnx'));
    const [node = '', code = ''] = blocks(readFileSync(at('model.md'), 'utf8'), 'js');
    const answers = answersInNode(dir, node);
    writeFileSync(at('run.js'), code);
    writeFileSync(at('index.html'), page(''));
    mkdirSync(at('public'));
    for (const file of ['model.onnx', 'model.onnx.data']) copyFileSync(at(file), at(`public/${file}`));
    copyFileSync(capture, at('public/capture-log.mjs'));
    const { build } = await import('vite');
    await build({ root: dir, base: './', logLevel: 'error', build: { target: 'esnext', chunkSizeWarningLimit: 1e6 } });
    const served = await serve({ folders: [at('dist')] });
    try {
      expectSame(await answersOfPage(served.url), answers);
    } finally {
      await served.close();
    }
  },
  60_000,
);

describe('a card', () => {
  it('is refused where another text stands, and written anew over a card', () => {
    const { at, ok, dir } = trained(cases.scaled);
    writeFileSync(at('model.md'), '# My notes\n');
    const refused = prognet('export', '--all', '--card', '-o', at('model.onnx'), '-C', dir);
    expect(refused.status).toBe(2);
    expect(refused.stderr).toMatch(
      /model\.md: is there and is no card of a model, expected nothing, or a card that is written anew\n$/,
    );
    expect(existsSync(at('model.onnx'))).toBe(false);
    expect(readFileSync(at('model.md'), 'utf8')).toBe('# My notes\n');
    ok('export', '--all', '--card', '-o', at('other.onnx'));
    ok('export', '--all', '--card', '-o', at('other.onnx'));
  });
  it('is refused for a model that says nothing of itself, and beside --json', () => {
    const { at, ok, dir } = trained(cases.scaled);
    ok('export', '--all', '-o', at('model.onnx'));
    const foreign = smallModel({ inputs: { x: ['float32', ['N']] }, nodes: [['Relu', ['x'], ['y']]], outputs: ['y'] });
    writeFileSync(at('foreign.onnx'), toBinary(foreign));
    const bare = prognet('inspect', at('foreign.onnx'), '--card', '-C', dir);
    expect(bare).toMatchObject({ status: 2 });
    expect(bare.stderr).toMatch(/foreign\.onnx: says nothing of what it answers, expected a model that prognet export wrote\n$/);
    expect(prognet('inspect', at('model.onnx'), '--card', '--json', '-C', dir).stderr).toMatch(/--card beside --json/);
  });
});

describe('values as of no training', () => {
  it('are told by predict, in its JSON too', () => {
    const { at, ok, dir } = trained(cases.table);
    writeFileSync(at('new.csv'), 'age,city\n400,Bern\n30,Zug\n');
    const { stderr } = prognet('predict', 'left', '--input', at('new.csv'), '-C', dir);
    expect(stderr).toMatch(/^inputs of task "left": age is 30 to 400, in training it was 2\d to 5\d\n$/);
    const { notes } = JSON.parse(ok('predict', 'left', '--input', at('new.csv'), '--json'));
    expect(notes).toEqual([stderr.trim()]);
  });
  it('are refused where bytes were meant, and taken as bytes or divided by 255', () => {
    const { at, dir, ok } = trained(cases.scaled);
    const floats = Tensor.from('float32', pixels.numbers(), pixels.dims);
    const scaled = Tensor.from(
      'float32',
      pixels.numbers().map((v) => Math.fround(v * Math.fround(1 / 255))),
      pixels.dims,
    );
    for (const [name, tensor] of Object.entries({ floats, scaled, pixels })) writeFileSync(at(`${name}.npy`), writeNpy(tensor));
    const { status, stderr } = prognet('predict', 'a', '--input', at('floats.npy'), '-C', dir);
    expect(status).toBe(2);
    expect(stderr).toMatch(
      /: image is \d+ to 249, and the model takes 0 to 1; expected bytes \(uint8\), or their values divided by 255\n$/,
    );
    expect(ok('predict', 'a', '--input', at('scaled.npy'))).toBe(ok('predict', 'a', '--input', at('pixels.npy')));
  });
  it('training says that bytes are divided by 255, and what takes bytes', () => {
    const dir = workspace(cases.scaled);
    writeFileSync(
      join(dir, 'photos.npz'),
      writeNpz(
        new Map([
          ['x', pixels],
          ['y', labels],
        ]),
      ),
    );
    const { stderr } = prognet('train', 'a', '-C', dir);
    expect(stderr).toContain(
      'a: the data are bytes and "image" is float32: exported models take bytes divided by 255, 0 to 1; { dtype: uint8, prepare: [scale] } of the input makes models that take bytes\n',
    );
  });
});
