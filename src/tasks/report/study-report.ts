// The report of a study: learning curves of all methods, transfer, forgetting and parameters, out of what study.json holds. Nothing is computed anew.
import type { StudyMethod, StudyResult } from '../../analysis/study/result.js';
import { barsPicture } from '../../chart/bars.js';
import { type Curves, curvesPicture } from '../../chart/curves.js';
import { count, short } from '../../chart/numbers.js';
import { version } from '../../onnx/core/version.js';
import type { Cell, Report, Section, Table } from '../../report/report.js';
import { barPanel, column, mostMethods, said, spreadCells, spreadColumns, spreadText } from './study-text.js';
import { transferSection } from './study-transfer.js';

const identityText = ({ bitIdentical }: StudyMethod): Cell =>
  bitIdentical === null ? null : bitIdentical ? 'the same bits' : 'other answers';

function methodsSection(study: StudyResult): Section {
  const { methods } = study;
  const summary: Table = {
    name: 'methods',
    caption: 'The methods, over all tasks',
    columns: [
      column('method', 'method', 'text'),
      ...spreadColumns('average', 'average'),
      ...spreadColumns('forgetting', 'forgetting'),
      ...spreadColumns('backward_transfer', 'backward transfer'),
      ...spreadColumns('forward_transfer', 'forward transfer'),
      ...spreadColumns('gain', 'gain'),
      ...spreadColumns('transfer', 'transfer'),
      ...spreadColumns('median_transfer', 'median transfer'),
      column('parameters', 'parameters', 'count'),
      column('earlier_tasks', 'earlier tasks', 'text'),
    ],
    rows: methods.map((method): Cell[] => {
      const { label, summary: s, parameters } = method;
      const spreads = [s.average, s.forgetting, s.backwardTransfer, s.forwardTransfer, s.gain, s.transfer, s.medianTransfer];
      return [label, ...spreads.flatMap(spreadCells), parameters, identityText(method)];
    }),
  };
  const about: Table = {
    name: 'about',
    caption: 'What each method does',
    columns: [
      column('method', 'method', 'text'),
      column('kind', 'kind', 'text'),
      column('about', 'what it does', 'text'),
      column('equal_to', 'parameters as', 'text'),
    ],
    rows: methods.map(({ label, kind, about: does, equal }) => [
      label,
      kind,
      does,
      equal === null ? null : `${equal.to} (${count(equal.parameters)}), widths times ${short(equal.factor)}`,
    ]),
  };
  return {
    id: 'methods',
    heading: 'The methods',
    says: [
      spreadText(study),
      'Average: of the metric over all tasks after the last one. Forgetting: the best that was ever reached minus what is left. Backward transfer: what is left minus what was learned. Forward transfer: the area between the learning curve and that of baseline 1, as a share of what baseline 1 left to gain. Gain: the metric minus that of baseline 1. Transfer: the area under the learning curve in relation to that of baseline 1; above 1 earlier tasks helped.',
    ],
    figures: [],
    tables: [summary, about],
  };
}

function taskCurvesOf(study: StudyResult, task: string): Curves {
  const { methods, tasks } = study;
  const drawn = methods.filter((m) => m.tasks.some((t) => t.task === task)).slice(0, mostMethods);
  const of = (method: StudyMethod) => method.tasks.find((t) => t.task === task);
  const metric = tasks.find((t) => t.task === task)?.metric ?? 'accuracy';
  return {
    title: `${task}: learning by method`,
    runs: drawn.map((method) => {
      const area = of(method)?.area;
      return { name: method.label, about: method.about, ...(area !== undefined && { result: `area ${said(area, 3)}` }) };
    }),
    panels: [
      {
        name: metric,
        unit: 'on the validation part',
        lines: drawn.map((method, run) => ({
          run,
          part: 'validation' as const,
          points: (of(method)?.curve ?? []).map(({ epoch, value }) => ({ epoch, value: value.mean, spread: value.deviation })),
        })),
      },
    ],
  };
}

