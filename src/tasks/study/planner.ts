// Trainings of a study, each named by all that its numbers follow from: what two methods have in common is trained once.
import type { ColumnInput } from '../../model/description/description.js';
import { sha256 } from '../../onnx/files/hash.js';
import { type Json, stableJson } from '../../workspace/json.js';
import { toJson } from '../stored-run.js';
import type { LateralKind, StudyColumns } from './columns.js';
import { type MethodName, methods } from './methods.js';
import { type Origin, type StudyJob, type StudyTest, self } from './training.js';

/** A training before it is known where and how it is run. */
type Work = Omit<StudyJob, 'key' | 'folder' | 'keep' | 'threads'>;

/** A training that is to be there. */
export interface PlannedTraining extends Work {
  readonly key: string;
  /** For people: what it is for, in the first place. */
  readonly label: string;
  /** Keys of the trainings whose weights it takes. */
  readonly needs: readonly string[];
}

/** A task that was learned before, and by which training. */
export interface Learned {
  readonly task: string;
  readonly key: string;
}

const whole = (key: string): Origin => ({ prepare: key, blocks: key, head: key });
const keysOf = (origins: readonly Origin[]) => origins.flatMap((origin) => Object.values(origin)).filter((key) => key !== self);

export class Planner {
  private readonly planned = new Map<string, PlannedTraining>();

  constructor(
    private readonly columns: StudyColumns,
    /** What the numbers of a training on the data of these tasks follow from beside its own description. */
    private readonly beside: (tasks: readonly string[]) => Json,
  ) {}

  /** All of them, each behind those that it needs. */
  get trainings(): PlannedTraining[] {
    return [...this.planned.values()];
  }

  private add(label: string, seed: number, work: Work): string {
    const { task, from, start = {}, tests } = work;
    const beside = this.beside([task, ...tests.map((test) => test.task)]);
    const key = sha256(stableJson([toJson(work), beside])).slice(0, 32);
    const needs = new Set(keysOf([...Object.values(from), start, ...tests.flatMap((test) => Object.values(test.from))]));
    if (!this.planned.has(key))
      this.planned.set(key, { ...work, key, label: `${label}, seed ${this.columns.seedOf(seed)}`, needs: [...needs] });
    return key;
  }

  /** Baseline 1: a column by itself. `columns` are others than those of the study where widths are scaled. */
  alone(task: string, seed: number, columns = this.columns, label = 'B1'): string {
    const description = columns.network([columns.alone(task)], seed);
    return this.add(`${label} ${task}`, seed, {
      description,
      task,
      from: {},
      tests: [{ description, task, from: { [task]: whole(self) } }],
    });
  }

  /** The next task of a method, after those that it learned before: one at least, but where there is an imported column to begin with. */
  next(method: Exclude<MethodName, 'b1'>, before: readonly Learned[], task: string, seed: number, control: LateralKind): string {
    const names = before.map((each) => each.task);
    const base = this.columns.baseOf(task);
    if (base !== undefined) return this.overImported(method, base, before, task, seed);
    if (method === 'lora') throw new Error(`internal: ${task} tunes nothing`);
    const [first] = names;
    if (method === 'b2' && this.columns.importedOf(first ?? task).length === 0) return this.headAlone(before, task, seed);
    if (method === 'b2') return this.headOverImported(before, task, seed);
    if (method === 'b3') return this.tuned(before, task, seed, control);
    if (method === 'b4' && first !== undefined) return this.overRandom(first, before[0]?.key ?? self, task, seed, control);
    if (method === 'b4') return this.grown(control, before, task, seed);
    return this.grown(method, before, task, seed);
  }

  /** Each task a head of its own over the imported columns that it reads. */
  private headOverImported(before: readonly Learned[], task: string, seed: number): string {
    const { columns } = this;
    const network = (name: string) => columns.network([columns.headOver(name, columns.importedOf(name))], seed);
    const tests = [...before, { task, key: self }].map(
      (each): StudyTest => ({ description: network(each.task), task: each.task, from: { [each.task]: whole(each.key) } }),
    );
    return this.add(`B2 ${task}`, seed, { description: network(task), task, from: {}, tests });
  }

