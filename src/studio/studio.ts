// The page's affairs: the network in its worker, what is asked of it, the lesson, the training, the proof. It shows nothing; app.tsx draws its state.
import {
  adapter,
  begin,
  type ColumnInput,
  classify,
  conv2d,
  dense,
  flatten,
  InterruptedError,
  maxPool2d,
  open,
  RuntimeError,
  relu,
  Tensor,
  type TrainEvent,
  type WebNetwork,
} from '../web.js';
import { askAll } from './ask.js';
import { inputShapeOf } from './input-shape.js';
import { alone, type KeptLesson, type KeptNetwork, keptLesson, keptNetwork, type Shelf } from './kept.js';
import { freshLesson, type Lesson, lessonData, probes, tensorsOf } from './lesson.js';
import { compare } from './proof.js';
import { readFiles } from './read-files.js';
import { fetchBytes, type Served, served, sha256 } from './served.js';
import type { Loaded, Place, Provider, State, Training } from './state.js';

const oneLine = (error: unknown): string => (error instanceof Error ? error.message : String(error));

export class Studio {
  state: State = {
    phase: 'opening',
    provider: 'wasm',
    asked: [],
    at: 0,
    answers: [],
    lesson: freshLesson,
    teaching: false,
    changed: false,
    problems: {},
    said: 'Opening the network.',
  };
  private net: WebNetwork | undefined;
  private page: Served | undefined;
  private networks: Shelf<KeptNetwork> | undefined;
  private lessons: Shelf<KeptLesson> | undefined;
  private readonly listeners = new Set<() => void>();
  private stop: AbortController | undefined;
  private asking = 0;

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private set(change: Partial<State>): void {
    this.state = { ...this.state, ...change };
    for (const listener of this.listeners) listener();
  }

  private problem(place: Place, error: unknown): void {
    this.set({ problems: { ...this.state.problems, [place]: oneLine(error) } });
  }

  private clear(...places: readonly Place[]): void {
    const problems = { ...this.state.problems };
    for (const place of places) delete problems[place];
    this.set({ problems });
  }

  say(said: string): void {
    this.set({ said });
  }

  // ---- the network ----------------------------------------------------------------------------------------------------

  /** Opens what this browser kept of the served network, else the served network itself. */
  async start(): Promise<void> {
    try {
      this.page = await served();
      const bytes = await fetchBytes('network.prognet');
      const key = await sha256(bytes);
      this.networks = keptNetwork(key);
      this.lessons = keptLesson(key);
      if (this.page.lesson !== null) this.set({ offered: this.page.lesson });
      const kept = await this.networks.get().catch(() => undefined);
      const title = this.page.demo ? 'The demo network' : 'The network of the workspace';
      await this.load(kept?.bytes ?? bytes, kept?.title ?? title);
      if (kept !== undefined) this.set({ changed: true, said: `${kept.title}, as you left it here.` });
      await this.findUnfinished();
    } catch (error) {
      this.problem('page', error);
      this.set({ phase: 'failed', said: '' });
    }
  }

  /** What is shown of a network that has just been opened. */
  private show(net: WebNetwork, title: string, provider: Provider): void {
    this.net?.close();
    this.net = net;
    const input = inputShapeOf(net.info);
    const same = this.state.network?.input.shape.join() === input.shape.join();
    const { tasks } = net.info;
    this.set({
      phase: 'ready',
      network: { info: net.info, input, title },
      provider,
      answers: [],
      ...(same ? {} : { asked: [], at: 0, lesson: freshLesson }),
      said: `${title}: ${tasks.length === 0 ? 'no column yet' : tasks.map((t) => t.task).join(', ')}, on ${net.info.provider}.`,
    });
    const [refused] = net.info.refused;
    if (refused === undefined) this.clear('provider');
    else this.problem('provider', `${refused.provider} does not run here: ${refused.reason}`);
    void this.ask();
  }

  private async load(bytes: Uint8Array, title: string, wish: Provider = this.state.provider): Promise<void> {
    const provider = wish === 'webgpu' ? 'webgpu,wasm' : 'wasm';
    const net = await open(bytes, { name: title, provider });
    this.show(net, title, net.info.provider === 'webgpu' ? 'webgpu' : 'wasm');
    this.source = { bytes, title };
  }

  /** The bytes that the worker's network came from, for an ONNX model, which cannot be saved again. */
  private source: KeptNetwork | undefined;

  private async current(): Promise<Uint8Array> {
    const { net } = this;
    if (net === undefined) throw new RuntimeError('no network is open');
    return net.info.growable ? await net.save() : (this.source?.bytes ?? new Uint8Array());
  }

