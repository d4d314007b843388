// What exported graphs give of each head: raw scores and, on request, probabilities, labels and their names; under names of their own, or routed as one set.
import { must, UsageError } from '../../onnx/core/errors.js';
import { Tensor } from '../../onnx/core/tensor.js';
import type { Graph, Value } from '../../onnx/ir/graph.js';
import type { Ops } from '../../onnx/ops/ops-builder.js';
import { answersOf, type Head, isSeveral, outputLabels, placesOf } from '../heads/heads.js';
import { outputNames, routedNames } from '../heads/output-names.js';
import { outputsBegin, sliceColumns } from '../heads/several.js';
import type { Column } from './column.js';
import type { NetworkLowering } from './lowering.js';
import { routeByTask } from './routed.js';

/** What one head gives; undefined: not asked for, or nothing that it has. */
export interface Answer {
  /** What its outputs begin with: the task, of several heads its name behind it. */
  readonly task: string;
  /** Of several heads: whose this one is, and its own name. */
  readonly of?: { readonly task: string; readonly head: string };
  readonly scores?: Value | undefined;
  readonly probabilities?: Value | undefined;
  readonly label?: Value | undefined;
  readonly labelName?: Value;
  readonly tap?: Value;
}

/** What is asked for beside raw scores. */
interface Asked {
  readonly probabilities?: boolean;
  readonly labelNames?: boolean;
  readonly lastTap?: boolean;
  readonly joined?: boolean;
}

/** The heads of a task, and what the outputs of each begin with. */
export const answering = (task: string, head: Head): readonly { readonly begin: string; readonly head: Head }[] =>
  isSeveral(head)
    ? head.heads.map(({ name, head: own }) => ({ begin: outputsBegin(task, name), head: own }))
    : [{ begin: task, head }];

/** What a column answers, head by head. */
export function answersFor(g: Ops, lowering: NetworkLowering<Column>, column: Column, asked: Asked): Answer[] {
  const { task, head } = column;
  const scores = lowering.scores(column);
  const last = column.blocks.length - 1;
  const tap = asked.lastTap === true && last >= 0 ? { tap: lowering.tap({ column, block: last }) } : {};
  if (!isSeveral(head)) return [{ ...answerOf(g, task, head, scores, asked), ...tap }];
  const each = placesOf(head).map((own) => ({
    ...answerOf(g, outputsBegin(task, own.name), own.head, sliceColumns(g, scores, own.scores), asked),
    of: { task, head: own.name },
  }));
  // A head alone gives all scores: two outputs are two values.
  const whole = each.some((answer) => answer.scores === scores) ? g.identity(scores) : scores;
  return [...each, { task, ...(asked.joined === true && { scores: whole }), ...tap }];
}

function answerOf(g: Ops, task: string, head: Head, scores: Value, { probabilities: asked = false, labelNames }: Asked): Answer {
  const answers = answersOf(head);
  const names = labelNames === true && answers?.each === 'class' ? outputLabels(head) : undefined;
  const probabilities = asked ? answers?.probabilities(g, scores) : undefined;
  const label = asked || names !== undefined ? answers?.label(g, scores) : undefined;
  return {
    task,
    scores,
    ...(asked && { probabilities, label }),
    ...(names !== undefined && label !== undefined && { labelName: named(g, label, names) }),
  };
}

/** string [N] of classes int64 [N]. */
function named(g: Ops, label: Value, names: readonly string[]): Value {
  return g.gather(g.constant(new Tensor('string', [names.length], [...names]), 'label_names'), label, { axis: 0 });
}

/** Throws UsageError where names of labels are asked for and there are none. */
export function refuseNameless(answers: readonly Answer[]): void {
  if (answers.every(({ labelName }) => labelName === undefined)) throw nameless(answers[0]?.of?.task ?? answers[0]?.task ?? '');
}

function nameless(task: string): UsageError {
  const expected = 'a head that classifies, with names such as { classify: { classes: 2, names: [no, yes] } }';
  return new UsageError(`label names: task "${task}" has none, expected ${expected}`, { expected, got: task });
}

/** The answers as they are once all is done to the graph that is done to one of other forms: imported nodes are routed as they are. */
export function finished(graph: Graph, answers: readonly Answer[], finish: () => void): Answer[] {
  const names = ['scores', 'probabilities', 'label', 'labelName'] as const;
  const outputs = answers.flatMap((answer) => names.flatMap((name) => answer[name] ?? []));
  graph.outputs.push(...outputs);
  finish();
  const now = new Map(outputs.map((v, i) => [v, must(graph.outputs[i], v.name)]));
  graph.outputs = [];
  const become = (v: Value | undefined) => v && must(now.get(v), v.name);
  return answers.map(({ scores, probabilities, label, labelName, ...answer }) => {
    const named = become(labelName);
    return {
      ...answer,
      scores: become(scores),
      probabilities: become(probabilities),
      label: become(label),
      ...(named !== undefined && { labelName: named }),
    };
  });
}

