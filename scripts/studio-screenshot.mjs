// Takes docs/studio.png: the page of `prognet studio` with its demo network after a lesson. Needs Chromium and a built package.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const studio = spawn('node', [at('dist/cli/main.js'), 'studio', '--port', '0', '--json', '--quiet'], {
  stdio: ['ignore', 'pipe', 'inherit'],
  cwd: at('scripts'),
});
const { url } = await new Promise((resolve) => studio.stdout.once('data', (line) => resolve(JSON.parse(String(line)))));
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
});
try {
  const page = await browser.newPage({ viewport: { width: 1180, height: 855 } });
  await page.goto(url);
  await page.getByRole('button', { name: /^Take MNIST/ }).click();
  await page.getByRole('button', { name: 'Teach it' }).click();
  await page.getByText(/^Nothing moved\./).waitFor({ timeout: 120_000 });
  await page.evaluate('scrollTo(0, 0)');
  const pad = await page.getByLabel('Drawing pad').boundingBox();
  const seven = [
    [0.3, 0.24],
    [0.7, 0.22],
    [0.56, 0.5],
    [0.44, 0.8],
  ];
  for (const [i, [x, y]] of seven.entries()) {
    await page.mouse.move(pad.x + x * pad.width, pad.y + y * pad.height, { steps: 8 });
    if (i === 0) await page.mouse.down();
  }
  await page.mouse.up();
  await page.getByLabel('Answer of six-to-nine').waitFor();
  await page.mouse.move(5, 5);
  await page.waitForTimeout(300);
  await page.screenshot({ path: at('docs/studio.png') });
} finally {
  await browser.close();
  studio.kill('SIGINT');
}
