// One training of a study: a column of a small network whose other columns stay as an earlier training left them, or as they were drawn. It leaves its
// weights in the study's folder where a later training needs them.
import * as z from 'zod';
import type { SampleSet, Split } from '../../data/dataset.js';
import { inMemory } from '../../data/rows.js';
import type { DescriptionInput } from '../../model/description/description.js';
import { parseDescription } from '../../model/description/parse.js';
import { type Column, columnsOf } from '../../model/progressive/column.js';
import { type FrozenWeights, initialWeights, type Weights } from '../../model/progressive/weights.js';
import { must } from '../../onnx/core/errors.js';
import type { Runtime } from '../../onnx/runtime/session.js';
import type { Checkpoint, CheckpointStore } from '../../train/checkpoint.js';
import { DivergedError } from '../../train/diverged.js';
import { meanMetric } from '../../train/evaluate.js';
import { train } from '../../train/loop.js';
import { partition } from '../../train/prepare-data.js';
import { trainSettings } from '../../train/settings.js';
import { stateSchema } from '../../train/state-schema.js';
import {
  readStudyCheckpoint,
  readStudyWeights,
  type StudyTraining,
  writeStudyCheckpoint,
  writeStudyWeights,
} from '../../workspace/study-store.js';
import { type LoadedWorkspace, weightsOf } from '../load-workspace.js';
import { toJson } from '../stored-run.js';
import { loadTaskData } from '../task-data.js';
import { taskOutputs } from '../task-outputs.js';

/** In the place of a key: the training itself. */
export const self = 'self';

/** The parts of a column's parameters: what `prepare` learned, the blocks with their laterals, the head with its laterals. */
export type ColumnPart = 'prepare' | 'blocks' | 'head';

/** Where the weights of a column come from: for each part the key of a training; drawn by the seed where there is none. */
export type Origin = Readonly<Partial<Record<ColumnPart, string>>>;

/** A task whose answers are measured, in a network of its own. */
export interface StudyTest {
  readonly description: DescriptionInput;
  readonly task: string;
  /** By task, of each column of the network. */
  readonly from: Readonly<Record<string, Origin>>;
}

/** What a process is told to train. */
export interface StudyJob {
  readonly key: string;
  /** The study's. */
  readonly folder: string;
  readonly description: DescriptionInput;
  /** The column that is trained, the network's last. */
  readonly task: string;
  /** By task, of the columns before it. */
  readonly from: Readonly<Record<string, Origin>>;
  /** What it begins with, where that is not drawn. */
  readonly start?: Origin;
  /** Its own task among them. */
  readonly tests: readonly StudyTest[];
  /** Whether a later training needs its weights. */
  readonly keep: boolean;
  readonly threads: number;
}

/** How a training of a study ended. */
export type StudyOutcome =
  | {
      readonly state: 'done';
      readonly training: Omit<StudyTraining, 'key'>;
      /** Steps that were there already, of a training that was broken off. */
      readonly resumed?: number;
    }
  | { readonly state: 'diverged' | 'failed'; readonly reason: string };

/** Bytes of data that are kept from one training to the next. */
const keptBytes = 2 ** 28;

/** Data of the tasks, those that were asked for last in memory: reading them takes longer than many a training. */
export class StudyData {
  private readonly sets = new Map<string, Split<SampleSet>>();

  constructor(private readonly base: LoadedWorkspace) {}

  /** Weights of imported columns. */
  get imported(): FrozenWeights {
    return weightsOf(this.base);
  }

  async of(task: string): Promise<Split<SampleSet>> {
    const found = this.sets.get(task) ?? (await loadTaskData(this.base, task));
    this.sets.delete(task);
    this.sets.set(task, found);
    const bytes = () => [...this.sets.values()].reduce((sum, { train, test }) => sum + bytesOf(train) + bytesOf(test), 0);
    for (const other of this.sets.keys()) if (other !== task && bytes() > keptBytes) this.sets.delete(other);
    return found;
  }
}

const bytesOf = ({ inputs, targets }: SampleSet): number =>
  [...Object.values(inputs), targets].reduce((sum, part) => sum + (inMemory(part) ? part.byteLength : 0), 0);

/** Which part of a column a parameter is of. */
function partOf(name: string, task: string): ColumnPart {
  const [first] = name.slice(task.length + 1).split('/');
  return first === 'prepare' || first === 'head' ? first : 'blocks';
}

/** Weights of trainings, each read once. */
class Origins {
  private readonly known = new Map<string, { readonly task: string; readonly tensors: Weights }>();

  constructor(
    private readonly folder: string,
    private readonly imported: FrozenWeights,
  ) {}

  add(key: string, task: string, tensors: Weights): void {
    this.known.set(key, { task, tensors });
  }

