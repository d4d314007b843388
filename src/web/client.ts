// The page's side: a network that lives in a worker. Nothing here computes, so the page stays responsive.

import type { Samples } from '../data/samples.js';
import type { ColumnInput } from '../model/description/description.js';
import type { TrainInput } from '../model/description/train-schema.js';
import type { NetworkOptions } from '../network/network.js';
import { InterruptedError, type PrognetError, RuntimeError, UsageError } from '../onnx/core/errors.js';
import type { Tensor } from '../onnx/core/tensor.js';
import type { TrainEvent } from '../train/events.js';
import {
  type CallArgs,
  type CallName,
  type CallResult,
  type ExportCall,
  errorFrom,
  type FromWorker,
  type NetworkInfo,
  plainInputs,
  plainTensor,
  type RuntimeChoice,
  type Source,
  type ToWorker,
  tensorOf,
  threadsRefused,
  type Witness,
} from './protocol.js';
import { type BlobLike, browser, type WorkerLike } from './worker-types.js';

export interface OpenOptions extends RuntimeChoice {
  /** A worker made by the caller from `prognet/web/worker`, where the bundler wants it so. */
  readonly worker?: WorkerLike;
  /** Names the source in messages. */
  readonly name?: string;
}

export interface Prediction {
  /** Raw scores [N, k]. */
  readonly scores: Tensor;
  /** Probabilities [N, k]; absent for regress. */
  readonly probabilities?: Tensor;
  /** Classes, int64 [N]; or one bool for each label. */
  readonly labels?: Tensor;
  readonly milliseconds: number;
  readonly provider: string;
}

export interface TrainOptions {
  /** By name; or a tensor, where the network has one input. */
  readonly inputs: Tensor | Samples;
  readonly targets: Tensor;
  readonly validation?: { readonly inputs: Tensor | Samples; readonly targets: Tensor };
  /** As in a description's `train`. */
  readonly settings?: TrainInput;
  readonly onEvent?: (event: TrainEvent) => void;
  /** On abort the running minibatches end, the checkpoint (if it has a name) is saved, and InterruptedError is thrown. */
  readonly signal?: AbortSignal;
  /** Keeps checkpoints in the browser's database under this name; a training of that name goes on where it stopped. */
  readonly checkpoint?: string;
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
export class WebNetwork {
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

  /** Answers of a task for inputs [N, ...], float32, or uint8 that is scaled to 0..1. */
  async predict(task: string, input: Tensor | Samples): Promise<Prediction> {
    const found = await this.call('predict', { task, input: plainInputs(input) });
    const { probabilities, labels } = found;
    return {
      scores: tensorOf(found.scores),
      ...(probabilities === undefined ? {} : { probabilities: tensorOf(probabilities) }),
      ...(labels === undefined ? {} : { labels: tensorOf(labels) }),
      milliseconds: found.milliseconds,
      provider: found.provider,
    };
  }

  /** Adds a column, untrained. @throws DescriptionError */
  async grow(column: ColumnInput): Promise<void> {
    this.info = await this.call('grow', { column });
  }

  /** Takes the last column back, which must not be trained. @throws UsageError */
  async remove(task: string): Promise<void> {
    this.info = await this.call('remove', { task });
  }

  /** Hashes of the trained columns' weights, and their outputs for these inputs: compare those of two moments to see that nothing moved. */
  witness(input: Tensor | Samples): Promise<readonly Witness[]> {
    return this.call('witness', { input: plainInputs(input) });
  }

  /** Trains a column and freezes it. The network is as before when this throws. */
  async train(task: string, options: TrainOptions): Promise<void> {
    const { inputs, targets, validation, settings, checkpoint, onEvent, signal } = options;
    const args = {
      task,
      inputs: plainInputs(inputs),
      targets: plainTensor(targets),
      ...(validation === undefined
        ? {}
        : { validation: { inputs: plainInputs(validation.inputs), targets: plainTensor(validation.targets) } }),
      ...(settings === undefined ? {} : { settings }),
      ...(checkpoint === undefined ? {} : { checkpoint }),
    };
    this.info = await this.call('train', args, onEvent, signal);
  }

  /** Drops the checkpoint of a training that will not go on. */
  forget(checkpoint: string): Promise<void> {
    return this.call('forget', { checkpoint });
  }

  /** The bytes of an ONNX file: one task, or every trained task. */
  export(options: ExportCall = {}): Promise<Uint8Array> {
    return this.call('export', options);
  }

  /** The bytes of a bundle, which `open` takes. */
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
      post({ id, call, args });
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
    else waiting.resolve(message.result as never);
  }

  private fail(error: PrognetError): void {
    this.closed ??= error;
    for (const { reject } of this.waiting.values()) reject(error);
    this.waiting.clear();
  }
}

/** Opens a bundle or an exported ONNX model. Throws what the worker says of it, in one line. */
export async function open(source: OpenSource, options: OpenOptions = {}): Promise<WebNetwork> {
  const own = typeof source === 'object' && 'name' in source ? source.name : undefined;
  const name = options.name ?? (typeof source === 'string' ? source : (own ?? 'model'));
  return await WebNetwork.start({ kind: 'bytes', bytes: await bytesOf(source, name), name }, options);
}

/** Begins a network without columns. */
export function begin(network: NetworkOptions, options: OpenOptions = {}): Promise<WebNetwork> {
  return WebNetwork.start({ kind: 'new', options: network }, options);
}
