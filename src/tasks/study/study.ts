// A study: the baselines of the paper and progressive networks on the same tasks, seeds and budgets. Trainings run side by side in processes of their own, each is
// kept when it has ended, and what is there already is not trained again.
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { assemble, type Measured } from '../../analysis/study/assemble.js';
import type { StudyResult, StudyTask } from '../../analysis/study/result.js';
import { rows } from '../../data/dataset.js';
import { fingerprint } from '../../data/fingerprint.js';
import { parseDescription } from '../../model/description/parse.js';
import { isJudged, metricName, metricRises } from '../../model/heads/heads.js';
import { type Column, columnsOf } from '../../model/progressive/column.js';
import { InterruptedError, must, stopIfAborted, TrainingError, UsageError } from '../../onnx/core/errors.js';
import { aCount, anObject, given, names, oneOf, optional, text } from '../../onnx/core/given.js';
import { loadRuntime } from '../../onnx/runtime/load.js';
import { partition } from '../../train/prepare-data.js';
import { trainSettings } from '../../train/settings.js';
import { refuseOutput } from '../../workspace/output-path.js';
import { StudyStore, type StudyTraining } from '../../workspace/study-store.js';
import { folderOf, type LoadedWorkspace, loadDescription, requireSources } from '../load-workspace.js';
import { versionsNow } from '../machine.js';
import { processRunner } from '../process-runner.js';
import { sideBySide } from '../side-by-side.js';
import { loadTaskData, namedFiles } from '../task-data.js';
import { StudyColumns } from './columns.js';
import { carrying, type MethodName, methods, methodsFor, methodsNamed } from './methods.js';
import { planStudy, type StudyPlan } from './plan.js';
import type { PlannedTraining } from './planner.js';
import { studyTables } from './tables.js';
import type { StudyJob, StudyOutcome } from './training.js';

/** How far a study is. */
export interface StudyProgress {
  /** The training that ended, or was found: `linear plain > noisy, seed 0`. */
  readonly training: string;
  /** Trainings that are there. */
  readonly done: number;
  /** Trainings of the whole study. */
  readonly total: number;
}

/** What a study compares, and how it is run. */
export interface StudyOptions {
  /** All that there are for these columns when absent; baseline 1 is always there. */
  readonly methods?: readonly MethodName[];
  /** In the order in which they are learned; all of the description when absent. */
  readonly tasks?: readonly string[];
  /** Trainings of each, by seeds that follow that of the description; default 3. */
  readonly seeds?: number;
  /** Methods of which all ordered pairs of tasks are trained, or none; the first progressive one that carries over when absent. */
  readonly matrix?: readonly MethodName[];
  /** Adds progressive networks whose widths are scaled so that they have no more parameters than this baseline. */
  readonly equalParameters?: 'b1' | 'b3';
  /** The folder of the study; `study` beside the description when absent. */
  readonly output?: string;
  /** Trainings at one time, each in a process of its own; as many as fit the cores when absent. */
  readonly jobs?: number;
  /** Threads of one op in each training; default 1. The bits of the result depend on it. */
  readonly threads?: number;
  /** On abort the running trainings end at once and InterruptedError is thrown; those that ended stay. */
  readonly signal?: AbortSignal;
  /** Told of each training that ended, or was found. */
  readonly onProgress?: (progress: StudyProgress) => void;
  /** A line that the user should know. */
  readonly onNote?: (line: string) => void;
}

/** How a study is run, nothing left open. */
interface Asked extends StudyOptions {
  readonly loaded: LoadedWorkspace;
  readonly folder: string;
  readonly seeds: number;
  readonly jobs: number;
  readonly threads: number;
}

/** The folder of the study of a description, where no other is given. */
export const studyFolder = (description: string, output = join(folderOf(description), 'study')): string => output;

function askedOf(description: string, options: StudyOptions): Asked {
  given('study', { description, options }, { description: text, options: anObject });
  const [list, count] = [optional(names), optional(aCount)];
  const kinds = { tasks: list, methods: list, matrix: list, output: optional(text), seeds: count, jobs: count, threads: count };
  given('study', { ...options }, { ...kinds, equalParameters: optional(oneOf('b1', 'b3')) });
  const { methods: named = [], matrix = [], seeds = 3, threads = 1 } = options;
  methodsNamed('methods', named);
  methodsNamed('matrix', matrix, carrying);
  const loaded = loadDescription(description);
  const { jobs = Math.max(1, Math.floor(availableParallelism() / threads)), output } = options;
  return { ...options, loaded, folder: studyFolder(description, output), seeds, jobs, threads };
}

/**
 * Compares baselines 1 to 4 of the paper and progressive networks on the tasks of a description, as the command `study` does: trains all that is not there yet, and
 * writes study.json and its tables into the study's folder. Trainings run in child processes, which end with this one.
 * @param description a file, or the folder of a workspace, which stays as it is
 * Throws UsageError, DescriptionError and DataError before anything is trained, TrainingError where a training diverges or fails, WorkspaceError where another
 * process works at the same study, InterruptedError on abort: called again, the study goes on with the trainings that are left.
 */
