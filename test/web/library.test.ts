// prognet/web in Chromium: the bundles of `npm run build` in a page, a network that predicts, grows, trains and is taken away.
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { adapter, classify, column, dense, input, lstm, relu } from '../../src/model/description/builder.js';
import { prognet as beginNetwork, type Network } from '../../src/network/network.js';
import { readNetwork } from '../../src/network/read-network.js';
import { must } from '../../src/onnx/core/errors.js';
import { Random } from '../../src/onnx/core/random.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { outputsOf } from '../../src/train/outputs.js';
import type * as library from '../../src/web.js';
import { launch } from '../support/browser.js';
import { runtime } from '../support/run.js';
import { type Served, serve } from '../support/serve.js';
import { chromium, noChromium } from '../support/swiftshader.js';

const repo = new URL('../..', import.meta.url).pathname;

/** 80 points of the plane; the label says on which side of a line they lie. */
function points(seed: number, side: (x: number, y: number) => boolean): { inputs: Tensor; targets: Tensor } {
  const r = new Random(seed, 'points');
  const x = Float32Array.from({ length: 160 }, () => r.normal());
  const labels = Array.from({ length: 80 }, (_, i) => (side(x[2 * i] ?? 0, x[2 * i + 1] ?? 0) ? 1 : 0));
  return { inputs: new Tensor('float32', [80, 2], x), targets: Tensor.from('int64', labels) };
}

const first = points(1, (x) => x > 0);
const second = points(2, (_, y) => y > 0);
const settings = { epochs: 20, batch: 16, lr: 0.02, seed: 5 };

async function trainedInNode(): Promise<Network> {
  const begun = beginNetwork({ name: 'plane', input: input('point', [2]) }).grow(
    column('left', { blocks: [[dense(8), relu()]], head: classify(2) }),
  );
  return (await begun.train('left', { on: runtime, data: first, ...settings, session: { threads: 1 } })).network;
}

const page = `<!doctype html><title>prognet/web</title><script type="module">
import * as prognet from './prognet.js';
window.prognet = prognet;
</script>`;

declare global {
  // As much of the page's document as is used.
  var document: { title: string };
  // The page's window, seen from functions that run there.
  var prognet: typeof library;
}

/** Floats as JSON numbers, so that bits survive the way out of the page. */
type Numbers = number[];

