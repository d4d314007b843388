// prognet serve --fleet: each column a model over one base, in mixed batches and within a memory; columns that come, change and go under the server.
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { readFleet } from '../../src/fleet/folder.js';
import { FleetRunner } from '../../src/fleet/runner.js';
import { must } from '../../src/onnx/core/errors.js';
import { elementCount } from '../../src/onnx/core/shape.js';
import type { Tensor } from '../../src/onnx/core/tensor.js';
import { toBinary } from '../../src/onnx/serde/to-binary.js';
import { exportFleet } from '../../src/tasks/export-fleet.js';
import { exportedModel } from '../../src/tasks/export-tasks.js';
import { loadWorkspace } from '../../src/tasks/load-workspace.js';
import { prognet } from '../cli/support.js';
import { description, frozenWorkspace, rows } from '../fleet/fleet.js';
import { runtime } from '../support/run.js';
import { ask, json, serving } from './serving.js';

const names = ['ann', 'ben', 'cleo', 'dora'];
let dir = '';
let whole = '';
/** Bytes of a column. */
let each = 0;

beforeAll(async () => {
  dir = await frozenWorkspace(description(names));
  whole = join(mkdtempSync(join(tmpdir(), 'prognet-served-')), 'fleet');
  exportFleet(loadWorkspace(dir), whole);
  each = 4 * readFleet(whole).weights.reduce((sum, { shape }) => sum + elementCount(shape), 0);
}, 120_000);

/** A fleet of its own with these columns. */
function fleetOf(columns: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'prognet-served-'));
  mkdirSync(join(folder, 'columns'));
  for (const file of ['fleet.json', 'model.onnx', 'stacked.onnx']) copyFileSync(join(whole, file), join(folder, file));
  for (const name of columns) copyFileSync(fileOf(whole, name), fileOf(folder, name));
  return folder;
}
const fileOf = (folder: string, name: string) => join(folder, `columns/${name}.safetensors`);

/** What the exported file of a task answers. */
async function exported(task: string, x: Tensor, workspace = dir) {
  const model = toBinary(exportedModel(loadWorkspace(workspace), { tasks: [task], probabilities: true }));
  const session = await runtime.createSession(model, { threads: 1 });
  const { [task]: scores, [`${task}_probabilities`]: probabilities, [`${task}_label`]: label } = await session.run({ x });
  await session.release();
  return [scores, probabilities, label].map((t) => must(t, task).numbers());
}

const asked = (x: Tensor) => ({ inputs: [{ name: 'x', shape: x.dims, datatype: 'FP32', data: x.numbers() }] });
const given = (answer: { readonly outputs: readonly { readonly data: readonly number[] }[] }) =>
  answer.outputs.map(({ data }) => data);
const furthest = (a: readonly number[][], b: readonly (readonly number[])[]) =>
  Math.max(...a.flatMap((own, i) => own.map((v, j) => Math.abs(v - (b[i]?.[j] ?? Number.NaN)))));

it('each column is a model by its name, which answers as the exported task does, bit for bit', async () => {
  // Room for two of four columns: they take turns in memory.
  const server = await serving('--fleet', whole, '--workers', '1', '--fleet-memory', String(2 * each));
  expect(server.models).toEqual(names);
  expect(await json(`${server.http}/v2/models/ben`)).toMatchObject({
    name: 'ben',
    inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 4] }],
    outputs: [{ name: 'scores' }, { name: 'probabilities' }, { name: 'label', datatype: 'INT64', shape: [-1] }],
  });
  for (const name of [...names, ...names]) {
    const x = rows(3, names.indexOf(name));
    // JSON has each float32 in full.
    expect(given(await json(`${server.http}/v2/models/${name}/infer`, asked(x))), name).toEqual(await exported(name, x));
  }
  const chosen = await json(`${server.http}/v2/models/ann/infer`, { ...asked(rows(1, 1)), outputs: [{ name: 'label' }] });
  expect(chosen.outputs.map((o: { name: string }) => o.name)).toEqual(['label']);
  expect((await ask(`${server.http}/v2/models/none/infer`, asked(rows(1, 1)))).status).toBe(404);
});