  private loaded(): { net: WebNetwork; network: Loaded } {
    const { net, state } = this;
    if (net === undefined || state.network === undefined) throw new RuntimeError('no network is open');
    return { net, network: state.network };
  }

  /** The same network on another provider. The reason of a refusal is shown. */
  async choose(provider: Provider): Promise<void> {
    try {
      this.set({ said: `Opening on ${provider}.` });
      await this.load(await this.current(), this.loaded().network.title, provider);
    } catch (error) {
      this.problem('provider', error);
    }
  }

  /** A bundle or an ONNX model of the user's. */
  async openFile(file: File): Promise<void> {
    this.clear('network');
    try {
      // Its size is checked before it is read.
      const net = await open(file, { provider: this.state.provider === 'webgpu' ? 'webgpu,wasm' : 'wasm' });
      const bytes = new Uint8Array(await file.arrayBuffer());
      this.show(net, file.name, net.info.provider === 'webgpu' ? 'webgpu' : 'wasm');
      this.source = { bytes, title: file.name };
      await this.keep(bytes);
    } catch (error) {
      this.problem('network', error);
    }
  }

  /** A network without columns that takes what the present one takes. */
  async beginEmpty(): Promise<void> {
    this.clear('network');
    try {
      const { info, input } = this.loaded().network;
      const net = await begin(
        { name: 'taught-here', input: { name: info.input.name, shape: [...input.shape] } },
        { provider: this.state.provider },
      );
      this.show(net, 'A new network', this.state.provider);
      this.set({ proof: undefined, training: undefined });
      await this.keep(await net.save());
    } catch (error) {
      this.problem('network', error);
    }
  }

  /** Forgets what was taught here. */
  async reset(): Promise<void> {
    this.clear('network', 'teach');
    try {
      await this.networks?.drop();
      this.set({ changed: false, proof: undefined, training: undefined });
      await this.load(await fetchBytes('network.prognet'), this.page?.demo ? 'The demo network' : 'The network of the workspace');
    } catch (error) {
      this.problem('network', error);
    }
  }

  private async keep(bytes: Uint8Array): Promise<void> {
    const { title } = this.loaded().network;
    this.set({ changed: true });
    await this.networks?.put({ title, bytes }).catch((cause: unknown) => {
      throw new RuntimeError(`this browser keeps nothing (${oneLine(cause)}): download the network before you close the tab`);
    });
  }

  // ---- asking ---------------------------------------------------------------------------------------------------------

  /** Samples to ask about; none takes the question away. */
  askAbout(asked: readonly Float32Array[], at = 0): void {
    this.clear('ask');
    this.set({ asked, at, ...(asked.length === 0 ? { answers: [] } : {}) });
    void this.ask();
  }

  async askFiles(files: readonly File[]): Promise<void> {
    const model = files.find((f) => /\.(prognet|onnx)$/i.test(f.name));
    if (model !== undefined) return await this.openFile(model);
    try {
      const { rows } = await readFiles(files, this.loaded().network.input);
      this.askAbout(rows);
    } catch (error) {
      this.problem('ask', error);
    }
  }

  /** Asks every trained task; a newer question overtakes an older one. */
  async ask(): Promise<void> {
    const { net, state } = this;
    const row = state.asked[state.at];
    if (net === undefined || state.network === undefined || row === undefined || state.teaching) return;
    const turn = ++this.asking;
    try {
      const answers = await askAll(net, row, state.network.input);
      if (turn !== this.asking || net !== this.net) return;
      this.clear('ask');
      const told = answers.map(({ task, best, entries }) =>
        best === undefined ? task : `${task}: ${entries[best]?.name}, ${((entries[best]?.value ?? 0) * 100).toFixed(0)} percent`,
      );
      this.set({ answers, said: told.join('. ') });
    } catch (error) {
      if (net === this.net) this.problem('ask', error);
    }
  }

  // ---- the lesson -----------------------------------------------------------------------------------------------------

  edit(change: Partial<Lesson>): void {
    this.editWhole({ ...this.state.lesson, ...change });
  }

  editWhole(lesson: Lesson): void {
    this.clear('teach');
    this.set({ lesson });
  }

  editClass(index: number, change: Partial<Lesson['classes'][number]>): void {
    this.edit({ classes: this.state.lesson.classes.map((c, i) => (i === index ? { ...c, ...change } : c)) });
  }

  addExamples(index: number, rows: readonly Float32Array[]): void {
    const found = this.state.lesson.classes[index];
    if (found === undefined) return;
    const examples = [...found.examples, ...rows];
    this.editClass(index, { examples });
    this.say(`${examples.length} examples of ${found.name}.`);
  }

