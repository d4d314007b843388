// Networks of several inputs on WebGPU in Chromium: texts and signals with their lengths, an image beside numbers. As a network and as exported files they
// answer what ONNX Runtime answers on the processor in Node.
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  classify,
  column,
  concat,
  dense,
  embedding,
  flatten,
  input,
  lstm,
  meanOverSteps,
  relu,
  transformerEncoder,
} from '../../src/model/description/builder.js';
import { prognet as beginNetwork, type Network } from '../../src/network/network.js';
import { must } from '../../src/onnx/core/errors.js';
import { Random } from '../../src/onnx/core/random.js';
import { elementCount } from '../../src/onnx/core/shape.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import type * as library from '../../src/web.js';
import { launch } from '../support/browser.js';
import { runtime } from '../support/run.js';
import { type Served, serve } from '../support/serve.js';
import { chromium, noChromium } from '../support/swiftshader.js';

const repo = new URL('../..', import.meta.url).pathname;
const steps = 6;
const random = new Random(5, 'several inputs');
const normals = (...dims: number[]) =>
  new Tensor(
    'float32',
    dims,
    Float32Array.from({ length: elementCount(dims) }, () => random.normal()),
  );
const whole = (dtype: 'int32' | 'int64', below: number, ...dims: number[]) =>
  Tensor.from(
    dtype,
    Array.from({ length: elementCount(dims) }, () => random.below(below)),
    dims,
  );
/** Of the lengths some are 0 and some all steps. */
const samples = (rows: number) => ({
  words: whole('int64', 9, rows, steps),
  count: whole('int64', steps + 1, rows),
  signal: normals(rows, steps, 4),
  image: normals(rows, 1, 4, 4),
  kind: whole('int32', 5, rows),
});
/** What each task reads, itself or through its sources. */
type Sample = keyof ReturnType<typeof samples>;
const tasks: Readonly<Record<string, readonly Sample[]>> = {
  recurrent: ['words', 'count'],
  attending: ['signal', 'count'],
  both: ['image', 'kind'],
  late: ['words', 'count', 'signal', 'image', 'kind'],
};
const of = (from: ReturnType<typeof samples>, task: string) =>
  Object.fromEntries(must(tasks[task], task).map((name) => [name, from[name]]));

async function trainedInNode(): Promise<Network> {
  const train = { laterals: 'none' as const, head: classify(3) };
  let network = beginNetwork({
    name: 'several',
    input: [
      input('words', [steps], 'int64'),
      input('count', [], 'int64'),
      input('signal', [steps, 4]),
      input('image', [1, 4, 4]),
      input('kind', [], 'int32'),
    ],
  });
  const columns = [
    column('recurrent', {
      ...train,
      inputs: ['words', 'count'],
      blocks: [
        [embedding(4, { vocabulary: 9 }), lstm(5, { sequences: true, mask: 'count' })],
        [meanOverSteps({ mask: 'count' }), dense(6), relu()],
      ],
    }),
    column('attending', {
      ...train,
      inputs: ['signal', 'count'],
      blocks: [[transformerEncoder(2, { mask: 'count' })], [meanOverSteps({ mask: 'count' }), dense(6), relu()]],
    }),
    column('both', {
      ...train,
      inputs: ['image', 'kind'],
      blocks: [
        [flatten(), dense(6), relu()],
        [concat('kind'), dense(8), relu()],
      ],
    }),
    column('late', {
      inputs: ['signal', 'count', 'kind'],
      blocks: [
        [lstm(4, { sequences: true, mask: 'count' })],
        [meanOverSteps({ mask: 'count' }), concat('kind'), dense(6), relu()],
      ],
      laterals: { kind: 'linear', from: ['recurrent', 'both'] },
      head: classify(3),
    }),
  ];
  const learned = samples(40);
  for (const each of columns) {
    const data = { inputs: of(learned, each.task), targets: whole('int64', 3, 40) };
    const how = { on: runtime, data, epochs: 2, batch: 8, lr: 0.02, seed: 1, session: { threads: 1 } };
    network = (await network.grow(each).train(each.task, how)).network;
  }
  return network;
}

declare global {
  // The page's window, seen from functions that run there.
  var prognet: typeof library;
}

describe.skipIf(chromium === undefined)(
  `several inputs on WebGPU${chromium === undefined ? ` (skipped: ${noChromium})` : ''}`,
  () => {
    const asked = samples(12);
    let browser: Browser;
    let served: Served;
    let network: Network;
    beforeAll(async () => {
      network = await trainedInNode();
      served = await serve({
        folders: [join(repo, 'dist/browser'), join(repo, 'node_modules/onnxruntime-web/dist')],
        files: {
          'index.html': `<!doctype html><title>several inputs</title><script type="module">
import * as prognet from './prognet.js';
window.prognet = prognet;
</script>`,
          'several.prognet': await network.save(),
          'attending.onnx': network.export({ task: 'attending', probabilities: true }),
        },
      });
      browser = await launch();
    }, 120_000);
    afterAll(async () => {
      await browser?.close();
      await served?.close();
    });

    it('each task answers as on the processor, from the network; and from an exported file', async () => {
      const tab = await browser.newPage();
      await tab.goto(served.url);
      await tab.waitForFunction(() => globalThis.prognet !== undefined);
      const sent = Object.entries(asked).map(([name, tensor]) => {
        const { dtype, dims } = tensor;
        return { name, dtype, dims, numbers: tensor.numbers() };
      });
      const found = await tab.evaluate(
        async ({ tasks, sent }) => {
          const { open, Tensor } = globalThis.prognet;
          const answers = [];
          for (const [file, of] of [
            ['several.prognet', Object.keys(tasks)],
            ['attending.onnx', ['attending']],
          ] as const) {
            const net = await open(file, { provider: 'webgpu!' });
            for (const task of of) {
              const own = sent.filter(({ name }) => tasks[task]?.some((own) => own === name));
              const samples = own.map(({ name, dtype, dims, numbers }) => [name, Tensor.from(dtype, numbers, dims)]);
              const { scores, labels } = await net.predict(task, Object.fromEntries(samples));
              answers.push({ task, provider: net.info.provider, scores: scores.numbers(), labels: labels?.numbers() });
            }
            net.close();
          }
          return answers;
        },
        { tasks, sent },
      );
      await tab.close();
      expect(found.map(({ task }) => task)).toEqual([...Object.keys(tasks), 'attending']);
      for (const { task, provider, scores, labels } of found) {
        const right = await network.predict(task, of(asked, task), { on: runtime, session: { threads: 1 } });
        expect(provider).toBe('webgpu');
        expect(labels, task).toEqual(right.labels?.numbers());
        expect(scores).toHaveLength(right.scores.size);
        for (const [i, v] of scores.entries())
          expect(Math.abs(v - must(right.scores.numbers()[i], 'score')), task).toBeLessThan(1e-5 * Math.max(1, Math.abs(v)));
      }
    }, 300_000);
  },
);
