// The folder of `prognet deploy node`, whose server is that of `prognet serve`: what it adds is asked here, samples as their users have them; the protocol, its
// bounds and the orderly end under load are asked in test/serve.
import { spawn, spawnSync } from 'node:child_process';
import { cpSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { prognet, repo, workspace } from '../cli/support.js';
import { type Started, start } from '../support/service.js';

let folder = '';
let service: Started;
beforeAll(async () => {
  const dir = workspace();
  expect(prognet('train', 'a', '--freeze', '--quiet', '-C', dir).status).toBe(0);
  folder = join(dir, 'service');
  expect(prognet('deploy', 'node', '-o', folder, '--tasks', 'a', '-C', dir).status).toBe(0);
  service = await start(folder);
});

const json = { 'content-type': 'application/json' };
const post = async ({ url }: Started, body: string, path = '/predict/a') => {
  const response = await fetch(`${url}${path}`, { method: 'POST', headers: { ...json, connection: 'close' }, body });
  return { status: response.status, ...Object(await response.json()) };
};
const one = '{"inputs": [[1, 2, 3, 4]]}';

/** Most memory that the process ever held, in MB. */
const peak = ({ child }: Started) =>
  Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) / 1024;

describe('samples', () => {
  it('are answered by the model that the protocol answers with, and counted with its requests', async () => {
    const inputs = [{ name: 'x', datatype: 'FP32', shape: [1, 4], data: [1, 2, 3, 4] }];
    const asked = await post(service, JSON.stringify({ inputs, outputs: [{ name: 'a_probabilities' }] }), '/v2/models/a/infer');
    const { probabilities } = await post(service, one);
    expect(asked.outputs[0].data.map(Math.fround)).toEqual(probabilities.flat().map(Math.fround));
    const { model_stats } = Object(await (await fetch(`${service.url}/v2/models/a/stats`)).json());
    expect(model_stats[0].inference_stats.success.count).toBe(2);
  });

  it('of 8 MB of opening brackets are refused at once', async () => {
    for (const [body, error] of [
      ['['.repeat(8e6), 'expected {"inputs": [...]}, a list of samples, and nothing beside it'],
      [`{"inputs": ${'['.repeat(8e6)}`, '"inputs" is nested over 16 levels'],
    ] as const) {
      const begun = performance.now();
      expect(await post(service, body)).toEqual({ status: 400, error });
      expect(performance.now() - begun).toBeLessThan(1500);
    }
  });

  it.each([
    ['{"inputs": [[1, 2], 3]}', '"inputs" must be numbers in lists'],
    ['{"inputs": [1, [2]]}', '"inputs" must be numbers in lists'],
    ['{"inputs": [[[1]], []]}', '"inputs" must be lists of one length at each depth'],
    ['{"inputs": [[1, 2, 3, 4]], "more": 1}', 'expected {"inputs": [...]}, a list of samples, and nothing beside it'],
    ['{"input": [[1, 2, 3, 4]]}', 'expected {"inputs": [...]}, a list of samples, and nothing beside it'],
    ['{"inputs": 3}', 'expected {"inputs": [...]}, a list of samples, and nothing beside it'],
    ['{}', 'expected {"inputs": [...]}, a list of samples, and nothing beside it'],
    ['', 'expected {"inputs": [...]}, a list of samples, and nothing beside it'],
    ['{"inputs": [01]}', 'the body is no JSON'],
    ['{"inputs": [1,]}', 'the body is no JSON'],
    ['{"inputs": [,1]}', 'the body is no JSON'],
    ['{"inputs": [1 2]}', 'the body is no JSON'],
    ['{"inputs": [+1]}', 'the body is no JSON'],
    ['{"inputs": [.5]}', 'the body is no JSON'],
    ['{"inputs": [NaN]}', 'the body is no JSON'],
    ['{"inputs": [[1, 2, 3, 4]]} x', 'the body is no JSON'],
    ['{"inputs": [[1, 2, 3, 4]]', 'the body is no JSON'],
    [`{"inputs": [[${'1'.repeat(129)}, 2, 3, 4]]}`, 'a number of over 128 characters'],
  ])('that do not fit are 400: %s', async (body, error) => {
    expect(await post(service, body)).toEqual({ status: 400, error });
  });

  it('of 15 MB take little memory, refused or answered', async () => {
    const large = await start(folder, '--max-batch', '100000');
    await post(large, one);
    const before = peak(large);
    const many = `{"inputs": [${'1,'.repeat(7.5e6)}1]}`;
    expect(await post(large, many)).toEqual({
      status: 413,
      error: 'found over 100000 samples, expected at most 100000 (max_batch)',
    });
    expect(peak(large) - before).toBeLessThan(90);
    const long = `0.${'12345'.repeat(7)}`;
    const full = `{"inputs": [${Array(99_000).fill(`[${[long, long, long, long]}]`)}]}`;
    expect(full.length).toBeGreaterThan(14e6);
    expect((await post(large, full)).status).toBe(200);
    expect(peak(large) - before).toBeLessThan(250);
  });
});

