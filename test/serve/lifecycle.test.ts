// prognet serve over time: columns that are frozen meanwhile, models that are replaced, loaded and unloaded under requests, an orderly end; keys and
// certificates; options from a file.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { okIn, workspace } from '../cli/support.js';
import { replace, slow, times } from './models.js';
import { ask, certificate, json, serving } from './serving.js';

const fresh = () => mkdtempSync(join(tmpdir(), 'prognet-serve-'));
const body = { inputs: [{ name: 'x', shape: [1, 2], datatype: 'FP32', data: [1, 2] }] };

it('a model that is replaced under requests: each is answered by the old one or by the new one', async () => {
  const folder = fresh();
  const file = join(folder, 'm.onnx');
  writeFileSync(file, times(2));
  const server = await serving(folder, '--workers', '1', '--poll-ms', '100');
  const answers = new Set<string>();
  let done = false;
  const clients = Array.from({ length: 4 }, async () => {
    while (!done) {
      const { status, text } = await ask(`${server.http}/v2/models/m/infer`, body);
      answers.add(`${status} ${JSON.parse(text).outputs?.[0].data}`);
    }
  });
  for (const k of [2, 3, 4]) {
    if (k > 2) replace(file, times(k));
    await expect.poll(() => [...answers]).toContain(`200 ${k},${2 * k}`);
  }
  replace(join(folder, 'n.onnx'), times(7));
  await expect.poll(async () => (await ask(`${server.http}/v2/models/n/ready`)).status).toBe(200);
  // What cannot be loaded leaves what was there as it is, and says so.
  replace(file, new Uint8Array(10));
  await expect.poll(() => server.log()).toMatch(/"model":"m","what":"refused"/);
  expect((await ask(`${server.http}/v2/models/m/infer`, body)).status).toBe(200);
  rmSync(join(folder, 'n.onnx'));
  await expect.poll(async () => (await ask(`${server.http}/v2/models/n/ready`)).status).toBe(400);
  done = true;
  await Promise.all(clients);
  expect([...answers].sort()).toEqual(['200 2,4', '200 3,6', '200 4,8']);
});

it('a column that is frozen meanwhile is served', async () => {
  const dir = workspace();
  okIn(dir, 'train', 'a', '--freeze', '--quiet');
  const server = await serving(dir, '--workers', '1', '--poll-ms', '100');
  expect(server.models).toEqual(['a']);
  okIn(dir, 'train', 'b', '--freeze', '--quiet');
  await expect.poll(async () => (await ask(`${server.http}/v2/models/b/ready`)).status).toBe(200);
  const x = { name: 'x', shape: [1, 4], datatype: 'FP32', data: [1, 2, 3, 4] };
  expect(await json(`${server.http}/v2/models/b/infer`, { inputs: [x] })).toMatchObject({ model_name: 'b' });
});

it('models are unloaded and loaded by who asks for it', async () => {
  const folder = fresh();
  writeFileSync(join(folder, 'm.onnx'), times(2));
  const { http } = await serving(folder, '--workers', '1', '--poll-ms', '100');
  const status = async (path: string, given?: unknown) => (await ask(`${http}/v2/${path}`, given)).status;
  expect(await status('repository/models/m/unload', '')).toBe(200);
  expect(await json(`${http}/v2/repository/index`, {})).toEqual([
    { name: 'm', version: '1', state: 'UNAVAILABLE', reason: 'unloaded' },
  ]);
  expect(await json(`${http}/v2/repository/index`, { ready: true })).toEqual([]);
  // It stays so, however often the folder is looked at.
  await new Promise((resolve) => setTimeout(resolve, 400));
  const gone = await ask(`${http}/v2/models/m/infer`, body);
  expect({ status: gone.status, said: JSON.parse(gone.text).error }).toEqual({
    status: 404,
    said: "Request for unknown model: 'm' has no available versions",
  });
  expect(await status('repository/models/m/load', '')).toBe(200);
  expect(await status('models/m/infer', body)).toBe(200);
  const nope = await ask(`${http}/v2/repository/models/nope/load`, '');
  expect({ status: nope.status, said: JSON.parse(nope.text).error }).toEqual({
    status: 400,
    said: "failed to load 'nope', failed to poll from model repository",
  });
});

it('a folder that goes under the server: what is loaded answers on, who asks for a load is told, and it goes on where it was when the folder is back', async () => {
  const folder = fresh();
  writeFileSync(join(folder, 'm.onnx'), times(2));
  const server = await serving(folder, '--workers', '1', '--poll-ms', '100');
  rmSync(folder, { recursive: true });
  await expect.poll(server.log).toContain('"why":"cannot read');
  expect((await ask(`${server.http}/v2/models/m/infer`, body)).status).toBe(200);
  const load = await ask(`${server.http}/v2/repository/models/m/load`, '');
  expect({ status: load.status, said: JSON.parse(load.text).error }).toEqual({
    status: 400,
    said: `load failed for model 'm': cannot read ${folder}: it does not exist`,
  });
  mkdirSync(folder);
  replace(join(folder, 'm.onnx'), times(3));
  await expect
    .poll(async () => JSON.parse((await ask(`${server.http}/v2/models/m/infer`, body)).text).outputs[0].data)
    .toEqual([3, 6]);
  expect(server.log()).not.toContain('internal error');
});

