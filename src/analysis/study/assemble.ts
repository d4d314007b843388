// The result of a study out of what its trainings measured.
import { must } from '../../onnx/core/errors.js';
import {
  type LearnedTask,
  type Spread,
  type StudyMethod,
  type StudyResult,
  type StudyTask,
  studyFormat,
  type TransferMatrix,
} from './result.js';
import { continual, forwardTransfer, meanOf, medianOf, spreadOf, spreadOrNull, transferScore, wholeCurve } from './scores.js';

/** What one training measured. */
export interface Measured {
  /** The metric on the validation part after each epoch. */
  readonly curve: readonly number[];
  /** The epoch whose weights were kept, from 1. */
  readonly epoch: number;
  /** Of its own task and of each that was learned before: the metric on the test data, and a hash of all scores. */
  readonly tests: ReadonlyMap<string, { readonly value: number; readonly scores: string }>;
  /** Parameters that it changed. */
  readonly trained: number;
  readonly seconds: number;
}

/** A method with what it measured: for each task that it learned, a training for each seed. */
export interface MeasuredMethod extends Pick<StudyMethod, 'method' | 'label' | 'about' | 'kind' | 'equal'> {
  /** The tasks in order, the first one too where it is learned as baseline 1 learns it. */
  readonly sequence: readonly string[];
  /** By task, a training for each seed. */
  readonly trainings: ReadonlyMap<string, readonly Measured[]>;
  /** Parameters of everything that is there after each task of `sequence`. */
  readonly network: readonly number[];
  /** Whether its tasks know nothing of each other: what was learned stays, and there is nothing to compare. */
  readonly apart: boolean;
  /** Whether the first task of the study is learned as baseline 1 learns it, so that there is no transfer to it. */
  readonly firstAlone: boolean;
}

/** Trainings of all ordered pairs of tasks by one method. */
export interface MeasuredPairs {
  readonly method: string;
  readonly label: string;
  /** A training for each seed of a source and a target. */
  readonly of: (source: string, target: string) => readonly Measured[];
}

/** All that a study measured. */
export interface StudyMeasured {
  readonly name: string;
  readonly versions: StudyResult['versions'];
  readonly threads: number;
  readonly seeds: readonly number[];
  readonly tasks: readonly StudyTask[];
  /** Baseline 1 among them. */
  readonly methods: readonly MeasuredMethod[];
  readonly pairs: readonly MeasuredPairs[];
  readonly trainings: StudyResult['trainings'];
  readonly notes: readonly string[];
}

/** By task what baseline 1 measured, a training for each seed. */
type Baseline = MeasuredMethod['trainings'];

/** The result: nothing in it but what `measured` says. */
export function assemble(measured: StudyMeasured): StudyResult {
  const { name, versions, threads, seeds, tasks, methods, pairs, trainings, notes } = measured;
  const baseline = must(
    methods.find(({ method }) => method === 'b1'),
    'baseline 1',
  ).trainings;
  return {
    format: studyFormat,
    name,
    versions,
    threads,
    seeds: [...seeds],
    tasks: [...tasks],
    methods: methods.map((method) => methodOf(method, tasks, baseline)),
    matrices: pairs.map((each) => matrixOf(each, tasks, baseline)),
    trainings,
    notes: [...notes],
  };
}

const taskOf = (tasks: readonly StudyTask[], name: string): StudyTask =>
  must(
    tasks.find(({ task }) => task === name),
    name,
  );
const areaOf = ({ curve, epoch }: Measured, { epochs }: StudyTask): number => meanOf(wholeCurve(curve, epoch, epochs));
const testOf = ({ tests }: Measured, task: string) => must(tests.get(task), `test of "${task}"`);
const trainingsOf = (of: Baseline, task: string): readonly Measured[] => must(of.get(task), `trainings of "${task}"`);

/** The transfer score of each seed. */
function transfersOf(own: readonly Measured[], task: StudyTask, baseline: Baseline): (number | undefined)[] {
  const alone = trainingsOf(baseline, task.task);
  return own.map((m, seed) => transferScore(areaOf(m, task), areaOf(must(alone[seed], 'seed'), task), task.rises));
}

/** `after[i][j]` of a seed. */
function afterOf({ sequence, trainings, apart }: MeasuredMethod, seed: number): number[][] {
  const at = (task: string) => must(trainingsOf(trainings, task)[seed], 'seed');
  return sequence.map((now, i) => sequence.slice(0, i + 1).map((task) => testOf(at(apart ? task : now), task).value));
}

function bitIdentical({ sequence, trainings, apart }: MeasuredMethod, seeds: number): boolean | null {
  if (apart || sequence.length < 2) return null;
  return Array.from({ length: seeds }, (_, s) => s).every((seed) =>
    sequence.every((now, i) =>
      sequence.slice(0, i).every((task) => {
        const [then, later] = [task, now].map((name) => must(trainingsOf(trainings, name)[seed], 'seed'));
        return testOf(must(then, task), task).scores === testOf(must(later, now), task).scores;
      }),
    ),
  );
}

