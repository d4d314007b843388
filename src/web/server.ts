// The network inside a worker: what the page's calls do. Free of the worker's own API, so that it runs wherever onnxruntime-web does.

import { domainIn } from '../data/domain.js';
import { takesSamples } from '../data/images/decoding.js';
import { hashNamed, namedSamples } from '../data/samples.js';
import { answersOf, eachOf, type Head, headWidth, isSeveral, outputLabels } from '../model/heads/heads.js';
import { layerText } from '../model/nn/layer-text.js';
import type { Column } from '../model/progressive/column.js';
import type { NetworkInput } from '../model/progressive/inputs.js';
import { lateralStrengths } from '../model/progressive/lateral-strength.js';
import { withDomain } from '../network/column-domain.js';
import { type Network, prognet } from '../network/network.js';
import { columnHash, looksLikeNetwork } from '../network/network-file.js';
import { readNetwork } from '../network/read-network.js';
import { must, UsageError } from '../onnx/core/errors.js';
import { parseProviders } from '../onnx/runtime/requested-providers.js';
import type { RequestedProvider, Runtime, Selection } from '../onnx/runtime/session.js';
import { type WebModules, WebRuntime } from '../onnx/runtime/web.js';
import { filledInputs } from '../train/prepare-data.js';
import type { CheckpointRecord } from './checkpoint-db.js';
import { dataFacts } from './data-facts.js';
import { FixedModel } from './fixed-model.js';
import type { Calls, InputInfo, NetworkInfo, RuntimeChoice, Source, TaskInfo } from './protocol.js';

/** What a head answers, and what its outputs are called, where the description says so. */
function headInfo(head: Head): Pick<TaskInfo, 'answers' | 'outputs' | 'names'> {
  const [names, answers] = [outputLabels(head), answersOf(head)];
  return {
    outputs: headWidth(head),
    ...(answers !== undefined && { answers: answers.each }),
    ...(names !== undefined && { names }),
  };
}

function markedBy(domain: string | undefined): { markedBy?: number } {
  const rows = domainIn(domain)?.rows;
  return rows === undefined ? {} : { markedBy: rows };
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
  private fixed: FixedModel | undefined;

  constructor(private readonly options: ServerOptions) {}

  async open({ source, runtime: choice }: { source: Source; runtime: RuntimeChoice }): Promise<NetworkInfo> {
    const { provider, ...settings } = choice;
    const requested: RequestedProvider[] = provider === undefined ? [] : parseProviders(provider, 'provider');
    const runtime = this.runtime ?? (await WebRuntime.load(this.options.modules, settings));
    this.runtime = runtime;
    this.selection = await runtime.select(requested);
    await this.network?.close();
    await this.fixed?.release();
    this.network = undefined;
    this.fixed = undefined;
    const session = { providers: [this.selection.provider] };
    if (source.kind === 'new') this.network = prognet(source.options).on(runtime, session);
    else if (looksLikeNetwork(source.bytes)) this.network = (await readNetwork(source.bytes, source.name)).on(runtime, session);
    else this.fixed = new FixedModel(source.bytes, source.name, runtime, session);
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
    const { task, data, settings, checkpoint, freeze, marks } = call;
    const store = checkpoint === undefined ? undefined : this.checkpoint(checkpoint, await this.identityOf(call));
    const { network, ...trained } = await this.growable().train(task, {
      ...settings,
      data,
      onEvent,
      signal,
      ...(store !== undefined && { store }),
      ...(freeze !== undefined && { freeze }),
    });
    const own = 'train' in data ? (data.test ?? data.validation) : undefined;
    const learned = 'train' in data ? data.train : data;
    this.network = marks === true && own !== undefined ? await withDomain(network, task, learned, own) : network;
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
    return await fixed.predict(task, inputs);
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
      const own = [...columns];
      const inputs = columns.inputs.map((input) => inputInfo(network, own, input));
      const tasks = own.map((column): TaskInfo => {
        const { task, head, blocks, taps } = column;
        const each = eachOf(head);
        const weights = network.weights(task);
        return {
          task,
          trained: weights !== undefined,
          ...(network.unfrozen.has(task) && { unfrozen: true as const }),
          head: head.kind,
          ...(isSeveral(head) && {
            heads: head.heads.map(({ name, head: own }) => ({ name, head: own.kind, ...headInfo(own) })),
          }),
          ...(each !== undefined && { each }),
          ...headInfo(head),
          parameters: column.parameters.count,
          blocks: blocks.map((layers, i) => ({ layers: layers.map(layerText), shape: taps[i] ?? [] })),
          laterals: weights === undefined ? [] : lateralStrengths(column, weights),
          inputs: column.inputs.map(({ name }) => name),
          ...markedBy(network.facts.get(task)?.domain),
        };
      });
      const input = must(inputs[0], 'input');
      return { ...where, name: columns.description.name, input, inputs, tasks, growable: true };
    }
    return { ...where, ...must(fixed, 'model').info() };
  }
}

function inputInfo(network: Network, own: readonly Column[], { name, dtype, shape, features }: NetworkInput): InputInfo {
  // Of all that the columns were trained on: decoding is of the one input that image files can give.
  const { decoding, ...facts } = dataFacts(network.facts.values(), name);
  return {
    name,
    dtype,
    shape: shape.map((size) => (typeof size === 'number' ? size : null)),
    ...(features !== undefined && { features }),
    prepared: own.some(({ reads }) => reads.some((read) => read.input.name === name && read.steps.length > 0)),
    fills: own.length > 0 && own.every((column) => filledInputs(column).includes(name)),
    ...(decoding !== undefined && takesSamples(decoding, shape) && { decoding }),
    ...facts,
  };
}
