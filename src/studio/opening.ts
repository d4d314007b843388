// Which network is open: the one the page came with, the same as it was taught here, one of the user's, an empty one; on which provider; and
// taking it away. Holds the worker.
import type { About } from '../data/about-tasks.js';
import { begin, type NetworkInfo, open, RuntimeError, UsageError, type WebNetwork } from '../web.js';
import { isOpen, ofSizes, sampleShapeOf, sizesOf } from './input-shape.js';
import { type KeptNetwork, keptNetwork, type Shelf } from './kept.js';
import { freshLesson } from './lesson.js';
import { messageOf } from './remedies.js';
import { fetchBytes, type Served, served, servedAbout, sha256 } from './served.js';
import type { Loaded, Provider } from './state.js';
import type { Store } from './store.js';

const providersOf = (provider: Provider): string => (provider === 'webgpu' ? 'webgpu,wasm' : 'wasm');

/** Two networks that take the same have the same samples. */
const takes = (info: NetworkInfo | undefined): string =>
  JSON.stringify(info?.inputs.map(({ shape, features }) => [shape, features]));

export class Opening {
  /** SHA-256 of the network that the page came with: what is kept in this browser is kept under it. */
  key = '';
  private net: WebNetwork | undefined;
  private page: Served | undefined;
  private about: About = { decimal: '.', tasks: new Map() };
  private shelf: Shelf<KeptNetwork> | undefined;
  /** What the worker's network came from: an ONNX model cannot be saved again. */
  private source: Uint8Array | undefined;

  constructor(private readonly store: Store) {}

  /** The network in its worker, and what is known of it. @throws RuntimeError while none is open */
  loaded(): { readonly net: WebNetwork; readonly network: Loaded } {
    const { network } = this.store.state;
    if (this.net === undefined || network === undefined) throw new RuntimeError('no network is open');
    return { net: this.net, network };
  }

  /** Opens what this browser kept of the served network, where pages keep one, else the served network itself. */
  async start(keeps: boolean): Promise<void> {
    try {
      this.page = await served();
      this.store.set({ webgpu: this.page.webgpu });
      const [bytes, about] = await Promise.all([fetchBytes('network.prognet'), servedAbout()]);
      this.about = about;
      if (!keeps) return await this.load(bytes, this.servedTitle());
      this.key = await sha256(bytes);
      this.shelf = keptNetwork(this.key);
      if (this.page.lesson !== null) this.store.set({ offered: this.page.lesson });
      const kept = await this.shelf.get().catch(() => undefined);
      if (kept === undefined) await this.load(bytes, this.servedTitle());
      else await this.loadKept(kept, bytes);
    } catch (error) {
      this.store.problem('page', error);
      this.store.set({ phase: 'failed', said: '' });
    }
  }

  /** What cannot be opened any more must not keep the page from opening. */
  private async loadKept(kept: KeptNetwork, served: Uint8Array): Promise<void> {
    try {
      await this.load(kept.bytes, kept.title);
      this.store.set({ changed: true, said: `${kept.title}, as you left it here.` });
    } catch (error) {
      await this.load(served, this.servedTitle());
      this.store.set({ changed: true });
      this.store.problem(
        'page',
        `the network that this browser kept does not open (${messageOf(error)}): this is the one it began with`,
      );
    }
  }

  private servedTitle(): string {
    if (typeof this.page?.title === 'string') return this.page.title;
    return this.page?.demo === true ? 'The demo network' : 'The network of the workspace';
  }

  private async load(bytes: Uint8Array, title: string, preferred: Provider = this.store.state.provider): Promise<void> {
    await this.show(await open(bytes, { name: title, provider: providersOf(preferred) }), title, bytes);
  }

