// The contract suite: one file of cases over node-cpu (the reference), node-webgpu, node-cuda, browser-wasm with one and several threads, and
// browser-webgpu. WebGPU runs on SwiftShader. What has no device here is skipped, with its reason in the name.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { must } from '../../src/onnx/core/errors.js';
import { launch } from '../support/browser.js';
import { runtime } from '../support/run.js';
import { type Served, serve } from '../support/serve.js';
import { chromium, noChromium, swiftshaderEnv } from '../support/swiftshader.js';
import { cases, type Outcome, runCases } from './cases.js';

const repo = new URL('../..', import.meta.url).pathname;
const here = join(repo, 'test/contract');
const cuda = (await runtime.providers()).find((p) => p.provider === 'cuda') ?? {
  reason: 'not in onnxruntime-node for this platform',
};

type Outcomes = Readonly<Record<string, Outcome>>;
interface Ran {
  readonly reason?: string;
  /** In a page: whether wasm may have threads. */
  readonly isolated?: boolean;
  readonly outcomes: Outcomes;
}

const reference: Outcomes = await runCases(runtime, 'cpu');

function difference(a: readonly number[], b: readonly number[]): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  return Math.max(...a.map((v, i) => Math.abs(v - must(b[i], 'value')) / Math.max(Math.abs(v), Math.abs(b[i] ?? 0), 1)));
}

/** One test for each case; the first call of `ran` may run them all. */
function agrees(ran: () => Ran): void {
  it.each(cases)(
    '$name',
    ({ name, tolerance }) => {
      const { reason, outcomes } = ran();
      expect(reason).toBeUndefined();
      for (const [list, most] of Object.entries(tolerance)) {
        const want = must(reference[name]?.[list], list);
        expect(want.length).toBeGreaterThan(0);
        expect(difference(outcomes[name]?.[list] ?? [], want), `${name}: ${list}`).toBeLessThan(most);
      }
    },
    300_000,
  );
}

it('the reference: 200 losses that fall, and no case without numbers', () => {
  const losses = must(reference['200 steps of a dense column']?.losses, 'losses');
  expect(losses).toHaveLength(200);
  expect(must(losses.at(-1), 'last')).toBeLessThan(must(losses[0], 'first') / 4);
  for (const { name, tolerance } of cases)
    expect(Object.keys(reference[name] ?? {})).toEqual(expect.arrayContaining(Object.keys(tolerance)));
});

/** A process of its own: the driver must be named before it begins, and a native fault cannot take the tests along. */
function inNode(script: string, provider: string, env: NodeJS.ProcessEnv | undefined): Ran {
  const { stdout, stderr, status } = spawnSync('node', [script, provider], { encoding: 'utf8', env, maxBuffer: 1 << 26 });
  if (status !== 0) throw new Error(`exit code ${status}: ${stderr.slice(-500)}`);
  return JSON.parse(stdout);
}

/** Each with the environment that it needs, or the reason why it cannot run here. */
const inNodeAlone = [
  {
    title: 'node-webgpu',
    provider: 'webgpu',
    env: swiftshaderEnv,
    reason: swiftshaderEnv === undefined ? noChromium : undefined,
  },
  { title: 'node-cuda', provider: 'cuda', env: process.env, reason: cuda.reason },
];

describe('Node', () => {
  // Inside the repository, so that its packages are found.
  mkdirSync(join(repo, '.cache'), { recursive: true });
  const dir = mkdtempSync(join(repo, '.cache/contract-'));
  const script = join(dir, 'in-node.mjs');
  beforeAll(async () => {
    const entryPoints = [join(here, 'in-node.ts')];
    await build({ entryPoints, outfile: script, bundle: true, format: 'esm', platform: 'node', packages: 'external' });
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  for (const { title, provider, env, reason } of inNodeAlone) {
    describe.skipIf(reason !== undefined)(reason === undefined ? title : `${title} (skipped: ${reason})`, () => {
      let ran: Ran | undefined;
      agrees(() => {
        ran ??= inNode(script, provider, env);
        return ran;
      });
    });
  }
});

describe.skipIf(chromium === undefined)(`Chromium${chromium === undefined ? ` (skipped: ${noChromium})` : ''}`, () => {
  let browser: Browser;
  let isolated: Served;
  let plain: Served;
  beforeAll(async () => {
    const { browserBuild } = await import('../../scripts/build-browser.mjs');
    const built = await build({ ...browserBuild, entryPoints: [join(here, 'in-browser.ts')], write: false });
    const files = {
      'contract.js': must(built.outputFiles[0], 'bundle').contents,
      'index.html': '<script type="module" src="contract.js"></script>',
    };
    const folders = [join(repo, 'node_modules/onnxruntime-web/dist')];
    isolated = await serve({ folders, files, isolated: true });
    plain = await serve({ folders, files });
    browser = await launch();
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await isolated?.close();
    await plain?.close();
  });

  async function inBrowser(served: Served, provider: string, threads: number): Promise<Ran> {
    const page = await browser.newPage();
    await page.goto(served.url);
    await page.waitForFunction('globalThis.runContract !== undefined');
    const ran = await page.evaluate(`globalThis.runContract(${JSON.stringify(provider)}, ${threads})`);
    await page.close();
    return ran as Ran;
  }

  for (const [title, provider, threads] of [
    ['browser-wasm, one thread', 'wasm', 1],
    ['browser-wasm, two threads', 'wasm', 2],
    ['browser-webgpu', 'webgpu', 1],
  ] as const) {
    describe(title, () => {
      let ran: Ran;
      beforeAll(async () => {
        ran = await inBrowser(threads > 1 ? isolated : plain, provider, threads);
      }, 300_000);
      it('has the threads that are asked for', () => expect(ran.isolated).toBe(threads > 1));
      agrees(() => ran);
    });
  }
});
