// What becomes of errors between worker and page, and of the listeners on a caller's signal.
import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import type { WorkerLike } from '../../src/browser/platform.js';
import * as errors from '../../src/onnx/core/errors.js';
import { errorFrom, plainError } from '../../src/onnx/core/plain-error.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { NoRuntimeError } from '../../src/onnx/runtime/load.js';
import { WebNetwork } from '../../src/web/client.js';
import type { FromWorker, ToWorker } from '../../src/web/protocol.js';

const across = (error: unknown) => errorFrom(structuredClone(plainError(error)));

const fields: errors.ErrorFields = {
  path: 'net.yaml: columns[0]',
  op: 'Gemm',
  node: 'dense',
  expected: '3',
  got: '4',
  remedy: { kind: 'train', task: 'digits' },
};

const classes = Object.entries(errors).flatMap(([name, Class]) =>
  Class.prototype instanceof errors.PrognetError || Class === errors.PrognetError
    ? [[name, Class as typeof errors.PrognetError] as const]
    : [],
);

describe('an error that crosses from the worker', () => {
  test('all classes are tried', () => expect(classes.length).toBe(10));

  test.each(classes)('%s keeps class, name, message, fields and cause', (_, Class) => {
    const sent = new Class('what was found', { ...fields, cause: new TypeError('beneath') });
    const got = across(sent);
    expect(got.constructor).toBe(Class);
    expect(got).toMatchObject({ ...fields, name: sent.name, message: sent.message, statement: 'what was found' });
    expect(got.cause).toMatchObject({ name: 'TypeError', message: 'beneath' });
  });

  test('a class that the page does not know becomes the nearest that it does', () => {
    expect(across(new NoRuntimeError('no node', 'no web', undefined)).constructor).toBe(errors.RuntimeError);
  });

  test('a bug of ours stays one', () => {
    const got = across(new errors.InternalError('weight w is missing'));
    expect(got).toBeInstanceOf(errors.InternalError);
    expect(got.message).toBe('internal: weight w is missing');
  });

  test('what is no error becomes one', () => {
    expect(across('thrown')).toMatchObject({ name: 'Error', message: 'thrown' });
    expect(across(new RangeError('too far'))).toMatchObject({ name: 'RangeError', message: 'too far' });
  });

  test('causes in a circle end', () => {
    const one = new Error('one');
    one.cause = one;
    expect(across(one).cause).toMatchObject({ message: 'one' });
  });
});

/** A worker that opens, then answers a training as `train` says. */
class Answering implements WorkerLike {
  readonly heard: ToWorker[] = [];
  private say: (message: FromWorker) => void = () => {};
  constructor(private readonly train: (id: number, heard: ToWorker) => FromWorker | undefined) {}
  private training = 0;
  addEventListener(type: string, listener: (event: { data: unknown }) => void): void {
    if (type === 'message') this.say = (data) => queueMicrotask(() => listener({ data: structuredClone(data) }));
  }
  postMessage(message: unknown): void {
    const heard = message as ToWorker;
    this.heard.push(heard);
    if ('call' in heard && heard.call === 'open') this.say({ id: heard.id, result: {} });
    else {
      if ('call' in heard) this.training = heard.id;
      const answer = this.train(this.training, heard);
      if (answer !== undefined) this.say(answer);
    }
  }
  terminate(): void {}
}

const tensor = new Tensor('float32', [1, 1], Float32Array.of(0));
const start = (worker: WorkerLike) => WebNetwork.start({ kind: 'bytes', bytes: new Uint8Array(), name: 'n' }, { worker });

describe("a caller's signal", () => {
  const listeners = (signal: AbortSignal) => getEventListeners(signal, 'abort').length;

  test.each(['result', 'error'] as const)('has no listener left after a %s', async (end) => {
    const answer = (id: number): FromWorker =>
      end === 'result' ? { id, result: {} } : { id, error: plainError(new errors.DataError('bad')) };
    const network = await start(new Answering(answer));
    const { signal } = new AbortController();
    for (let i = 0; i < 3; i++) {
      const done = network.train('a', { data: { inputs: tensor, targets: tensor }, signal });
      expect(listeners(signal)).toBe(1);
      await done.catch(() => {});
      expect(listeners(signal)).toBe(0);
    }
  });

  test.each(['before', 'during'] as const)('given %s the training stops it, and its reason is the cause', async (when) => {
    const worker = new Answering((id, heard) =>
      'abort' in heard ? { id, error: plainError(new errors.InterruptedError('interrupted at epoch 1, step 2')) } : undefined,
    );
    const network = await start(worker);
    const controller = new AbortController();
    const reason = { why: 'the person left' };
    if (when === 'before') controller.abort(reason);
    const done = network.train('a', { data: { inputs: tensor, targets: tensor }, signal: controller.signal });
    if (when === 'during') controller.abort(reason);
    const error = await done.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(errors.InterruptedError);
    expect(error).toMatchObject({ name: 'AbortError', message: 'interrupted at epoch 1, step 2' });
    expect((error as Error).cause).toBe(reason);
    expect(worker.heard.filter((m) => 'abort' in m)).toHaveLength(1);
    expect(listeners(controller.signal)).toBe(0);
  });
});
