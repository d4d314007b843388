// The network inside a worker: what the page's calls do. Free of the worker's own API, so that it runs wherever onnxruntime-web does.

import { hashNamed, namedSamples, type Samples } from '../data/samples.js';
import { type Head, headWidth, outputLabels } from '../model/heads/heads.js';
import type { Layer } from '../model/nn/layers.js';
import { onlyOf } from '../model/progressive/inputs.js';
import { lateralStrengths } from '../model/progressive/lateral-strength.js';
import { columnHash, looksLikeBundle, readBundle, writeBundle } from '../network/bundle.js';
import { type Network, prognet } from '../network/network.js';
import { must, UsageError } from '../onnx/core/errors.js';
import type { Tensor } from '../onnx/core/tensor.js';
import type { Graph } from '../onnx/ir/graph.js';
import type { ProviderWish, Runtime, Selection, Session } from '../onnx/runtime/session.js';
import { type WebModules, WebRuntime } from '../onnx/runtime/web.js';
import { parseWish } from '../onnx/runtime/wish.js';
import { fromBinary } from '../onnx/serde/from-binary.js';
import { allOutputsOf, outputsOf } from '../train/outputs.js';
import type { CheckpointRecord } from './checkpoint-db.js';
import {
  type Calls,
  givenOf,
  type NetworkInfo,
  type PredictionInfo,
  plainTensor,
  type RuntimeChoice,
  type Source,
  type TaskInfo,
  tensorOf,
  type Witness,
} from './protocol.js';

/** An ONNX model that came without a description: it answers and no more. */
interface Fixed {
  readonly bytes: Uint8Array;
  readonly graph: Graph;
}

/** What the outputs are called, where the description says so. */
function classNames(head: Head): { names?: readonly string[] } {
  const names = outputLabels(head);
  return names === undefined ? {} : { names };
}

export interface ServerOptions {
  readonly modules: WebModules;
  /** Checkpoints under a name; undefined where the browser has no database. */
  readonly checkpoints?: (name: string, identity?: string) => CheckpointRecord;
}

export class Server implements Calls {
  private runtime: Runtime | undefined;
  private selection: Selection = { provider: 'wasm', refused: [] };
  private network: Network | undefined;
  private fixed: Fixed | undefined;
  /** Sessions for prediction by task; a model's only one under its file's name. */
  private readonly sessions = new Map<string, Session>();

  constructor(private readonly options: ServerOptions) {}

  async open({ source, runtime: choice }: { source: Source; runtime: RuntimeChoice }): Promise<NetworkInfo> {
    const { provider, ...settings } = choice;
    const wish: ProviderWish[] = provider === undefined ? [] : parseWish(provider, 'provider');
    this.runtime ??= await WebRuntime.load(this.options.modules, settings);
    this.selection = await this.runtime.select(wish);
    await this.releaseSessions();
    this.network = undefined;
    this.fixed = undefined;
    if (source.kind === 'new') this.network = prognet(source.options);
    else if (looksLikeBundle(source.bytes)) this.network = await readBundle(source.bytes, source.name);
    else this.fixed = { bytes: source.bytes, graph: fromBinary(source.bytes, { file: source.name }).graph };
    return this.info();
  }

  async predict({ task, input }: Parameters<Calls['predict']>[0]): Promise<PredictionInfo> {
    const session = await this.sessionOf(task);
    const { network } = this;
    const inputs =
      network === undefined ? namedSamples(givenOf(input), session.inputNames, 'input') : fitting(givenOf(input), network);
    const names = [task, `${task}_probabilities`, `${task}_label`].filter((name) => session.outputNames.includes(name));
    const started = performance.now();
    const found = await allOutputsOf(session, names, inputs);
    const milliseconds = performance.now() - started;
    const probabilities = found.get(`${task}_probabilities`);
    const labels = found.get(`${task}_label`);
    return {
      scores: plainTensor(must(found.get(task), task)),
      ...(probabilities === undefined ? {} : { probabilities: plainTensor(probabilities) }),
      ...(labels === undefined ? {} : { labels: plainTensor(labels) }),
      milliseconds,
      provider: session.provider,
    };
  }

