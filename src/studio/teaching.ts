// Teaching a task: the lesson as it is put together, its training in the worker, what is kept of it, and the proof afterwards.
import {
  adapter,
  type ColumnInput,
  classify,
  conv2d,
  DataError,
  dense,
  type EpochRecord,
  flatten,
  InterruptedError,
  maxpool2d,
  RuntimeError,
  relu,
  type TrainEvent,
} from '../web.js';
import { type SampleShape, samplesTensors, sizesOf } from './input-shape.js';
import { alone, type KeptLesson, keptLesson, type Shelf } from './kept.js';
import { freshLesson, type Lesson, lessonData, probes, tensorsOf } from './lesson.js';
import type { Opening } from './opening.js';
import { evidence, kept as keptOf, shown } from './proof.js';
import { messageOf } from './remedies.js';
import { fetchBytes } from './served.js';
import type { Loaded, Training } from './state.js';
import type { Store } from './store.js';
import { readTogether, type SampleRows } from './together.js';

/** The column of a lesson: like the first one, with adapters from every column; in an empty network two convolutions or a dense layer, and another. */
function columnOf(lesson: Lesson, { info, sample: { first: input } }: Loaded): ColumnInput {
  const names = lesson.classes.map((c) => c.name.trim());
  const head = classify(names.length, { names });
  const [task] = info.tasks;
  if (task !== undefined) return { task: lesson.task, like: task.task, head, laterals: adapter({ rank: 8 }) };
  const same = { kernel: 3, padding: 'same' } as const;
  const blocks =
    input.image === undefined || input.shape.length !== 3
      ? [
          [flatten(), dense(64), relu()],
          [dense(32), relu()],
        ]
      : [
          [conv2d(8, same), relu(), maxpool2d(2)],
          [conv2d(12, same), relu(), maxpool2d(2)],
          [flatten(), dense(32), relu()],
        ];
  return { task: lesson.task, blocks, head };
}

/** Throws DataError for examples of another size than those before. */
function checkSame(before: SampleShape, { inputs }: SampleShape): void {
  const sizes = sizesOf(before);
  const other = inputs.find(({ name, shape }) => sizes.get(name)?.join() !== shape.join());
  if (other === undefined) return;
  const [expected, got] = [`[${sizes.get(other.name)}]`, `[${other.shape}]`];
  throw new DataError(`"${other.name}" of this example is ${got}, expected ${expected}: all examples of a lesson have one size`, {
    expected,
    got,
  });
}

/** Of an epoch's record what the held-out examples said. */
const heldOutOf = ({ epoch, validation }: EpochRecord) =>
  validation === undefined ? [] : [{ epoch, accuracy: validation.metric }];

export class Teaching {
  private shelf: Shelf<KeptLesson> | undefined;
  private stop = new AbortController();

  constructor(
    private readonly store: Store,
    private readonly opening: Opening,
  ) {}

  /** Looks for a lesson that was left unfinished, once a network is open. */
  async start(): Promise<void> {
    this.shelf = keptLesson(this.opening.key);
    const kept = await this.shelf.get().catch(() => undefined);
    if (kept === undefined) return;
    // The tab was closed between the keeping of the network and the dropping of the lesson.
    if (this.opening.loaded().net.info.tasks.some((t) => t.task === kept.task)) return await this.shelf.drop();
    const free = await alone(async () => true);
    this.store.set({ unfinished: { task: kept.task, elsewhere: free === undefined } });
  }

  // ---- the lesson -----------------------------------------------------------------------------------------------------

  edit(change: Partial<Lesson>): void {
    this.store.clear('teach');
    this.store.set({ lesson: { ...this.store.state.lesson, ...change } });
  }

  editClass(index: number, change: Partial<Lesson['classes'][number]>): void {
    this.edit({ classes: this.store.state.lesson.classes.map((c, i) => (i === index ? { ...c, ...change } : c)) });
  }

  /** The sample that is asked about, as an example. Throws DataError for one of another size than the others. */
  addAsked(index: number): void {
    const { asked, at } = this.store.state;
    const row = asked[at];
    if (row !== undefined) this.addExamples(index, { rows: [row], sample: this.opening.loaded().network.sample });
  }

