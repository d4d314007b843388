// prognet serve beside a real Triton over gRPC: the same messages of tritonclient to both, statuses, words and tensors compared; and their metrics. What differs stands in triton-calls.ts
// with its reason, and in docs/serve.md.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { repo } from '../cli/support.js';
import { deployedShop, missing as noTriton, type Started, started } from '../deploy/real-servers.js';
import { serving } from './serving.js';
import { differs } from './triton-calls.js';

const noClient = existsSync(join(repo, '.venv-serve/prognet-stamp'))
  ? undefined
  : '.venv-serve is missing, sh scripts/serve/setup makes it';
const missing = noTriton ?? noClient;
if (missing !== undefined && process.env.CI === 'true') throw new Error(missing);

interface Answer {
  readonly code: string;
  readonly body: unknown;
}

/** Times differ, and Triton has one number for each row in `[rows,1]`: the reason `perRow`. */
const comparable = (value: unknown, key = ''): unknown => {
  if (Array.isArray(value)) return key === 'left_label' ? value : value.map((one) => comparable(one));
  if (typeof value !== 'object' || value === null) return key === 'ns' || key === 'last_inference' ? 'a time' : value;
  const all = Object.entries(value).map(([name, own]) => {
    if (name === 'left_label' && typeof own === 'object' && own !== null && 'shape' in own)
      return [name, { ...own, shape: (own.shape as string[]).slice(0, 1) }];
    return [name, comparable(own, name)];
  });
  return Object.fromEntries(all);
};

describe.skipIf(missing !== undefined)(
  `gRPC of prognet serve and Triton${missing === undefined ? '' : ` (not run: ${missing})`}`,
  () => {
    let triton: Started | undefined;
    const answers: Record<'triton' | 'own', Record<string, Answer>> = { triton: {}, own: {} };
    const metrics: Record<'triton' | 'own', { readonly type: string | null; readonly text: string }[]> = { triton: [], own: [] };

    beforeAll(async () => {
      const { dir, folder } = deployedShop('triton');
      triton = await started('triton', folder, '/v2/health/ready', '--model-control-mode=explicit', '--load-model=*');
      const ours = await serving(dir, '--workers', '1', '--max-batch', '64', '--batch-delay-us', '500');
      const sides = [
        ['triton', triton.grpc, triton.metrics],
        ['own', ours.grpc, ours.metrics],
      ] as const;
      for (const [side, address, base] of sides) {
        const args = [join(repo, 'scripts/serve/grpc_requests.py'), address];
        const { status, stdout, stderr } = spawnSync(join(repo, '.venv-serve/bin/python'), args, { encoding: 'utf8' });
        if (status !== 0) throw new Error(`${side}: ${stderr}`);
        answers[side] = JSON.parse(stdout);
        const reply = await fetch(`${base}/metrics`, { headers: { connection: 'close' } });
        metrics[side].push({ type: reply.headers.get('content-type'), text: await reply.text() });
      }
    }, 300_000);
    afterAll(async () => await triton?.stop(), 60_000);

    it('answers are the same, but for those that are listed', () => {
      const names = Object.keys(answers.triton);
      expect(names.length).toBeGreaterThan(80);
      expect(Object.keys(answers.own)).toEqual(names);
      const alike = names.filter((name) => differs[name] === undefined);
      const of = (side: 'triton' | 'own') => Object.fromEntries(alike.map((name) => [name, comparable(answers[side][name])]));
      expect(of('own')).toEqual(of('triton'));
    });

    it.each(Object.entries(differs))('unlike: %s', (name, [, triton, own]) => {
      expect([answers.triton[name]?.code, answers.own[name]?.code]).toEqual([triton, own]);
      expect(comparable(answers.own[name])).not.toEqual(comparable(answers.triton[name]));
      if (own !== 'OK') expect(answers.own[name]?.body).toMatch(/\S/);
    });

    it('metrics have the same names, types and labels, but for memory of GPUs', () => {
      const [triton, own] = [metrics.triton[0], metrics.own[0]];
      expect([triton?.type, own?.type]).toEqual(['text/plain; charset=utf-8', 'text/plain; version=0.0.4; charset=utf-8']);
      const types = (text = '') =>
        Object.fromEntries([...text.matchAll(/^# TYPE (nv_\S+) (\S+)$/gm)].map(([, name, type]) => [name, type]));
      const pinned = { nv_pinned_memory_pool_total_bytes: 'gauge', nv_pinned_memory_pool_used_bytes: 'gauge' };
      expect({ ...types(own?.text), ...pinned }).toEqual(types(triton?.text));
      const labels = (text = '') =>
        [...text.matchAll(/^(nv_inference_\w+)\{([^}]*)\}/gm)].map(
          ([, name, all]) => `${name} ${(all ?? '').split(',').toSorted()}`,
        );
      const ofLeft = (text = '') =>
        labels(text)
          .filter((one) => one.includes('model="left"'))
          .toSorted();
      expect(ofLeft(own?.text)).toEqual(ofLeft(triton?.text));
    });
  },
);
