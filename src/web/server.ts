// The network inside a worker: what the page's calls do. Free of the worker's own API, so that it runs wherever onnxruntime-web does.

import { hashNamed, namedSamples } from '../data/samples.js';
import { answersOf, type Head, headAnswering, headWidth, outputLabels } from '../model/heads/heads.js';
import { namesInMetadata, outputNames } from '../model/heads/output-names.js';
import type { Layer } from '../model/nn/layers.js';
import { onlyOf } from '../model/progressive/inputs.js';
import { lateralStrengths } from '../model/progressive/lateral-strength.js';
import { Answerer, predictionOf } from '../network/answerer.js';
import { type Network, prognet } from '../network/network.js';
import { columnHash, looksLikeNetwork } from '../network/network-file.js';
import { readNetwork } from '../network/read-network.js';
import { must, UsageError } from '../onnx/core/errors.js';
import type { Graph } from '../onnx/ir/graph.js';
import { parseProviders } from '../onnx/runtime/requested-providers.js';
import type { RequestedProvider, Runtime, Selection } from '../onnx/runtime/session.js';
import { type WebModules, WebRuntime } from '../onnx/runtime/web.js';
import { fromBinary } from '../onnx/serde/from-binary.js';
import { readingFor } from '../train/prepare-data.js';
import type { CheckpointRecord } from './checkpoint-db.js';
import type { Calls, NetworkInfo, RuntimeChoice, Source, TaskInfo } from './protocol.js';

/** An ONNX model that came without a description: it answers and no more. */
interface Fixed {
  readonly bytes: Uint8Array;
  readonly graph: Graph;
  readonly metadata: ReadonlyMap<string, string>;
  readonly answerer: Answerer;
}

/** What the outputs are called, where the description says so. */
function classNames(head: Head): { names?: readonly string[] } {
  const names = outputLabels(head);
  return names === undefined ? {} : { names };
}

