// The tours of docs are followed to the letter, in an empty folder with the package as npm packs it: every block is run, or says why it is not.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { parseDataSpec } from '../src/data/schema.js';
import { trainSchema } from '../src/model/description/train-schema.js';
import { headSchema } from '../src/model/heads/heads.js';
import { followPages, python } from './support/follow.js';
import { previewed } from './support/preview.js';
import { chromium, noChromium } from './support/swiftshader.js';

const { follow } = followPages();

describe('a stranger follows', () => {
  it(`docs/tour-train.md${python.note}`, () => {
    const { reader, left } = follow('docs/tour-train.md');
    expect(left).toEqual(python.missing ? ['no Python'] : []);
    expect(existsSync(join(reader.root, 'family/service/server.mjs'))).toBe(true);
  }, 180_000);

  it('docs/tour-onnx.md', () => {
    expect(follow('docs/tour-onnx.md').left).toEqual([]);
  }, 180_000);

  it('docs/experiment.md', () => {
    const compiled = 'npm install typescript @types/node\nnpx tsc --module nodenext --types node try.ts\nnode try.js';
    const { reader, left } = follow('docs/experiment.md', { after: compiled });
    expect(left).toEqual([]);
    expect(readFileSync(join(reader.root, 'prognet.yaml'), 'utf8')).toMatch(/validation: 0\.1 \} # too slow$/m);
  }, 180_000);

  it('docs/watching.md', () => {
    const { reader, left } = follow('docs/watching.md');
    expect(left).toEqual(['it serves until it is stopped']);
    expect(readFileSync(join(reader.root, 'kind.svg'), 'utf8')).toContain('Learning curves of kind');
    expect(readdirSync(join(reader.root, 'logs/kind')).sort()).toEqual(['test', 'training', 'validation']);
  }, 120_000);

  it('docs/templates.md', () => {
    const { reader, left } = follow('docs/templates.md');
    expect(left).toEqual([]);
    for (const [folder, task, least] of [
      ['shop', 'left', 0.9],
      ['shop', 'took', 0.8],
      ['pictures', 'shapes', 0.9],
      ['pictures', 'colours', 0.9],
      ['notes', 'topic', 0.95],
      ['pumps', 'fails', 0.85],
      ['pumps', 'needs', 0.8],
    ] as const) {
      const record: unknown = JSON.parse(readFileSync(join(reader.root, folder, 'columns', task, 'column.json'), 'utf8'));
      expect((record as { metrics: { accuracy: number } }).metrics.accuracy, `${folder} ${task}`).toBeGreaterThan(least);
    }
    expect(readFileSync(join(reader.root, 'shop/left.md'), 'utf8')).toContain('onnxruntime.InferenceSession("left.onnx")');
    expect(readFileSync(join(reader.root, 'houses/price.svg'), 'utf8')).toContain('<svg ');
  }, 300_000);

  it('docs/training.md', () => {
    const { reader, left } = follow('docs/training.md');
    expect(left).toEqual([]);
    const written = (name: string): unknown[] => parse(readFileSync(join(reader.root, name), 'utf8'));
    expect(written('heads.yaml').map((head) => headSchema.safeParse(head).success)).toEqual(Array(12).fill(true));
    expect(written('schedules.yaml').map((schedule) => trainSchema.safeParse({ schedule }).success)).toEqual(Array(4).fill(true));
  }, 180_000);

  it('docs/data.md', () => {
    const before = 'npm init -y\nnpm pkg set type=module\nnpm install prognet onnxruntime-node typescript @types/node';
    const after = 'npx tsc --module nodenext --types node data.ts arrays.ts\nnode data.js\nnode arrays.js';
    const { reader, left } = follow('docs/data.md', { before, after });
    expect(left).toEqual([]);
    const written: unknown = parse(readFileSync(join(reader.root, 'data.yaml'), 'utf8'));
    const sources = (written as { data: unknown }[]).map(({ data }, i) => parseDataSpec(data, `data[${i}]`));
    expect(sources).toHaveLength(3);
  }, 120_000);

  it(`docs/tour-browser.md${chromium === undefined ? ` (not opened: ${noChromium})` : ''}`, async () => {
    const { reader, left } = follow('docs/tour-browser.md');
    expect(left).toEqual(['the dev server runs until it is stopped; the test serves what is built']);
    if (chromium === undefined) return;
    await previewed(reader.root, async (tab, open) => {
      const faults: unknown[] = [];
      tab.on('pageerror', (error) => faults.push(error));
      await open();
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
    });
  }, 180_000);
});
