// The tours of docs are followed to the letter, in an empty folder with the package as npm packs it: every block is run, or says why it is not.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { parseDataSpec } from '../src/data/schema.js';
import { trainSchema } from '../src/model/description/train-schema.js';
import { headSchema } from '../src/model/heads/heads.js';
import { environment } from './python/python.js';
import { launch } from './support/browser.js';
import { chromium, noChromium } from './support/swiftshader.js';
import { type Block, blocksOf, notPrinted, pack, Reader } from './support/tour.js';

const repo = new URL('..', import.meta.url).pathname;
const scratch = mkdtempSync(join(tmpdir(), 'prognet-tours-'));
const readers: Reader[] = [];
let tarball = '';
beforeAll(() => {
  tarball = pack(scratch);
});
afterAll(() => {
  for (const folder of [scratch, ...readers.map(({ root }) => root)]) rmSync(folder, { recursive: true, force: true });
});

const python = environment('.venv');

const command = (text: string): Block[] =>
  text === '' ? [] : [{ language: 'sh', title: undefined, text, left: undefined, line: 0 }];

/** Follows a tour and says which blocks it left out, and why. `before` and `after` are commands that the page takes for granted. */
function follow(name: string, { before = '', after = '' } = {}): { reader: Reader; left: string[] } {
  const page = `docs/${name}.md`;
  const reader = new Reader(tarball, name);
  readers.push(reader);
  const left: string[] = [];
  let printed = '';
  const command = (text: string): Block[] =>
    text === '' ? [] : [{ language: 'sh', title: undefined, text, left: undefined, line: 0 }];
  for (const block of [...command(before), ...blocksOf(readFileSync(join(repo, page), 'utf8')), ...command(after)]) {
    const why = block.left ?? withoutPython(block);
    if (why !== undefined) left.push(why);
    else if (block.language === 'text') expect(notPrinted(block, printed), `${page}:${block.line}`).toEqual([]);
    else if (block.title !== undefined || block.language === 'sh') {
      try {
        printed = reader.follow(block);
      } catch (cause) {
        throw new Error(`${page}:${block.line}: ${cause instanceof Error ? cause.message : cause}`, { cause });
      }
    } else throw new Error(`${page}:${block.line}: a block of ${block.language} is neither run nor a file nor left out`);
  }
  return { reader, left };
}

function withoutPython(block: Block): string | undefined {
  return python.missing && block.language === 'sh' && block.text.startsWith('python') ? 'no Python' : undefined;
}