/** The same of a model that prognet exported. */
function namesIn(metadata: ReadonlyMap<string, string>, task: string): { names?: readonly string[] } {
  const names = namesInMetadata(metadata, task);
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

  constructor(private readonly options: ServerOptions) {}

  async open({ source, runtime: choice }: { source: Source; runtime: RuntimeChoice }): Promise<NetworkInfo> {
    const { provider, ...settings } = choice;
    const requested: RequestedProvider[] = provider === undefined ? [] : parseProviders(provider, 'provider');
    const runtime = this.runtime ?? (await WebRuntime.load(this.options.modules, settings));
    this.runtime = runtime;
    this.selection = await runtime.select(requested);
    await this.network?.close();
    await this.fixed?.answerer.release();
    this.network = undefined;
    this.fixed = undefined;
    const session = { providers: [this.selection.provider] };
    if (source.kind === 'new') this.network = prognet(source.options).on(runtime, session);
    else if (looksLikeNetwork(source.bytes)) this.network = (await readNetwork(source.bytes, source.name)).on(runtime, session);
    else {
      const { graph, metadata } = fromBinary(source.bytes, { file: source.name });
      this.fixed = { bytes: source.bytes, graph, metadata, answerer: new Answerer(runtime, session) };
    }
    return this.info();
  }

  async grow({ column }: Parameters<Calls['grow']>[0]): Promise<NetworkInfo> {
    this.network = this.growable().grow(column);
    return this.info();
  }

  async without({ task }: Parameters<Calls['without']>[0]): Promise<NetworkInfo> {
    this.network = this.growable().without(task);
    return this.info();
  }

  train: Calls['train'] = async (call, onEvent, signal) => {
    const { task, data, settings, checkpoint, freeze } = call;
    const store = checkpoint === undefined ? undefined : this.checkpoint(checkpoint, await this.identityOf(call));
    const { network, ...trained } = await this.growable().train(task, {
      ...settings,
      data,
      onEvent,
      signal,
      ...(store !== undefined && { store }),
      ...(freeze !== undefined && { freeze }),
    });
    this.network = network;
    // A training that is done needs its checkpoint no more.
    await store?.drop().catch(() => {});
    return { ...trained, network: this.info() };
  };

  async freeze({ task }: Parameters<Calls['freeze']>[0]): Promise<NetworkInfo> {
    this.network = await this.growable().freeze(task);
    return this.info();
  }

  async forget({ checkpoint }: Parameters<Calls['forget']>[0]): Promise<void> {
    await this.checkpoint(checkpoint).drop();
  }

  predict: Calls['predict'] = async ({ task, inputs, ...options }) => {
    const { network, fixed } = this;
    if (network !== undefined) return await network.predict(task, inputs, options);
    if (fixed === undefined) throw new UsageError('no network is open yet');
    const given = new Set(fixed.graph.initializers);
    const taken = fixed.graph.inputs.filter((v) => !given.has(v)).map(({ name, dtype }) => ({ name, dtype }));
    const names = taken.map(({ name }) => name);
    const outputs = fixed.graph.outputs.map(({ name }) => name);
    if (!outputs.includes(task)) {
      const expected = outputs.join(', ');
      throw new UsageError(`unknown output "${task}", the model has: ${expected}`, { expected, got: task });
    }
    const prediction = await predictionOf(task, (asked) =>
      fixed.answerer.ask({ key: '', model: () => fixed.bytes, inputs: taken }, asked, namedSamples(inputs, names, 'inputs')),
    );
    return { ...prediction, ...namesIn(fixed.metadata, task) };
  };

  evaluate: Calls['evaluate'] = ({ task, data }) => this.growable().evaluate(task, data);

  verify: Calls['verify'] = (options, _, signal) => this.growable().verify({ ...options, signal });

  export: Calls['export'] = async (options) => this.growable().export(options);

  save: Calls['save'] = () => this.growable().save();

  /** What the numbers of a training follow from: the column, its settings, the data, the frozen columns before it. */
  private async identityOf({ task, settings, data }: Parameters<Calls['train']>[0]): Promise<string> {
    const network = this.growable();
    const { columns } = network;
    const { index, description: column } = columns.column(task);
    const sources: (string | undefined)[] = [];
    for (const source of columns.tasks.slice(0, index)) {
      const weights = network.weights(source);
      sources.push(weights && (await columnHash(source, weights)));
    }
    const { inputs, targets } = 'train' in data ? data.train : data;
    const names = columns.inputs.map(({ name }) => name);
    const hashed = new Map([...Object.entries(hashNamed(namedSamples(inputs, names, 'inputs'))), ['targets', targets] as const]);
    return JSON.stringify([column, columns.description.seed, settings, await columnHash('data', hashed), sources]);
  }

  private checkpoint(name: string, identity?: string): CheckpointRecord {
    const store = this.options.checkpoints?.(name, identity);
    if (store === undefined) throw new UsageError('this browser has no database for checkpoints');
    return store;
  }

  private growable(): Network {
    if (this.network !== undefined) return this.network;
    if (this.fixed === undefined) throw new UsageError('no network is open yet');
    throw new UsageError('an ONNX model answers but cannot grow: open a .prognet file (prognet bundle), or begin a new network');
  }

  private info(): NetworkInfo {
    const { network, fixed, selection } = this;
    const where = { runtime: must(this.runtime, 'runtime').version, ...selection };
    if (network !== undefined) {
      const { columns } = network;
      const { name: inputName, dtype, shape, features } = onlyOf(columns.inputs);
      const own = [...columns];
      const input = {
        name: inputName,
        dtype,
        shape,
        ...(features !== undefined && { features }),
        prepared: own.some(({ prepare }) => prepare.length > 0),
        fills: own.length > 0 && own.every((column) => readingFor(column).missing),
      };
      const tasks = own.map((column): TaskInfo => {
        const { task, head, blocks, taps } = column;
        const weights = network.weights(task);
        const answers = answersOf(head);
        return {
          task,
          trained: weights !== undefined,
          ...(network.unfrozen.has(task) && { unfrozen: true as const }),
          head: head.kind,
          ...(answers !== undefined && { answers: answers.each }),
          outputs: headWidth(head),
          ...classNames(head),
          parameters: column.parameters.count,
          blocks: blocks.map((layers, i) => ({ layers: layers.map(layerText), shape: taps[i] ?? [] })),
          laterals: weights === undefined ? [] : lateralStrengths(column, weights),
        };
      });
      return { ...where, name: columns.description.name, input, tasks, growable: true };
    }
    const { graph, metadata } = must(fixed, 'model');
    const given = new Set(graph.initializers);
    const [input] = graph.inputs.filter((v) => !given.has(v));
    const named = new Map(graph.outputs.map((v) => [v.name, v]));
    const beside = new Set(
      graph.outputs.flatMap(({ name }) => {
        const { probabilities, label, labelName } = outputNames(name);
        return [probabilities, label, labelName];
      }),
    );
    const tasks = graph.outputs
      .filter((v) => !beside.has(v.name))
      .map((v): TaskInfo => {
        const width = v.shape?.at(-1);
        const label = named.get(outputNames(v.name).label);
        const answers = label === undefined ? undefined : label.shape?.length === 1 ? 'class' : 'flags';
        return {
          task: v.name,
          trained: true,
          head: headAnswering(answers),
          ...(answers !== undefined && { answers }),
          outputs: typeof width === 'number' ? width : 0,
          ...namesIn(metadata, v.name),
          parameters: 0,
          blocks: [],
          laterals: [],
        };
      });
    const shape = (input?.shape ?? []).slice(1).map((d) => (typeof d === 'number' ? d : null));
    const dtype = input?.type?.kind === 'tensor' ? input.type.dtype : 'float32';
    return { ...where, name: graph.name, input: { name: input?.name ?? '', dtype, shape }, tasks, growable: false };
  }
}

/** A layer in a word or two: its kind and how wide it makes things. */
function layerText(layer: Layer): string {
  const width = 'units' in layer ? layer.units : 'filters' in layer ? layer.filters : undefined;
  return width === undefined ? layer.kind : `${layer.kind} ${width}`;
}