describe.skipIf(chromium === undefined)(
  `prognet/web in Chromium${chromium === undefined ? ` (skipped: ${noChromium})` : ''}`,
  () => {
    let browser: Browser;
    let served: Served;
    let bundle: Uint8Array;
    let network: Network;
    beforeAll(async () => {
      network = await trainedInNode();
      bundle = await network.save();
      served = await serve({
        folders: [join(repo, 'dist/browser'), join(repo, 'node_modules/onnxruntime-web/dist')],
        files: {
          'index.html': page,
          'plane.prognet': bundle,
          'plane.onnx': network.export({ task: 'left', probabilities: true }),
        },
      });
      browser = await launch();
    }, 120_000);
    afterAll(async () => {
      await browser?.close();
      await served?.close();
    });

    async function opened(): Promise<Page> {
      const tab = await browser.newPage();
      await tab.goto(served.url);
      await tab.waitForFunction(() => globalThis.prognet !== undefined);
      return tab;
    }

    it('predicts what Node predicts, grows a column, trains it, and the old task does not move', async () => {
      const tab = await opened();
      const sent = { inputs: [...(second.inputs.data as Float32Array)], targets: second.targets.numbers(), settings };
      const found = await tab.evaluate(async ({ inputs, targets, settings }) => {
        const { open, Tensor, column, adapter } = globalThis.prognet;
        const net = await open('plane.prognet');
        const x = new Tensor('float32', [80, 2], Float32Array.from(inputs));
        const before = await net.predict('left', x);
        const then = await net.verify({ inputs: x });
        await net.grow(column('gone', { like: 'left' }));
        await net.without('gone');
        await net.grow(column('upper', { like: 'left', laterals: adapter({ rank: 4 }) }));
        const kinds: string[] = [];
        const onEvent = (event: { readonly kind: string }) => kinds.push(event.kind);
        const data = { inputs: x, targets: Tensor.from('int64', targets) };
        const { history } = await net.train('upper', { data, ...settings, onEvent });
        const after = await net.predict('left', x);
        const upper = await net.predict('upper', x);
        const numbers = (t: { readonly data: ArrayLike<unknown> }): Numbers => Array.from(t.data, Number);
        const { tasks } = await net.verify({ inputs: x, since: then });
        const refusal = await net.without('upper').catch((error) => String(error));
        const result = {
          left: tasks.map(({ scores, ...said }) => said)[0],
          epochs: history.length,
          refusal,
          info: net.info,
          kinds: [...new Set(kinds)],
          before: numbers(before.scores),
          after: numbers(after.scores),
          upper: numbers(upper.scores),
          labels: numbers(upper.labels ?? upper.scores),
          onnx: [...(await net.export({ task: 'upper' }))],
          bundle: [...(await net.save())],
        };
        net.close();
        return result;
      }, sent);
      await tab.close();

      expect(found.info).toMatchObject({ name: 'plane', growable: true, provider: 'wasm' });
      expect(found.info.tasks).toMatchObject([
        { task: 'left', trained: true },
        { task: 'upper', trained: true },
      ]);
      expect(found.kinds).toEqual(['tapping', 'taps', 'started', 'step', 'epoch']);
      expect(found.after).toEqual(found.before);
      const weights = expect.stringMatching(/^[0-9a-f]{64}$/);
      expect(found.left).toEqual({ task: 'left', weights, rows: 80, moved: 0, identical: true });
      expect(found.epochs).toBe(settings.epochs);
      expect(found.refusal).toMatch(/^UsageError: task "upper" is trained and frozen for good/);
      const right = found.labels.filter((label, i) => label === second.targets.numbers()[i]).length;
      expect(right / 80).toBeGreaterThan(0.9);

      const close = (a: readonly number[], b: readonly number[]) => {
        for (const [i, v] of a.entries()) expect(Math.abs(v - must(b[i], 'value'))).toBeLessThan(1e-4);
      };
      const scores = async (model: Uint8Array, task: string) => {
        const session = await runtime.createSession(model, { threads: 1 });
        const name = must(session.inputNames[0], 'input');
        const out = await outputsOf(session, task, [{ name, dtype: 'float32' }], { [name]: second.inputs });
        await session.release();
        return out.numbers();
      };
      close(found.before, await scores(network.export({ task: 'left' }), 'left'));
      close(found.upper, await scores(Uint8Array.from(found.onnx), 'upper'));
      const back = await readNetwork(Uint8Array.from(found.bundle));
      expect(back.weights('left')).toEqual(network.weights('left'));
      close(found.upper, await scores(back.export({ task: 'upper' }), 'upper'));
      // The same column trained in Node comes to the same weights, as far as two processors' arithmetic goes.
      const { network: here } = await network
        .grow(column('upper', { like: 'left', laterals: adapter({ rank: 4 }) }))
        .train('upper', { on: runtime, data: second, ...settings, session: { threads: 1 } });
      close(found.upper, await scores(here.export({ task: 'upper' }), 'upper'));
    });

    it('keeps checkpoints: a tab closed in mid-training loses nothing, an abort stops; both end with the same bits', async () => {
      // So many epochs that the tab is closed long before the last.
      const long = { ...settings, epochs: 150 };
      const sent = { inputs: [...(second.inputs.data as Float32Array)], targets: second.targets.numbers(), settings: long };
      const train = (tab: Page, how: { readonly until?: number; readonly checkpoint?: string; readonly seed?: number }) =>
        tab.evaluate(
          async ({ inputs, targets, settings, until, checkpoint, seed = settings.seed }) => {
            const { open, Tensor, column } = globalThis.prognet;
            const net = await open('plane.prognet');
            await net.grow(column('upper', { like: 'left' }));
            const controller = new AbortController();
            let resumed = 0;
            let error = '';
            await net
              .train('upper', {
                data: {
                  inputs: new Tensor('float32', [80, 2], Float32Array.from(inputs)),
                  targets: Tensor.from('int64', targets),
                },
                ...settings,
                seed,
                signal: controller.signal,
                ...(checkpoint === undefined ? {} : { checkpoint }),
                onEvent: (event) => {
                  if (event.kind === 'resumed') resumed = event.epoch;
                  if (event.kind !== 'epoch') return;
                  document.title = String(event.record.epoch);
                  if (event.record.epoch === until) controller.abort();
                },
              })
              .catch((thrown) => {
                error = String(thrown);
              });
            return { error, resumed, bits: error === '' ? [...(await net.export({ task: 'upper' }))] : [] };
          },
          { ...sent, ...how },
        );
      const context = await browser.newContext();
      const tab = async () => {
        const fresh = await context.newPage();
        await fresh.goto(served.url);
        await fresh.waitForFunction(() => globalThis.prognet !== undefined);
        return fresh;
      };
      const one = await tab();
      const whole = await train(one, {});
      expect(whole).toMatchObject({ error: '', resumed: 0 });
      const stopped = await train(one, { until: 3, checkpoint: 'upper' });
      expect(stopped.error).toMatch(/^AbortError: interrupted at epoch \d+, step \d+$/);
      const other = await train(one, { seed: 6, checkpoint: 'upper' });
      expect(other.error).toMatch(/^DataError: checkpoint "upper" belongs to another training \(column, settings, data /);
      const lost = train(one, { checkpoint: 'upper' }).catch(() => 'closed');
      await one.waitForFunction(() => Number(document.title) >= 8);
      await one.close();
      expect(await lost).toBe('closed');
      const two = await tab();
      const resumed = await train(two, { checkpoint: 'upper' });
      expect(resumed.resumed).toBeGreaterThan(3);
      expect(resumed.bits).toEqual(whole.bits);
      // What is done is forgotten: the next training of that name begins anew.
      expect(await train(two, { checkpoint: 'upper' })).toEqual(whole);
      await context.close();
    });

    it('without an adapter says so, and runs on wasm unless WebGPU is insisted on', async () => {
      const plain = await launch(false);
      try {
        const tab = await plain.newPage();
        await tab.goto(served.url);
        await tab.waitForFunction(() => globalThis.prognet !== undefined);
        const { info, insisted } = await tab.evaluate(async () => {
          const { open } = globalThis.prognet;
          const net = await open('plane.prognet', { provider: 'webgpu,wasm' });
          const insisted = await open('plane.prognet', { provider: 'webgpu!' }).catch((error) => String(error));
          return { info: net.info, insisted: String(insisted) };
        });
        const reason = /^no WebGPU adapter: a browser with WebGPU turned on and a GPU are needed \(/;
        expect(info).toMatchObject({
          provider: 'wasm',
          refused: [{ provider: 'webgpu', reason: expect.stringMatching(reason) }],
        });
        expect(insisted).toMatch(/^RuntimeError: webgpu does not run here: no WebGPU adapter: [^\n]*$/);
      } finally {
        await plain.close();
      }
    });

    it('answers and learns each step of sequences of any length, as Node does', async () => {
      const tags = column('tags', {
        blocks: [[lstm(5, { sequences: true })], [dense(4, { each: 'step' }), relu()]],
        head: classify(3, { each: 'step' }),
      });
      const begun = beginNetwork({ name: 'words', input: input('signal', ['steps', 2]) }).grow(tags);
      const r = new Random(4, 'signal');
      const signal = (rows: number, steps: number) =>
        new Tensor(
          'float32',
          [rows, steps, 2],
          Float32Array.from({ length: rows * steps * 2 }, () => r.normal()),
        );
      const targets = Tensor.from(
        'int64',
        Array.from({ length: 40 * 6 }, (_, i) => (i % 6 === 5 ? -100 : i % 3)),
        [40, 6],
      );
      const data = { inputs: signal(40, 6), targets };
      const { network: trained } = await begun.train('tags', { on: runtime, data, epochs: 2, session: { threads: 1 } });
      const asked = signal(3, 9);
      const right = await trained.predict('tags', asked, { on: runtime });
      const tab = await opened();
      const sent = {
        network: [...(await trained.save())],
        model: [...trained.export({ task: 'tags', probabilities: true })],
        asked: asked.numbers(),
        learned: data.inputs.numbers(),
        targets: targets.numbers(),
      };
      const found = await tab.evaluate(async ({ network, model, asked, learned, targets }) => {
        const { open, Tensor, column } = globalThis.prognet;
        const x = Tensor.from('float32', asked, [3, 9, 2]);
        const answers = [];
        for (const [bytes, name] of [
          [network, 'words.prognet'],
          [model, 'words.onnx'],
        ] as const) {
          const net = await open(Uint8Array.from(bytes), { name });
          const { scores, labels } = await net.predict('tags', x);
          const [task] = net.info.tasks;
          answers.push({
            input: net.info.input.shape,
            task: [task?.each, task?.answers, task?.outputs, task?.blocks.map(({ shape }) => shape)],
            dims: [scores.dims, labels?.dims],
            scores: scores.numbers(),
            labels: labels?.numbers(),
          });
          if (!net.info.growable) continue;
          await net.grow(column('again', { like: 'tags' }));
          const data = { inputs: Tensor.from('float32', learned, [40, 6, 2]), targets: Tensor.from('int64', targets, [40, 6]) };
          await net.train('again', { data: { train: data, test: data }, epochs: 1, marks: true });
          answers.push({
            again: (await net.predict('again', x)).scores.dims,
            marked: net.info.tasks.map(({ markedBy }) => markedBy),
          });
          net.close();
        }
        return answers;
      }, sent);
      await tab.close();
      const info = {
        input: [null, 2],
        dims: [
          [3, 9, 3],
          [3, 9],
        ],
        labels: right.labels?.numbers(),
      };
      const shapes = [
        ['steps', 5],
        ['steps', 4],
      ];
      expect(found[0]).toMatchObject({ ...info, task: ['step', 'class', 3, shapes] });
      expect(found[1]).toMatchObject({ again: [3, 9, 3], marked: [undefined, undefined] });
      expect(found[2]).toMatchObject({ ...info, task: ['step', 'class', 3, []] });
      for (const { scores } of found.filter((each) => 'scores' in each))
        for (const [i, v] of (scores ?? []).entries()) expect(v).toBeCloseTo(right.scores.numbers()[i] ?? Number.NaN, 4);
    });

    it('says in one line what it cannot take', async () => {
      const tab = await opened();
      const said = await tab.evaluate(async () => {
        const { open, Tensor, UsageError, DataError, column } = globalThis.prognet;
        const errors: string[] = [];
        const attempt = async (work: () => Promise<unknown>) => {
          try {
            await work();
            errors.push('nothing');
          } catch (error) {
            const own = error instanceof UsageError || error instanceof DataError;
            errors.push(`${own ? 'ours ' : ''}${error instanceof Error ? error.message : error}`);
          }
        };
        const huge = { size: 3 * 2 ** 30, name: 'huge.prognet', arrayBuffer: async () => new ArrayBuffer(0) };
        await attempt(() => open(huge));
        await attempt(() => open('missing.prognet'));
        await attempt(() => open(new TextEncoder().encode('no model at all'), { name: 'notes.txt' }));
        await attempt(() => open('plane.prognet', { provider: 'webgpu!,zebra' }));
        const model = await open('plane.onnx');
        await attempt(() => model.grow(column('upper', { like: 'left' })));
        await attempt(() => model.predict('right', new Tensor('float32', [1, 2], Float32Array.of(0, 1))));
        const answer = await model.predict('left', new Tensor('float32', [1, 2], Float32Array.of(3, 0)));
        errors.push(`label ${answer.labels?.data[0]}, ${JSON.stringify(model.info.tasks)}`);
        const bytes = new Uint8Array(await (await fetch('plane.prognet')).arrayBuffer());
        bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
        await attempt(() => open(bytes, { name: 'changed.prognet' }));
        const net = await open('plane.prognet');
        const data = { inputs: new Tensor('float32', [1, 2], Float32Array.of(3, 0)), targets: Tensor.from('int64', [0]) };
        await attempt(() => net.train('left', { data, marks: true }));
        await attempt(() => net.train('left', { data: { train: data }, marks: true }));
        return errors;
      });
      await tab.close();
      expect(said[0]).toBe('ours huge.prognet: 3.0 GiB, a browser takes files up to 2 GiB; use it in Node');
      expect(said[1]).toMatch(/missing\.prognet: the server answers 404$/);
      expect(said.slice(-2)).toEqual(
        Array(2).fill(
          'ours train: "marks" needs samples that the column does not learn from, expected data of { train, test } or { train, validation }, whose rows it was not trained on',
        ),
      );
      expect(said[2]).toMatch(/^notes\.txt: /);
      expect(said[3]).toMatch(/^ours provider: unknown provider "zebra"/);
      expect(said[4]).toMatch(/^ours an ONNX model answers but cannot grow/);
      expect(said[5]).toBe('ours unknown output "right", the model has: left, left_probabilities, left_label');
      expect(said[6]).toBe(
        'label 1, [{"task":"left","trained":true,"head":"classify","answers":"class","outputs":2,"parameters":0,"blocks":[],"laterals":[],"inputs":["point"]}]',
      );
      expect(said[7]).toBe('ours changed.prognet: the weights of task "left" are not those that were frozen (sha256 differs)');
    });
  },
);