  private headAlone(before: readonly Learned[], task: string, seed: number): string {
    const { columns } = this;
    const [source = { task, key: self }] = before;
    const network = (name: string) =>
      columns.network(
        name === source.task ? [columns.alone(name)] : [columns.alone(source.task), columns.headOver(name, [source.task])],
        seed,
      );
    const from = { [source.task]: whole(source.key) };
    const tests = [...before, { task, key: self }].map(
      (each): StudyTest => ({
        description: network(each.task),
        task: each.task,
        from: { ...from, [each.task]: whole(each.key) },
      }),
    );
    return this.add(`B2 ${source.task} > ${task}`, seed, { description: network(task), task, from, tests });
  }

  private tuned(before: readonly Learned[], task: string, seed: number, control: LateralKind): string {
    const { columns } = this;
    const [first = { task, key: self }] = before;
    const last = before.at(-1);
    const network = (name: string) => columns.network([columns.first(name, control, first.task)], seed);
    const tests = [...before, { task, key: self }].map(
      (each): StudyTest => ({
        description: network(each.task),
        task: each.task,
        from: { [each.task]: { prepare: self, blocks: self, head: each.key } },
      }),
    );
    if (last === undefined) return this.grown(control, [], task, seed);
    const start = { prepare: last.key, blocks: last.key };
    return this.add(`B3 ${last.task} > ${task}`, seed, { description: network(task), task, from: {}, start, tests });
  }

  private overRandom(first: string, key: string, task: string, seed: number, kind: LateralKind): string {
    const { columns } = this;
    const description = columns.network([columns.first(first, kind), columns.later(task, kind, [first])], seed);
    // What `prepare` learned is of the data, not of the training.
    const from = { [first]: { prepare: key } };
    const tests = [{ description, task, from: { ...from, [task]: whole(self) } }];
    return this.add(`B4 ${task}`, seed, { description, task, from, tests });
  }

  /** The second of a pair of tasks: low-rank updates too begin with what the first task made of them. */
  second(method: Exclude<MethodName, 'b1'>, source: Learned, task: string, seed: number, control: LateralKind): string {
    const base = this.columns.baseOf(task);
    if (method !== 'lora' || base === undefined) return this.next(method, [source], task, seed, control);
    return this.overImported(method, base, [source], task, seed, true);
  }

  /** Over an imported column: a head alone, all of its weights in turn, or low-rank updates. @param carries whether the last task's are where it begins */
  private overImported(
    method: MethodName,
    base: string,
    before: readonly Learned[],
    task: string,
    seed: number,
    carries = method === 'b3',
  ): string {
    const { columns } = this;
    const column = (name: string): ColumnInput =>
      method === 'b2' ? columns.headOver(name, [base]) : columns.tuning(name, method === 'b3' ? 'all' : 'lora');
    const tests = [...before, { task, key: self }].map(
      (each): StudyTest => ({
        description: columns.network([column(each.task)], seed),
        task: each.task,
        from: { [each.task]: method === 'b3' ? { prepare: self, blocks: self, head: each.key } : whole(each.key) },
      }),
    );
    const last = before.at(-1);
    const start = carries && last !== undefined && { start: { prepare: last.key, blocks: last.key } };
    return this.add(`${methods[method].label} ${last === undefined ? base : last.task} > ${task}`, seed, {
      description: columns.network([column(task)], seed),
      task,
      from: {},
      ...start,
      tests,
    });
  }

  /** A progressive network's next column. */
  grown(
    kind: LateralKind,
    before: readonly Learned[],
    task: string,
    seed: number,
    columns = this.columns,
    label: string = kind,
  ): string {
    const description = columns.network(grownColumns(columns, kind, [...before.map((each) => each.task), task]), seed);
    const from = Object.fromEntries(before.map((each) => [each.task, whole(each.key)]));
    const tests = [...before.map((each) => each.task), task].map(
      (name): StudyTest => ({ description, task: name, from: { ...from, [task]: whole(self) } }),
    );
    const sources = before.length === 0 ? columns.importedOf(task) : before.map((each) => each.task);
    return this.add(`${label} ${sources.join(', ')} > ${task}`, seed, { description, task, from, tests });
  }
}

/** The columns of a progressive network of these tasks. */
export function grownColumns(columns: StudyColumns, kind: LateralKind, tasks: readonly string[]): ColumnInput[] {
  return tasks.map((task, i) => (i === 0 ? columns.first(task, kind) : columns.later(task, kind, tasks.slice(0, i))));
}