it('requests of many columns are joined in one run; one whose column is spoilt does not spoil the others', async () => {
  const folder = fleetOf(names);
  const server = await serving('--fleet', folder, '--workers', '1', '--batch-delay-us', '300000');
  const together = async (of: readonly string[]) => {
    const xs = of.map((_, i) => rows(1 + (i % 2), 20 + i));
    const answers = of.map((name, i) => ask(`${server.http}/v2/models/${name}/infer`, asked(must(xs[i], name))));
    return Promise.all((await Promise.all(answers)).map(async (reply, i) => ({ ...reply, x: must(xs[i], 'rows') })));
  };
  const many = [...names, ...names, ...names];
  for (const [i, { status, text, x }] of (await together(many)).entries()) {
    expect(status, text).toBe(200);
    expect(furthest(await exported(must(many[i], 'name'), x), given(JSON.parse(text)))).toBeLessThan(1e-5);
  }
  const { model_stats } = await json(`${server.http}/v2/models/stats`);
  const runs = model_stats.reduce((sum: number, { execution_count }: { execution_count: number }) => sum + execution_count, 0);
  expect(runs).toBe(1);

  const bytes = readFileSync(fileOf(folder, 'ben'));
  bytes[bytes.length - 2] = (bytes.at(-2) ?? 0) ^ 1;
  writeFileSync(`${folder}/ben`, bytes);
  renameSync(`${folder}/ben`, fileOf(folder, 'ben'));
  const replies = await together(names);
  expect(replies.map(({ status }) => status)).toEqual([200, 503, 200, 200]);
  expect(JSON.parse(must(replies[1], 'ben').text).error).toMatch(/ben\.safetensors: its weights were changed, .* expected /);
  const { x, text } = must(replies[3], 'dora');
  expect(furthest(await exported('dora', x), given(JSON.parse(text)))).toBeLessThan(1e-5);
  // Who asks for it to be loaded hears the same.
  const load = await ask(`${server.http}/v2/repository/models/ben/load`, '');
  expect({ status: load.status, said: JSON.parse(load.text).error }).toEqual({
    status: 400,
    said: expect.stringMatching(/^load failed for model 'ben': .*its weights were changed/),
  });
  // No rows are answered as well, of one column and of several.
  const none = { inputs: [{ name: 'x', shape: [0, 4], datatype: 'FP32', data: [] }] };
  const empty = await Promise.all(['ann', 'cleo'].map((name) => json(`${server.http}/v2/models/${name}/infer`, none)));
  expect(empty.map((answer) => answer.outputs[0].shape)).toEqual([
    [0, 3],
    [0, 3],
  ]);
});

it('a column that is copied into the folder is served, one that is replaced is taken anew, one that is removed is gone', async () => {
  const folder = fleetOf([]);
  const { http, models } = await serving('--fleet', folder, '--workers', '2', '--poll-ms', '100');
  expect(models).toEqual([]);
  const x = rows(2, 7);
  const ready = async (name: string) => (await ask(`${http}/v2/models/${name}/ready`)).status;
  copyFileSync(fileOf(whole, 'ann'), fileOf(folder, 'ann'));
  await expect.poll(() => ready('ann')).toBe(200);
  const infer = (name: string) => json(`${http}/v2/models/${name}/infer`, asked(x));
  expect(given(await infer('ann'))).toEqual(await exported('ann', x));

  // Ann trained anew, on the rows of another, over the same base.
  const other = await frozenWorkspace(description(['ben', 'ann']));
  const anew = join(mkdtempSync(join(tmpdir(), 'prognet-served-')), 'fleet');
  exportFleet(loadWorkspace(other), anew);
  copyFileSync(fileOf(anew, 'ann'), `${folder}/ann`);
  renameSync(`${folder}/ann`, fileOf(folder, 'ann'));
  const replaced = await exported('ann', x, other);
  expect(replaced).not.toEqual(await exported('ann', x));
  // At the next question, in both workers.
  for (let i = 0; i < 4; i++) expect(given(await infer('ann'))).toEqual(replaced);
  rmSync(fileOf(folder, 'ann'));
  await expect.poll(() => ready('ann')).toBe(400);
  expect(await ready('ben')).toBe(400);
});

