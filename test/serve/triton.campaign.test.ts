// prognet serve beside a real Triton: the same requests over HTTP to both, statuses, bodies and tensors compared. What differs stands in triton-requests.ts
// with its reason, and in docs/serve.md.
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deployedShop, missing, type Started, started, why } from '../deploy/real-servers.js';
import { serving } from './serving.js';
import { type Asked, requests } from './triton-requests.js';

interface Output {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly data?: readonly (number | string)[];
  readonly parameters?: { readonly binary_data_size: number };
}

interface Answer {
  readonly status: number;
  /** JSON as a value where it is some; the outputs by name, each with its elements or bytes. */
  readonly body: unknown;
}

/** FP32 as both write it in digits of their own, bytes as hexadecimal digits. */
function outputsOf(outputs: readonly Output[], behind: Buffer): Readonly<Record<string, unknown>> {
  let at = 0;
  const all = outputs.map(({ name, data, parameters, ...output }) => {
    if (data === undefined) {
      const size = parameters?.binary_data_size ?? Number.NaN;
      at += size;
      return [name, { ...output, bytes: behind.subarray(at - size, at).toString('hex') }];
    }
    return [name, { ...output, data: output.datatype === 'FP32' ? data.map((v) => Math.fround(Number(v))) : data }];
  });
  expect(at).toBe(behind.length);
  return Object.fromEntries(all);
}

function bodyOf(text: string): unknown {
  try {
    return text === '' ? '' : JSON.parse(text);
  } catch {
    return text;
  }
}

async function answerOf(base: string, { path, method, body, headers }: Asked): Promise<Answer> {
  const init = {
    ...(method && { method }),
    ...(body !== undefined && { body: body as string }),
    headers: { ...headers, connection: 'close' },
  };
  const reply = await fetch(base + path, init);
  const all = Buffer.from(await reply.arrayBuffer());
  const length = Number(reply.headers.get('inference-header-content-length') ?? all.length);
  const said = bodyOf(all.subarray(0, length).toString());
  const { status } = reply;
  if (typeof said !== 'object' || said === null || !('outputs' in said) || !('model_version' in said))
    return { status, body: said };
  return { status, body: { ...said, outputs: outputsOf(said.outputs as Output[], all.subarray(length)) } };
}

/** Triton's answer with the label as the file has it: the reason `perRow`. */
function withLabel({ status, body }: Answer): Answer {
  const outputs = (body as { outputs?: Record<string, Output> }).outputs;
  const label = outputs?.left_label;
  if (label === undefined) return { status, body };
  expect(label.shape).toEqual([label.shape[0], 1]);
  return {
    status,
    body: { ...(body as object), outputs: { ...outputs, left_label: { ...label, shape: label.shape.slice(0, 1) } } },
  };
}

describe.skipIf(missing !== undefined)(`prognet serve and Triton${why}`, () => {
  let server: Started | undefined;
  const answers: Record<string, readonly [triton: Answer, own: Answer]> = {};

  beforeAll(async () => {
    const { dir, folder } = deployedShop('triton');
    server = await started('triton', folder, '/v2/health/ready', '--model-control-mode=explicit', '--load-model=*');
    const { http: triton } = server;
    const gone = async () =>
      JSON.stringify((await answerOf(triton, requests['unloaded: index'] as Asked)).body).includes('UNAVAILABLE');
    const { http: own } = await serving(dir, '--workers', '1', '--max-batch', '64', '--batch-delay-us', '500');
    for (const [name, asked] of Object.entries(requests)) {
      answers[name] = [withLabel(await answerOf(triton, asked)), await answerOf(own, asked)];
      // Triton answers an unload before the model is gone.
      if (name === 'unload') while (!(await gone())) await setTimeout(100);
    }
  }, 180_000);
  afterAll(async () => await server?.stop(), 60_000);

  const alike = Object.entries(requests).filter(([, { differs }]) => differs === undefined);
  it.each(alike.map(([name]) => name))('alike: %s', (name) => {
    const [triton, own] = answers[name] ?? [];
    expect(own).toEqual(triton);
  });

  const unlike = Object.entries(requests).flatMap(([name, { differs }]) =>
    differs === undefined ? [] : [[name, ...differs] as const],
  );
  it.each(unlike)('unlike: %s (%s): %d, here %d', (name, _, status, own) => {
    const [triton, ours] = answers[name] ?? [];
    expect([triton?.status, ours?.status]).toEqual([status, own]);
    expect(ours).not.toEqual(triton);
    if (own >= 400) expect(ours?.body).toEqual({ error: expect.stringMatching(/\S/) });
  });

  const body = (name: string) => answers[name]?.map((answer) => answer.body) as unknown as readonly [never, never];

  it('health has no body there, and one here', () => {
    for (const name of unlike.flatMap(([name, why]) => (why === 'health' ? [name] : []))) expect(body(name)[0]).toBe('');
  });

  it('what differs in metadata is the platform, and the shape of one number for each row', () => {
    const [triton, own] = body('metadata') as readonly [Record<string, unknown>, Record<string, unknown>];
    const label = (triton.outputs as Output[]).map((o) => (o.name === 'left_label' ? { ...o, shape: [-1] } : o));
    expect(triton.platform).toBe('python');
    expect(own).toEqual({ ...triton, platform: 'onnxruntime_onnx', outputs: label });
  });

  it('the configuration is a part of that of Triton, but for the engine', () => {
    const [triton, own] = body('config') as readonly [Record<string, unknown>, Record<string, unknown>];
    expect(triton).toMatchObject({ ...own, platform: '', backend: 'python' });
    expect(own).toMatchObject({ platform: 'onnxruntime_onnx', backend: 'onnxruntime' });
  });

  it('every extension is one of Triton', () => {
    const [triton, own] = body('server') as readonly [{ extensions: string[] }, { extensions: string[] }];
    expect(triton.extensions).toEqual(expect.arrayContaining(own.extensions));
  });
});
