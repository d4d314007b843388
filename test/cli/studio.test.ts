// prognet studio as a command: what it serves and to whom, what it refuses, how it ends, and the same page as static files.
import { mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { answerOf, draw, openTab, startStudio, zero } from '../studio/support.js';
import { launch } from '../support/browser.js';
import { serve } from '../support/serve.js';
import { chromium, noChromium } from '../support/swiftshader.js';
import { prognet, workspace } from './support.js';

const folder = () => mkdtempSync(join(tmpdir(), 'prognet-site-'));

/** A request as any program may send it, its path and headers as they are given. */
function ask(
  url: string,
  path: string,
  options: { method?: string; host?: string } = {},
): Promise<{ status: number; isolated: boolean }> {
  const { port, hostname } = new URL(url);
  const headers = options.host === undefined ? {} : { host: options.host };
  return new Promise((resolve, reject) => {
    const asked = request({ host: hostname, port, path, method: options.method ?? 'GET', headers }, (response) => {
      response.resume();
      const isolated = response.headers['cross-origin-embedder-policy'] === 'require-corp';
      resolve({ status: response.statusCode ?? 0, isolated });
    });
    asked.on('error', reject);
    asked.end();
  });
}

it('serves its files to this machine alone, and ends at Ctrl-C', async () => {
  const studio = await startStudio();
  const status = async (path: string, options = {}) => (await ask(studio.url, path, options)).status;
  expect(new URL(studio.url).hostname).toBe('127.0.0.1');
  expect(await ask(studio.url, '/')).toEqual({ status: 200, isolated: true });
  expect(await status('/network.prognet')).toBe(200);
  for (const path of ['/../package.json', '/%2e%2e/package.json', '//etc/passwd', '/studio.json/..', '/.prognet-bundle.json'])
    expect(await status(path), path).toBe(404);
  expect(await status('/', { host: 'evil.example' })).toBe(403);
  expect(await status('/', { method: 'POST' })).toBe(405);
  const { port } = new URL(studio.url);
  expect(prognet('studio', '--port', port)).toMatchObject({
    status: 2,
    stderr: `prognet: port ${port} is in use, choose another: --port 0 takes any that is free\n`,
  });
  expect(await studio.stop()).toBe(0);
});

it('says what is wrong in one line', () => {
  expect(prognet('studio', '--port', 'x').stderr).toBe('prognet: --port: found "x", expected a number from 0 to 65535\n');
  expect(prognet('studio', join(tmpdir(), 'nowhere')).stderr).toMatch(
    /^prognet: no prognet\.yaml in \S+ or above it, begin with: prognet init\n$/,
  );
  const dir = workspace();
  expect(prognet('studio', dir)).toMatchObject({ status: 2, stderr: 'prognet: no task is trained yet: prognet train --all\n' });
  const own = folder();
  writeFileSync(join(own, 'mine.txt'), 'mine');
  expect(prognet('studio', '--build', own).stderr).toMatch(/is not empty and was not written by prognet/);
  expect(readdirSync(own)).toEqual(['mine.txt']);
});

it.skipIf(chromium === undefined)(
  `static files work from any server, threads from the second load on${chromium === undefined ? ` (skipped: ${noChromium})` : ''}`,
  async () => {
    const site = join(folder(), 'site');
    const { status, stdout } = prognet('studio', '--build', site, '--json');
    expect(status).toBe(0);
    const { files } = JSON.parse(stdout);
    expect(files).toEqual(
      expect.arrayContaining(['index.html', 'network.prognet', 'ort-wasm-simd-threaded.wasm', 'studio.json']),
    );
    const served = await serve({ folders: [site] });
    const browser = await launch();
    try {
      const tab = await openTab(await browser.newContext(), served.url);
      expect(await tab.evaluate(() => globalThis.crossOriginIsolated)).toBe(false);
      await tab.evaluate('navigator.serviceWorker.ready');
      await expect.poll(() => tab.evaluate('navigator.serviceWorker.controller !== null')).toBe(true);
      await tab.reload();
      await tab.getByRole('heading', { name: 'Answers' }).waitFor();
      expect(await tab.evaluate(() => globalThis.crossOriginIsolated)).toBe(true);
      await draw(tab, zero);
      expect((await answerOf(tab, 'zero-to-two')).best).toBe('0');
    } finally {
      await browser.close();
      await served.close();
    }
  },
);
