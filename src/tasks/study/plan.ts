// All trainings of a study: those of each method over the sequence of tasks, and those of pairs of tasks; for each seed.
import type { StudyMethod } from '../../analysis/study/result.js';
import { must } from '../../onnx/core/errors.js';
import type { Json } from '../../workspace/json.js';
import type { LoadedWorkspace } from '../load-workspace.js';
import { type LateralKind, parametersOf, StudyColumns } from './columns.js';
import { equalColumns } from './equal.js';
import { type MethodName, methods } from './methods.js';
import { grownColumns, type Learned, type PlannedTraining, Planner } from './planner.js';

/** What is to be compared. */
export interface PlanRequest {
  readonly tasks: readonly string[];
  /** How many. */
  readonly seeds: number;
  readonly methods: readonly MethodName[];
  /** Methods of which all pairs of tasks are trained. */
  readonly matrix: readonly MethodName[];
  /** Baseline whose parameters progressive networks are scaled down to, beside those of their own size. */
  readonly equalTo?: 'b1' | 'b3';
}

/** A method over the sequence of tasks. */
export interface MethodPlan extends Pick<StudyMethod, 'method' | 'label' | 'about' | 'kind' | 'equal'> {
  readonly sequence: readonly string[];
  readonly apart: boolean;
  readonly firstAlone: boolean;
  /** Parameters of everything that is there after each task of `sequence`. */
  readonly network: readonly number[];
  /** Keys of the trainings of each task, one for each seed. */
  readonly keys: ReadonlyMap<string, readonly string[]>;
}

/** A method over pairs of tasks. */
export interface PairsPlan {
  readonly method: MethodName;
  readonly label: string;
  /** A key for each seed. */
  readonly keys: (source: string, target: string) => readonly string[];
}

export interface StudyPlan {
  /** Each behind those that it needs. */
  readonly trainings: readonly PlannedTraining[];
  readonly methods: readonly MethodPlan[];
  readonly pairs: readonly PairsPlan[];
}

const sums = (values: readonly number[]): number[] => values.map((_, i) => values.slice(0, i + 1).reduce((a, b) => a + b, 0));
const isLateral = (method: MethodName): method is LateralKind => method === 'linear' || method === 'adapter';

/**
 * Plans a study. Every network is lowered, so that what does not fit is said before anything is trained.
 * @param beside what the numbers of a training on the data of these tasks follow from beside its description
 * @throws DescriptionError, UsageError
 */
export function planStudy(loaded: LoadedWorkspace, request: PlanRequest, beside: (tasks: readonly string[]) => Json): StudyPlan {
  const { tasks, methods: chosen, matrix, equalTo } = request;
  const columns = new StudyColumns(loaded.description);
  const planner = new Planner(columns, beside);
  const seeds = Array.from({ length: request.seeds }, (_, seed) => seed);
  const control = chosen.find(isLateral) ?? 'linear';
  const tuned = columns.baseOf(must(tasks[0], 'task')) !== undefined;
  const sizes = tuned ? tunedSizesOf(columns, tasks) : sizesOf(columns, tasks, control);
  const begins = tuned || columns.importedOf(must(tasks[0], 'task')).length > 0;
  const alone = new Map(tasks.map((task) => [task, seeds.map((seed) => planner.alone(task, seed))]));
  const first = must(tasks[0], 'task');

  /** The trainings of tasks that follow each other, seed by seed. */
  const sequence = (
    begun: (seed: number) => string,
    next: (before: readonly Learned[], task: string, seed: number) => string,
  ) => {
    const keys = new Map<string, string[]>(tasks.map((task) => [task, []]));
    for (const seed of seeds) {
      const before: Learned[] = [{ task: first, key: begun(seed) }];
      for (const task of tasks.slice(1)) before.push({ task, key: next(before, task, seed) });
      for (const { task, key } of before) must(keys.get(task), task).push(key);
    }
    return keys;
  };
  const aloneOf = (task: string, seed: number): string => must(alone.get(task)?.[seed], task);

  const planned = (method: MethodName): MethodPlan => {
    const { label, about, kind, apart } = methods[method];
    const rest = { method, label, about, kind, apart, firstAlone: !begins, equal: null, network: sizes(method) };
    if (method === 'b1') return { ...rest, sequence: tasks, keys: alone };
    const keys = sequence(
      (seed) => (begins ? planner.next(method, [], first, seed, control) : aloneOf(first, seed)),
      (before, task, seed) => planner.next(method, before, task, seed, control),
    );
    return { ...rest, sequence: tasks, keys };
  };

  const equal = (kind: LateralKind, rival: 'b1' | 'b3'): MethodPlan => {
    const budget = must(sizes(rival).at(-1), 'parameters');
    const network = (of: StudyColumns) => of.network(grownColumns(of, kind, tasks), 0);
    const { factor, columns: narrow, parameters } = equalColumns(loaded.description, budget, network);
    const label = `${methods[kind].label} =${methods[rival].label}`;
    return {
      method: `${kind}-equal`,
      label,
      about: `${methods[kind].about}, its widths multiplied by ${factor} so that all of it has no more parameters than ${methods[rival].label}, ${budget}`,
      kind: 'progressive',
      equal: { to: rival, parameters, factor },
      apart: false,
      firstAlone: false,
      sequence: tasks,
      network: sums(parametersOf(network(narrow)).map(({ column }) => column)),
      keys: sequence(
        (seed) => planner.alone(first, seed, narrow, label),
        (before, task, seed) => planner.grown(kind, before, task, seed, narrow, label),
      ),
    };
  };

  const pairs = (method: MethodName): PairsPlan => {
    const keys = new Map<string, readonly string[]>();
    const name = (source: string, target: string) => `${source} > ${target}`;
    for (const source of tasks)
      for (const task of tasks)
        if (source !== task && method !== 'b1')
          keys.set(
            name(source, task),
            seeds.map((seed) => {
              const imported = tuned || columns.importedOf(source).length > 0;
              const key = imported ? planner.next(method, [], source, seed, control) : aloneOf(source, seed);
              return planner.second(method, { task: source, key }, task, seed, control);
            }),
          );
    return { method, label: methods[method].label, keys: (source, target) => must(keys.get(name(source, target)), target) };
  };

  const plans = [
    ...chosen.map(planned),
    ...(equalTo === undefined ? [] : chosen.filter(isLateral).map((kind) => equal(kind, equalTo))),
  ];
  const pairsPlans = matrix.map(pairs);
  return { trainings: planner.trainings, methods: plans, pairs: pairsPlans };
}

