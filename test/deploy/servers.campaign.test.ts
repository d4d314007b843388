// prognet deploy triton and mlserver: the folders in the servers themselves, which answer as predict does, of several inputs too.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readNpy } from '../../src/formats/npy.js';
import { outputNames } from '../../src/model/heads/output-names.js';
import { must } from '../../src/onnx/core/errors.js';
import { okIn } from '../cli/support.js';
import { asGraphInputs, samples, sixDtypes } from '../support/six-dtypes.js';
import { deployedShop, missing, started, type Target, why } from './real-servers.js';

interface TensorOfProtocol {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly data: readonly (number | string)[];
}

const numbers = (...data: number[]) => ({ name: 'customer', datatype: 'FP32', shape: [data.length / 4, 4], data });
const words = (...data: string[]) => ({ name: 'customer_categories', datatype: 'BYTES', shape: [data.length / 2, 2], data });
const customer = [numbers(34, 25, 6, 2), words('Zug', 'basic')];

/** A server that is asked; `ready` is a model that must answer. */
async function asked(target: Target, folder: string, ready: string) {
  const { http, stop } = await started(target, folder, `/v2/models/${ready}/ready`);
  /** `bytes` are those of inputs with "binary_data_size", one after another. */
  const ask = async (
    task: string,
    inputs: readonly object[],
    outputs?: readonly string[],
    bytes: Uint8Array = new Uint8Array(),
  ) => {
    const json = Buffer.from(JSON.stringify({ inputs, ...(outputs && { outputs: outputs.map((name) => ({ name })) }) }));
    const length = { 'inference-header-content-length': String(json.length) };
    const headers = bytes.length > 0 ? length : { 'content-type': 'application/json' };
    const body = Buffer.concat([json, bytes]);
    const response = await fetch(`${http}/v2/models/${task}/infer`, { method: 'POST', headers, body });
    return { status: response.status, body: (await response.json()) as { error?: string; outputs?: TensorOfProtocol[] } };
  };
  return { ask, stop };
}
type Served = Awaited<ReturnType<typeof asked>>;
const answersOf = ({ body }: Awaited<ReturnType<Served['ask']>>) =>
  Object.fromEntries((body.outputs ?? []).map(({ name, data }) => [name, data]));

describe.skipIf(missing !== undefined).each(['triton', 'mlserver'] as const)(`%s${why}`, (target) => {
  let served: Served;
  let dir = '';

  beforeAll(async () => {
    const shop = deployedShop(target);
    dir = shop.dir;
    served = await asked(target, shop.folder, 'took');
  }, 120_000);
  afterAll(async () => await served?.stop(), 60_000);
  const ask: Served['ask'] = (...asked) => served.ask(...asked);

  it('answers as predict does, one sample and two', async () => {
    writeFileSync(join(dir, 'one.csv'), 'age,city,plan,monthly,calls,months\n34,Zug,basic,25,6,2\n');
    for (const task of ['left', 'took']) {
      const names = outputNames(task);
      const one = await ask(task, customer);
      expect(one.status, JSON.stringify(one.body)).toBe(200);
      const two = await ask(task, [numbers(34, 25, 6, 2, 34, 25, 6, 2), words('Zug', 'basic', 'Zug', 'basic')]);
      const single = answersOf(one);
      expect(answersOf(two)).toEqual(
        Object.fromEntries(Object.entries(single).map(([name, data]) => [name, [...data, ...data]])),
      );
      expect(Object.keys(single).sort()).toEqual([names.scores, names.label, names.probabilities].sort());
      const predicted = JSON.parse(okIn(dir, 'predict', task, '--input', join(dir, 'one.csv'), '--json'));
      expect(single).toMatchObject({ [names.label]: predicted.labels, [names.probabilities]: predicted.probabilities[0] });
    }
  });

  it('gives what is asked for, and refuses what it does not have, with its name', async () => {
    expect(Object.keys(answersOf(await ask('left', customer, ['left_label'])))).toEqual(['left_label']);
    const refused = [
      await ask('left', customer, ['lab']),
      await ask('left', customer.slice(0, 1)),
      await ask('left', [...customer, { ...numbers(1, 2, 3, 4), name: 'bad' }]),
      await ask('left', [{ ...numbers(1, 2, 3, 4), datatype: 'INT64' }, customer[1] ?? {}]),
      await ask('left', [{ ...numbers(1, 2, 3), shape: [1, 3] }, customer[1] ?? {}]),
    ];
    expect(refused.map(({ status }) => status)).toEqual(Array(5).fill(400));
    ['lab', 'customer_categories', 'bad', 'FP32', 'customer'].forEach((name, i) => {
      expect(refused[i]?.body.error).toContain(name);
    });
  });

  it('a wrong request spoils no other that comes at the same time', async () => {
    const right = answersOf(await ask('left', customer));
    const wrong = [{ ...numbers(1, 2, 3), shape: [1, 3] }, customer[1] ?? {}];
    const all = await Promise.all(Array.from({ length: 48 }, (_, i) => ask('left', i % 4 === 0 ? wrong : customer)));
    all.forEach((answer, i) => {
      expect(answer.status).toBe(i % 4 === 0 ? 400 : 200);
      if (i % 4 > 0) expect(answersOf(answer)).toEqual(right);
    });
  });
});

