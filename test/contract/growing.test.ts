// One suite over every growing network: the value in this process, the client of a worker, a workspace on disk. The worker's side runs in this
// process over a message channel, on onnxruntime-web's wasm; test/web/library.test.ts has it in a browser.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { afterAll, describe, expect, test } from 'vitest';
import type { Port, WorkerLike } from '../../src/browser/platform.js';
import {
  adapter,
  classify,
  column,
  dense,
  flatten,
  input,
  regress,
  relu,
  scale,
  standardise,
} from '../../src/model/description/builder.js';
import type { GivenData, GrowingNetwork } from '../../src/network/growing.js';
import { prognet } from '../../src/network/network.js';
import type { NetworkOptions } from '../../src/network/options.js';
import { readNetwork } from '../../src/network/read-network.js';
import { PrognetError } from '../../src/onnx/core/errors.js';
import { Random } from '../../src/onnx/core/random.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { ortModule } from '../../src/onnx/runtime/ort-session.js';
import { fromBinary } from '../../src/onnx/serde/from-binary.js';
import { open } from '../../src/tasks/open-network.js';
import { save } from '../../src/tasks/save-network.js';
import { WorkspaceNetwork } from '../../src/tasks/workspace-network.js';
import { WebNetwork } from '../../src/web/client.js';
import type { Source } from '../../src/web/protocol.js';
import { servePort } from '../../src/web/serve-port.js';
import { Server } from '../../src/web/server.js';
import { runModel, runtime } from '../support/run.js';

