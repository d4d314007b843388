// On which providers each op and its gradient give the numbers of Node's CPU: one case of each op in a page of Chromium, on wasm and on WebGPU
// (SwiftShader; what has no kernel there runs on wasm in the same session). providers.json, from which docs/ops.md is written, holds what
// passed and may only grow; PROGNET_UPDATE=1 writes it anew.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { must } from '../../../src/onnx/core/errors.js';
import type { Tensor } from '../../../src/onnx/core/tensor.js';
import { launch } from '../../support/browser.js';
import { type Served, serve } from '../../support/serve.js';
import { chromium, noChromium } from '../../support/swiftshader.js';
import { type ProviderModel, providerModels } from './provider-models.js';
import type { Answer, Job, Plain } from './providers-page.js';

const repo = new URL('../../..', import.meta.url).pathname;
const file = join(repo, 'test/onnx/ops/providers.json');
/** Largest |a - b| / max(|a|, |b|, 1); other kernels add up in another order. */
const tolerance = 2e-3;

interface Found {
  readonly passed: readonly string[];
  /** Op to what went wrong. */
  readonly failed: Readonly<Record<string, string>>;
}

const plain = (t: Tensor): Plain => ({ dtype: t.dtype, dims: t.dims, numbers: Array.from(t.data, Number) });

function difference(a: readonly number[], b: readonly number[]): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  return a.reduce((most, v, i) => {
    const w = must(b[i], 'value');
    const off = Object.is(v, w) || v === w ? 0 : Math.abs(v - w) / Math.max(Math.abs(v), Math.abs(w), 1);
    return Number.isNaN(off) ? Number.POSITIVE_INFINITY : Math.max(most, off);
  }, 0);
}

function judge(models: readonly ProviderModel[], answers: readonly Answer[]): Found {
  const failed: Record<string, string> = {};
  const passed: string[] = [];
  models.forEach(({ op, expected }, i) => {
    const { outputs, failed: reason } = must(answers[i], 'answer');
    const worst = Object.entries(expected).map(([name, t]) => difference(outputs?.[name] ?? [], Array.from(t.data, Number)));
    const off = Math.max(...worst);
    if (reason !== undefined) failed[op] = reason;
    else if (off > tolerance) failed[op] = `differs by ${off.toPrecision(2)}`;
    else passed.push(op);
  });
  return { passed: passed.sort(), failed: Object.fromEntries(Object.entries(failed).sort(([a], [b]) => (a < b ? -1 : 1))) };
}

describe.skipIf(chromium === undefined)(`ops in Chromium${chromium === undefined ? ` (skipped: ${noChromium})` : ''}`, () => {
  let browser: Browser;
  let served: Served;
  let models: ProviderModel[];
  beforeAll(async () => {
    models = await providerModels();
    const { browserBuild } = await import('../../../scripts/build-browser.mjs');
    const built = await build({ ...browserBuild, entryPoints: [join(repo, 'test/onnx/ops/providers-page.ts')], write: false });
    const jobs = models.map(({ op, bytes, feeds }): Job => {
      const given = Object.fromEntries(Object.entries(feeds).map(([name, t]) => [name, plain(t)]));
      return { op, model: Buffer.from(bytes).toString('base64'), feeds: given };
    });
    const files = {
      'page.js': must(built.outputFiles[0], 'bundle').contents,
      'index.html': '<script type="module" src="page.js"></script>',
      'jobs.json': JSON.stringify(jobs),
    };
    served = await serve({ folders: [join(repo, 'node_modules/onnxruntime-web/dist')], files });
    browser = await launch();
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await served?.close();
  });

  it.each(['wasm', 'webgpu'])(
    '%s',
    async (provider) => {
      const page = await browser.newPage();
      await page.goto(served.url);
      await page.waitForFunction('globalThis.runOps !== undefined');
      const answers = (await page.evaluate(`globalThis.runOps(${JSON.stringify(provider)})`)) as Answer[];
      await page.close();
      const found = judge(models, answers);
      console.info(`${provider}: ${found.passed.length} of ${models.length} ops pass`);
      if (process.env.PROGNET_UPDATE) {
        const all = { ...JSON.parse(readFileSync(file, 'utf8')), [provider]: found };
        writeFileSync(file, `${JSON.stringify(all, null, 2)}\n`);
      }
      const known: Found = JSON.parse(readFileSync(file, 'utf8'))[provider];
      expect(Object.keys(found.failed)).toEqual(Object.keys(known.failed));
      expect(found.passed).toEqual(expect.arrayContaining([...known.passed]));
    },
    300_000,
  );
});
