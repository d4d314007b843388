// prognet/web in a project of a Vite user, made from the package as npm packs it: what docs/web.md tells such a user to write is what works.
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launch } from '../support/browser.js';
import { chromium, noChromium } from '../support/swiftshader.js';

const repo = new URL('../..', import.meta.url).pathname;
const why = chromium === undefined ? ` (skipped: ${noChromium})` : '';

const page = `<!doctype html><title>mine</title><p id="out"></p><script type="module" src="/main.ts"></script>`;
const program = `
import { adapter, classify, column, open, Tensor } from 'prognet/web';
const out = document.getElementById('out')!;
try {
  const net = await open('/demo.prognet', { threads: crossOriginIsolated ? 2 : 1 });
  await net.grow(column('more', { like: 'zero-to-two', head: classify(2), laterals: adapter({ rank: 4 }) }));
  const inputs = new Tensor('float32', [2, 1, 28, 28], new Float32Array(1568).fill(0.25));
  await net.train('more', { data: { inputs, targets: Tensor.from('int64', [0, 1]) }, epochs: 2 });
  const { labels } = await net.predict('more', inputs);
  out.textContent = 'tasks ' + net.info.tasks.length + ', labels ' + labels?.dims;
} catch (error) {
  out.textContent = String(error);
}
`;

describe.skipIf(chromium === undefined)(`a Vite project${why}`, () => {
  // Inside the repository, so that Vite and onnxruntime-web are found.
  mkdirSync(join(repo, '.cache'), { recursive: true });
  const root = mkdtempSync(join(repo, '.cache/vite-user-'));
  let browser: Browser;
  beforeAll(async () => {
    const installed = join(root, 'node_modules/prognet');
    mkdirSync(installed, { recursive: true });
    const [packed] = JSON.parse(
      execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', root], { cwd: repo, encoding: 'utf8' }),
    );
    execFileSync('tar', ['xzf', join(root, packed.filename), '-C', installed, '--strip-components', '1']);
    mkdirSync(join(root, 'public'));
    copyFileSync(join(repo, 'templates/studio/demo.prognet'), join(root, 'public/demo.prognet'));
    writeFileSync(join(root, 'index.html'), page);
    writeFileSync(join(root, 'main.ts'), program);
    browser = await launch(false);
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    rmSync(root, { recursive: true, force: true });
  });

  const headers = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };
  const common = { root, configFile: false, logLevel: 'error', cacheDir: join(root, '.vite') } as const;

  /** What the page says at last, and how often it was loaded until then. */
  async function said(urls: { readonly local: readonly string[] } | null): Promise<{ text: unknown; loads: number }> {
    const tab = await browser.newPage();
    let loads = 0;
    tab.on('framenavigated', () => {
      loads++;
    });
    await tab.goto(urls?.local[0] ?? '');
    // The text itself, not "there is one": a page that is loaded again would have none a moment later.
    const found = await tab.waitForFunction("document.getElementById('out')?.textContent", undefined, { timeout: 50_000 });
    const text = await found.jsonValue();
    await tab.close();
    return { text, loads };
  }

  it('built, with threads', async () => {
    const { build, preview } = await import('vite');
    await build({ ...common, worker: { format: 'es' } });
    const server = await preview({ ...common, preview: { port: 0, headers } });
    expect(await said(server.resolvedUrls)).toEqual({ text: 'tasks 3, labels 2', loads: 1 });
    await server.close();
  });

  it('built without worker.format: one thread works, several say what to write', async () => {
    const { build, preview } = await import('vite');
    await build(common);
    const plain = await preview({ ...common, preview: { port: 0 } });
    expect((await said(plain.resolvedUrls)).text).toBe('tasks 3, labels 2');
    await plain.close();
    const isolated = await preview({ ...common, preview: { port: 0, headers } });
    expect((await said(isolated.resolvedUrls)).text).toMatch(
      /in Vite set worker\.format to 'es', or open with \{ threads: 1 \}$/,
    );
    await isolated.close();
  });

  it('served by the dev server, which does not load the page again when the worker first imports ONNX Runtime', async () => {
    const { createServer } = await import('vite');
    const optimizeDeps = { include: ['onnxruntime-web/wasm', 'onnxruntime-web/webgpu'] };
    const server = await createServer({ ...common, optimizeDeps, server: { port: 0, headers } });
    await server.listen();
    expect(await said(server.resolvedUrls)).toEqual({ text: 'tasks 3, labels 2', loads: 1 });
    await server.close();
  });
});