describe('a stranger follows', () => {
  it(`docs/tour-train.md${python.note}`, () => {
    const { reader, left } = follow('tour-train');
    expect(left).toEqual(python.missing ? ['no Python'] : []);
    expect(existsSync(join(reader.root, 'family/service/server.mjs'))).toBe(true);
  }, 180_000);

  it('docs/tour-onnx.md', () => {
    expect(follow('tour-onnx').left).toEqual([]);
  }, 180_000);

  it('docs/experiment.md', () => {
    const compiled = 'npm install typescript @types/node\nnpx tsc --module nodenext --types node try.ts\nnode try.js';
    const { reader, left } = follow('experiment', { after: compiled });
    expect(left).toEqual([]);
    expect(readFileSync(join(reader.root, 'prognet.yaml'), 'utf8')).toMatch(/validation: 0\.1 \} # too slow$/m);
  }, 180_000);

  it('docs/watching.md', () => {
    const { reader, left } = follow('watching');
    expect(left).toEqual(['it serves until it is stopped']);
    expect(readFileSync(join(reader.root, 'kind.svg'), 'utf8')).toContain('Learning curves of kind');
    expect(readdirSync(join(reader.root, 'logs/kind')).sort()).toEqual(['test', 'training', 'validation']);
  }, 120_000);

  it('docs/templates.md', () => {
    const { reader, left } = follow('templates');
    expect(left).toEqual([]);
    for (const [folder, task, least] of [
      ['shop', 'left', 0.9],
      ['shop', 'took', 0.8],
      ['pictures', 'shapes', 0.9],
      ['pictures', 'colours', 0.9],
      ['notes', 'topic', 0.95],
    ] as const) {
      const record: unknown = JSON.parse(readFileSync(join(reader.root, folder, 'columns', task, 'column.json'), 'utf8'));
      expect((record as { metrics: { accuracy: number } }).metrics.accuracy, `${folder} ${task}`).toBeGreaterThan(least);
    }
    expect(readFileSync(join(reader.root, 'shop/left.md'), 'utf8')).toContain('onnxruntime.InferenceSession("left.onnx")');
    expect(readFileSync(join(reader.root, 'houses/price.svg'), 'utf8')).toContain('<svg ');
  }, 300_000);

  it('docs/training.md', () => {
    const { reader, left } = follow('training');
    expect(left).toEqual([]);
    const written = (name: string): unknown[] => parse(readFileSync(join(reader.root, name), 'utf8'));
    expect(written('heads.yaml').map((head) => headSchema.safeParse(head).success)).toEqual(Array(12).fill(true));
    expect(written('schedules.yaml').map((schedule) => trainSchema.safeParse({ schedule }).success)).toEqual(Array(4).fill(true));
  }, 180_000);

  it('docs/data.md', () => {
    const before = 'npm init -y\nnpm pkg set type=module\nnpm install prognet onnxruntime-node typescript @types/node';
    const after = 'npx tsc --module nodenext --types node data.ts arrays.ts\nnode data.js\nnode arrays.js';
    const { reader, left } = follow('data', { before, after });
    expect(left).toEqual([]);
    const written: unknown = parse(readFileSync(join(reader.root, 'data.yaml'), 'utf8'));
    const sources = (written as { data: unknown }[]).map(({ data }, i) => parseDataSpec(data, `data[${i}]`));
    expect(sources).toHaveLength(3);
  }, 120_000);

  it('what stands in docs/precision.md and docs/web.md compiles', () => {
    const given: Readonly<Record<string, string>> = {
      precision: "declare const samples: Record<string, import('prognet/onnx').Tensor>[];",
      web: `declare const pixels: Float32Array; declare const inputs: Tensor, targets: Tensor, probes: Tensor;
        declare const controller: AbortController; declare const plot: (losses: Float32Array) => void;`,
    };
    const files = Object.entries(given).flatMap(([name, before]) =>
      blocksOf(readFileSync(join(repo, `docs/${name}.md`), 'utf8'))
        .filter(({ language }) => language === 'ts')
        .map((block, i) => ({ ...block, title: `${name}-${i}.ts`, text: i === 0 ? `${before}\n${block.text}` : block.text })),
    );
    expect(files).toHaveLength(3);
    const reader = new Reader(tarball, 'pages');
    readers.push(reader);
    const install =
      'npm init -y\nnpm pkg set type=module\nnpm install prognet onnxruntime-node onnxruntime-web typescript @types/node';
    const compile = `npx tsc --noEmit --module nodenext --types node ${files.map(({ title }) => title).join(' ')}`;
    for (const block of [...command(install), ...files, ...command(compile)]) reader.follow(block);
  }, 120_000);

  it(`docs/tour-browser.md${chromium === undefined ? ` (not opened: ${noChromium})` : ''}`, async () => {
    const { reader, left } = follow('tour-browser');
    expect(left).toEqual(['the dev server runs until it is stopped; the test serves what is built']);
    if (chromium === undefined) return;
    const { preview } = await import('vite');
    const server = await preview({ root: reader.root, logLevel: 'error', preview: { port: 0 } });
    const browser = await launch(false);
    try {
      const tab = await browser.newPage();
      const faults: unknown[] = [];
      tab.on('pageerror', (error) => faults.push(error));
      await tab.goto(server.resolvedUrls?.local[0] ?? '');
      const found = await tab.waitForFunction(
        "/done$/.test(document.getElementById('out').textContent.trim()) && document.getElementById('out').textContent",
        undefined,
        { timeout: 60_000 },
      );
      expect(faults).toEqual([]);
      expect(
        String(await found.jsonValue())
          .trim()
          .split('\n'),
      ).toEqual([
        'circle: 40 epochs on wasm',
        'circle unchanged: true',
        'centre and corner: 1,0',
        'opened: circle,square',
        'done',
      ]);
    } finally {
      await browser.close();
      await server.close();
    }
  }, 180_000);
});