export async function study(description: string, options: StudyOptions = {}): Promise<StudyResult> {
  const asked = askedOf(description, options);
  const { loaded, folder, signal, threads, equalParameters: equalTo, onNote } = asked;
  const tasks = studiedTasks(loaded, asked.tasks);
  refuseOutput(folder, namedFiles(loaded));
  const chosen = chosenMethods(loaded, tasks, asked);
  const { runtime, note } = await loadRuntime({ threads });
  if (note !== undefined) onNote?.(note);
  const seeds = Array.from({ length: asked.seeds }, (_, i) => loaded.description.seed + i);
  const facts = new Map<string, { readonly data: string; readonly task: StudyTask }>();
  for (const task of tasks) {
    stopIfAborted(signal);
    facts.set(task, await factsOf(loaded, task, asked));
  }
  const versions = versionsNow(runtime);
  const beside = (named: readonly string[]) => [
    ...named.map((task) => must(facts.get(task), task).data),
    ...[...loaded.frozen].map(([task, { record }]) => [task, record.sha256.weights]),
    { ...versions },
    threads,
  ];
  const request = { tasks, seeds: asked.seeds, ...chosen, ...(equalTo && { equalTo }) };
  const plan = planStudy(loaded, request, beside);
  const store = StudyStore.open(folder);
  try {
    const found = await trained(store, plan, asked);
    const measured = (keys: readonly string[]) => keys.map((key) => measuredOf(must(found.get(key), key)));
    const result = assemble({
      name: loaded.description.name,
      versions: { prognet: versions.prognet, onnxruntime: versions.onnxruntime },
      threads,
      seeds,
      tasks: [...facts.values()].map(({ task }) => task),
      methods: plan.methods.map(({ keys, ...method }) => ({
        ...method,
        trainings: new Map([...keys].map(([task, of]) => [task, measured(of)])),
      })),
      pairs: plan.pairs.map(({ method, label, keys }) => ({
        method,
        label,
        of: (source, target) => measured(keys(source, target)),
      })),
      trainings: {
        count: plan.trainings.length,
        seconds: [...found.values()].reduce((sum, { seconds }) => sum + seconds, 0),
      },
      notes: [],
    });
    for (const [name, text] of studyTables(result)) store.write(name, text);
    return result;
  } finally {
    store.close();
  }
}

/** What is compared, and of which methods there is a matrix; every score is one beside that of baseline 1. Throws UsageError for what does not go together. */
function chosenMethods(loaded: LoadedWorkspace, tasks: readonly string[], { methods: named, ...asked }: StudyOptions) {
  const { matrix, equalParameters } = asked;
  const columns = new StudyColumns(loaded.description);
  const tuned = columns.baseOf(must(tasks[0], 'task')) !== undefined;
  const imported = tuned || tasks.some((task) => columns.importedOf(task).length > 0);
  if (imported && equalParameters !== undefined)
    throw new UsageError(
      `an equal number of parameters is for columns by themselves, these ${tuned ? 'tune' : 'read'} an imported one`,
      { path: 'equalParameters' },
    );
  const known = methodsFor(tuned, named);
  // A head over what was imported takes nothing from one task to the next.
  const carry = methodsFor(tuned, undefined).filter((name) => methods[name].carries && !(imported && name === 'b2'));
  const other = matrix?.find((name) => !carry.includes(name));
  if (other !== undefined)
    throw new UsageError(
      `matrix: ${other} carries nothing from one of these tasks to another, expected some of ${carry.join(', ')}`,
      { path: 'matrix', expected: carry.join(', '), got: other },
    );
  if (matrix?.includes('lora')) refuseOtherUpdates(loaded, tasks);
  const first = tuned ? [] : known.filter((name) => methods[name].kind === 'progressive').slice(0, 1);
  const all: MethodName[] = ['b1', ...known.filter((name) => name !== 'b1')];
  return { methods: all, matrix: matrix ?? first };
}

/** Updates of one task can be where another one begins only if they have the same places and ranks. Throws UsageError. */
function refuseOtherUpdates({ columns }: LoadedWorkspace, tasks: readonly string[]): void {
  const shape = (task: string) => {
    const { parameters } = columns.column(task);
    return JSON.stringify(
      parameters.specs
        .filter(({ name }) => !name.startsWith(`${task}/head/`))
        .map((spec) => [spec.name.slice(task.length), spec.shape]),
    );
  };
  const other = tasks.find((task) => shape(task) !== shape(must(tasks[0], 'task')));
  if (other === undefined) return;
  throw new UsageError(
    `matrix: lora: tasks "${tasks[0]}" and "${other}" update other weights or by other ranks, expected the same, so that one can begin with those of the other`,
    { path: 'matrix', got: other },
  );
}