  private addExamples(index: number, { rows, sample }: SampleRows): void {
    const { lesson } = this.store.state;
    const found = lesson.classes[index];
    if (found === undefined) return;
    const before = lesson.classes.some(({ examples }) => examples.length > 0) ? lesson.sample : undefined;
    if (before !== undefined) checkSame(before, sample);
    const examples = [...found.examples, ...rows];
    this.edit({ sample });
    this.editClass(index, { examples });
    this.store.say(`${examples.length} ${examples.length === 1 ? 'example' : 'examples'} of ${found.name}.`);
  }

  async addExampleFiles(index: number, files: readonly File[]): Promise<void> {
    this.addExamples(index, await readTogether(files, this.opening.loaded().network.sample));
  }

  /** Samples with labels: the classes become those of the labels. */
  async addLabelled(files: readonly File[], task?: string): Promise<void> {
    const { rows, sample, labels } = await readTogether(files, this.opening.loaded().network.sample);
    if (labels === undefined)
      throw new RuntimeError(
        'expected two files, samples and their labels: x.npy and y.npy, or an IDX pair of images and labels',
      );
    const names = [...new Set(labels)].sort((a, b) => Number(a) - Number(b));
    const classes = names.map((name) => ({ name, examples: rows.filter((_, i) => labels[i] === name) }));
    this.edit({ classes, sample, ...(task === undefined ? {} : { task }) });
    this.store.say(`${rows.length} examples of ${names.length} classes.`);
  }

  /** The lesson that came with the page. */
  async takeOffered(): Promise<void> {
    const names = ['lesson-images.idx', 'lesson-labels.idx'];
    const files = await Promise.all(names.map(async (name) => new File([await fetchBytes(name)], name)));
    await this.addLabelled(files, 'six-to-nine');
  }

  // ---- training -------------------------------------------------------------------------------------------------------

  /** Grows a column for the lesson and trains it. */
  async teach(): Promise<void> {
    const { net, network } = this.opening.loaded();
    const { lesson, provider } = this.store.state;
    const { sample = network.sample } = lesson;
    const asked = probes(lesson, sample);
    await this.train({
      task: lesson.task,
      column: columnOf(lesson, network),
      data: lessonData(lesson, sample),
      sample,
      rate: lesson.rate,
      provider,
      checkpoint: `studio-${crypto.randomUUID()}`,
      probes: asked,
      before: keptOf(await net.verify({ inputs: samplesTensors(asked, sample) })),
    });
  }

  /** Goes on with the lesson that was left unfinished. */
  async resume(): Promise<void> {
    const kept = await this.shelf?.get();
    if (kept === undefined) throw new RuntimeError('there is no unfinished lesson any more');
    const tasks = (names: readonly string[]) => names.join(', ') || 'no task';
    const [then, now] = [kept.before.map((b) => b.task), this.opening.loaded().net.info.tasks.map((t) => t.task)];
    if (tasks(then) !== tasks(now))
      throw new RuntimeError(
        `the unfinished lesson was begun over ${tasks(then)}; this network has ${tasks(now)}: open that one first`,
      );
    if (kept.provider !== this.store.state.provider) await this.opening.choose(kept.provider);
    await this.train(kept);
  }

  /** Gives the unfinished lesson up. */
  async discard(): Promise<void> {
    const kept = await this.shelf?.get();
    await this.shelf?.drop();
    if (kept !== undefined) await this.opening.loaded().net.forget(kept.checkpoint);
    this.store.set({ unfinished: undefined, training: undefined, said: 'The unfinished lesson is given up.' });
  }

  cancel(): void {
    this.stop.abort();
    this.progress({ stopping: true });
  }

  private async train(kept: KeptLesson): Promise<void> {
    const done = await alone(async () => {
      await this.trainAlone(kept);
      return true;
    });
    if (done === undefined) throw new RuntimeError('another tab of this page is training; wait for it, or close it');
  }