it('a column is ready once its header was read and fits; one that does not is unavailable, and says why', async () => {
  const folder = fleetOf(['ann', 'ben']);
  const bytes = readFileSync(fileOf(folder, 'ann'));
  // A record that says another base than it was frozen with.
  const { sources } = readFleet(folder);
  const [base = ''] = Object.values(sources);
  const foreign = Buffer.from(bytes.toString('latin1').replaceAll(base, 'f'.repeat(64)), 'latin1');
  const put = (name: string, of: Uint8Array) => {
    writeFileSync(join(folder, name), of);
    renameSync(join(folder, name), fileOf(folder, name));
  };
  put('ben', bytes);
  put('cleo', bytes.subarray(0, bytes.length - 4));
  const { http, refused } = await serving('--fleet', folder, '--workers', '1', '--poll-ms', '100');
  expect(refused.map(({ model }) => model)).toEqual(['ben', 'cleo']);
  const index = async () => json(`${http}/v2/repository/index`, {});
  const bad = { version: '1', state: 'UNAVAILABLE' };
  const ready = (name: string) => ({ name, version: '1', state: 'READY' });
  const cut = expect.stringMatching(/cleo\.safetensors: .*expected/);
  expect(await index()).toEqual([
    ready('ann'),
    { name: 'ben', ...bad, reason: expect.stringMatching(/ben\.safetensors: holds the column "ann", expected the column "ben"/) },
    { name: 'cleo', ...bad, reason: cut },
  ]);
  const said = "Request for unknown model: 'cleo' has no available versions";
  const asking = await ask(`${http}/v2/models/cleo/infer`, asked(rows(1, 1)));
  expect({ status: asking.status, ...JSON.parse(asking.text) }).toEqual({ status: 404, error: said });
  expect((await ask(`${http}/v2/models/cleo/ready`)).status).toBe(400);

  // What answered until now is gone with its file, and what was mended answers.
  put('ann', foreign);
  copyFileSync(fileOf(whole, 'cleo'), join(folder, 'new'));
  renameSync(join(folder, 'new'), fileOf(folder, 'cleo'));
  await expect
    .poll(index)
    .toMatchObject([{ name: 'ann', state: 'UNAVAILABLE' }, { name: 'ben' }, { name: 'cleo', state: 'READY' }]);
  expect((await index())[0].reason).toMatch(/ann\.safetensors: column: changed since it was frozen/);
  expect(given(await json(`${http}/v2/models/cleo/infer`, asked(rows(2, 3))))).toEqual(await exported('cleo', rows(2, 3)));
});

