// Trains a task of a workspace and freezes its column, with the proof that earlier tasks did not move.
import { z } from 'zod';
import { must, UsageError, WorkspaceError } from '../core/errors.js';
import { fingerprint, rows, splitValidation } from '../data/dataset.js';
import { canonical } from '../progressive/description/canonical.js';
import type { Train } from '../progressive/description/description.js';
import { taskModel } from '../progressive/forms.js';
import { metricName } from '../progressive/head.js';
import { tapsRead } from '../progressive/lowering.js';
import { columnSeed } from '../progressive/lowering.js';
import type { Runtime } from '../runtime/session.js';
import { toBinary } from '../serde/to-binary.js';
import { type TrainEvent, train } from '../train/loop.js';
import { trainSettings } from '../train/settings.js';
import type { TrainState } from '../train/checkpoint.js';
import { version } from '../version.js';
import { freezeColumn } from '../workspace/column-store.js';
import { sha256 } from '../workspace/hash.js';
import { openRun } from '../workspace/run-store.js';
import { createFolders } from '../workspace/workspace.js';
import { openProject, type Project, taskOf, weightsOf } from './project.js';
import { loadTaskData } from './task-data.js';
import { meanMetric, taskOutputs } from './task-outputs.js';
import { type Verified, verifyTask } from './verify.js';

export interface TrainTaskOptions {
  readonly overrides: Train;
  readonly provider: string;
  readonly threads: number;
  readonly resume: boolean;
  readonly restart: boolean;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: TrainEvent) => void;
  readonly onNote?: (line: string) => void;
}

export interface TrainedTask {
  readonly task: string;
  readonly metric: string;
  /** On the test set. */
  readonly value: number;
  readonly seconds: number;
  /** The earlier tasks, checked again after this training. */
  readonly earlier: readonly Verified[];
}

const stateSchema = z.object({
  epoch: z.number(),
  offset: z.number(),
  step: z.number(),
  lossSum: z.number(),
  history: z.array(
    z.object({
      epoch: z.number(),
      loss: z.number(),
      rate: z.number(),
      validation: z.object({ loss: z.number(), metric: z.number() }).exactOptional(),
    }),
  ),
  best: z.object({ epoch: z.number(), value: z.number() }).exactOptional(),
  done: z.boolean(),
}) satisfies z.ZodType<TrainState>;

/** Throws UsageError when the column is frozen already or one that its laterals read is not. */
function checkOrder(project: Project, task: string): number {
  const { index } = taskOf(project, task);
  if (project.frozen[index] !== undefined) {
    throw new UsageError(`task "${task}" is trained and frozen for good; add a new task to the description to train more`, {
      got: task,
    });
  }
  for (const ref of tapsRead(project.description, index)) {
    const source = must(project.description.columns[ref.column], 'source').task;
    if (project.frozen[ref.column] === undefined) {
      throw new UsageError(`task "${task}" reads the column "${source}", which is not trained yet: prognet train ${source}`, {
        got: task,
      });
    }
  }
  return index;
}

/** Trains, tests, freezes, and checks every earlier task. On abort the state is kept in runs/ and InterruptedError thrown. */
export async function trainTask(runtime: Runtime, start: string, task: string, options: TrainTaskOptions): Promise<TrainedTask> {
  const started = performance.now();
  const project = openProject(start);
  const { description, workspace } = project;
  const index = checkOrder(project, task);
  const column = must(description.columns[index], task);
  const settings = trainSettings({ ...column.train, ...options.overrides }, columnSeed(description, column));
  const data = await loadTaskData(project, task);
  const session = { providers: [options.provider], threads: options.threads };
  const parts =
    settings.validation > 0
      ? splitValidation(data.train, settings.validation, settings.seed, `${task} train data`)
      : { train: data.train, validation: undefined };

  createFolders(workspace);
  const run = openRun(workspace.root, task);
  try {
    const dataPrint = fingerprint(data.train);
    const identity = JSON.parse(
      JSON.stringify({
        settings,
        column: canonical(description, task),
        data: dataPrint,
        threads: options.threads,
        provider: options.provider,
      }),
    );
    if (run.started && !options.resume && !options.restart) {
      throw new WorkspaceError(
        `runs/${task}: an interrupted training is here, continue it with --resume or drop it with --restart`,
      );
    }
    const resumed = options.resume && run.started ? run.resume(identity) : undefined;
    for (const note of resumed?.notes ?? []) options.onNote?.(note);
    if (resumed === undefined) run.start(identity);
    const checkpoint = resumed?.checkpoint;
    const trained = await train({
      runtime,
      description,
      column: index,
      frozen: weightsOf(project).map((w) => w ?? new Map()),
      settings,
      train: parts.train,
      ...(parts.validation === undefined ? {} : { validation: parts.validation }),
      session,
      store: {
        load: async () => checkpoint && { tensors: checkpoint.tensors, state: stateSchema.parse(checkpoint.state) },
        save: async ({ state, tensors }) =>
          run.saveCheckpoint({ step: state.step, tensors, state: JSON.parse(JSON.stringify(state)) }),
      },
      onEvent: (event) => {
        if (event.kind === 'epoch') {
          const { validation, ...record } = event.record;
          run.appendMetrics({
            step: record.epoch,
            ...record,
            ...(validation === undefined ? {} : { validation_loss: validation.loss, validation_metric: validation.metric }),
          });
        }
        options.onEvent?.(event);
      },
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });

    const weights = weightsOf(project);
    weights[index] = trained.weights;
    const outputs = await taskOutputs(runtime, description, weights, task, data.test.inputs, session);
    const value = meanMetric(column.head, outputs.scores, data.test.targets);
    const name = metricName(column.head);
    const seconds = (performance.now() - started) / 1000;
    freezeColumn(
      workspace.root,
      {
        task,
        description: canonical(description, task),
        seed: settings.seed,
        data: { fingerprint: dataPrint, test: fingerprint(data.test), rows: rows(data.train) },
        metrics: { [name]: value, seconds, epochs: trained.history.length },
        history: trained.history.map(({ validation, ...record }) => ({
          ...record,
          ...(validation === undefined ? {} : { validation_loss: validation.loss, validation_metric: validation.metric }),
        })),
        outputs: { sha256: outputs.sha256, count: rows(data.test), provider: outputs.provider, threads: options.threads },
        versions: { prognet: version, onnxruntime: runtime.version },
        sha256: { graph: sha256(toBinary(taskModel(description, weights, { tasks: [task] }))) },
      },
      trained.weights,
    );
    run.clear();
    const after = openProject(start);
    const earlier: Verified[] = [];
    for (let i = 0; i < index; i++) {
      if (after.frozen[i] === undefined) continue;
      earlier.push(await verifyTask(runtime, after, must(description.columns[i], 'column').task));
    }
    return { task, metric: name, value, seconds, earlier };
  } finally {
    run.close();
  }
}
