// prognet inspect
import { basename } from 'node:path';
import { modelCard } from '../../deploy/card.js';
import { type ModelFacts, modelFacts, type TaskFacts } from '../../model/progressive/model-facts.js';
import { ModelError, UsageError } from '../../onnx/core/errors.js';
import { formatInspection, inspectModel } from '../../onnx/ir/inspect.js';
import { loadModel } from '../../onnx/serde/external-data.js';
import { type GlobalOptions, result } from '../report.js';
import { inspectedTaps } from './inspect-taps.js';
import { inspectColumn, workspaceWith } from './inspect-task.js';

export interface InspectFlags extends GlobalOptions {
  readonly card?: boolean;
}

export function inspect(file: string, options: InspectFlags): void {
  if (options.card === true && options.json === true)
    throw new UsageError('--card beside --json, expected one of them', { path: '--card' });
  const loaded = workspaceWith(file, options);
  if (loaded !== undefined) {
    if (options.card === true)
      throw new UsageError(`--card is of an exported file, "${file}" is a task: prognet export --task ${file} -o ${file}.onnx`, {
        path: '--card',
      });
    inspectColumn(loaded, file, options);
    return;
  }
  const data = new Set<string>();
  const model = loadModel(file, (_, location) => location !== undefined && data.add(location), true);
  const facts = modelFacts(model);
  if (options.card === true) {
    if (facts === undefined) {
      const expected = 'a model that prognet export wrote';
      throw new ModelError(`${file}: says nothing of what it answers, expected ${expected}`, { path: file, expected });
    }
    process.stdout.write(modelCard(model, facts, basename(file), [...data]));
    return;
  }
  const found = inspectModel(model);
  const { features, classes } = facts === undefined ? { features: {}, classes: {} } : meanings(facts);
  // Of what prognet exported columns are known: nobody imports it.
  const { taps, table } = facts === undefined ? inspectedTaps(model) : { taps: [], table: '' };
  const document = {
    ...found,
    ...(taps.length > 0 && { taps }),
    ...(Object.keys(features).length > 0 && { features }),
    ...(Object.keys(classes).length > 0 && { classes }),
    ...(facts !== undefined && { answers: facts }),
  };
  const trained = facts?.tasks.flatMap(trainedText) ?? [];
  const answers = trained.length === 0 ? '' : `\ntrained\n${trained.map((text) => `  ${text}`).join('\n')}`;
  result(
    options,
    document,
    `${formatInspection(found)}${listed('features', features)}${listed('classes', classes)}${answers}${table}`,
  );
}

type Lists = Readonly<Record<string, readonly string[]>>;

/** What the numbers and texts of the inputs are, and what the outputs are called. */
function meanings({ inputs, tasks }: ModelFacts): { readonly features: Lists; readonly classes: Lists } {
  const called = ({ name, categories }: { name: string; categories?: readonly string[] }) =>
    categories === undefined ? name : `${name} (${categories.map((c) => JSON.stringify(c)).join(' ')})`;
  return {
    features: Object.fromEntries(inputs.flatMap(({ name, features }) => (features ? [[name, features.map(called)]] : []))),
    classes: Object.fromEntries(tasks.flatMap(({ task, classes }) => (classes ? [[task, classes]] : []))),
  };
}

const listed = (title: string, lists: Lists): string =>
  Object.keys(lists).length === 0
    ? ''
    : `\n${title}\n${Object.entries(lists)
        .map(([name, texts]) => `  ${name}: ${texts.join(', ')}`)
        .join('\n')}`;

/** A line for each task: what it was measured at, and what values its input had. */
function trainedText({ task, trained }: TaskFacts): string[] {
  if (trained === undefined) return [];
  const { measures = {}, test, seen = {} } = trained;
  const figures = Object.entries(measures).map(([name, value]) => `${name} ${value.toFixed(4)}`);
  const rows = test === undefined ? '' : ` on ${test.rows} rows`;
  const ranges = Object.entries(seen).map(([name, { range, unit, each }]) => {
    const said =
      range === undefined
        ? (each ?? []).map((r) => (r === null ? '-' : `${r[0]}..${r[1]}`)).join(', ')
        : `${range[0]}..${range[1]}`;
    return `${name} ${said}${unit === undefined ? '' : ` (${unit})`}`;
  });
  const parts = [...(figures.length > 0 ? [`${figures.join(', ')}${rows}`] : []), ...ranges];
  return parts.length === 0 ? [] : [`${task}: ${parts.join('; ')}`];
}