/** By method the parameters of everything that is there after each task of its sequence: imported columns among them, where they are read. */
function sizesOf(columns: StudyColumns, tasks: readonly string[], control: LateralKind): (method: MethodName) => number[] {
  const first = must(tasks[0], 'task');
  const of = (list: Parameters<StudyColumns['network']>[0]) => parametersOf(columns.network(list, 0));
  const last = (list: Parameters<StudyColumns['network']>[0]) => must(of(list).at(-1), 'column');
  const imported = (known: readonly string[]) => {
    const read = new Set(known.flatMap((task) => columns.importedOf(task)));
    return of([...known.map((task) => columns.first(task, control))])
      .filter(({ task }) => read.has(task))
      .reduce((sum, { column }) => sum + column, 0);
  };
  const withImported = (own: readonly number[]) => own.map((size, i) => size + imported(tasks.slice(0, i + 1)));
  return (method) => {
    if (method === 'b1') return sums(tasks.map((task) => last([columns.alone(task)]).column));
    if (method === 'b2' && columns.importedOf(first).length > 0)
      return withImported(sums(tasks.map((task) => last([columns.headOver(task, columns.importedOf(task))]).column)));
    if (method === 'b2')
      return sums(
        tasks.map((task, i) =>
          i === 0 ? last([columns.alone(task)]).column : last([columns.alone(first), columns.headOver(task, [first])]).column,
        ),
      );
    if (method === 'b3') {
      const each = tasks.map((task) => last([columns.first(task, control, first)]));
      return withImported(each.map(({ column }, i) => column + each.slice(0, i).reduce((sum, { head }) => sum + head, 0)));
    }
    if (method === 'b4') {
      // The first task's column is there twice: as it was learned, and as it was drawn.
      const random = last([columns.first(first, control)]).column;
      const over = tasks
        .slice(1)
        .map((task) => last([columns.first(first, control), columns.later(task, control, [first])]).column);
      return withImported([random, ...sums(over).map((sum) => 2 * random + sum)]);
    }
    if (!isLateral(method)) throw new Error(`internal: ${method} is of imported columns`);
    const grown = of(grownColumns(columns, method, tasks)).filter(({ task }) => tasks.includes(task));
    return withImported(sums(grown.map(({ column }) => column)));
  };
}

/** The same where all tasks tune an imported column. */
function tunedSizesOf(columns: StudyColumns, tasks: readonly string[]): (method: MethodName) => number[] {
  const of = (task: string, column: (base: string) => Parameters<StudyColumns['network']>[0][number]) => {
    const base = must(columns.baseOf(task), 'base');
    const sizes = parametersOf(columns.network([column(base)], 0));
    return { base: sizes.length > 1 ? must(sizes[0], 'base').column : 0, own: must(sizes.at(-1), 'column') };
  };
  return (method) => {
    if (method === 'b1') return sums(tasks.map((task) => of(task, () => columns.alone(task)).own.column));
    const each = tasks.map((task) =>
      of(task, (base) =>
        method === 'b2' ? columns.headOver(task, [base]) : columns.tuning(task, method === 'b3' ? 'all' : 'lora'),
      ),
    );
    // One copy of all weights, and the heads; else the imported column, and what each task adds to it.
    if (method === 'b3')
      return each.map(({ own }, i) => own.column + each.slice(0, i).reduce((sum, { own: { head } }) => sum + head, 0));
    return sums(each.map(({ own }) => own.column)).map((sum) => sum + must(each[0], 'task').base);
  };
}
