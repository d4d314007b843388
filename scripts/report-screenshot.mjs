// Takes docs/report.png: the network in the report of the tabular template, trained and analysed. Needs Chromium and a built package.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const root = mkdtempSync(join(tmpdir(), 'prognet-report-'));
const shop = join(root, 'shop');
const run = (...args) =>
  execFileSync('node', [at('dist/cli/main.js'), ...args, '--quiet'], { stdio: ['ignore', 'ignore', 'inherit'] });
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
});
try {
  run('init', shop, '--template', 'tabular');
  run('train', '--all', '-C', shop);
  run('analyze', 'took', '-C', shop);
  run('report', '-C', shop, '-o', join(root, 'report.html'));
  const page = await browser.newPage({ viewport: { width: 1180, height: 900 } });
  await page.goto(pathToFileURL(join(root, 'report.html')).href);
  await page.locator('#network').screenshot({ path: at('docs/report.png') });
} finally {
  await browser.close();
  rmSync(root, { recursive: true });
}
