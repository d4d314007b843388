// No skew over random networks: columns of every kind of block, lateral and head, which prepare floats or bytes each in its own way, answer alike inside
// prognet, by `predict`, by every exported form in Python's onnxruntime, by the node service and on the page.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { readNpy, writeNpy } from '../../src/formats/npy.js';
import { writeNpz } from '../../src/formats/npz.js';
import { must } from '../../src/onnx/core/errors.js';
import { environment, python } from '../python/python.js';
import { launch } from '../support/browser.js';
import {
  byteImages,
  columnsOf,
  headAlone,
  images,
  preparedNetwork,
  type RandomNetwork,
  targetsOf,
} from '../support/random-network.js';
import { serve as serveFolder } from '../support/serve.js';
import { serve } from '../support/service.js';
import { chromium, noChromium } from '../support/swiftshader.js';
import { savesAsPredict } from './page-answers.js';
import { okIn, workspace } from './support.js';

/** PROGNET_SKEW_NETWORKS says another number of networks, PROGNET_SKEW_SEED others. */
const numRuns = Number(process.env.PROGNET_SKEW_NETWORKS ?? 3);
const seed = Number(process.env.PROGNET_SKEW_SEED ?? 10);
const networks = [
  ...fc.sample(preparedNetwork, { numRuns, seed }),
  ...fc.sample(headAlone, { numRuns: Math.ceil(numRuns / 3), seed }),
];
const called = ({ first, second, bytes, prepare, laterals, head }: RandomNetwork) =>
  `${first} and ${second} of ${bytes ? 'bytes' : 'floats'}, ${JSON.stringify([prepare, laterals, head])}`;

const answers = z.record(z.string(), z.array(z.unknown()));
const reply = z.object({
  probabilities: z.array(z.array(z.number())).optional(),
  scores: z.array(z.array(z.number())).optional(),
});

/** A workspace with the network, trained; the raw inputs in raw.npy. */
function trained(n: RandomNetwork): string {
  const input = { name: 'image', shape: [1, 4, 4], ...(n.bytes && { dtype: 'uint8' }) };
  const columns = columnsOf(n).map((column) => ({ ...column, data: `${column.task}.npz`, train: { epochs: 2, batch: 4 } }));
  const dir = workspace(JSON.stringify({ prognet: 1, name: 'random', seed: n.seed, input, columns }));
  const inputs = n.bytes ? byteImages : images;
  for (const { task, head } of columns)
    writeFileSync(
      join(dir, `${task}.npz`),
      writeNpz(
        new Map([
          ['x', inputs],
          ['y', targetsOf(must(head, 'head'))],
        ]),
      ),
    );
  writeFileSync(join(dir, 'raw.npy'), writeNpy(inputs));
  okIn(dir, 'train', '--all', '--quiet', '--threads', '1');
  okIn(dir, 'verify', '--quiet');
  return dir;
}

const python3 = environment('.venv');
const missing = python3.missing || chromium === undefined;
const note = python3.note === '' && chromium === undefined ? ` (skipped: ${noChromium})` : python3.note;

describe('a random network gives the same everywhere', () => {
  let browser: Browser | undefined;
  beforeAll(async () => {
    if (!missing) browser = await launch(false);
  });
  afterAll(async () => await browser?.close());

  it.skipIf(missing).each(networks.map((n) => [called(n), n] as const))(
    `%s${note}`,
    async (_, n) => {
      const dir = trained(n);
      const at = (name: string) => join(dir, name);
      const scored = !('regress' in Object(n.head));
      const same = (found: readonly number[], inside: readonly number[], what: string) => {
        expect(found.length, what).toBe(inside.length);
        for (const [i, v] of found.entries())
          expect(Math.abs(v - must(inside[i], what)), `${what}, number ${i}`).toBeLessThan(1e-5 * Math.max(1, Math.abs(v)));
      };
      const ask = (file: string, ...id: string[]) => answers.parse(python('.venv', 'answers.py', at(file), at('raw.npy'), ...id));
      const numbers = (found: z.infer<typeof answers>, name: string) => (found[name] ?? []).flat().map(Number);
      okIn(dir, 'export', '--all', '--probabilities', '-o', at('all.onnx'));
      okIn(dir, 'export', '--all', '--fused', '--probabilities', '-o', at('fused.onnx'));
      okIn(dir, 'export', '--routed', '-o', at('routed.onnx'));
      okIn(dir, 'deploy', 'node', '-o', at('service'));
      okIn(dir, 'deploy', 'web', '-o', at('site'), '--no-samples');
      const inside = new Map<string, readonly number[]>();
      for (const [index, task] of ['a', 'b'].entries()) {
        okIn(dir, 'predict', task, '--input', at('raw.npy'), '--output', at('answers.npy'));
        const own = readNpy(readFileSync(at('answers.npy')), 'answers.npy').numbers();
        inside.set(task, own);
        okIn(dir, 'export', '--task', task, '--probabilities', '-o', at(`${task}.onnx`));
        const name = task === 'a' || scored ? `${task}_probabilities` : task;
        const alone = ask(`${task}.onnx`);
        same(numbers(alone, name), own, `${task}.onnx`);
        for (const form of ['all.onnx', 'fused.onnx']) same(numbers(ask(form), name), own, `${task} of ${form}`);
        const [routed] = Object.values(ask('routed.onnx', String(index)));
        same((routed ?? []).flat().map(Number), numbers(alone, task), `${task} of routed.onnx`);
      }
      const url = await serve(at('service'));
      for (const [task, own] of inside) {
        const headers = { 'content-type': 'application/x-npy' };
        const response = await fetch(`${url}/predict/${task}`, { method: 'POST', headers, body: readFileSync(at('raw.npy')) });
        const { probabilities, scores } = reply.parse(await response.json());
        same((probabilities ?? scores ?? []).flat(), own, `${task} of the service`);
      }
      const site = await serveFolder({ folders: [at('site')] });
      const tab = await must(browser, 'browser').newPage();
      await tab.goto(`${site.url}/index.html`);
      await tab.getByLabel(/^Open images/).setInputFiles(at('raw.npy'));
      for (const task of inside.keys()) await savesAsPredict(tab, dir, task, at('raw.npy'));
      await tab.close();
      await site.close();
    },
    120_000,
  );
});