describe.skipIf(missing !== undefined)(`several inputs in Triton${why}`, () => {
  const tasks: Readonly<Record<string, readonly string[]>> = {
    all: ['image', 'person', 'person_categories', 'kind', 'shop', 'half', 'open', 'pixels'],
    words: ['person', 'person_categories', 'note', 'mask'],
  };
  const types: Readonly<Record<string, string>> = {
    person_categories: 'BYTES',
    kind: 'INT32',
    shop: 'INT64',
    half: 'FP16',
    open: 'BOOL',
    pixels: 'UINT8',
    note: 'INT64',
    mask: 'INT64',
  };
  let served: Served;
  let dir = '';
  beforeAll(async () => {
    dir = sixDtypes();
    okIn(dir, 'train', '--all', '--freeze', '--quiet', '--threads', '1');
    okIn(dir, 'deploy', 'triton', '-o', join(dir, 'triton'), '--tasks', Object.keys(tasks).join(), '--quiet');
    served = await asked('triton', join(dir, 'triton'), 'words');
  }, 120_000);
  afterAll(async () => await served?.stop(), 60_000);

  /** All samples of an input, as the protocol has them; a sample of one number as [1]. */
  const given = (name: string) => {
    const datatype = types[name] ?? 'FP32';
    // The protocol has no FP16 in JSON.
    if (datatype === 'FP16') {
      const { dims, bytes } = must(samples[name], name);
      return { name, datatype, shape: dims, parameters: { binary_data_size: bytes.length } };
    }
    const list = asGraphInputs()[name];
    const sizes = (of: unknown): number[] => (Array.isArray(of) ? [of.length, ...sizes(of[0])] : []);
    const flat: unknown[] = Array.isArray(list) ? list.flat(9) : [];
    const [count = 0, ...rest] = sizes(list);
    const data = flat.map((v) => (datatype === 'BOOL' ? v === 1 : v));
    return { name, datatype, shape: [count, ...(rest.length > 0 ? rest : [1])], data };
  };

  it.each(Object.entries(tasks))('task "%s" answers as predict does', async (task, names) => {
    okIn(dir, 'predict', task, '--input', join(dir, 'asked.npz'), '--output', join(dir, 'answers.npy'), '--quiet');
    const predicted = readNpy(readFileSync(join(dir, 'answers.npy')), 'answers.npy').numbers();
    const half = names.includes('half') ? samples.half?.bytes : undefined;
    const answer = await served.ask(task, names.map(given), undefined, half);
    expect(answer.status, JSON.stringify(answer.body)).toBe(200);
    const got = answersOf(answer)[outputNames(task).probabilities] ?? [];
    expect(got).toHaveLength(predicted.length);
    for (const [i, v] of predicted.entries()) expect(Math.abs(v - Number(got[i]))).toBeLessThan(1e-6);
  });
});