function curvesSection(study: StudyResult): Section {
  const { methods, tasks, seeds } = study;
  const rows = methods.flatMap(({ label, tasks: learned }) =>
    learned.flatMap(({ task, curve }) =>
      curve.map(({ epoch, value }): Cell[] => [label, task, epoch, value.mean, value.deviation, ...value.values]),
    ),
  );
  const table: Table = {
    name: 'curves',
    caption: 'The metric on the validation part after each epoch',
    columns: [
      column('method', 'method', 'text'),
      column('task', 'task', 'text'),
      column('epoch', 'epoch', 'count'),
      ...spreadColumns('mean', 'mean'),
      ...seeds.map((seed) => column(`seed_${seed}`, `seed ${seed}`, 'measure')),
    ],
    rows,
    folded: true,
    most: 120,
  };
  return {
    id: 'learning',
    heading: 'Learning curves',
    says: [
      `How fast each method learns each task. ${spreadText(study)}`,
      ...(methods.length > mostMethods
        ? [`Pictures have the first ${mostMethods} of ${methods.length} methods, tables all.`]
        : []),
    ],
    figures: tasks.map(({ task }) => ({
      name: `study-curves-${task}`,
      picture: curvesPicture(taskCurvesOf(study, task)),
      says: `Learning curves of ${task} by each method, measured on the validation part after each epoch. The area under a curve is its mean over the epochs.`,
    })),
    tables: [table],
  };
}

/** The first task after each later one, of methods that learn one after another. */
function forgettingCurves(methods: readonly StudyMethod[], first: string, metric: string): Curves {
  const sequence = methods[0]?.sequence ?? [];
  return {
    title: `${first} after each later task`,
    runs: methods.map((method) => ({
      name: method.label,
      about: method.bitIdentical
        ? 'earlier tasks give the same bits after each later one'
        : 'earlier tasks answer otherwise after later ones',
    })),
    panels: [
      {
        name: metric,
        unit: `of ${first}, on its test data`,
        lines: methods.map(({ after }, run) => ({
          run,
          part: 'validation' as const,
          points: after.flatMap((row, i) => {
            const value = row[0];
            return value === undefined ? [] : [{ epoch: i + 1, value: value.mean, spread: value.deviation }];
          }),
        })),
      },
    ],
    along: { name: 'after the task', at: sequence },
  };
}

function forgettingSection(study: StudyResult): Section {
  const { methods, tasks } = study;
  const base = { id: 'forgetting', heading: 'Forgetting' };
  const inTurn = methods.filter(({ bitIdentical }) => bitIdentical !== null);
  const [lead] = inTurn;
  if (lead === undefined)
    return { ...base, says: ['No method of this study learns one task after another.'], figures: [], tables: [] };
  const alike = inTurn.filter(({ sequence }) => sequence.join() === lead.sequence.join()).slice(0, mostMethods);
  const first = lead.sequence[0] ?? '';
  const metric = tasks.find(({ task }) => task === first)?.metric ?? 'accuracy';
  const table: Table = {
    name: 'after',
    caption: 'The metric of every task on its test data, after each task that was learned',
    columns: [
      column('method', 'method', 'text'),
      column('after', 'after', 'text'),
      column('task', 'task', 'text'),
      ...spreadColumns('metric', 'metric'),
    ],
    rows: inTurn.flatMap(({ label, sequence, after }) =>
      after.flatMap((row, i) =>
        row.map((value, j): Cell[] => [label, sequence[i] ?? i, sequence[j] ?? j, ...spreadCells(value)]),
      ),
    ),
    folded: true,
    most: 200,
  };
  const same = inTurn.filter(({ bitIdentical }) => bitIdentical).map(({ label }) => label);
  const other = inTurn.filter(({ bitIdentical }) => !bitIdentical).map(({ label }) => label);
  return {
    ...base,
    says: [
      ...(same.length > 0
        ? [`After each later task, every earlier one gave the very same bits over its whole test data: ${same.join(', ')}.`]
        : []),
      ...(other.length > 0 ? [`Earlier tasks answered otherwise after later ones: ${other.join(', ')}.`] : []),
    ],
    figures: [
      {
        name: 'forgetting',
        picture: curvesPicture(forgettingCurves(alike, first, metric)),
        says: `The ${metric} of ${first}, the first task, on its test data after each task that was learned. ${spreadText(study)}`,
      },
      {
        name: 'forgetting-scores',
        picture: barsPicture({
          title: 'What is left at the end',
          parts: [],
          panels: [
            barPanel('average', 'of the metric over all tasks', inTurn.slice(0, mostMethods), ({ summary }) => summary.average),
            barPanel(
              'forgetting',
              'mean over the tasks but the last',
              inTurn.slice(0, mostMethods),
              ({ summary }) => summary.forgetting,
            ),
          ],
        }),
        says: `The average over all tasks after the last one, and how far each task fell from the best that was reached. ${spreadText(study)}`,
      },
    ],
    tables: [table],
  };
}

