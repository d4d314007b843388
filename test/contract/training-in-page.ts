// Runs in a page: the library grows and trains a network of two columns, the second over the first, by the engine that is named. The same
// function gives the reference in Node.
import {
  adapter,
  batchNorm,
  classify,
  column,
  conv2d,
  dense,
  dropout,
  type EngineMaker,
  flatten,
  input,
  OrtTraining,
  ortTrainingEngine,
  prognet,
  relu,
  Tensor,
  type TrainEvent,
  type TrainRequest,
  type WebModules,
  WebRuntime,
} from '../../src/index.js';

export interface Course {
  readonly losses: number[];
  readonly validation: number[];
  /** Of the second column's weights, in the order of their names. */
  readonly weights: number[];
}

const rows = 48;

/** Numbers that every machine makes alike. */
function data(): { inputs: Tensor; targets: Tensor } {
  let state = 12345;
  const next = () => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return state / 0x7fffffff - 0.5;
  };
  const x = Float32Array.from({ length: rows * 36 }, next);
  const y = BigInt64Array.from({ length: rows }, (_, i) => BigInt((x[i * 36] ?? 0) > 0 ? 1 : 0));
  return { inputs: new Tensor('float32', [rows, 1, 6, 6], x), targets: new Tensor('int64', [rows], y) };
}

export async function course(runtime: TrainRequest['runtime'], engine?: EngineMaker): Promise<Course> {
  const first = column('first', {
    blocks: [
      // No bias before batch_norm: its gradient is rounding, which Adam makes the most of.
      [conv2d(3, { kernel: 3, padding: 'same', bias: false }), batchNorm(), relu()],
      [flatten(), dense(8), relu(), dropout(0.2)],
    ],
    head: classify(2),
  });
  const train = data();
  const losses: number[] = [];
  const validation: number[] = [];
  const onEvent = (event: TrainEvent) => {
    if (event.kind === 'step') losses.push(...event.losses);
    if (event.kind === 'epoch' && event.record.validation !== undefined) validation.push(event.record.validation.loss);
  };
  const settings = { epochs: 3, batch: 8, lr: 0.01, schedule: 'cosine', optimizer: 'adamw', validation: 0.25 } as const;
  const request = { on: runtime, data: train, ...settings, onEvent, session: { threads: 1 }, ...(engine && { engine }) };
  const one = await prognet({ input: input('image', [1, 6, 6]) })
    .grow(first)
    .train('first', request);
  const { network: net } = await one.network
    .grow(column('second', { like: first, laterals: adapter({ rank: 3 }) }))
    .train('second', request);
  const weights = [...(net.weights('second') ?? [])].flatMap(([, t]) => t.numbers());
  return { losses, validation, weights };
}

/** `training` and `wasm` are the URLs of onnxruntime-web 1.19.2's training build and of the current build. */
async function inPage(training: string, wasm: string): Promise<Course & { readonly version: string }> {
  const module = OrtTraining.of(await import(training));
  const modules: WebModules = { wasm: () => import(wasm) };
  return { version: module.version, ...(await course(await WebRuntime.load(modules), ortTrainingEngine(module))) };
}

Object.assign(globalThis, { runTraining: inPage });