  /** The parameters of a column: each from the training that its part is of, drawn where there is none. */
  weights(column: Column, origin: Origin): Weights {
    if (column.imported !== undefined) return must(this.imported.get(column.task), `weights of "${column.task}"`);
    const own = initialWeights(column, this.imported);
    for (const name of own.keys()) {
      const key = origin[partOf(name, column.task)];
      if (key === undefined) continue;
      const { task, tensors } = this.known.get(key) ?? this.read(key);
      const there = `${task}${name.slice(column.task.length)}`;
      own.set(name, must(tensors.get(there), `weight "${there}" of training ${key}`));
    }
    return own;
  }

  private read(key: string) {
    const read = readStudyWeights(this.folder, key);
    this.known.set(key, read);
    return read;
  }
}

/** Seconds between two checkpoints at least, and how many times as long as one took to write. */
const [leastApart, timesApart] = [1, 20];

/** What is kept beside the state of the loop. */
const keptSchema = z.object({ seconds: z.number(), state: stateSchema });

/** Where a training of a study keeps how far it is, so that a kill costs seconds. */
class KeptState implements CheckpointStore {
  /** Seconds that it took before it was broken off. */
  readonly before: number;
  private readonly found: Checkpoint | undefined;
  private apart = leastApart;
  private saved = performance.now();

  constructor(
    private readonly job: StudyJob,
    private readonly started: number,
  ) {
    const read = readStudyCheckpoint(job.folder, job.key);
    const kept = keptSchema.safeParse(read?.state);
    this.found = read && kept.success ? { state: kept.data.state, tensors: read.tensors } : undefined;
    this.before = kept.success ? kept.data.seconds : 0;
  }

  /** Steps that are there already. */
  get steps(): number {
    return this.found?.state.step ?? 0;
  }

  load(): Promise<Checkpoint | undefined> {
    return Promise.resolve(this.found);
  }

  async save({ state, tensors }: Checkpoint): Promise<void> {
    const now = performance.now();
    if (now - this.saved < this.apart * 1000) return;
    const seconds = this.before + (now - this.started) / 1000;
    writeStudyCheckpoint(this.job.folder, this.job.key, { step: state.step, tensors, state: toJson({ seconds, state }) });
    this.saved = performance.now();
    this.apart = Math.max(leastApart, (timesApart * (this.saved - now)) / 1000);
  }
}

/** Trains and measures, from where an earlier process left it. Throws for what the description or the data do not take. */
export async function runStudyTraining(runtime: Runtime, data: StudyData, job: StudyJob): Promise<StudyOutcome> {
  const started = performance.now();
  const { key, folder, task, from, start, tests, keep, threads } = job;
  const session = { providers: ['cpu'], threads };
  const origins = new Origins(folder, data.imported);
  const store = new KeptState(job, started);
  const columns = columnsOf(parseDescription(job.description));
  const column = columns.column(task);
  const settings = trainSettings(column.train, column.seed, column.head);
  // The very tensors that training reads are measured after it: had it changed one, an earlier task would answer otherwise.
  const frozen = new Map(
    [...columns].filter((other) => other !== column).map((other) => [other.task, origins.weights(other, from[other.task] ?? {})]),
  );
  try {
    const { history, epoch, weights } = await train({
      runtime,
      column,
      frozen,
      settings,
      session,
      store,
      ...(start && { start: origins.weights(column, start) }),
      ...partition((await data.of(task)).train, settings, `train data of task "${task}"`),
    });
    const curve = history.map(({ validation }) => must(validation, 'validation').metric);
    const seconds = store.before + (performance.now() - started) / 1000;
    origins.add(self, task, weights);
    const measured: StudyTraining['tests'] = [];
    for (const test of tests) {
      const network = columnsOf(parseDescription(test.description));
      const all = new Map(
        [...network].map((other) => {
          const origin = test.from[other.task] ?? {};
          const same = JSON.stringify(origin) === JSON.stringify(from[other.task] ?? {});
          return [other.task, (same ? frozen.get(other.task) : undefined) ?? origins.weights(other, origin)];
        }),
      );
      const { inputs, targets } = (await data.of(test.task)).test;
      const { scores, sha256 } = await taskOutputs(runtime, network, all, test.task, inputs, session);
      measured.push({ task: test.task, value: meanMetric(network.column(test.task).head, scores, targets), scores: sha256 });
    }
    const kept = keep ? writeStudyWeights(folder, key, task, weights) : undefined;
    const trained = column.parameters.count;
    return {
      state: 'done',
      training: { curve, epoch, tests: measured, trained, seconds, ...(kept !== undefined && { weights: kept }) },
      ...(store.steps > 0 && { resumed: store.steps }),
    };
  } catch (error) {
    if (error instanceof DivergedError) return { state: 'diverged', reason: error.statement };
    throw error;
  }
}