it('requests are joined in one run, and each has its own rows', async () => {
  const dir = workspace();
  okIn(dir, 'train', 'a', '--freeze', '--quiet');
  const { http } = await serving(dir, '--workers', '1', '--batch-delay-us', '200000');
  const at = `${http}/v2/models/a/infer`;
  const asked = (n: number, v: number) => ({
    inputs: [{ name: 'x', shape: [n, 4], datatype: 'FP32', data: new Array(4 * n).fill(v) }],
  });
  const alone = await Promise.all([1, 2, 3].map((n) => json(at, asked(1, n / 4))));
  const { model_stats: before } = await json(`${http}/v2/models/a/stats`);
  expect(before[0]).toMatchObject({ inference_count: 3, execution_count: 1 });
  const together = await Promise.all([1, 2, 3].map((n) => json(at, asked(n, n / 4))));
  const { model_stats: after } = await json(`${http}/v2/models/a/stats`);
  expect(after[0]).toMatchObject({ inference_count: 9, execution_count: 2 });
  expect(after[0].batch_stats.map((s: { batch_size: number }) => s.batch_size)).toEqual([3, 6]);
  together.forEach(({ outputs }, i) => {
    const [scores, probabilities, label] = outputs;
    expect(scores.shape).toEqual([i + 1, 2]);
    expect(label.data).toEqual(new Array(i + 1).fill(alone[i].outputs[2].data[0]));
    expect(probabilities.data.slice(0, 2).map((p: number) => p.toFixed(5))).toEqual(
      alone[i].outputs[1].data.map((p: number) => p.toFixed(5)),
    );
  });
});

it('at SIGTERM what is under way is answered, and then it ends', async () => {
  const folder = fresh();
  writeFileSync(join(folder, 'slow.onnx'), slow(150));
  const server = await serving(folder, '--workers', '1', '--drain-ms', '100000', '--timeout-ms', '100000');
  const long = { inputs: [{ name: 'x', shape: [200, 512], datatype: 'FP32', data: new Array(200 * 512).fill(0.5) }] };
  const under = Array.from({ length: 4 }, () => ask(`${server.http}/v2/models/slow/infer`, long));
  const counted = async () => {
    const { text } = await ask(`${server.metrics}/metrics`);
    const of = (name: string) => Number(new RegExp(`^${name}\\{[^}]*\\} (\\d+)$`, 'm').exec(text)?.[1] ?? 0);
    return { waiting: of('nv_inference_pending_request_count'), done: of('nv_inference_request_success') };
  };
  let { waiting, done } = await counted();
  while (waiting + done < 4) ({ waiting, done } = await counted());
  expect(waiting).toBeGreaterThan(0);
  server.child.kill('SIGTERM');
  expect((await Promise.all(under)).map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  expect(await server.ended).toEqual({ code: 0, signal: null });
}, 150_000);

it('a request that comes right after SIGTERM, on a connection from before it, is answered', async () => {
  const folder = fresh();
  writeFileSync(join(folder, 'm.onnx'), times(2));
  const server = await serving(folder, '--workers', '1');
  const { hostname, port } = new URL(server.http);
  const sockets = await Promise.all(
    Array.from({ length: 8 }, () => {
      const socket = connect(Number(port), hostname);
      return new Promise<Socket>((resolve, reject) => socket.once('connect', () => resolve(socket)).once('error', reject));
    }),
  );
  const answers = sockets.map(
    (socket) =>
      new Promise<string>((resolve) => {
        let said = '';
        socket.on('data', (chunk) => {
          said += chunk;
        });
        socket.on('error', (error) => resolve(error.message)).on('close', () => resolve(said));
      }),
  );
  server.child.kill('SIGTERM');
  // By now it has the signal, and takes what comes for half a second.
  await after(100);
  const text = JSON.stringify(body);
  const head = `POST /v2/models/m/infer HTTP/1.1\r\nhost: ${hostname}\r\ncontent-length: ${text.length}\r\n\r\n`;
  for (const socket of sockets) socket.write(head + text);
  for (const said of await Promise.all(answers)) expect(said).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  expect(await server.ended).toEqual({ code: 0, signal: null });
});

it('a key and a certificate, named by a file of options', async () => {
  const folder = fresh();
  const file = (name: string) => join(folder, name);
  writeFileSync(file('m.onnx'), times(2));
  writeFileSync(file('key'), 'sesame\n');
  const { cert, key } = certificate(folder);
  const config = {
    models: [file('m.onnx')],
    workers: 1,
    tls_cert: cert,
    tls_key: key,
    api_key_file: file('key'),
  };
  writeFileSync(file('serve.yaml'), JSON.stringify(config));
  const { http } = await serving('--config', file('serve.yaml'));
  expect(http).toMatch(/^https:/);
  const status = (path: string, headers: Record<string, string> = {}) =>
    new Promise((resolve, reject) => {
      const asked = request(`${http}${path}`, { headers, ca: readFileSync(cert) }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      });
      asked.on('error', reject);
      asked.end();
    });
  expect(await status('/v2/models/m')).toBe(401);
  expect(await status('/v2/models/m', { 'x-api-key': 'Sesame' })).toBe(401);
  expect(await status('/v2/models/m', { 'x-api-key': 'sesame' })).toBe(200);
  expect(await status('/v2/models/m', { authorization: 'Bearer sesame' })).toBe(200);
  expect(await status('/v2/health/ready')).toBe(200);
});
