// The page's side: a network that lives in a worker. Nothing here computes, so the page stays responsive.

import { type BlobLike, browser, type WorkerLike } from '../browser/platform.js';
import type { ColumnInput } from '../model/description/description.js';
import type {
  ExportOptions,
  GivenData,
  GrowingNetwork,
  Inputs,
  Measured,
  Prediction,
  PredictOptions,
  Trained,
  TrainOptions,
  VerifyOptions,
} from '../network/growing.js';
import type { NetworkOptions } from '../network/options.js';
import type { Proof } from '../network/proof.js';
import { InterruptedError, type PrognetError, RuntimeError, UsageError } from '../onnx/core/errors.js';
import { aFunction, anObject, given, type Kind, optional, text } from '../onnx/core/given.js';
import { errorFrom } from '../onnx/core/plain-error.js';
import type { TrainEvent } from '../train/events.js';
import { apart, together } from './crossing.js';
import {
  type CallArgs,
  type CallName,
  type CallResult,
  type FromWorker,
  type NetworkInfo,
  type RuntimeChoice,
  type Source,
  type ToWorker,
  threadsRefused,
} from './protocol.js';

export interface OpenOptions extends RuntimeChoice {
  /** A worker made by the caller from `prognet/web/worker`, where the bundler wants it so. */
  readonly worker?: WorkerLike;
  /** Names the source in messages. */
  readonly name?: string;
}

/** Training in the worker. */
export interface WebTrainOptions extends TrainOptions {
  /** Keeps checkpoints in the browser's database under this name; a training of that name goes on where it stopped. */
  readonly checkpoint?: string;
  /**
   * Whether the network learns what samples look like to the column, so that `predict` can mark answers as strange: from the training data, and from
   * the test or validation data, of which there must be 40. It is kept in what `save` gives.
   */
  readonly marks?: boolean;
}

/** A browser's ArrayBuffer and ONNX's protobuf both end at 2 GiB. */
const maxBytes = 2 ** 31 - 1;

function checkSize(size: number, name: string): void {
  if (size <= maxBytes) return;
  const gib = (size / 2 ** 30).toFixed(1);
  throw new UsageError(`${name}: ${gib} GiB, a browser takes files up to 2 GiB; use it in Node`, {
    expected: 'at most 2 GiB',
    got: `${gib} GiB`,
  });
}

async function fetched(url: string): Promise<Uint8Array> {
  let response: Response;
  try {
    response = await fetch(url);
  } catch (cause) {
    throw new RuntimeError(`${url}: cannot be fetched, is there a network?`, { path: url, cause });
  }
  if (!response.ok)
    throw new RuntimeError(`${url}: the server answers ${response.status}`, { path: url, got: String(response.status) });
  checkSize(Number(response.headers.get('content-length') ?? 0), url);
  return new Uint8Array(await response.arrayBuffer());
}

const aSource: Kind = {
  what: 'bytes, a Blob or File, or a URL',
  holds: (v) =>
    text.holds(v) ||
    v instanceof Uint8Array ||
    v instanceof ArrayBuffer ||
    (anObject.holds(v) && aFunction.holds(Reflect.get(v as object, 'arrayBuffer'))),
};
const aWorker: Kind = {
  what: 'a Worker',
  holds: (v) => anObject.holds(v) && aFunction.holds(Reflect.get(v as object, 'addEventListener')),
};

/** What `open` takes: bytes, a Blob or File, or a URL. */
export type OpenSource = Uint8Array | ArrayBuffer | BlobLike | string;

async function bytesOf(source: OpenSource, name: string): Promise<Uint8Array> {
  if (typeof source === 'string') return await fetched(source);
  if (source instanceof Uint8Array || source instanceof ArrayBuffer) {
    checkSize(source.byteLength, name);
    return source instanceof Uint8Array ? source : new Uint8Array(source);
  }
  checkSize(source.size, name);
  return new Uint8Array(await source.arrayBuffer());
}

