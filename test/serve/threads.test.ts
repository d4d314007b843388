// Threads of prognet serve that end by themselves, those that compute and the one that reads: others take their place, what they held is answered by a fault that can be retried, nothing hangs.
import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { caller, question } from './grpc.js';
import { replace, times } from './models.js';
import { ask, json, type Serving, serving } from './serving.js';

/** Loaded into every thread: one that is given a call named in `die` ends before it answers, `exit` or by an error that nobody catches. */
const program = `import { isMainThread, parentPort } from 'node:worker_threads';
import { existsSync, readFileSync, rmSync } from 'node:fs';
const file = new URL('./die', import.meta.url);
if (!isMainThread && parentPort !== null) {
  const on = parentPort.on.bind(parentPort);
  parentPort.on = (event, listener) => on(event, (message) => {
    if (message !== null && existsSync(file)) {
      const [method, how, keep] = readFileSync(file, 'utf8').split(' ');
      if (message.method === method) {
        if (keep !== 'always') rmSync(file);
        if (how === 'throw') throw new Error('it was told to');
        process.exit(1);
      }
    }
    listener(message);
  });
}
`;

async function mortal(...args: string[]): Promise<Serving & { readonly die: (how: string) => void; readonly folder: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'prognet-mortal-'));
  writeFileSync(join(folder, 'mortal.mjs'), program);
  writeFileSync(join(folder, 'm.onnx'), times(2));
  const { NODE_OPTIONS = '' } = process.env;
  process.env.NODE_OPTIONS = `${NODE_OPTIONS} --import=${join(folder, 'mortal.mjs')}`;
  try {
    const server = await serving(folder, '--poll-ms', '100', ...args);
    return { ...server, folder, die: (how) => writeFileSync(join(folder, 'die'), how) };
  } finally {
    process.env.NODE_OPTIONS = NODE_OPTIONS;
  }
}

const body = { inputs: [{ name: 'x', shape: [1, 2], datatype: 'FP32', data: [1, 2] }] };
const infer = ({ http }: Serving, model = 'm') => ask(`${http}/v2/models/${model}/infer`, body);
const answered = ({ text }: { readonly text: string }) => JSON.parse(text).outputs[0].data;

describe('a thread that computes', () => {
  it.each([
    ['exit', 'it ended'],
    ['throw', 'it was told to'],
  ])('is replaced: by %s what it held is answered 503, what waited is answered', async (how, why) => {
    const server = await mortal('--workers', '1');
    expect(answered(await infer(server))).toEqual([2, 4]);
    server.die(`run ${how}`);
    const all = await Promise.all(Array.from({ length: 5 }, () => infer(server)));
    expect(all.map(({ status }) => status).toSorted()).toEqual([200, 200, 200, 200, 503]);
    for (const reply of all) {
      if (reply.status === 200) expect(answered(reply)).toEqual([2, 4]);
      else {
        expect(JSON.parse(reply.text)).toEqual({ error: `a worker thread ended: ${why}` });
        expect(reply.headers.get('retry-after')).toBe('1');
      }
    }
    server.die(`run ${how}`);
    const rpc = caller(server.grpc);
    expect(await rpc.call('ModelInfer', question('m', [1, 2], [1, 2]))).toEqual({
      code: 14,
      said: `a worker thread ended: ${why}`,
    });
    expect(await rpc.call('ModelInfer', question('m', [1, 2], [1, 2]))).toMatchObject({ code: 0 });
    expect(server.log().match(/a worker thread ended, another takes its place/g)).toHaveLength(2);
    server.child.kill('SIGTERM');
    expect(await server.ended).toEqual({ code: 0, signal: null });
  });

  it('that ends while it loads a model loads it in its place; a model that ends it each time is refused, and the others stay', async () => {
    const server = await mortal('--workers', '2');
    server.die('load exit');
    replace(join(server.folder, 'n.onnx'), times(3));
    await expect.poll(async () => (await ask(`${server.http}/v2/models/n/ready`)).status).toBe(200);
    expect(existsSync(join(server.folder, 'die'))).toBe(false);
    for (let i = 0; i < 4; i++) expect(answered(await infer(server, 'n'))).toEqual([3, 6]);

    server.die('load exit always');
    replace(join(server.folder, 'o.onnx'), times(4));
    // Those that take the place of the ended ones end as well while they load what was there.
    await expect.poll(() => server.log().match(/a worker thread ended/g)?.length).toBeGreaterThan(2);
    server.die('none exit');
    await expect.poll(async () => (await infer(server, 'n')).status).toBe(200);
    expect(answered(await infer(server))).toEqual([2, 4]);
    server.child.kill('SIGTERM');
    expect(await server.ended).toEqual({ code: 0, signal: null });
  });
});

describe('the thread that reads', () => {
  it('is replaced: who asks for a load then hears 503, and files are found as before', async () => {
    const server = await mortal('--workers', '1');
    server.die('find exit');
    await expect.poll(() => existsSync(join(server.folder, 'die'))).toBe(false);
    replace(join(server.folder, 'n.onnx'), times(3));
    await expect.poll(async () => (await ask(`${server.http}/v2/models/n/ready`)).status).toBe(200);

    await ask(`${server.http}/v2/repository/models/n/unload`, '');
    server.die('read exit');
    const load = await ask(`${server.http}/v2/repository/models/n/load`, '');
    expect({ status: load.status, retry: load.headers.get('retry-after'), said: JSON.parse(load.text) }).toEqual({
      status: 503,
      retry: '1',
      said: { error: 'a worker thread ended: it ended' },
    });
    await expect.poll(async () => (await ask(`${server.http}/v2/repository/models/n/load`, '')).status).toBe(200);
    expect(answered(await infer(server, 'n'))).toEqual([3, 6]);
    expect(await json(`${server.http}/v2/repository/index`, {})).toMatchObject([
      { name: 'm', state: 'READY' },
      { name: 'n', state: 'READY' },
    ]);
    server.child.kill('SIGTERM');
    expect(await server.ended).toEqual({ code: 0, signal: null });
  });

  it('ends while it reads a file that has come: the file is read at the next look', async () => {
    const server = await mortal('--workers', '1');
    server.die('read exit');
    replace(join(server.folder, 'n.onnx'), times(3));
    await expect.poll(async () => (await ask(`${server.http}/v2/models/n/ready`)).status).toBe(200);
    expect(answered(await infer(server, 'n'))).toEqual([3, 6]);
  });
});