function parametersSection({ methods }: StudyResult): Section {
  const rows = methods.map(({ label, parameters }) => ({ name: label, values: [parameters], said: count(parameters) }));
  const longest = methods.reduce<readonly string[]>(
    (most, { sequence }) => (sequence.length > most.length ? sequence : most),
    [],
  );
  const curves: Curves = {
    title: 'Parameters, task by task',
    runs: methods
      .slice(0, mostMethods)
      .map(({ label, parameters }) => ({ name: label, about: `${count(parameters)} parameters at the end` })),
    panels: [
      {
        name: 'parameters',
        unit: 'of everything that is there',
        lines: methods.slice(0, mostMethods).map(({ tasks }, run) => ({
          run,
          part: 'validation' as const,
          points: tasks.flatMap(({ task, parameters }) => {
            const at = longest.indexOf(task);
            return at < 0 ? [] : [{ epoch: at + 1, value: parameters.network }];
          }),
        })),
      },
    ],
    along: { name: 'after the task', at: longest },
  };
  return {
    id: 'parameters',
    heading: 'Parameters',
    says: ['How large everything is that must be kept to answer all tasks.'],
    figures: [
      {
        name: 'parameters',
        picture: barsPicture({
          title: 'Parameters at the end',
          parts: [],
          panels: [{ name: 'parameters', unit: 'after the last task', rows }],
        }),
        says: 'Parameters of everything that is there after the last task, counted by the study.',
      },
      {
        name: 'parameters-growth',
        picture: curvesPicture(curves),
        says: 'The same after each task. The numbers stand in the table of what each method made of each task.',
      },
    ],
    tables: [],
  };
}

function settingsSection(study: StudyResult): Section {
  const { tasks, seeds, threads, versions, trainings, notes } = study;
  const table: Table = {
    name: 'study-tasks',
    caption: 'The tasks, in the order in which they are learned',
    columns: [
      column('task', 'task', 'text'),
      column('metric', 'metric', 'text'),
      column('epochs', 'epochs', 'count'),
      column('training_rows', 'training rows', 'count'),
      column('validation_rows', 'validation rows', 'count'),
      column('test_rows', 'test rows', 'count'),
    ],
    rows: tasks.map(({ task, metric, epochs, rows }): Cell[] => [
      task,
      metric,
      epochs,
      rows.training,
      rows.validation,
      rows.test,
    ]),
  };
  return {
    id: 'settings',
    heading: 'Tasks and settings',
    says: [
      `Seeds ${seeds.join(', ')}; ${threads} ${threads === 1 ? 'thread' : 'threads'} of one op in each training; prognet ${versions.prognet}, ONNX Runtime ${versions.onnxruntime}. ${count(trainings.count)} trainings took ${count(Math.round(trainings.seconds))} seconds together.`,
      ...notes.map((note) => `Note: ${note}.`.replace(/\.\.$/, '.')),
    ],
    figures: [],
    tables: [table],
  };
}

/** All of it. */
export function studyReport(study: StudyResult): Report {
  const { name, tasks, methods, seeds } = study;
  return {
    of: 'study',
    title: `Study of ${name}`,
    about: `${methods.length} ways to learn ${tasks.length} tasks, each with ${seeds.length === 1 ? 'one seed' : `${seeds.length} seeds`}, on the same data and with the same epochs.`,
    created: new Date().toISOString(),
    version,
    sections: [
      methodsSection(study),
      curvesSection(study),
      transferSection(study),
      forgettingSection(study),
      parametersSection(study),
      settingsSection(study),
    ],
  };
}