  async addExampleFiles(index: number, files: readonly File[]): Promise<void> {
    try {
      this.addExamples(index, (await readFiles(files, this.loaded().network.input)).rows);
    } catch (error) {
      this.problem('teach', error);
    }
  }

  /** Samples with labels: the classes become those of the labels. */
  async addLabelled(files: readonly File[], task?: string): Promise<void> {
    try {
      const { rows, labels } = await readFiles(files, this.loaded().network.input);
      if (labels === undefined)
        throw new RuntimeError(
          'expected two files, samples and their labels: x.npy and y.npy, or an IDX pair of images and labels',
        );
      const names = [...new Set(labels)].sort((a, b) => Number(a) - Number(b));
      const classes = names.map((name) => ({ name, examples: rows.filter((_, i) => labels[i] === name) }));
      this.edit({ classes, ...(task === undefined ? {} : { task }) });
      this.say(`${rows.length} examples of ${names.length} classes.`);
    } catch (error) {
      this.problem('teach', error);
    }
  }

  async takeOffered(): Promise<void> {
    try {
      const [images, labels] = await Promise.all(['lesson-images.idx', 'lesson-labels.idx'].map(fetchBytes));
      const files = [
        new File([images as Uint8Array<ArrayBuffer>], 'lesson-images.idx'),
        new File([labels as Uint8Array<ArrayBuffer>], 'lesson-labels.idx'),
      ];
      await this.addLabelled(files, 'six-to-nine');
    } catch (error) {
      this.problem('teach', error);
    }
  }

  // ---- training -------------------------------------------------------------------------------------------------------

  private columnOf(lesson: Lesson): ColumnInput {
    const { info, input } = this.loaded().network;
    const names = lesson.classes.map((c) => c.name.trim());
    const head = classify(names.length, { names });
    const [first] = info.tasks;
    if (first !== undefined) return { task: lesson.task, like: first.task, head, laterals: adapter({ rank: 8 }) };
    const same = { kernel: 3, padding: 'same' } as const;
    const blocks =
      input.image === undefined || input.shape.length !== 3
        ? [
            [flatten(), dense(64), relu()],
            [dense(32), relu()],
          ]
        : [
            [conv2d(8, same), relu(), maxPool2d(2)],
            [conv2d(12, same), relu(), maxPool2d(2)],
            [flatten(), dense(32), relu()],
          ];
    return { task: lesson.task, blocks, head };
  }

  /** Grows a column for the lesson and trains it. */
  async teach(): Promise<void> {
    this.clear('teach');
    try {
      const { net, network } = this.loaded();
      const { lesson, provider } = this.state;
      const asked = probes(lesson, network.input);
      const rows = asked.length / network.input.size;
      const kept: KeptLesson = {
        task: lesson.task,
        column: this.columnOf(lesson),
        data: lessonData(lesson, network.input),
        rate: lesson.rate,
        provider,
        checkpoint: `studio-${crypto.randomUUID()}`,
        probes: asked,
        before: await net.witness(new Tensor('float32', [rows, ...network.input.shape], asked)),
      };
      await this.train(kept);
    } catch (error) {
      this.problem('teach', error);
    }
  }

  cancel(): void {
    this.stop?.abort();
    if (this.state.training !== undefined) this.set({ training: { ...this.state.training, stopping: true } });
  }

  private async findUnfinished(): Promise<void> {
    const kept = await this.lessons?.get().catch(() => undefined);
    if (kept === undefined) return;
    const free = await alone(async () => true);
    this.set({ unfinished: { task: kept.task, elsewhere: free === undefined } });
  }

  /** Goes on with the lesson that was left unfinished. */
  async resume(): Promise<void> {
    this.clear('teach');
    try {
      const kept = await this.lessons?.get();
      if (kept === undefined) throw new RuntimeError('there is no unfinished lesson any more');
      if (kept.provider !== this.state.provider && kept.provider === 'webgpu') await this.choose('webgpu');
      await this.train(kept);
    } catch (error) {
      this.problem('teach', error);
    }
  }

  /** Gives the unfinished lesson up. */
  async discard(): Promise<void> {
    this.clear('teach');
    try {
      const kept = await this.lessons?.get();
      await this.lessons?.drop();
      if (kept !== undefined) await this.loaded().net.forget(kept.checkpoint);
    } catch (error) {
      this.problem('teach', error);
    }
    this.set({ unfinished: undefined, training: undefined, said: 'The unfinished lesson is given up.' });
  }

