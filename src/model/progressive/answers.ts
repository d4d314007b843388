// What exported graphs give of each head: raw scores and, on request, probabilities, labels and their names; under names of their own, or routed as one set.
import { must, UsageError } from '../../onnx/core/errors.js';
import { Tensor } from '../../onnx/core/tensor.js';
import type { Graph, Value } from '../../onnx/ir/graph.js';
import type { Ops } from '../../onnx/ops/ops-builder.js';
import { answersOf, type Head, isSeveral, outputLabels, placesOf } from '../heads/heads.js';
import { outputNames } from '../heads/output-names.js';
import { outputsBegin, sliceColumns } from '../heads/several.js';
import type { Column } from './column.js';
import type { NetworkLowering } from './lowering.js';
import { routeByTask } from './routed.js';

/** Outputs of the routed form; all but the first on request. */
export const routedNames = ['scores', 'probabilities', 'label'] as const;
const routedLabelName = 'label_name';

/** What one head gives; undefined: not asked for, or nothing that it has. */
export interface Answer {
  /** What its outputs begin with: the task, of several heads its name behind it. */
  readonly task: string;
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
  const each = placesOf(head).map((own) =>
    answerOf(g, outputsBegin(task, own.name), own.head, sliceColumns(g, scores, own.scores), asked),
  );
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

/** Throws UsageError where names of labels are asked for and there are none; a routed model has one set of outputs for all. */
export function refuseNameless(answers: readonly Answer[], routed: boolean): void {
  const nameless = answers.find(({ labelName }) => labelName === undefined);
  if (nameless === undefined || (!routed && answers.some(({ labelName }) => labelName !== undefined))) return;
  const expected = 'a head that classifies, with names such as { classify: { classes: 2, names: [no, yes] } }';
  throw new UsageError(`label names: task "${nameless.task}" has none, expected ${expected}`, { expected, got: nameless.task });
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

/** One set of outputs for all tasks: their heads may differ in width, but not in what they give. */
export function routedOutputs(g: Ops, answers: readonly Answer[], probabilities: boolean, labelNames: boolean): void {
  const input = g.graph.inputs.find(({ name }) => [...routedNames, routedLabelName].some((output) => output === name));
  if (input !== undefined) {
    throw new UsageError(`the input "${input.name}" has the name of an output of routed models, expected another name`, {
      got: input.name,
    });
  }
  const steps = answers.filter(({ scores }) => scores?.shape?.length === 3);
  const other = answers.find((answer) => !steps.includes(answer));
  if (steps[0] !== undefined && other !== undefined) {
    const found = `task "${steps[0].task}" answers each step of a sequence, "${other.task}" each sample`;
    throw new UsageError(
      `a routed model has one set of outputs for all tasks: ${found}; choose tasks of one kind, or another form`,
      {
        expected: 'heads of one kind',
      },
    );
  }
  const asked = probabilities ? routedNames : routedNames.slice(0, 1);
  const kinds = new Set(answers.map(({ label }) => label?.dtype ?? 'none'));
  if (probabilities && (kinds.size > 1 || kinds.has('none'))) {
    throw new UsageError(
      'probabilities of a routed model need heads of one kind, all classify or all binary: choose tasks of one kind, another form, or no probabilities',
      { expected: 'all classify or all binary' },
    );
  }
  const routes = answers.map((answer) => [
    ...asked.map((name) => must(answer[name], name)),
    ...(labelNames ? [must(answer.labelName, routedLabelName)] : []),
  ]);
  routeByTask(g, routes, labelNames ? [...asked, routedLabelName] : asked);
}
