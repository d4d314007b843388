// Takes docs/report.png, the network in the report of the tabular template, trained and analysed, and docs/study.png, the forgetting in the report of the study
// whose results are kept (scripts/study). Needs Chromium and a built package.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
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
  cpSync(at('scripts/study/results/mnist-soup.json'), join(root, 'study/study.json'));
  run('report', join(root, 'study'), '-o', join(root, 'study.html'));
  const page = await browser.newPage({ viewport: { width: 1180, height: 900 } });
  for (const [html, part, png] of [
    ['report.html', '#network', 'docs/report.png'],
    ['study.html', '#forgetting', 'docs/study.png'],
  ]) {
    await page.goto(pathToFileURL(join(root, html)).href);
    await page.locator(part).screenshot({ path: at(png) });
  }
} finally {
  await browser.close();
  rmSync(root, { recursive: true });
}