function startWorker(): WorkerLike {
  // Under its own name, in one expression: that is how bundlers recognise a worker and bundle what it imports.
  const { Worker } = browser;
  if (Worker === undefined)
    throw new RuntimeError('there are no workers here: prognet/web is for browsers, Node has prognet/node');
  return new Worker(new URL('./worker.js', import.meta.url), { type: 'module', name: 'prognet' });
}

interface Waiting {
  readonly resolve: (value: never) => void;
  readonly reject: (error: Error) => void;
  readonly onEvent?: ((event: TrainEvent) => void) | undefined;
}

/** Why a worker ended. Threads of wasm that cannot start end it with an event in place of a message. */
function lostWorker(message: string | undefined): string {
  if (message === undefined) return 'the worker cannot run: its script cannot be fetched, is there a network?';
  return /\[object ErrorEvent\]/.test(message) ? `the worker cannot run: ${threadsRefused}` : `the worker cannot run: ${message}`;
}

/** A network in a worker. All its methods but `close` take their turn one after another. */
export class WebNetwork implements GrowingNetwork {
  /** What the worker holds, as of the last call. */
  info!: NetworkInfo;
  private readonly waiting = new Map<number, Waiting>();
  private next = 1;
  private closed: Error | undefined;

  private constructor(private readonly worker: WorkerLike) {
    worker.addEventListener('message', ({ data }) => this.hear(data as FromWorker));
    const lost = (event: { readonly message?: string }) => this.fail(new RuntimeError(lostWorker(event.message)));
    worker.addEventListener('error', lost);
    worker.addEventListener('messageerror', lost);
  }

  /** @internal Use `open` or `begin`. */
  static async start(source: Source, options: OpenOptions): Promise<WebNetwork> {
    given('begin', { source, options }, { source: anObject, options: anObject, 'options.worker': optional(aWorker) });
    const { worker = startWorker(), name: _, ...runtime } = options;
    const network = new WebNetwork(worker);
    try {
      network.info = await network.call('open', { source, runtime });
    } catch (error) {
      network.close();
      throw error;
    }
    return network;
  }

  get tasks(): readonly string[] {
    return this.info.tasks.map(({ task }) => task);
  }

  trained(task: string): boolean {
    const found = this.info.tasks.find((t) => t.task === task);
    if (found !== undefined) return found.trained;
    const known = this.tasks.join(', ') || 'none';
    throw new UsageError(`unknown task "${task}", the network has: ${known}`, { got: task, expected: known });
  }

  /** Adds a column, untrained, and gives this network. @throws DescriptionError */
  async grow(column: ColumnInput): Promise<this> {
    this.info = await this.call('grow', { column });
    return this;
  }

  /** Takes the last column back, which must not be frozen, and gives this network. @throws UsageError */
  async without(task: string): Promise<this> {
    this.info = await this.call('without', { task });
    return this;
  }

  /** Trains a column and, unless `freeze` is false, freezes it. The network is as before when this throws. */
  async train(task: string, options: WebTrainOptions): Promise<Trained<this>> {
    const { data, checkpoint, freeze, marks, onEvent, signal, ...settings } = options ?? {};
    if (data === undefined) {
      const expected = '{ inputs, targets }, or { train, validation, test } of such';
      throw new UsageError(`train: "data" is missing, expected ${expected}`, { path: 'data', expected });
    }
    if (marks === true && !('train' in data && (data.test ?? data.validation) !== undefined)) {
      const expected = '{ train, test } or { train, validation }, whose rows it was not trained on';
      throw new UsageError(`train: "marks" needs samples that the column does not learn from, expected data of ${expected}`, {
        path: 'data',
        expected,
      });
    }
    const args = {
      task,
      data,
      settings,
      ...(checkpoint !== undefined && { checkpoint }),
      ...(freeze !== undefined && { freeze }),
      ...(marks !== undefined && { marks }),
    };
    const { network, ...trained } = await this.call('train', args, onEvent, signal);
    this.info = network;
    return { ...trained, network: this };
  }

