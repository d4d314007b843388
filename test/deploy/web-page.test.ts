// prognet deploy web: the folder in Chromium answers as `predict` does.
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { writeNpy } from '../../src/formats/npy.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { writeFileAtomic } from '../../src/onnx/files/atomic-file.js';
import { prognet, workspace } from '../cli/support.js';
import { launch } from '../support/browser.js';
import { serve } from '../support/serve.js';
import { chromium, noChromium } from '../support/swiftshader.js';

const rows = [
  [0.5, -1, 2, 0.25],
  [-2, 1, 0, 1],
];
const why = chromium === undefined ? ` (skipped: ${noChromium})` : '';

it.skipIf(chromium === undefined)(`the page answers as predict does${why}`, async () => {
  const dir = workspace();
  expect(prognet('train', '--all', '--quiet', '-C', dir).status).toBe(0);
  const input = join(dir, 'x.npy');
  writeFileAtomic(input, writeNpy(Tensor.from('float32', rows.flat(), [2, 4])));
  const expected = JSON.parse(prognet('predict', 'b', '--input', input, '--json', '-C', dir).stdout);
  const folder = join(dir, 'site');
  expect(prognet('deploy', 'web', '-o', folder, '--quiet', '-C', dir)).toMatchObject({ status: 0, stderr: '' });
  const refused = prognet('deploy', 'web', '-o', folder, '--precision', 'fp16', '-C', dir);
  expect(refused.stderr).toMatch(/^prognet: web takes the network as it is/);

  const served = await serve({ folders: [folder] });
  const browser = await launch();
  try {
    const page = await browser.newPage();
    await page.goto(`${served.url}/index.html`);
    await page.locator('#ask').waitFor({ state: 'visible' });
    expect(await page.locator('#status').textContent()).toMatch(/^Runs on (webgpu|wasm), onnxruntime-web/);
    await page.getByLabel('Task').selectOption('b');
    await page.locator('#numbers').fill(rows.flat().join(' '));
    await page.getByRole('button', { name: 'Answer' }).click();
    await page.waitForFunction("document.getElementById('answer').textContent !== ''");
    const [label, line = ''] = ((await page.locator('#answer').textContent()) ?? '').split('\n');
    expect(label).toBe(`label ${expected.labels.join(', ')}`);
    const probabilities = line.split(' ').map(Number);
    expect(probabilities).toHaveLength(4);
    for (const [i, p] of probabilities.entries()) expect(p).toBeCloseTo(expected.probabilities.flat()[i], 3);
  } finally {
    await browser.close();
    await served.close();
  }
});
