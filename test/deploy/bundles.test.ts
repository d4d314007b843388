// prognet deploy: the folders as their targets read them, a service that answers, and folders that are not ours.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { kubernetesName } from '../../src/deploy/kserve.js';
import { tritonRepository } from '../../src/deploy/triton.js';
import { readNpy, writeNpy } from '../../src/formats/npy.js';
import { must } from '../../src/onnx/core/errors.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import type { BytePieces } from '../../src/onnx/files/write-all.js';
import { fromBinary } from '../../src/onnx/serde/from-binary.js';
import { toBinary } from '../../src/onnx/serde/to-binary.js';
import { prognet, repo, workspace } from '../cli/support.js';
import { type Started, start } from '../support/service.js';

let dir = '';
const out = (name: string) => join(dir, name);
const deploy = (target: string, folder: string, ...more: string[]) => prognet('deploy', target, '-o', folder, '-C', dir, ...more);

beforeAll(() => {
  dir = workspace();
  expect(prognet('train', '--all', '--quiet', '-C', dir).status).toBe(0);
});

/** Why the targets' own parsers cannot be had here; undefined where they are there. */
function withoutParsers(): string | undefined {
  try {
    execFileSync('sh', [join(repo, 'scripts/deploy-check/setup')], { stdio: 'pipe' });
    return undefined;
  } catch (error) {
    return `scripts/deploy-check/setup failed: ${error instanceof Error ? error.message.split('\n')[0] : error}`;
  }
}
const missing = withoutParsers();
const python = join(repo, '.venv-deploy/bin/python');
const why = missing === undefined ? '' : ` (not run: ${missing})`;

/** A file's bytes; a piece is good until the next. */
const piecesOf = (bytes: BytePieces) => (bytes instanceof Uint8Array ? [bytes] : Array.from(bytes, (piece) => piece.slice()));

/** The metadata of a model as parameters of a config. */
const toldBy = (file: string) => {
  const own = [...fromBinary(readFileSync(file)).metadata].filter(([key]) => key.startsWith('prognet.'));
  return Object.fromEntries(own.map(([key, value]) => [key, { string_value: value }]));
};

describe('triton', () => {
  it.skipIf(missing !== undefined)(`configs by the parser of tritonclient${why}`, () => {
    const folders = { tasks: out('triton'), all: out('triton-all'), routed: out('triton-routed') };
    expect(JSON.parse(deploy('triton', folders.tasks, '--json').stdout)).toMatchObject({
      target: 'triton',
      models: ['a', 'b'],
    });
    expect(deploy('triton', folders.all, '--form', 'all', '--max-batch', '7', '--precision', 'fp16', '--quiet').status).toBe(0);
    expect(deploy('triton', folders.routed, '--form', 'routed', '--quiet').status).toBe(0);
    const files = [
      join(folders.tasks, 'b/config.pbtxt'),
      join(folders.all, 'toy/config.pbtxt'),
      join(folders.routed, 'toy/config.pbtxt'),
    ];
    const parsed = (paths: readonly string[]) =>
      JSON.parse(execFileSync(python, [join(repo, 'scripts/deploy-check/parse_config.py'), ...paths], { encoding: 'utf8' }));
    const configs = parsed(files);
    expect(configs[files[0] ?? '']).toEqual({
      name: 'b',
      backend: 'onnxruntime',
      max_batch_size: 64,
      input: [{ name: 'x', data_type: 'TYPE_FP32', dims: ['4'] }],
      output: [
        { name: 'b', data_type: 'TYPE_FP32', dims: ['2'] },
        { name: 'b_probabilities', data_type: 'TYPE_FP32', dims: ['2'] },
        { name: 'b_label', data_type: 'TYPE_INT64', dims: ['1'], reshape: {} },
      ],
      dynamic_batching: { max_queue_delay_microseconds: '500' },
      version_policy: { latest: { num_versions: 1 } },
      parameters: toldBy(join(folders.tasks, 'b/1/model.onnx')),
    });
    // Who asks the server for the config reads there what values the input had in training, and how well the task was answered.
    const trained = JSON.parse(configs[files[0] ?? ''].parameters['prognet.trained.b'].string_value);
    expect(trained).toMatchObject({
      seen: { x: { each: Array(4).fill([expect.any(Number), expect.any(Number)]) } },
      measures: { accuracy: expect.any(Number) },
      loss: { loss: 'cross_entropy' },
    });
    expect(configs[files[1] ?? '']).toMatchObject({ name: 'toy', max_batch_size: 7 });
    expect(configs[files[1] ?? ''].output.map((o: { name: string }) => o.name)).toEqual(
      ['a', 'b'].flatMap((t) => [t, `${t}_probabilities`, `${t}_label`]),
    );
    const routed = configs[files[2] ?? ''];
    expect([routed.max_batch_size, routed.dynamic_batching]).toEqual([undefined, undefined]);
    expect(routed.input).toEqual([
      { name: 'x', data_type: 'TYPE_FP32', dims: ['-1', '4'] },
      { name: 'task_id', data_type: 'TYPE_INT64', dims: ['1'] },
    ]);
    expect(routed.output.map((o: { name: string }) => o.name)).toEqual(['scores', 'probabilities', 'label']);
    // Text of every kind, as protobuf reads it.
    const model = fromBinary(readFileSync(join(folders.tasks, 'b/1/model.onnx')));
    const said = { key: 'prognet.note', text: 'a "b" \\ c\n\tdé\u0001f \u{1f600}' };
    model.metadata.set(said.key, said.text);
    const served = { name: 'b', tasks: ['b'], routed: false, filled: new Map(), most: new Map(), model };
    const repository = tritonRepository([served]);
    writeFileSync(out('odd.pbtxt'), Buffer.concat([...piecesOf(must(repository.get('b/config.pbtxt'), 'config'))]));
    // Weights stay in the file of their column until they are written.
    const written = must(repository.get('b/1/model.onnx'), 'model');
    expect(written).not.toBeInstanceOf(Uint8Array);
    expect(Buffer.compare(Buffer.concat([...piecesOf(written)]), toBinary(model))).toBe(0);
    const [odd] = Object.values<typeof routed>(parsed([out('odd.pbtxt')]));
    expect(odd.parameters[said.key]).toEqual({ string_value: said.text });
    // What the config says is what the model has.
    const found = JSON.parse(prognet('inspect', join(folders.tasks, 'b/1/model.onnx'), '--json').stdout);
    expect(found.outputs.map((o: { name: string; type: string }) => `${o.name} ${o.type}`)).toEqual([
      'b float32[N,2]',
      'b_probabilities float32[N,2]',
      'b_label int64[N]',
    ]);
  });
});

