// prognet deploy triton and mlserver: the folders in the servers themselves, which answer as predict does.
import type { ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { outputNames } from '../../src/model/heads/output-names.js';
import { okIn, prognet, workspace } from '../cli/support.js';
import { freePorts, missing, servers, why } from './real-servers.js';

interface TensorOfProtocol {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly data: readonly (number | string)[];
}

const numbers = (...data: number[]) => ({ name: 'customer', datatype: 'FP32', shape: [data.length / 4, 4], data });
const words = (...data: string[]) => ({ name: 'customer_categories', datatype: 'BYTES', shape: [data.length / 2, 2], data });
const customer = [numbers(34, 25, 6, 2), words('Zug', 'basic')];

describe.skipIf(missing !== undefined).each(['triton', 'mlserver'] as const)(`%s${why}`, (target) => {
  let child: ChildProcess;
  let base = '';
  let log = '';
  let dir = '';

  beforeAll(async () => {
    dir = join(workspace(), 'shop');
    expect(prognet('init', dir, '--template', 'tabular', '--quiet').status).toBe(0);
    okIn(dir, 'train', '--all', '--quiet');
    const folder = join(dir, '..', target);
    okIn(dir, 'deploy', target, '-o', folder, '--quiet');
    const ports = await freePorts(3);
    child = servers[target](folder, ports);
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk) => {
        log += chunk;
      });
    base = `http://127.0.0.1:${ports[0]}`;
    const ready = () =>
      fetch(`${base}/v2/models/took/ready`).then(
        ({ status }) => status === 200,
        () => false,
      );
    while (!(await ready())) {
      if (child.exitCode !== null) throw new Error(log);
      await setTimeout(200);
    }
  }, 120_000);
  afterAll(async () => {
    const ended = new Promise((resolve) => child.once('close', resolve));
    child.kill('SIGTERM');
    await ended;
  }, 60_000);

  const ask = async (task: string, inputs: readonly object[], outputs?: readonly string[]) => {
    const body = JSON.stringify({ inputs, ...(outputs && { outputs: outputs.map((name) => ({ name })) }) });
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${base}/v2/models/${task}/infer`, { method: 'POST', headers, body });
    return { status: response.status, body: (await response.json()) as { error?: string; outputs?: TensorOfProtocol[] } };
  };
  const answersOf = ({ body }: Awaited<ReturnType<typeof ask>>) =>
    Object.fromEntries((body.outputs ?? []).map(({ name, data }) => [name, data]));

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
