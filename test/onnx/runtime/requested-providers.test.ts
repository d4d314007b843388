// Wishes for providers, their options, and the choice among them.
import { expect, it } from 'vitest';
import { nestConfig, parseOptions, parseProviders } from '../../../src/onnx/runtime/requested-providers.js';
import { Probes } from '../../../src/onnx/runtime/selection.js';
import { providerNames } from '../../../src/onnx/runtime/traits.js';

it('reads an ordered wish', () => {
  expect(parseProviders('cuda!, webgpu,cpu')).toEqual([
    { name: 'cuda', insist: true },
    { name: 'webgpu', insist: false },
    { name: 'cpu', insist: false },
  ]);
  expect(() => parseProviders('cuda,zebra')).toThrow(`unknown provider "zebra", expected one of ${providerNames.join(', ')}`);
  expect(() => parseProviders('')).toThrow('unknown provider ""');
});

it('reads options of providers and of the session', () => {
  expect(
    parseOptions([
      'cuda.deviceId=1',
      'webgpu.enableRobustness=true',
      'webgpu.forceCpuNodeNames=a|b',
      'session.intra_op.allow_spinning=1',
    ]),
  ).toEqual({
    providerOptions: { cuda: { deviceId: 1 }, webgpu: { enableRobustness: true, forceCpuNodeNames: ['a', 'b'] } },
    config: { 'session.intra_op.allow_spinning': '1' },
  });
  expect(nestConfig({ 'session.a.b': '1', 'session.a.c': '2', 'session.d': '' })).toEqual({
    session: { a: { b: '1', c: '2' }, d: '' },
  });
  expect(() => parseOptions(['cuda.gpu_mem_limit=1'])).toThrow(
    `providerOptions: ONNX Runtime's JavaScript packages hand no option "gpu_mem_limit" to cuda, they know: deviceId`,
  );
  expect(() => parseOptions(['cuda.deviceId=one'])).toThrow(
    'providerOptions cuda.deviceId: found "one", expected an integer of 0 and more',
  );
  expect(() => parseOptions(['cuda'])).toThrow('found "cuda", expected <provider>.<option>=<value> or session.<key>=<value>');
  expect(() => parseOptions(['toString.x=1'])).toThrow('unknown provider "toString"');
});

function probes(works: readonly string[]): { probes: Probes; tried: string[] } {
  const tried: string[] = [];
  const attempt = async (provider: string) => {
    tried.push(provider);
    if (!works.includes(provider)) throw new Error(`${provider} is not here`);
  };
  return { tried, probes: new Probes(attempt, (_, error) => (error instanceof Error ? error.message : ''), 'cpu') };
}

it('takes the first that works, keeps the reasons of the others, probes each once', async () => {
  const { probes: found, tried } = probes(['webgpu', 'cpu']);
  const wish = parseProviders('cuda,webgpu,cpu');
  const chosen = { provider: 'webgpu', refused: [{ provider: 'cuda', reason: 'cuda is not here' }] };
  expect(await found.select(wish)).toEqual(chosen);
  expect(await found.select(wish)).toEqual(chosen);
  expect(await found.report(['cuda', 'webgpu'])).toEqual([
    { provider: 'cuda', available: false, reason: 'cuda is not here' },
    { provider: 'webgpu', available: true },
  ]);
  expect(tried).toEqual(['cuda', 'webgpu']);
});

it('ends with the CPU, unless one is insisted on', async () => {
  const { probes: found } = probes(['cpu']);
  expect(await found.select(parseProviders('cuda,webgpu'))).toMatchObject({ provider: 'cpu' });
  await expect(found.select(parseProviders('webgpu,cuda!,cpu'))).rejects.toThrow('cuda does not run here: cuda is not here');
});