it('kserve: a manifest over the same repository', () => {
  expect(deploy('kserve', out('kserve'), '--storage-uri', 's3://models/toy', '--tasks', 'a').status).toBe(0);
  expect(readdirSync(out('kserve')).sort()).toEqual(['.prognet-bundle.json', 'README.md', 'inference-service.yaml', 'models']);
  expect(existsSync(join(out('kserve'), 'models/a/1/model.onnx'))).toBe(true);
  expect(parse(readFileSync(join(out('kserve'), 'inference-service.yaml'), 'utf8'))).toMatchObject({
    apiVersion: 'serving.kserve.io/v1beta1',
    kind: 'InferenceService',
    metadata: { name: 'toy' },
    spec: {
      predictor: {
        model: {
          modelFormat: { name: 'triton' },
          runtime: 'kserve-tritonserver',
          protocolVersion: 'v2',
          storageUri: 's3://models/toy',
        },
      },
    },
  });
});

it.skipIf(missing !== undefined)(`kserve: the manifest by the models of KServe's own package${why}`, () => {
  const check = (file: string) =>
    spawnSync(python, [join(repo, 'scripts/deploy-check/check_manifest.py'), file], { encoding: 'utf8' });
  const manifest = join(out('kserve'), 'inference-service.yaml');
  expect(check(manifest).stdout).toBe(
    'V1beta1InferenceService V1beta1InferenceServiceSpec V1beta1ModelFormat V1beta1ModelSpec V1beta1PredictorSpec\n',
  );
  // a check that lets everything pass would be none
  writeFileSync(out('wrong.yaml'), readFileSync(manifest, 'utf8').replace('storageUri', 'storageUrl'));
  expect(check(out('wrong.yaml')).stderr).toContain(
    'manifest.spec.predictor.model.storageUrl: V1beta1ModelSpec has no such field',
  );
});

it('kserve: a storage URI that is none is refused', () => {
  for (const uri of ['nonsense', 's3:/x', '://x', 's3://a b'])
    expect(deploy('kserve', out('none'), '--storage-uri', uri)).toMatchObject({
      status: 2,
      stderr: `prognet: --storage-uri: found "${uri}", expected a URI such as s3://bucket/models or pvc://claim/models\n`,
    });
  expect(existsSync(out('none'))).toBe(false);
});

