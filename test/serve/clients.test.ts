// Real clients against prognet serve: tritonclient over HTTP and gRPC, KServe's over both. Where scripts/serve/setup has not made their environment,
// these tests are skipped and say so; with CI=true that is a failure.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { repo } from '../cli/support.js';
import { same, types } from './models.js';
import { type Serving, serving } from './serving.js';

const stamp = join(repo, '.venv-serve/prognet-stamp');
const pinned = readFileSync(join(repo, 'scripts/serve/requirements.txt'), 'utf8');
const missing = !existsSync(stamp) || !readFileSync(stamp, 'utf8').startsWith(pinned);
if (missing && process.env.CI === 'true') throw new Error('.venv-serve is missing or outdated: sh scripts/serve/setup');
const why = missing ? ' (skipped: .venv-serve is missing or outdated, run sh scripts/serve/setup)' : '';

const kinds = Object.keys(types);
const all = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, true]));

let server: Promise<Serving> | undefined;
function begin(): Promise<Serving> {
  const folder = mkdtempSync(join(tmpdir(), 'prognet-clients-'));
  for (const [name, dtype] of Object.entries(types)) writeFileSync(join(folder, `${name}.onnx`), same(dtype));
  return serving(folder, '--workers', '1');
}

async function said(script: string) {
  server ??= begin();
  const { http, grpc } = await server;
  const args = [join(repo, 'scripts/serve', script), http.replace('http://', ''), grpc];
  const { status, stdout, stderr } = spawnSync(join(repo, '.venv-serve/bin/python'), args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${script} ended with ${status}: ${stderr.slice(-3000)}`);
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
}

describe(`clients${why}`, () => {
  it.skipIf(missing)('tritonclient: every type by every way, statuses and words', async () => {
    const { same: found, errors, http, grpc } = await said('clients.py');
    // JSON has no FP16, and numbers of 64 bits are refused where JSON cannot hold them.
    const json = kinds.filter((kind) => !['FP16', 'INT64', 'UINT64'].includes(kind));
    expect(found).toEqual({
      'http binary': all(kinds),
      'http json': all(json),
      'http async': all(kinds),
      'http aio': { FP64: true },
      'http gzip': { FP32: true },
      grpc: all(kinds),
      'grpc async': { FP32: true },
      'grpc stream': { INT32: true },
      'grpc aio': { BYTES: true },
    });
    const words = {
      model: "Request for unknown model: 'nope' is not found",
      version: "Request for unknown model: 'FP32' version 7 is not found",
      shape: "[request id: <id_unknown>] unexpected shape for input 'x' for model 'FP32'. Expected [-1,2], got [1,1]. ",
      input: "unexpected inference input 'z' for model 'FP32'",
      type: "[request id: <id_unknown>] inference input 'x' data-type is 'INT32', but model 'FP32' expects 'FP32'",
      output: "unexpected inference output 'w' for model 'FP32'",
      metadata: "Request for unknown model: 'nope' is not found",
      load: "failed to load 'nope', failed to poll from model repository",
    };
    const unknown = ['model', 'version', 'metadata'];
    const refused = Object.entries(words).flatMap(([name, text]) => [
      [`http ${name}`, [unknown.includes(name) ? '404' : '400', text]],
      [`grpc ${name}`, [`StatusCode.${unknown.includes(name) ? 'NOT_FOUND' : 'INVALID_ARGUMENT'}`, text]],
    ]);
    expect(errors).toEqual({ stream: words.model, ...Object.fromEntries(refused) });
    const state = { live: true, ready: true, model: true, nope: false, unloaded: false, loaded: true, server: 'prognet' };
    const described = (open: unknown, two: unknown) => ({
      name: 'FP32',
      versions: ['1'],
      platform: 'onnxruntime_onnx',
      inputs: [{ name: 'x', datatype: 'FP32', shape: [open, two] }],
      outputs: [{ name: 'y', datatype: 'FP32', shape: [open, two] }],
    });
    expect(http).toEqual({ ...state, metadata: described(-1, 2), index: kinds.toSorted() });
    expect(grpc).toEqual({
      ...state,
      metadata: described('-1', '2'),
      config: [{ name: 'x', data_type: 'TYPE_FP32', dims: ['-1', '2'] }],
      statistics: true,
      index: kinds.toSorted(),
    });
  });

  it.skipIf(missing)("KServe's", async () => {
    expect(await said('kserve_client.py')).toEqual({
      json: true,
      binary: true,
      live: true,
      ready: true,
      grpc: true,
      contents: [[5, -6]],
    });
  });
});

it('the document that gRPC is read from is that of proto/inference.proto', () => {
  const { stdout } = spawnSync(
    join(repo, 'node_modules/.bin/pbjs'),
    ['-t', 'json', '--keep-case', join(repo, 'proto/inference.proto')],
    {
      encoding: 'utf8',
    },
  );
  const [, document = ''] =
    /^export const inferenceProto =\s+'(.*)';$/m.exec(readFileSync(join(repo, 'src/serve/grpc/inference-proto.ts'), 'utf8')) ??
    [];
  expect(JSON.parse(document)).toEqual(JSON.parse(stdout));
});