  private async train(kept: KeptLesson): Promise<void> {
    const done = await alone(async () => {
      await this.trainAlone(kept);
      return true;
    });
    if (done === undefined) throw new RuntimeError('another tab of this page is training; wait for it, or close it');
  }

  private async trainAlone(kept: KeptLesson): Promise<void> {
    const { net, network } = this.loaded();
    const { task, data, probes: asked } = kept;
    const training: Training = {
      task,
      stage: 'preparing',
      epochs: data.epochs,
      part: 0,
      epoch: 0,
      provider: net.info.provider,
      perEpoch: Math.ceil(data.targets.length / data.batch),
      losses: [],
      firstStep: 0,
      heldOut: [],
      stopping: false,
    };
    this.set({ unfinished: undefined, proof: undefined, teaching: true, training, said: `Teaching ${task}.` });
    this.stop = new AbortController();
    try {
      await this.lessons
        ?.put(kept)
        .catch((cause: unknown) => this.problem('teach', `nothing is kept of this training: ${oneLine(cause)}`));
      if (!net.info.tasks.some((t) => t.task === task)) await net.grow(kept.column);
      this.set({ network: { ...network, info: net.info } });
      const held = data.heldOutTargets.length > 0 ? tensorsOf(data.heldOutInputs, data.heldOutTargets, network.input) : undefined;
      await net.train(task, {
        ...tensorsOf(data.inputs, data.targets, network.input),
        ...(held === undefined ? {} : { validation: held }),
        settings: {
          epochs: data.epochs,
          batch: data.batch,
          lr: kept.rate,
          optimizer: 'adam',
          schedule: 'cosine',
          validation: 0,
          seed: 1,
        },
        signal: this.stop.signal,
        checkpoint: kept.checkpoint,
        onEvent: (event) => this.hear(event),
      });
      this.progress({ stage: 'proving' });
      const rows = asked.length / network.input.size;
      const after = await net.witness(new Tensor('float32', [rows, ...network.input.shape], asked));
      this.set({ network: { ...network, info: net.info }, proof: compare(task, kept.before, after) });
      await this.keep(await net.save());
      await this.lessons?.drop();
      this.set({ teaching: false, lesson: freshLesson });
      const last = this.state.training?.heldOut.at(-1);
      const seen = last === undefined ? '' : `, ${(last.accuracy * 100).toFixed(1)} percent right on held-out examples`;
      this.say(
        `${task} is learned${seen}. ${this.state.proof?.holds === false ? 'An earlier task moved!' : 'Nothing else moved.'}`,
      );
    } catch (error) {
      // The column is still untrained: the network is as before the lesson.
      if (net.info.tasks.some((t) => t.task === task && !t.trained)) await net.remove(task).catch(() => {});
      this.set({ teaching: false, network: { ...network, info: net.info }, unfinished: { task, elsewhere: false } });
      if (!(error instanceof InterruptedError)) throw error;
      this.say(`Stopped. What was learned so far is kept.`);
    } finally {
      this.set({ teaching: false });
      void this.ask();
    }
  }

  private progress(change: Partial<Training>): void {
    if (this.state.training !== undefined) this.set({ training: { ...this.state.training, ...change } });
  }

  private hear(event: TrainEvent): void {
    const { training } = this.state;
    if (training === undefined) return;
    const { losses, heldOut, epochs, perEpoch } = training;
    switch (event.kind) {
      case 'resumed':
        this.progress({ epoch: event.epoch, firstStep: event.step });
        this.say(`Goes on after epoch ${event.epoch}, step ${event.step}.`);
        break;
      case 'step':
        this.progress({
          stage: 'training',
          epoch: event.epoch - 1,
          part: event.done / Math.max(event.total, perEpoch),
          losses: [...losses, ...event.losses],
        });
        break;
      case 'epoch': {
        const { epoch, validation } = event.record;
        const seen = validation === undefined ? [] : [{ epoch, accuracy: validation.metric }];
        this.progress({ epoch, part: 0, heldOut: [...heldOut, ...seen] });
        // Often enough to follow, seldom enough to be read out.
        if (epoch % Math.max(1, Math.round(epochs / 5)) === 0)
          this.say(
            `Epoch ${epoch} of ${epochs}${validation === undefined ? '' : `, ${(validation.metric * 100).toFixed(0)} percent`}.`,
          );
        break;
      }
    }
  }

  // ---- taking away ----------------------------------------------------------------------------------------------------

  /** An ONNX file of one task, or of all. */
  async exported(task: string | undefined): Promise<Uint8Array> {
    return await this.loaded().net.export({ ...(task === undefined ? {} : { task }), probabilities: true });
  }

  saved(): Promise<Uint8Array> {
    return this.current();
  }
}