export function separateOutputs(g: Ops, answers: readonly Answer[]): void {
  for (const { task, scores, probabilities, label, labelName, tap } of answers) {
    const names = outputNames(task);
    if (scores !== undefined) g.output(scores, names.scores);
    if (probabilities !== undefined) g.output(probabilities, names.probabilities);
    if (label !== undefined) g.output(label, names.label);
    if (labelName !== undefined) g.output(labelName, names.labelName);
    if (tap !== undefined) g.output(tap, names.tap);
  }
}

/** What one head gives of each task, and what it is called where there are several. */
interface RoutedHead {
  readonly head: string | undefined;
  readonly answers: readonly Answer[];
}

/** One set of outputs for all tasks: their heads may differ in width, but not in what they are called and give. */
export function routedOutputs(g: Ops, given: readonly Answer[], probabilities: boolean, labelNames: boolean): void {
  const heads = headsOfAll(given.filter(({ scores }) => scores !== undefined));
  const outputs = heads.flatMap(({ head, answers }) => {
    refuseMixed(answers);
    const names = routedNames(head);
    const asked: (keyof typeof names)[] = ['scores'];
    if (probabilities && labelled(answers, head)) asked.push('probabilities', 'label');
    if (labelNames && answers.some(({ labelName }) => labelName !== undefined)) asked.push('labelName');
    return asked.map((what) => ({ name: names[what], values: answers.map((answer) => answer[what] ?? unnamed(answer)) }));
  });
  const names = outputs.map(({ name }) => name);
  const input = g.graph.inputs.find(({ name }) => [...names, ...Object.values(routedNames())].includes(name));
  if (input !== undefined) {
    throw new UsageError(`the input "${input.name}" has the name of an output of routed models, expected another name`, {
      got: input.name,
    });
  }
  const tasks = heads[0]?.answers ?? [];
  const routes = tasks.map((_, task) => outputs.map(({ name, values }) => must(values[task], name)));
  routeByTask(g, routes, names);
}

/** Of the labels' names one is not there, though other tasks have it. */
const unnamed = ({ task, of }: Answer): never => {
  throw nameless(of?.task ?? task);
};

/** The heads that all tasks have. Throws UsageError where theirs are called otherwise. */
function headsOfAll(answers: readonly Answer[]): RoutedHead[] {
  const taskOf = ({ task, of }: Answer) => of?.task ?? task;
  const tasks = [...new Set(answers.map(taskOf))];
  const [first = [], ...others] = tasks.map((task) => answers.filter((answer) => taskOf(answer) === task));
  const called = (own: readonly Answer[]) => own.map(({ of }) => of?.head);
  const said = (own: readonly Answer[]) =>
    own[0]?.of === undefined
      ? `task "${own[0]?.task}" has one head`
      : `task "${own[0].of.task}" has the heads ${called(own).join(', ')}`;
  const other = others.find((own) => called(own).join() !== called(first).join());
  if (other !== undefined) {
    const expected = 'tasks of the same heads';
    throw new UsageError(
      `a routed model has one set of outputs for all tasks: ${said(first)}, ${said(other)}; choose ${expected}, or another form`,
      { expected },
    );
  }
  return first.map(({ of }, i) => ({ head: of?.head, answers: [first, ...others].map((own) => must(own[i], 'head')) }));
}

/** Throws UsageError where some tasks answer each step of a sequence and some samples. */
function refuseMixed(answers: readonly Answer[]): void {
  const steps = answers.filter(({ scores }) => scores?.shape?.length === 3);
  const other = answers.find((answer) => !steps.includes(answer));
  if (steps[0] === undefined || other === undefined) return;
  const found = `task "${steps[0].task}" answers each step of a sequence, "${other.task}" each sample`;
  throw new UsageError(
    `a routed model has one set of outputs for all tasks: ${found}; choose tasks of one kind, or another form`,
    {
      expected: 'heads of one kind',
    },
  );
}

/** Whether a head has labels, in all tasks of one kind. Throws UsageError where they differ, and where a head that stands alone has none. */
function labelled(answers: readonly Answer[], head: string | undefined): boolean {
  const kinds = new Set(answers.map(({ label }) => label?.dtype ?? 'none'));
  if (head !== undefined && kinds.size === 1 && kinds.has('none')) return false;
  if (kinds.size === 1 && !kinds.has('none')) return true;
  throw new UsageError(
    'probabilities of a routed model need heads of one kind, all classify or all binary: choose tasks of one kind, another form, or no probabilities',
    { expected: 'all classify or all binary' },
  );
}