it('a fleet without one good column is served, listed and opened: each says what is wrong with it, and a good file copied in answers', async () => {
  const folder = fleetOf(['ann', 'ben', 'cleo']);
  const [ann, cleo] = [readFileSync(fileOf(folder, 'ann')), readFileSync(fileOf(folder, 'cleo'))];
  const [base = ''] = Object.values(readFleet(folder).sources);
  writeFileSync(fileOf(folder, 'ann'), Buffer.from(ann.toString('latin1').replaceAll(base, 'f'.repeat(64)), 'latin1'));
  writeFileSync(fileOf(folder, 'ben'), ann);
  writeFileSync(fileOf(folder, 'cleo'), cleo.subarray(0, 1000));
  writeFileSync(fileOf(folder, 'dora'), '');
  const wrong = {
    ann: /ann\.safetensors: column: changed since it was frozen/,
    ben: /ben\.safetensors: holds the column "ann", expected the column "ben"/,
    cleo: /cleo\.safetensors: the header is said to take \d+ bytes, the file has 992/,
    dora: /dora\.safetensors: only 0 bytes, a header takes at least 8/,
  };
  const { http, models, refused, log } = await serving('--fleet', folder, '--workers', '1', '--poll-ms', '100');
  expect(models).toEqual([]);
  expect(refused).toEqual(Object.entries(wrong).map(([model, why]) => ({ model, reason: expect.stringMatching(why) })));
  await expect
    .poll(log)
    .toMatch(/^ann is not served: .*\nben is not served: .*\ncleo is not served: .*\ndora is not served: .*$/m);
  expect(await json(`${http}/v2/repository/index`, {})).toEqual(
    Object.entries(wrong).map(([name, why]) => ({
      name,
      version: '1',
      state: 'UNAVAILABLE',
      reason: expect.stringMatching(why),
    })),
  );
  const x = rows(2, 5);
  const runner = await FleetRunner.open(runtime, folder);
  for (const [name, why] of Object.entries(wrong)) {
    expect((await ask(`${http}/v2/models/${name}/infer`, asked(x))).status).toBe(404);
    const load = await ask(`${http}/v2/repository/models/${name}/load`, '');
    expect({ status: load.status, said: JSON.parse(load.text).error }).toEqual({ status: 400, said: expect.stringMatching(why) });
    await expect(runner.run(name, { x })).rejects.toThrow(why);
  }
  const listed = prognet('fleet', 'list', folder, '--json');
  expect({ status: listed.status, ...JSON.parse(listed.stdout) }).toMatchObject({
    status: 2,
    columns: [],
    refused: Object.entries(wrong).map(([name, why]) => ({ name, reason: expect.stringMatching(why) })),
  });
  expect(listed.stderr.trim().split('\n')).toHaveLength(4);

  copyFileSync(fileOf(whole, 'ben'), join(folder, 'new'));
  renameSync(join(folder, 'new'), fileOf(folder, 'ben'));
  await expect.poll(async () => (await ask(`${http}/v2/models/ben/ready`)).status).toBe(200);
  expect(given(await json(`${http}/v2/models/ben/infer`, asked(x)))).toEqual(await exported('ben', x));
  expect((await runner.run('ben', { x })).scores.numbers()).toEqual((await exported('ben', x))[0]);
  await runner.release();
  const some = JSON.parse(prognet('fleet', 'list', folder, '--json').stdout);
  expect(some).toMatchObject({ columns: [{ name: 'ben' }], refused: [{ name: 'ann' }, { name: 'cleo' }, { name: 'dora' }] });
});

it('a thousand questions at once, of columns drawn at random, each answered by its own', async () => {
  const { http } = await serving('--fleet', whole, '--workers', '2', '--max-queue', '2000', '--fleet-memory', String(6 * each));
  const x = rows(1, 3);
  const own = new Map(await Promise.all(names.map(async (name) => [name, await exported(name, x)] as const)));
  const drawn = Array.from({ length: 1000 }, (_, i) => must(names[(i * 7919) % 4], 'name'));
  const answers = await Promise.all(drawn.map((name) => json(`${http}/v2/models/${name}/infer`, asked(x))));
  const worst = Math.max(...answers.map((answer, i) => furthest(must(own.get(must(drawn[i], 'name')), 'own'), given(answer))));
  expect(worst).toBeLessThan(1e-5);
});

it('refuses in one line what is no fleet, what stands beside one, and a memory that holds no column', () => {
  const said = (...args: string[]) => {
    const { status, stderr } = prognet('serve', '--log-level', 'silent', '--port', '0', '--grpc-port', 'none', ...args);
    return `${status} ${stderr.trim()}`;
  };
  expect(said('--fleet', dir)).toMatch(/^2 .*fleet\.json/);
  expect(said('shop', '--fleet', whole)).toMatch(/^2 .*--fleet: found shop beside it, expected it alone/);
  expect(said('--forms', 'all', '--fleet', whole)).toMatch(/^2 .*--fleet: found forms beside it/);
  expect(said('--fleet', whole, '--workers', '2', '--fleet-memory', '9')).toMatch(
    new RegExp(`^2 .*fleet_memory: found 9, expected at least ${2 * each}: a column of ${each} bytes in each of 2 workers`),
  );
});
