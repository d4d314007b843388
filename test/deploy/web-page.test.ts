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

it.skipIf(chromium === undefined)(`a table's page takes rows and CSV, and says the classes by name${why}`, async () => {
  const dir = workspace(`prognet: 1
name: people
input: { name: row, features: [age, { city: [Basel, Bern] }], prepare: [{ fill: 40 }, standardise, one_hot] }
columns:
  - { task: kind, data: people.csv, blocks: [[{ dense: 8 }, relu]], head: { classify: 2 }, train: { epochs: 4, batch: 16 } }
`);
  const people = Array.from(
    { length: 60 },
    (_, i) => `${i % 7 === 0 ? '' : 20 + i},${i % 3 === 0 ? 'Bern' : 'Basel'},${i % 2 === 0 ? 'stays' : 'leaves'}`,
  );
  writeFileAtomic(join(dir, 'people.csv'), new TextEncoder().encode(`age,city,kind\n${people.join('\n')}\n`));
  expect(prognet('train', '--all', '--quiet', '-C', dir).status).toBe(0);
  const csv = 'city,age\nBern,30\nBasel,\nUri,77\n';
  writeFileAtomic(join(dir, 'ask.csv'), new TextEncoder().encode(csv));
  const expected = JSON.parse(prognet('predict', 'kind', '--input', join(dir, 'ask.csv'), '--json', '-C', dir).stdout);
  const folder = join(dir, 'site');
  expect(prognet('deploy', 'web', '-o', folder, '--quiet', '-C', dir).status).toBe(0);
  const served = await serve({ folders: [folder] });
  const browser = await launch();
  try {
    const page = await browser.newPage();
    await page.goto(`${served.url}/index.html`);
    await page.locator('#ask').waitFor({ state: 'visible' });
    for (const text of [csv, '30,Bern\n,Basel\n77,Uri\n']) {
      await page.evaluate("document.getElementById('answer').textContent = ''");
      await page.locator('#numbers').fill(text);
      await page.getByRole('button', { name: 'Answer' }).click();
      await page.waitForFunction("document.getElementById('answer').textContent !== ''");
      const [label, line = '', , said] = ((await page.locator('#answer').textContent()) ?? '').split('\n');
      expect(label).toBe(`label ${expected.names.join(', ')}`);
      const probabilities = line.split(' ').map(Number);
      expect(probabilities).toHaveLength(6);
      for (const [i, p] of probabilities.entries()) expect(p).toBeCloseTo(expected.probabilities.flat()[i], 3);
      expect(said).toContain('holds "Uri", which is none of its categories and counts as none');
    }
  } finally {
    await browser.close();
    await served.close();
  }
});