  async grow({ column }: Parameters<Calls['grow']>[0]): Promise<NetworkInfo> {
    this.network = this.growable().grow(column);
    return this.info();
  }

  async remove({ task }: Parameters<Calls['remove']>[0]): Promise<NetworkInfo> {
    this.network = this.growable().without(task);
    return this.info();
  }

  async witness({ input }: Parameters<Calls['witness']>[0]): Promise<Witness[]> {
    const network = this.growable();
    const inputs = fitting(givenOf(input), network);
    const found: Witness[] = [];
    for (const task of network.tasks) {
      const weights = network.weights(task);
      if (weights === undefined) continue;
      const session = await this.newSession(network.export({ task }));
      const scores = plainTensor(await outputsOf(session, task, inputs));
      await session.release();
      const sha256 = await columnHash(task, weights);
      found.push({ task, ...(sha256 === undefined ? {} : { sha256 }), scores });
    }
    return found;
  }

  train: Calls['train'] = async (call, onEvent, signal) => {
    const { task, settings, validation, checkpoint } = call;
    const store = checkpoint === undefined ? undefined : this.checkpoint(checkpoint, await this.identityOf(call));
    const network = this.growable();
    this.network = await network.train(task, {
      runtime: must(this.runtime, 'runtime'),
      train: { inputs: fitting(givenOf(call.inputs), network), targets: tensorOf(call.targets) },
      ...(validation === undefined
        ? {}
        : { validation: { inputs: fitting(givenOf(validation.inputs), network), targets: tensorOf(validation.targets) } }),
      ...(settings === undefined ? {} : { settings }),
      ...(store === undefined ? {} : { store }),
      session: { providers: [this.selection.provider] },
      onEvent,
      signal,
    });
    // A training that is done needs its checkpoint no more.
    await store?.drop().catch(() => {});
    return this.info();
  };

  async forget({ checkpoint }: Parameters<Calls['forget']>[0]): Promise<void> {
    await this.checkpoint(checkpoint).drop();
  }

  /** What the numbers of a training follow from: the column, its settings, the data, the frozen columns before it. */
  private async identityOf({ task, settings, inputs, targets }: Parameters<Calls['train']>[0]): Promise<string> {
    const network = this.growable();
    const { index, description: column } = network.columns.column(task);
    const sources: (string | undefined)[] = [];
    for (const source of network.tasks.slice(0, index)) {
      const weights = network.weights(source);
      sources.push(weights && (await columnHash(source, weights)));
    }
    const samples = hashNamed(namedSamples(givenOf(inputs), namesOf(network), 'inputs'));
    const data = new Map([...Object.entries(samples), ['targets', tensorOf(targets)] as const]);
    const { seed } = network.description;
    return JSON.stringify([column, seed, settings ?? null, await columnHash('data', data), sources]);
  }

  private checkpoint(name: string, identity?: string): CheckpointRecord {
    const store = this.options.checkpoints?.(name, identity);
    if (store === undefined) throw new UsageError('this browser has no database for checkpoints');
    return store;
  }

  async export({ task, probabilities = false }: Parameters<Calls['export']>[0]): Promise<Uint8Array> {
    const network = this.growable();
    return network.export(task === undefined ? { all: true, probabilities } : { task, probabilities });
  }

  async save(): Promise<Uint8Array> {
    return await writeBundle(this.growable());
  }

  private growable(): Network {
    if (this.network !== undefined) return this.network;
    throw new UsageError('an ONNX model answers but cannot grow: open a bundle (prognet bundle), or begin a new network');
  }