it('what is to be typed next can be typed', () => {
  const folder = out("o ü's 4");
  const line = deploy('triton', folder, '--tasks', 'a').stdout;
  const command = must(/Next: tritonserver (.*)/.exec(line)?.[1], 'the next command');
  expect(execFileSync('sh', ['-c', `printf '%s\\n' ${command}`], { encoding: 'utf8' })).toBe(`--model-repository=${folder}\n`);
});

it('kserve: names that Kubernetes takes', () => {
  expect(['MNIST family', '1 a', '___', `${'x'.repeat(70)}`].map(kubernetesName)).toEqual([
    'mnist-family',
    'a',
    'prognet',
    'x'.repeat(63),
  ]);
});

describe.each(['task', 'routed'])('node, form %s', (form) => {
  let service: Started;
  beforeAll(async () => {
    const folder = out(`service-${form}`);
    expect(deploy('node', folder, '--form', form).status).toBe(0);
    service = await start(folder, '--max-bytes', '4000', '--max-batch', '20');
  });

  const post = (path: string, body: string | Uint8Array<ArrayBuffer>, type = 'application/json', accept = '*/*') =>
    fetch(`${service.url}${path}`, { method: 'POST', body, headers: { 'content-type': type, accept } });
  const samples = [
    [1, 2, 3, 4],
    [-1, -2, -3, -4],
  ];
  const npy = () => new Uint8Array(writeNpy(Tensor.from('float32', samples.flat(), [2, 4])));

  it('answers in JSON and .npy as predict does', async () => {
    expect((await fetch(`${service.url}/v2/health/ready`)).status).toBe(200);
    expect(await (await fetch(`${service.url}/tasks`)).json()).toMatchObject({ input: { name: 'x', shape: [4] } });
    writeFileSync(out('in.npy'), npy());
    for (const task of ['a', 'b']) {
      const expected = JSON.parse(prognet('predict', task, '--input', out('in.npy'), '--json', '-C', dir).stdout);
      const found = JSON.parse(await (await post(`/predict/${task}`, JSON.stringify({ inputs: samples }))).text());
      expect(found).toMatchObject({ task, rows: 2, labels: expected.labels });
      expect(found.probabilities).toEqual(expected.probabilities);
      const same = await (await post(`/predict/${task}`, npy(), 'application/x-npy')).json();
      expect(same).toEqual(found);
      const answered = await post(`/predict/${task}`, npy(), 'application/x-npy', 'application/x-npy');
      const array = readNpy(new Uint8Array(await answered.arrayBuffer()));
      expect(array.dims).toEqual([2, 2]);
      expect(array.numbers()).toEqual(expected.probabilities.flat());
    }
  });

  it.each([
    [404, '/predict/c', '{}', 'application/json', 'no task "c", there are: a, b'],
    [404, '/nothing', '{}', 'application/json', 'Not Found'],
    [405, '/tasks', '{}', 'application/json', 'Method Not Allowed'],
    [400, '/predict/a', '{"inputs": [1, 2, 3]}', 'application/json', 'found 3 numbers, expected samples of [4], 4 numbers each'],
    [400, '/predict/a', '{"inputs": [[1, 2, "x", 4]]}', 'application/json', '"inputs" must be numbers in lists'],
    [400, '/predict/a', '{"inputs": []}', 'application/json', 'found 0 numbers, expected samples of [4], 4 numbers each'],
    [400, '/predict/a', '{"inputs": [', 'application/json', 'the body is no JSON'],
    [400, '/predict/a', 'NUMPY', 'application/x-npy', 'the body: not an npy file, it does not begin with \\x93NUMPY'],
    [415, '/predict/a', 'x', 'text/plain', 'expected content-type application/json or application/x-npy'],
    [
      413,
      '/predict/a',
      `{"inputs": [${Array(84).fill(1)}]}`,
      'application/json',
      'found over 20 samples, expected at most 20 (max_batch)',
    ],
    [413, '/predict/a', ' '.repeat(5000), 'application/json', 'Request body is too large'],
  ])('refuses with %i: %s %s', async (status, path, body, type, error) => {
    const response = await post(path, body, type);
    expect(response.status).toBe(status);
    expect(await response.json()).toEqual({ error });
  });

  it('refuses arrays of another shape that only count the same, and numbers that are none', async () => {
    const refuses = async (body: string | Uint8Array<ArrayBuffer>, type: string, error: string) => {
      const response = await post('/predict/a', body, type);
      expect([response.status, await response.json()]).toEqual([400, { error }]);
    };
    const array = (values: number[], dims: number[]) => new Uint8Array(writeNpy(Tensor.from('float32', values, dims)));
    const zeros = Array(12).fill(0);
    await refuses(array(zeros, [2, 2, 3]), 'application/x-npy', 'found shape [2,2,3], expected samples of [4]');
    await refuses(array(zeros, [4, 3]), 'application/x-npy', 'found shape [4,3], expected samples of [4]');
    await refuses('{"inputs": [[1, 2], [3, 4]]}', 'application/json', 'found shape [2,2], expected samples of [4]');
    await refuses('{"inputs": [[1, 2, 3, 4], [5]]}', 'application/json', '"inputs" must be lists of one length at each depth');
    await refuses(array([0, Number.NaN, 0, 0], [1, 4]), 'application/x-npy', 'found NaN at number 1, expected finite float32');
    await refuses('{"inputs": [[1, 2, 3, -1e300]]}', 'application/json', 'found -1e300 at number 3, expected finite float32');
    for (const dims of [[4], [1, 4], [3, 1, 4], [3, 4, 1]])
      expect(
        (
          await post(
            '/predict/a',
            array(
              zeros.slice(
                0,
                dims.reduce((a, b) => a * b),
              ),
              dims,
            ),
            'application/x-npy',
          )
        ).status,
      ).toBe(200);
  });

  it('ends the request under way, then itself', async () => {
    const pending = Promise.all(Array.from({ length: 4 }, () => post('/predict/a', JSON.stringify({ inputs: samples }))));
    const first = await post('/predict/a', JSON.stringify({ inputs: samples }));
    expect(first.status).toBe(200);
    for (const response of await pending) expect(response.status).toBe(200);
    service.child.kill('SIGTERM');
    expect(await service.ended).toBe(0);
  });
});