const root = mkdtempSync(join(tmpdir(), 'prognet-growing-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let folders = 0;

/** Messages are cloned on their way, as between page and worker. */
function channel(): WorkerLike {
  const { port1, port2 } = new MessageChannel();
  const port = (end: MessagePort): Port => ({
    postMessage: (message) => end.postMessage(message),
    addEventListener: (type, listener) => {
      if (type === 'message') end.on('message', (data: unknown) => listener({ data }));
    },
  });
  servePort(port(port2), new Server({ modules: { wasm: async () => ortModule(await import('onnxruntime-web')) } }));
  return { ...port(port1), terminate: () => port1.close() };
}

const inWorker = (source: Source) => WebNetwork.start(source, { worker: channel(), threads: 1 });

interface Face {
  readonly begin: (options: NetworkOptions) => Promise<GrowingNetwork>;
  /** From the bytes that `save` gives. */
  readonly load: (bytes: Uint8Array) => Promise<GrowingNetwork>;
}

async function inFolder(made: ReturnType<typeof prognet>): Promise<GrowingNetwork> {
  const folder = join(root, `workspace-${folders++}`);
  await save(made, folder);
  return await open(folder, { on: runtime });
}

const faces: Readonly<Record<string, Face>> = {
  'the value': {
    begin: async (options) => prognet(options).on(runtime),
    load: async (bytes) => (await readNetwork(bytes)).on(runtime),
  },
  'the client of a worker': {
    begin: (options) => inWorker({ kind: 'new', options }),
    load: (bytes) => inWorker({ kind: 'bytes', bytes, name: 'saved.prognet' }),
  },
  'a workspace': {
    begin: (options) => inFolder(prognet(options)),
    load: async (bytes) => inFolder(await readNetwork(bytes)),
  },
};

/** Images of 4 x 4 whose class is the brighter half. */
function halves(rows: number, seed: number): GivenData {
  const r = new Random(seed, 'halves');
  const labels = Array.from({ length: rows }, () => r.below(2));
  const pixels = Float32Array.from({ length: rows * 16 }, (_, i) => {
    const bright = i % 16 < 8 ? 0 : 1;
    return r.uniform() * 0.6 + (bright === labels[Math.floor(i / 16)] ? 0.4 : 0);
  });
  return { inputs: new Tensor('float32', [rows, 1, 4, 4], pixels), targets: Tensor.from('int64', labels) };
}

const [train, test1] = [halves(96, 1), halves(40, 2)];
const data = { train, test: test1 };
const settings = { epochs: 8, batch: 16, lr: 0.02, seed: 3 };
const first = column('first', { blocks: [[flatten(), dense(8), relu()]], head: classify(2, { names: ['upper', 'lower'] }) });
const second = column('second', { like: 'first', laterals: adapter({ rank: 4 }) });
const begun: NetworkOptions = { name: 'halves', input: input('image', [1, 4, 4]) };

/** The error that something ends in, in one line and of our family. */
async function refusal(work: () => unknown): Promise<PrognetError> {
  try {
    await work();
  } catch (error) {
    expect(error).toBeInstanceOf(PrognetError);
    const found = error as PrognetError;
    expect(found.message).not.toMatch(/\n|^internal/);
    return found;
  }
  throw new Error('nothing was refused');
}

const said = async (work: () => unknown) => {
  const { name, message } = await refusal(work);
  return `${name}: ${message}`;
};
const numbers = (t: Tensor | undefined) => Array.from(t?.data ?? [], Number);

describe.each(Object.entries(faces))('%s', (_, face) => {
  test('varies rows by augment, the same ones everywhere', async () => {
    const losses = async (more: object) => {
      const net = await (await face.begin(begun)).grow(first);
      const { history } = await net.train('first', { data, ...settings, epochs: 2, ...more });
      return history.map(({ loss }) => Number(loss.toFixed(4)));
    };
    expect(await losses({})).toEqual([0.6191, 0.3073]);
    expect(await losses({ augment: [{ flip: 'vertical' }, { noise: 0.1 }] })).toEqual([0.7334, 0.6975]);
    await expect(losses({ augment: [{ shift: 9 }] })).rejects.toThrow(
      'columns[0].train.augment[0]: shift by 9 pixels, expected at most 3 of an image 4 x 4',
    );
  });

  test('grows, trains, answers, is measured; what was trained first does not move; saved and loaded it answers the same', async () => {
    let net = await face.begin(begun);
    expect(net.tasks).toEqual([]);
    net = await net.grow(first);
    expect([net.tasks, net.trained('first')]).toEqual([['first'], false]);

    const kinds = new Set<string>();
    const trained = await net.train('first', { data, ...settings, onEvent: ({ kind }) => kinds.add(kind) });
    net = trained.network;
    expect(net.trained('first')).toBe(true);
    expect(trained.history.map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(trained.history.at(-1)?.loss).toBeLessThan((trained.history[0]?.loss ?? 0) / 2);
    expect(trained.test).toMatchObject({ metric: 'accuracy', rows: 40 });
    expect(kinds).toContain('epoch');

    const measured = await net.evaluate('first', test1);
    expect(measured.value).toBeGreaterThan(0.9);
    expect(measured.value).toBe(trained.test?.value);
    const before = await net.predict('first', test1.inputs);
    expect(before.scores.dims).toEqual([40, 2]);
    expect(before.probabilities?.dims).toEqual([40, 2]);
    expect(before.labels?.dims).toEqual([40]);

    const then = await net.verify({ inputs: test1.inputs });
    net = await net.grow(second);
    ({ network: net } = await net.train('second', { data, ...settings }));
    const now = await net.verify({ inputs: test1.inputs, since: then });
    const [one] = now.tasks;
    expect(one).toMatchObject({ task: 'first', identical: true, rows: 40, moved: 0 });
    expect(one?.weights).toMatch(/^[0-9a-f]{64}$/);
    expect(now.tasks.map(({ task, identical }) => [task, identical])).toEqual([
      ['first', true],
      ['second', undefined],
    ]);
    // What is new has nothing to be compared with; an earlier task that is gone or other does not hold.
    expect(now.holds).toBe(true);
    expect((await net.verify({ inputs: test1.inputs, since: { tasks: [...then.tasks, { task: 'gone' }] } })).holds).toBe(false);
    expect((await net.verify({ inputs: test1.inputs, since: { tasks: [{ task: 'first', weights: '0' }] } })).holds).toBe(false);
    expect((await net.verify({ inputs: test1.inputs, since: { tasks: [] } })).holds).toBe(false);
    expect(numbers((await net.predict('first', test1.inputs)).scores)).toEqual(numbers(before.scores));

    const bytes = await net.save();
    const onnx = await net.export({ task: 'second', probabilities: true });
    const loaded = await face.load(bytes);
    expect(loaded.tasks).toEqual(['first', 'second']);
    expect(await loaded.export({ task: 'second', probabilities: true })).toEqual(onnx);
    const asked = await net.predict('second', test1.inputs);
    expect(numbers((await loaded.predict('second', test1.inputs)).scores)).toEqual(numbers(asked.scores));
    await loaded.close();
    await net.close();
  });

  test('training and freezing are two acts: trained it answers and may be trained anew, and is in no file', async () => {
    let net = await (await face.begin(begun)).grow(first);
    expect(await said(() => net.freeze('first'))).toMatch(/^UsageError: task "first" is not trained yet/);
    const once = await net.train('first', { data, ...settings, epochs: 1, freeze: false });
    net = once.network;
    expect(net.trained('first')).toBe(false);
    expect(once.test?.rows).toBe(40);
    expect((await net.evaluate('first', test1)).value).toBe(once.test?.value);
    // A workspace saves what is frozen, as `bundle` does.
    if (!('folder' in net)) expect(await said(() => net.save())).toMatch(/^UsageError: task "first" is trained, not frozen/);
    expect(await said(() => net.export({ task: 'first' }))).toMatch(/^UsageError: task "first" is trained, not frozen/);
    ({ network: net } = await net.train('first', { data, ...settings, freeze: false }));
    const { scores } = await net.predict('first', test1.inputs);
    // The description of this workspace names no data: freezing compares what it is given.
    const freeze = () => (net instanceof WorkspaceNetwork ? net.freeze('first', { data }) : net.freeze('first'));
    net = await freeze();
    expect(net.trained('first')).toBe(true);
    expect(numbers((await net.predict('first', test1.inputs)).scores)).toEqual(numbers(scores));
    expect((await net.save()).length).toBeGreaterThan(0);
    expect(await said(() => net.train('first', { data, ...settings }))).toMatch(
      /^UsageError: task "first" is (trained and )?frozen/,
    );
    expect((await freeze()).trained('first')).toBe(true);
    await net.close();
  });

  test('what a loss learned of its training is what measures, unfrozen, frozen and loaded', async () => {
    // Three of four rows are of the first class.
    const kept = train.targets.numbers().flatMap((c, n) => (c === 0 || n % 3 === 0 ? [n] : []));
    const row = (n: number) => (train.inputs as Tensor).numbers().slice(n * 16, (n + 1) * 16);
    const uneven = {
      inputs: Tensor.from('float32', kept.flatMap(row), [kept.length, 1, 4, 4]),
      targets: Tensor.from(
        'int64',
        kept.map((n) => Number(train.targets.data[n])),
      ),
    };
    const parts = { train: uneven, test: test1 };
    const losses = async (class_weights: 'balanced' | number[]) => {
      const head = classify(2, { class_weights, loss: { focal: 1 } });
      let net = await (await face.begin(begun)).grow({ ...first, head });
      const kinds: string[] = [];
      const onEvent = ({ kind }: { kind: string }) => kinds.push(kind);
      const { network, history } = await net.train('first', { data: parts, ...settings, epochs: 2, freeze: false, onEvent });
      net = network;
      const unfrozen = await net.evaluate('first', test1);
      net = net instanceof WorkspaceNetwork ? await net.freeze('first', { data: parts }) : await net.freeze('first');
      const frozen = await net.evaluate('first', test1);
      const loaded = await (await face.load(await net.save())).evaluate('first', test1);
      expect([frozen.loss, loaded.loss]).toEqual([unfrozen.loss, unfrozen.loss]);
      expect(kinds.includes('balanced')).toBe(class_weights === 'balanced');
      return [...history.map(({ loss }) => loss), frozen.loss];
    };
    const second = uneven.targets.numbers().filter((c) => c === 1).length;
    const rows = kept.length;
    const learned = await losses('balanced');
    expect(learned).toEqual(await losses([rows / (2 * (rows - second)), rows / (2 * second)]));
    expect(learned).not.toEqual(await losses([1, 1]));
  }, 120_000);

  test('what was recorded at freezing holds', async () => {
    const net = await (await face.begin(begun)).grow(first);
    const { network } = await net.train('first', { data, ...settings, epochs: 1 });
    // A workspace whose description names no data has nothing to ask: the files' hashes alone were checked.
    const given = 'folder' in network ? { inputs: test1.inputs, since: await network.verify({ inputs: test1.inputs }) } : {};
    expect(await network.verify(given)).toMatchObject({ holds: true, tasks: [{ task: 'first', identical: true }] });
    await network.close();
  });

  test('what the model prepares itself answers raw pixels alike inside, exported and loaded', async () => {
    const raw = ({ inputs, targets }: typeof train) => {
      if (!(inputs instanceof Tensor)) throw new Error('one input');
      const pixels = Uint8Array.from(inputs.data as Float32Array, (v) => Math.round(v * 255));
      return { inputs: new Tensor('uint8', inputs.dims, pixels), targets };
    };
    const [of, test] = [raw(train), raw(test1)];
    const prepared: NetworkOptions = { name: 'halves', input: input('image', [1, 4, 4], 'uint8', [scale(), standardise()]) };
    let net = await (await face.begin(prepared)).grow(first);
    ({ network: net } = await net.train('first', { data: { train: of, test }, ...settings }));
    const { scores } = await net.predict('first', test.inputs);
    const model = fromBinary(await net.export({ task: 'first' }));
    const [graphInput] = model.graph.inputs;
    expect(graphInput?.type).toMatchObject({ dtype: 'uint8', shape: ['N', 1, 4, 4] });
    const outside = numbers((await runModel(model, { image: test.inputs })).first);
    for (const [i, v] of numbers(scores).entries()) expect(outside[i]).toBeCloseTo(v, 5);
    expect((await net.evaluate('first', test)).value).toBeGreaterThan(0.9);
    const loaded = await face.load(await net.save());
    expect(numbers((await loaded.predict('first', test.inputs)).scores)).toEqual(numbers(scores));
    expect(await said(() => net.predict('first', test1.inputs))).toMatch(/inputs are float32, expected uint8$/);
    await loaded.close();
    await net.close();
  });

  test('takes the last column back while it is not trained', async () => {
    let net = await (await face.begin(begun)).grow(first);
    net = await net.without('first');
    expect(net.tasks).toEqual([]);
    await net.close();
  });

  test('an aborted training leaves it as it was', async () => {
    const net = await (await face.begin(begun)).grow(first);
    const stop = new AbortController();
    const reason = new Error('enough');
    const error = await refusal(() =>
      net.train('first', {
        data,
        ...settings,
        epochs: 10_000,
        signal: stop.signal,
        onEvent: ({ kind }) => kind === 'step' && stop.abort(reason),
      }),
    );
    expect(error).toMatchObject({ name: 'AbortError', cause: reason });
    expect(net.trained('first')).toBe(false);
    await net.close();
  });

  test('refuses in one line what it cannot do', async () => {
    let net = await (await face.begin(begun)).grow(first);
    expect(await said(() => net.trained('third'))).toMatch(/^UsageError: unknown task "third", .* has: first$/);
    expect(await said(() => net.predict('third', test1.inputs))).toMatch(/^UsageError: unknown task "third"/);
    expect(await said(() => net.predict('first', test1.inputs))).toMatch(/^UsageError: task "first" is not trained yet/);
    expect(await said(() => net.evaluate('first', test1))).toMatch(/^UsageError: task "first" is not trained yet/);
    expect(await said(() => net.export({ task: 'first' }))).toMatch(/^UsageError: task "first" is not trained yet/);
    expect(await said(() => net.grow(column('wrong', { head: classify(2) })))).toMatch(/^DescriptionError: columns\[1\]: /);
    expect(await said(() => net.grow(first))).toMatch(/task "first"/);
    const none = { inputs: new Tensor('float32', [3, 1, 4, 5], new Float32Array(60)), targets: Tensor.from('int64', [0, 1, 0]) };
    expect(await said(() => net.train('first', { data: { train: none, test: none } }))).toMatch(/^DataError: .*\[1,4,5\]/);
    const odd = { inputs: halves(3, 1).inputs, targets: Tensor.from('int64', [0, 1, 7]) };
    expect(await said(() => net.train('first', { data: { train: odd, test: odd } }))).toMatch(/^DataError: .*7/);

    ({ network: net } = await net.train('first', { data, ...settings, epochs: 1 }));
    expect(await said(() => net.train('first', { data }))).toMatch(/^UsageError: task "first" is trained and frozen for good/);
    expect(await said(() => net.without('first'))).toMatch(/^UsageError: task "first" is trained and frozen for good/);
    expect(await said(() => net.predict('first', new Tensor('float32', [1, 7], new Float32Array(7))))).toMatch(
      /^DataError: .*\[7\]/,
    );
    net = await net.grow(column('numbers', { like: 'first', head: regress(1), laterals: { kind: 'none' } }));
    expect(await said(() => net.evaluate('numbers', test1))).toMatch(/^DataError|^UsageError/);
    await net.close();
  });
});