function methodOf(of: MeasuredMethod, tasks: readonly StudyTask[], baseline: Baseline): StudyMethod {
  const { method, label, about, kind, equal, sequence, trainings, network } = of;
  const seeds = trainingsOf(trainings, must(sequence[0], 'task')).length;
  const bySeed = Array.from({ length: seeds }, (_, seed) => afterOf(of, seed));
  const each = <T>(by: (after: number[][], seed: number) => T): T[] => bySeed.map(by);
  const after = sequence.map((_, i) =>
    sequence.slice(0, i + 1).map((__, j) => spreadOf(each((rows) => must(rows[i]?.[j], 'value')))),
  );
  const learned = sequence.map((name, i): LearnedTask => {
    const task = taskOf(tasks, name);
    const own = trainingsOf(trainings, name);
    const curves = own.map(({ curve, epoch }) => wholeCurve(curve, epoch, task.epochs));
    return {
      task: name,
      curve: Array.from({ length: task.epochs }, (_, e) => ({
        epoch: e + 1,
        value: spreadOf(curves.map((curve) => must(curve[e], 'point'))),
      })),
      area: spreadOf(own.map((m) => areaOf(m, task))),
      transfer: spreadOrNull(transfersOf(own, task, baseline)),
      learned: must(after[i]?.[i], 'value'),
      end: must(after.at(-1)?.[i], 'value'),
      parameters: { trained: must(own[0], 'seed').trained, network: must(network[i], 'parameters') },
      seconds: spreadOf(own.map(({ seconds }) => seconds)),
    };
  });
  return {
    method,
    label,
    about,
    kind,
    equal,
    tasks: learned,
    parameters: must(network.at(-1), 'parameters'),
    after,
    sequence: [...sequence],
    summary: summaryOf(of, tasks, baseline, bySeed),
    bitIdentical: bitIdentical(of, seeds),
  };
}

function summaryOf(
  { sequence, trainings, apart, firstAlone }: MeasuredMethod,
  tasks: readonly StudyTask[],
  baseline: Baseline,
  bySeed: readonly number[][][],
): StudyMethod['summary'] {
  const described = sequence.map((name) => taskOf(tasks, name));
  const [first] = described;
  const alike = described.every(({ metric }) => metric === first?.metric);
  const rises = first?.rises ?? true;
  const found = bySeed.map((after) => continual(after, rises));
  const of = (values: readonly (number | undefined)[]): Spread | null => (alike ? spreadOrNull(values) : null);
  const later = described.filter(({ task }) => !firstAlone || task !== tasks[0]?.task);
  const overLater = (seed: number, by: (own: Measured, alone: Measured, task: StudyTask) => number | undefined) => {
    const values = later.map((task) =>
      by(must(trainingsOf(trainings, task.task)[seed], 'seed'), must(trainingsOf(baseline, task.task)[seed], 'seed'), task),
    );
    const known = values.filter((v) => v !== undefined);
    return known.length === values.length && known.length > 0 ? known : undefined;
  };
  const meanLater = (by: Parameters<typeof overLater>[1], middle = meanOf) =>
    bySeed.map((_, seed) => {
      const values = overLater(seed, by);
      return values && middle(values);
    });
  const transfer = (own: Measured, alone: Measured, task: StudyTask) =>
    transferScore(areaOf(own, task), areaOf(alone, task), task.rises);
  return {
    average: of(found.map(({ average }) => average)),
    backwardTransfer: of(apart ? [undefined] : found.map(({ backward }) => backward)),
    forgetting: of(apart ? [undefined] : found.map(({ forgetting }) => forgetting)),
    forwardTransfer: spreadOrNull(
      meanLater((own, alone, task) =>
        task.metric === 'accuracy' ? forwardTransfer(areaOf(own, task), areaOf(alone, task)) : undefined,
      ),
    ),
    gain: of(meanLater((own, alone, { task }) => (rises ? 1 : -1) * (testOf(own, task).value - testOf(alone, task).value))),
    transfer: spreadOrNull(meanLater(transfer)),
    medianTransfer: spreadOrNull(meanLater(transfer, medianOf)),
  };
}

function matrixOf({ method, label, of }: MeasuredPairs, tasks: readonly StudyTask[], baseline: Baseline): TransferMatrix {
  const scores = tasks.map((source) =>
    tasks.map((target) => (source === target ? undefined : transfersOf(of(source.task, target.task), target, baseline))),
  );
  const all = scores.flat().filter((values) => values !== undefined);
  const overPairs = (middle: (values: readonly number[]) => number) =>
    spreadOrNull(
      (all[0] ?? []).map((_, seed) => {
        const values = all.map((of) => of[seed]).filter((v) => v !== undefined);
        return values.length === all.length ? middle(values) : undefined;
      }),
    );
  const learnedBy = (target: string, own: readonly Measured[]) => spreadOf(own.map((m) => testOf(m, target).value));
  return {
    method,
    label,
    tasks: tasks.map(({ task }) => task),
    transfer: scores.map((row) => row.map((values) => (values === undefined ? null : spreadOrNull(values)))),
    learned: tasks.map(({ task: source }) =>
      tasks.map(({ task: target }) => learnedBy(target, source === target ? trainingsOf(baseline, target) : of(source, target))),
    ),
    mean: overPairs(meanOf),
    median: overPairs(medianOf),
  };
}