  /** Freezes a trained column, and gives this network. @throws UsageError when it is not trained */
  async freeze(task: string): Promise<this> {
    this.info = await this.call('freeze', { task });
    return this;
  }

  /** Drops the checkpoint of a training that will not go on. */
  forget(checkpoint: string): Promise<void> {
    return this.call('forget', { checkpoint });
  }

  /** Answers of a task for inputs [N, ...], float32, or uint8 that is scaled to 0..1. */
  predict(task: string, inputs: Inputs, options: PredictOptions = {}): Promise<Prediction> {
    return this.call('predict', { task, inputs, ...options });
  }

  evaluate(task: string, data?: GivenData): Promise<Measured> {
    return this.call('evaluate', { task, data });
  }

  /** Weights by their hashes, and where `inputs` are given the outputs of every trained task, bit for bit. */
  verify({ signal, ...options }: VerifyOptions = {}): Promise<Proof> {
    return this.call('verify', options, undefined, signal);
  }

  /** The bytes of an ONNX file: one task, or every trained task. */
  export(options: ExportOptions): Promise<Uint8Array> {
    return this.call('export', options);
  }

  /** The bytes of a .prognet file, which `open` takes. */
  save(): Promise<Uint8Array> {
    return this.call('save', {});
  }

  /** Ends the worker; what is running is lost. */
  close(): void {
    this.fail(new UsageError('the network is closed'));
    this.worker.terminate();
  }

  private call<K extends CallName>(
    call: K,
    args: CallArgs<K>,
    onEvent?: (event: TrainEvent) => void,
    signal?: AbortSignal,
  ): Promise<CallResult<K>> {
    if (this.closed !== undefined) return Promise.reject(this.closed);
    const id = this.next++;
    const post = (message: ToWorker) => this.worker.postMessage(message);
    const abort = () => post({ abort: id });
    return new Promise<CallResult<K>>((resolve, reject) => {
      // The reason cannot cross to the worker and back: it is whatever the caller gave.
      const failed = (error: Error) =>
        reject(
          error instanceof InterruptedError
            ? new InterruptedError(error.statement, { ...error.fields, cause: signal?.reason })
            : error,
        );
      this.waiting.set(id, { resolve, reject: failed, onEvent });
      post({ id, call, args: apart(args) });
      if (signal?.aborted) abort();
      else signal?.addEventListener('abort', abort);
    }).finally(() => signal?.removeEventListener('abort', abort));
  }

  private hear(message: FromWorker): void {
    const waiting = this.waiting.get(message.id);
    if (waiting === undefined) return;
    if ('event' in message) {
      waiting.onEvent?.(message.event);
      return;
    }
    this.waiting.delete(message.id);
    if ('error' in message) waiting.reject(errorFrom(message.error));
    else waiting.resolve(together(message.result) as never);
  }

  private fail(error: PrognetError): void {
    this.closed ??= error;
    for (const { reject } of this.waiting.values()) reject(error);
    this.waiting.clear();
  }
}

/** Opens a .prognet file or an exported ONNX model. Throws what the worker says of it, in one line. */
export async function open(source: OpenSource, options: OpenOptions = {}): Promise<WebNetwork> {
  given('open', { source, options }, { source: aSource, options: anObject });
  const own = typeof source === 'object' && 'name' in source ? source.name : undefined;
  const name = options.name ?? (typeof source === 'string' ? source : (own ?? 'model'));
  return await WebNetwork.start({ kind: 'bytes', bytes: await bytesOf(source, name), name }, options);
}

/** Begins a network without columns. */
export function begin(network: NetworkOptions, options: OpenOptions = {}): Promise<WebNetwork> {
  return WebNetwork.start({ kind: 'new', options: network }, options);
}