  private async sessionOf(task: string): Promise<Session> {
    const known = this.sessions.get(task);
    if (known !== undefined) return known;
    const { network, fixed } = this;
    if (network === undefined && fixed === undefined) throw new UsageError('no network is open yet');
    if (fixed !== undefined && !fixed.graph.outputs.some((v) => v.name === task)) {
      const expected = fixed.graph.outputs.map((v) => v.name).join(', ');
      throw new UsageError(`unknown output "${task}", the model has: ${expected}`, { expected, got: task });
    }
    const model = network?.export({ task, probabilities: true }) ?? must(fixed, 'model').bytes;
    const session = await this.newSession(model);
    this.sessions.set(task, session);
    return session;
  }

  private newSession(model: Uint8Array): Promise<Session> {
    return must(this.runtime, 'runtime').createSession(model, { providers: [this.selection.provider] });
  }

  private async releaseSessions(): Promise<void> {
    for (const session of this.sessions.values()) await session.release();
    this.sessions.clear();
  }

  private info(): NetworkInfo {
    const { network, fixed, selection } = this;
    const where = { runtime: must(this.runtime, 'runtime').version, ...selection };
    if (network !== undefined) {
      const { columns } = network;
      const { name: inputName, shape } = onlyOf(columns.inputs);
      const tasks = [...columns].map((column): TaskInfo => {
        const { task, head, blocks, taps } = column;
        const weights = network.weights(task);
        return {
          task,
          trained: weights !== undefined,
          head: head.kind,
          outputs: headWidth(head),
          ...classNames(head),
          parameters: column.parameters.count,
          blocks: blocks.map((layers, i) => ({ layers: layers.map(layerText), shape: taps[i] ?? [] })),
          laterals: weights === undefined ? [] : lateralStrengths(column, weights),
        };
      });
      return { ...where, name: columns.description.name, input: { name: inputName, shape }, tasks, growable: true };
    }
    const { graph } = must(fixed, 'model');
    const given = new Set(graph.initializers);
    const [input] = graph.inputs.filter((v) => !given.has(v));
    const tasks = graph.outputs
      .filter((v) => !/_(probabilities|label)$/.test(v.name))
      .map((v): TaskInfo => {
        const width = v.shape?.at(-1);
        const label = graph.outputs.find((o) => o.name === `${v.name}_label`);
        const head = label === undefined ? 'regress' : label.shape?.length === 1 ? 'classify' : 'binary';
        const outputs = typeof width === 'number' ? width : 0;
        return { task: v.name, trained: true, head, outputs, parameters: 0, blocks: [], laterals: [] };
      });
    const shape = (input?.shape ?? []).slice(1).map((d) => (typeof d === 'number' ? d : null));
    return { ...where, name: graph.name, input: { name: input?.name ?? '', shape }, tasks, growable: false };
  }
}

/** A layer in a word or two: its kind and how wide it makes things. */
function layerText(layer: Layer): string {
  const width = 'units' in layer ? layer.units : 'filters' in layer ? layer.filters : undefined;
  return width === undefined ? layer.kind : `${layer.kind} ${width}`;
}

const namesOf = ({ columns }: Network): string[] => columns.inputs.map(({ name }) => name);

/** Each input [N, ...shape] from anything with as many numbers. @throws UsageError, DataError for inputs that are not the network's */
function fitting(given: Tensor | Samples, network: Network): Samples {
  const samples = namedSamples(given, namesOf(network), 'input');
  return Object.fromEntries(
    network.columns.inputs.map(({ name, shape }) => [name, fittingOne(must(samples[name], name), shape)]),
  );
}

function fittingOne(input: Tensor, shape: readonly number[]): Tensor {
  const size = shape.reduce((n, d) => n * d, 1);
  const count = input.size / size;
  if (Number.isInteger(count) && (input.dtype === 'float32' || input.dtype === 'uint8')) return input.reshape([count, ...shape]);
  throw new UsageError(`input of ${input.dtype} [${input.dims}]: expected float32 or uint8 [N,${shape}]`, {
    expected: `[N,${shape}]`,
    got: `[${input.dims}]`,
  });
}