it('`npm start` begins it, and at SIGTERM it ends in its own time', async () => {
  const flags = ['--port', '0', '--grpc-port', 'none', '--metrics-port', 'none'];
  const child = spawn('npm', ['start', '--', ...flags], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  const url = await new Promise<string>((resolve) => {
    let said = '';
    child.stdout.on('data', (chunk) => {
      said += chunk;
      const found = /^http:\S+$/m.exec(said)?.[0];
      if (found !== undefined) resolve(found);
    });
  });
  expect((await fetch(`${url}/predict/a`, { method: 'POST', headers: json, body: one })).status).toBe(200);
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const ended = new Promise((resolve) => child.on('close', resolve));
  // As a terminal and systemd do: npm and what it began. npm passes it on as well, so the server may get it twice; npm itself ends by it.
  process.kill(-(child.pid ?? 0), 'SIGTERM');
  await ended;
  expect(stderr).toMatch(/stopped\n$/);
});

describe('what goes wrong at the start is one line', () => {
  const refuses = (where: string, ...flags: string[]) => {
    const found = spawnSync('node', [join(where, 'server.mjs'), '--port', '0', '--log-level', 'silent', ...flags], {
      encoding: 'utf8',
      timeout: 20_000,
    });
    expect(found.stdout).toBe('');
    return { status: found.status, stderr: found.stderr };
  };
  const broken = (change: (at: (name: string) => string) => void): string => {
    const other = `${folder}-broken`;
    rmSync(other, { recursive: true, force: true });
    cpSync(folder, other, { recursive: true, verbatimSymlinks: true });
    change((name) => join(other, name));
    return other;
  };

  it('in flags', () => {
    expect(refuses(folder, '--port', 'x')).toEqual({ status: 2, stderr: expect.stringMatching(/^prognet: --port: .*\n$/) });
    expect(refuses(folder, '--max-batch', '0')).toEqual({
      status: 2,
      stderr: expect.stringMatching(/^prognet: --max-batch: .*\n$/),
    });
  });

  it.each<[string, (at: (name: string) => string) => void, RegExp]>([
    ['a model is none', (at) => writeFileSync(at('models/a.onnx'), 'no model'), /^prognet: model "a" cannot be served: .*\n$/],
    ['no model is there', (at) => rmSync(at('models/a.onnx')), /^prognet: models: no model to serve, expected .*\n$/],
    ['tasks.json is no JSON', (at) => writeFileSync(at('tasks.json'), '{'), /^prognet: tasks\.json: is no JSON, expected .*\n$/],
    [
      'tasks.json is another',
      (at) => writeFileSync(at('tasks.json'), '{"tasks": []}'),
      /^prognet: tasks\.json: .*, expected the tasks\.json of prognet deploy node\n$/,
    ],
    ['tasks.json is gone', (at) => rmSync(at('tasks.json')), /^prognet: .*tasks\.json.*\n$/],
    ['packages are not installed', (at) => rmSync(at('node_modules')), /^prognet: .*onnxruntime-node.*\n$/],
  ])('where %s', (_, change, line) => {
    const { status, stderr } = refuses(broken(change));
    expect(stderr).toMatch(line);
    expect(status).not.toBe(0);
  });

  it('where a task names a model that is not there: the others answer', async () => {
    const other = broken((at) => {
      const text = readFileSync(at('tasks.json'), 'utf8');
      writeFileSync(at('tasks.json'), text.replace('"model": "a"', '"model": "z"'));
      rmSync(at('node_modules'));
      symlinkSync(join(repo, 'node_modules'), at('node_modules'));
    });
    const own = await start(other);
    expect(await post(own, one)).toEqual({ status: 404, error: "Request for unknown model: 'z' is not found" });
  });
});