describe('a folder', () => {
  it('of ours is replaced, one with anything else in it is not', () => {
    const folder = out('mine');
    mkdirSync(folder);
    // empty: taken
    expect(deploy('triton', folder, '--tasks', 'a').status).toBe(0);
    expect(deploy('triton', folder, '--tasks', 'b').status).toBe(0);
    expect(readdirSync(folder).sort()).toEqual(['.prognet-bundle.json', 'b']);
    expect(readdirSync(dir).filter((name) => name.includes('.tmp-'))).toEqual([]);

    writeFileSync(join(folder, 'notes.txt'), 'mine');
    expect(deploy('node', folder)).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('holds "notes.txt", which prognet did not write'),
    });
    rmSync(join(folder, 'notes.txt'));
    const config = join(folder, 'b/config.pbtxt');
    writeFileSync(config, `${readFileSync(config, 'utf8')}# tuned\n`);
    expect(deploy('node', folder).stderr).toContain('"b/config.pbtxt" was changed since it was written; it stays as it is');
    expect(readFileSync(config, 'utf8')).toContain('# tuned');
  });

  it('of the user stays, and so does a file', () => {
    mkdirSync(out('theirs'));
    writeFileSync(join(out('theirs'), 'a.txt'), 'a');
    expect(deploy('triton', out('theirs'))).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('is not empty and was not written by prognet'),
    });
    expect(readdirSync(out('theirs'))).toEqual(['a.txt']);
    expect(deploy('triton', join(out('theirs'), 'a.txt'))).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('it is a file, expected a folder'),
    });
    expect(deploy('triton', '.')).toMatchObject({ status: 2 });
  });

  it.each([
    [['deploy', 'sagemaker', '-o', 'x'], 'unknown target "sagemaker", expected one of triton, kserve, mlserver, node, web'],
    [['deploy', 'node', '-o', 'x', '--tasks', 'a,z'], 'unknown task "z", the description has: a, b'],
    [['deploy', 'node', '-o', 'x', '--form', 'odd'], '--form: found "odd", expected one of task, all, routed'],
    [['deploy', 'node', '-o', 'x', '--max-batch', '4'], '--max-batch is for triton and kserve'],
  ])('%j is refused', (args, said) => {
    const { status, stderr } = prognet(...args, '-C', must(dir, 'dir'));
    expect(stderr).toBe(`prognet: ${said}\n`);
    expect(status).toBe(2);
  });
});