/** Throws UsageError for a task that is unknown or stands there twice, for fewer than two, and for columns that nothing can be compared of. */
function studiedTasks(loaded: LoadedWorkspace, named: readonly string[] | undefined): readonly string[] {
  const { columns, file } = loaded;
  const tasks = named ?? [...columns].filter(({ imported }) => imported === undefined).map(({ task }) => task);
  const twice = tasks.find((task, i) => tasks.indexOf(task) !== i);
  if (twice !== undefined) throw new UsageError(`tasks: found "${twice}" twice, expected each task once`, { got: twice });
  for (const task of tasks) {
    const column = columns.column(task);
    const what = notStudied(column);
    if (what !== undefined)
      throw new UsageError(`${file}: task "${task}" ${what}`, { got: task, expected: 'a column with layers and a head' });
    const imported = column.foundation.filter((source) => source.imported !== undefined);
    requireSources(loaded, { task, foundation: imported });
  }
  const bases = new Set(tasks.map((task) => columns.column(task).tuned?.base.task));
  if (bases.size > 1) {
    const found = [...bases].map((base) => base ?? 'none').join(', ');
    throw new UsageError(`${file}: tasks tune different columns: ${found}; a study expects one that all of them tune, or none`, {
      got: found,
    });
  }
  if (tasks.length > 1) return tasks;
  throw new UsageError(`a study compares how tasks help each other: found one task, "${tasks[0]}", expected at least two`, {
    expected: 'at least two tasks',
    got: tasks.join(', '),
  });
}

/** Why a study has no place for a column; undefined where it has. */
function notStudied({ imported, tuned, head, blocks }: Column): string | undefined {
  if (imported !== undefined) return 'is an imported column, a study expects tasks that are learned here';
  if (!isJudged(head)) return 'has no head, a study expects answers that are judged';
  if (tuned !== undefined) return undefined;
  return blocks.length === 0 ? 'has no blocks, a study expects columns with layers' : undefined;
}

async function factsOf(loaded: LoadedWorkspace, task: string, { onNote, signal }: Asked) {
  const data = await loadTaskData(loaded, task, { onNote, ...(signal && { signal }) });
  const columns = new StudyColumns(loaded.description);
  const { head, seed, train } = columnsOf(parseDescription(columns.network([columns.alone(task)], 0))).column(task);
  const settings = trainSettings(train, seed, head);
  const parts = partition(data.train, settings, `train data of task "${task}"`);
  return {
    data: `${fingerprint(data.train)} ${fingerprint(data.test)}`,
    task: {
      task,
      metric: metricName(head),
      rises: metricRises(head),
      epochs: settings.epochs,
      rows: { training: rows(parts.train), validation: rows(must(parts.validation, 'validation')), test: rows(data.test) },
    },
  };
}

/** What all trainings of the plan measured, by key. Throws as `runStudy`. */
async function trained(store: StudyStore, { trainings }: StudyPlan, asked: Asked): Promise<Map<string, StudyTraining>> {
  const { signal, threads, jobs, loaded } = asked;
  const needed = new Set(trainings.flatMap(({ needs }) => needs));
  const found = new Map<string, StudyTraining>();
  const tell = ({ key, label }: PlannedTraining, training: StudyTraining) => {
    found.set(key, training);
    asked.onProgress?.({ training: label, done: found.size, total: trainings.length });
  };
  for (const planned of trainings) {
    const known = store.find(planned.key, needed.has(planned.key));
    if (known !== undefined) tell(planned, known);
  }
  await sideBySide({
    left: trainings.filter(({ key }) => !found.has(key)),
    jobs,
    runner: () => processRunner<StudyJob, StudyOutcome>('study-process', loaded.workspace.description),
    signal,
    ready: ({ needs }) => needs.every((key) => found.has(key)),
    job: ({ needs: _, label: _label, ...job }) => ({ ...job, folder: store.folder, keep: needed.has(job.key), threads }),
    ended: (planned, outcome) => {
      if (outcome.state !== 'done') throw new TrainingError(`${planned.label}: ${outcome.reason}`);
      const training = { key: planned.key, ...outcome.training };
      store.add(training);
      if (outcome.resumed !== undefined) asked.onNote?.(`${planned.label}: went on from step ${outcome.resumed}`);
      tell(planned, training);
    },
  });
  if (found.size === trainings.length) return found;
  throw new InterruptedError(
    `interrupted after ${found.size} of ${trainings.length} trainings, which stand in ${store.folder}; the same command goes on with the others`,
    { cause: signal?.reason },
  );
}

function measuredOf({ curve, epoch, tests, trained: count, seconds }: StudyTraining): Measured {
  return { curve, epoch, tests: new Map(tests.map(({ task, ...test }) => [task, test])), trained: count, seconds };
}
