// The engine ort-training in a page of Chromium, over onnxruntime-web 1.19.2's training build: the course of the engine ort in Node.
import { join } from 'node:path';
import { build } from 'esbuild';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { must } from '../../src/onnx/core/errors.js';
import { launch } from '../support/browser.js';
import { runtime } from '../support/run.js';
import { type Served, serve } from '../support/serve.js';
import { chromium, noChromium } from '../support/swiftshader.js';
import { type Course, course } from './training-in-page.js';

const repo = new URL('../..', import.meta.url).pathname;

describe.skipIf(chromium === undefined)(`Chromium${chromium === undefined ? ` (skipped: ${noChromium})` : ''}`, () => {
  let browser: Browser;
  let served: Served;
  beforeAll(async () => {
    const { browserBuild } = await import('../../scripts/build-browser.mjs');
    const built = await build({ ...browserBuild, entryPoints: [join(repo, 'test/contract/training-in-page.ts')], write: false });
    const files = {
      'training.js': must(built.outputFiles[0], 'bundle').contents,
      'index.html': '<script type="module" src="training.js"></script>',
    };
    served = await serve({ folders: [join(repo, 'node_modules')], files });
    browser = await launch(false);
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await served?.close();
  });

  it('two columns train to the losses of the engine ort', async () => {
    const page = await browser.newPage();
    await page.goto(served.url);
    await page.waitForFunction('globalThis.runTraining !== undefined');
    const urls = ['/ort-training/dist/ort.training.wasm.min.mjs', '/onnxruntime-web/dist/ort.wasm.bundle.min.mjs'];
    const given = urls.map((url) => JSON.stringify(served.url + url)).join(', ');
    const theirs = (await page.evaluate(`globalThis.runTraining(${given})`)) as Course & { version: string };
    const ours = await course(runtime);
    expect(theirs.version).toBe('onnxruntime-web 1.19.2');
    expect([ours.losses.length, ours.validation.length]).toEqual([30, 6]);
    for (const list of ['losses', 'validation'] as const) {
      const apart = ours[list].map((x, i) => Math.abs(x - must(theirs[list][i], list)) / Math.max(Math.abs(x), 1e-3));
      expect(Math.max(...apart), list).toBeLessThan(1e-4);
    }
    const moved = ours.weights.map((w, i) => Math.abs(w - must(theirs.weights[i], 'weight')));
    expect([theirs.weights.length, moved.length > 500]).toEqual([ours.weights.length, true]);
    expect(Math.max(...moved)).toBeLessThan(1e-3);
  }, 120_000);
});