  private async trainAlone(kept: KeptLesson): Promise<void> {
    const { store } = this;
    const { net, network } = this.opening.loaded();
    const { task, sample = network.sample } = kept;
    this.begin(kept, net.info.provider);
    this.stop = new AbortController();
    try {
      const keeps = await this.shelf?.put(kept).then(
        () => true,
        (cause: unknown) => {
          store.problem('teach', `nothing is kept of this training: ${messageOf(cause)}`);
          return false;
        },
      );
      await net.grow(kept.column);
      this.renew();
      await this.run({ ...kept, sample }, keeps === true);
      this.progress({ stage: 'proving' });
      const found = await net.verify({ inputs: samplesTensors(kept.probes, sample), since: { tasks: evidence(kept.before) } });
      const proof = shown(task, kept.before, found);
      this.renew();
      store.set({ proof });
      await this.opening.keep();
      await this.shelf?.drop();
      const last = store.state.training?.heldOut.at(-1);
      const seen = last === undefined ? '' : `, ${(last.accuracy * 100).toFixed(1)} percent right on held-out examples`;
      const moved = proof.holds ? 'Nothing else moved.' : 'An earlier task moved!';
      store.set({ lesson: freshLesson, said: `${task} is learned${seen}. ${moved}` });
    } catch (error) {
      // Where the column is still untrained, the network becomes what it was before the lesson.
      const untrained = net.info.tasks.some((t) => t.task === task && !t.trained);
      if (untrained) await net.without(task).catch(() => {});
      this.renew();
      if (untrained) store.set({ unfinished: { task, elsewhere: false } });
      if (!(error instanceof InterruptedError)) throw error;
      store.say('Stopped. What was learned so far is kept.');
    } finally {
      store.set({ teaching: false });
    }
  }

  /** What the network says of itself now; the sample that is asked about may have become another meanwhile. */
  private renew(): void {
    const { net, network } = this.opening.loaded();
    this.store.set({ network: { ...network, info: net.info } });
  }

  private begin({ task, data }: KeptLesson, provider: string): void {
    const training: Training = {
      task,
      stage: 'preparing',
      epochs: data.epochs,
      part: 0,
      epoch: 0,
      provider,
      perEpoch: Math.ceil(data.targets.length / data.batch),
      losses: [],
      firstStep: 0,
      heldOut: [],
      stopping: false,
    };
    this.store.set({ unfinished: undefined, proof: undefined, teaching: true, training, said: `Teaching ${task}.` });
  }

  private async run(kept: KeptLesson & { readonly sample: SampleShape }, keeps: boolean): Promise<void> {
    const { task, data, sample, rate, checkpoint } = kept;
    const { net } = this.opening.loaded();
    const { epochs, batch } = data;
    const heldOut = data.heldOutTargets.length > 0;
    const names = net.info.tasks.find((own) => own.task === task)?.inputs;
    await net.train(task, {
      data: {
        train: tensorsOf(data.inputs, data.targets, sample, names),
        ...(heldOut && { validation: tensorsOf(data.heldOutInputs, data.heldOutTargets, sample, names) }),
      },
      epochs,
      batch,
      lr: rate,
      optimizer: 'adam',
      schedule: 'cosine',
      validation: 0,
      seed: 1,
      ...(heldOut && { marks: true }),
      signal: this.stop.signal,
      ...(keeps && { checkpoint }),
      onEvent: (event) => this.hear(event),
    });
  }

  private progress(change: Partial<Training>): void {
    const { training } = this.store.state;
    if (training !== undefined) this.store.set({ training: { ...training, ...change } });
  }

  private hear(event: TrainEvent): void {
    const { training } = this.store.state;
    if (training === undefined) return;
    const { losses, heldOut, epochs } = training;
    switch (event.kind) {
      case 'resumed':
        this.progress({ epoch: event.epoch, firstStep: event.step, heldOut: event.history.flatMap(heldOutOf) });
        this.store.say(`Goes on after epoch ${event.epoch}, step ${event.step}.`);
        break;
      case 'step':
        this.progress({
          stage: 'training',
          epoch: event.epoch - 1,
          part: event.done / event.total,
          losses: [...losses, ...event.losses],
        });
        break;
      case 'epoch': {
        const { epoch, validation } = event.record;
        this.progress({ epoch, part: 0, heldOut: [...heldOut, ...heldOutOf(event.record)] });
        // Often enough to follow, seldom enough to be read out.
        if (epoch % Math.max(1, Math.round(epochs / 5)) > 0) break;
        const right = validation === undefined ? '' : `, ${(validation.metric * 100).toFixed(0)} percent`;
        this.store.say(`Epoch ${epoch} of ${epochs}${right}.`);
        break;
      }
    }
  }
}