  /** A network that has just been opened takes the place of the one before. */
  private async show(net: WebNetwork, title: string, source: Uint8Array): Promise<void> {
    const about = await this.aboutOf(net);
    this.net?.close();
    this.net = net;
    this.source = source;
    const { info } = net;
    const before = this.store.state.network;
    const same = takes(before?.info) === takes(info);
    const sample = ofSizes(sampleShapeOf(info), same && before !== undefined ? sizesOf(before.sample) : new Map());
    const tasks = info.tasks.length === 0 ? 'no column yet' : info.tasks.map((t) => t.task).join(', ');
    this.store.set({
      phase: 'ready',
      network: { info, sample, title, about, decimal: about.size > 0 ? this.about.decimal : '.' },
      provider: info.provider === 'webgpu' ? 'webgpu' : 'wasm',
      answers: [],
      all: [],
      ...(same ? {} : { asked: [], at: 0, notes: [], lesson: freshLesson }),
      said: `${title}: ${tasks}, on ${info.provider}.`,
    });
    const [refused] = info.refused;
    if (refused === undefined) this.store.clear('provider');
    else this.store.problem('provider', `${refused.provider} does not run here: ${refused.reason}`);
  }

  /** What is known of the tasks whose columns are those that the page came with, told by the hashes of their weights. */
  private async aboutOf(net: WebNetwork): Promise<About['tasks']> {
    if (this.about.tasks.size === 0 || !net.info.growable) return new Map();
    const { tasks } = await net.verify();
    const own = new Map(tasks.map(({ task, weights }) => [task, weights]));
    // A page that is not served securely has no hashes: there the names must do.
    return new Map(
      [...this.about.tasks].filter(([task, { weights }]) => own.has(task) && (own.get(task) ?? weights) === weights),
    );
  }

  /** The bytes that `open` takes. */
  async saved(): Promise<Uint8Array> {
    const { net } = this.loaded();
    return net.info.growable ? await net.save() : (this.source ?? new Uint8Array());
  }

  /** An ONNX file of one task, or of all. */
  async exported(task: string | undefined): Promise<Uint8Array> {
    return await this.loaded().net.export({ ...(task === undefined ? { all: true as const } : { task }), probabilities: true });
  }

  /** The same network on another provider. The reason of a refusal is shown. */
  async choose(provider: Provider): Promise<void> {
    this.store.say(`Opening on ${provider}.`);
    await this.load(await this.saved(), this.loaded().network.title, provider);
  }

  /** A .prognet file or an ONNX model of the user's. Its size is checked before it is read. */
  async openFile(file: File): Promise<void> {
    const net = await open(file, { provider: providersOf(this.store.state.provider) });
    if (!this.mayReplace()) {
      net.close();
      return;
    }
    await this.show(net, file.name, new Uint8Array(await file.arrayBuffer()));
    this.store.set({ proof: undefined, training: undefined });
    await this.keep();
  }

  /** Whether the user lets go of what was taught here, which the next network takes the place of. */
  private mayReplace(): boolean {
    return (
      !this.store.state.changed ||
      confirm('The network that this browser keeps is replaced. Download it first if you want it. Go on?')
    );
  }

  /** A network without columns that takes what the present one takes. */
  async beginEmpty(): Promise<void> {
    if (!this.mayReplace()) return;
    const { first, inputs } = this.loaded().network.sample;
    if (inputs.length > 1)
      throw new UsageError(`a new network here has one input, this one has ${inputs.length}: begin it with prognet init`);
    if (isOpen(first))
      throw new UsageError('a new network here has an input of known sizes, this one takes any: begin it with prognet init');
    const bytes = first.dtype === 'uint8' ? { dtype: first.dtype, prepare: ['scale' as const] } : {};
    const empty = { name: 'taught-here', input: { name: first.name, shape: [...first.shape], ...bytes } };
    const net = await begin(empty, { provider: providersOf(this.store.state.provider) });
    await this.show(net, 'A new network', await net.save());
    this.store.set({ proof: undefined, training: undefined });
    await this.keep();
  }

  /** Back to the network that the page came with; what was taught here is forgotten. */
  async reset(): Promise<void> {
    if (!this.mayReplace()) return;
    await this.load(await fetchBytes('network.prognet'), this.servedTitle());
    await this.shelf?.drop();
    this.store.set({ changed: false, proof: undefined, training: undefined });
  }

  /** Keeps the network as it is in this browser. @throws RuntimeError where the browser keeps nothing */
  async keep(): Promise<void> {
    const { title } = this.loaded().network;
    const bytes = await this.saved();
    this.store.set({ changed: true });
    await this.shelf?.put({ title, bytes }).catch((cause: unknown) => {
      throw new RuntimeError(`this browser keeps nothing (${messageOf(cause)}): download the network before you close the tab`);
    });
  }
}
