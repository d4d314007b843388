// A model's card: one page of Markdown for who receives the file. All of it is read from the model, so that it can be written again wherever the file is.
import type { Seen, TrainedFacts } from '../model/progressive/facts.js';
import { type InputFacts, type ModelFacts, sampleInputs, type TaskFacts, typeOf } from '../model/progressive/model-facts.js';
import { inspectModel } from '../onnx/ir/inspect.js';
import type { Model } from '../onnx/ir/model.js';
import { float32Kinds } from '../onnx/precision/large-weights.js';
import { codeOf } from './card-code.js';

/** Rows of a table of features or classes at most; what else there is is counted. */
const most = 100;

/** Markdown, ending in a newline. `file` is what the model is called where the card stands, `data` what it calls the files of its weights there. */
export function modelCard(model: Model, facts: ModelFacts, file: string, data: readonly string[]): string {
  const { parameters, opsets } = inspectModel(model);
  const versions = Object.entries(opsets).map(([domain, version]) => `${domain} ${version}`);
  const only = facts.tasks.length === 1 ? facts.tasks[0]?.task : undefined;
  const parts = [
    `# ${line(facts.name)}${only === undefined || only === facts.name ? '' : `: ${line(only)}`}`,
    `${code(file)} is an ONNX model of ${parameters.count} parameters, opset ${versions.join(', ')}, written by prognet ${line(facts.version)}. ${whatItIs(facts)}`,
    ...precisionText(model),
    '## Input',
    ...sampleInputs(facts).map((input) => inputText(input, facts)),
    ...facts.tasks.flatMap((task) => taskText(task, facts)),
    '## How to run it',
    ...codeOf(facts, file, data),
  ];
  return `${parts.join('\n\n')}\n`;
}

/** Whether a text is such a card, which may be written anew. */
export const isCard = (text: string): boolean =>
  /^# .*\n\n`[^`]*` is an ONNX model of \d+ parameters, .*, written by prognet /.test(text);

function whatItIs({ form, tasks }: ModelFacts): string {
  const names = tasks.map(({ task }) => code(task)).join(', ');
  if (form === 'task') return `It answers the task ${names}.`;
  if (form === 'all') return `One run answers the tasks ${names}.`;
  return `A run answers one of the tasks ${names}: the one whose number, from 0 in this order, stands in \`task_id\`, int64 [1].`;
}

/** Of a model in another precision than float32. */
function precisionText({ metadata, graph }: Model): string[] {
  const precision = metadata.get('prognet.precision');
  if (precision === undefined) return [];
  const kept = float32Kinds(graph);
  const listed = kept.slice(0, most).map(line).join(', ');
  return [
    `Precision: ${line(precision)}.${kept.length === 0 ? '' : ` What of it stays float32: ${listed}.${beyond(kept.length)}`}`,
  ];
}

function inputText(input: InputFacts, { tasks, prepared, tokenizer }: ModelFacts): string {
  const { name, dtype, features } = input;
  const scaled = tasks.every(({ trained }) => trained?.seen?.[name]?.unit !== undefined);
  const values = prepared
    ? ` What these steps give: ${steps(tasks[0])}. The model does not do them.`
    : dtype === 'uint8'
      ? ' Bytes 0 to 255, as they are.'
      : scaled
        ? ' Values 0 to 1: bytes divided by 255.'
        : tokenizer !== undefined
          ? ` Token ids of texts, as this says: ${code(tokenizer, 2000)}.`
          : '';
  const filled = !prepared && tasks.every(({ prepare }) => prepare[0]?.startsWith('fill')) && dtype !== 'string';
  const text = `${code(name)}: ${typeOf(input)}.${values}${filled ? ' NaN is a value that is missing.' : ''}`;
  if (features === undefined || prepared) return text;
  const rows = features.slice(0, most).map(({ name: called, categories }, i) => [
    String(i),
    line(called),
    categories === undefined
      ? 'number'
      : `${dtype === 'string' ? 'text' : 'index of'}: ${categories
          .slice(0, most)
          .map((c) => code(c))
          .join(', ')}`,
  ]);
  return `${text}\n\n${table(['place', 'feature', 'what'], rows)}${beyond(features.length)}`;
}

const beyond = (count: number): string => (count > most ? `\n\n${count - most} more.` : '');

function taskText(facts: TaskFacts, model: ModelFacts): string[] {
  const { task, head, outputs, classes, prepare, decoding, trained, sha256 } = facts;
  const lines = [
    ...(prepare.length > 0 && !model.prepared ? [`The model itself does to the input: ${steps(facts)}.`] : []),
    ...(decoding !== undefined ? [`Images become its input as this says: ${code(decoding, 2000)}.`] : []),
  ];
  return [
    `## Task ${code(task)}${head === undefined ? '' : `: ${line(head)}`}`,
    table(
      ['output', 'type', 'what'],
      outputs.map(({ name, type, what }) => [code(name), type, what]),
    ),
    ...(classes === undefined ? [] : [`Names, from 0: ${listed(classes)}.${beyond(classes.length)}`]),
    ...(facts.heads ?? []).flatMap(({ name, classes: own = [] }) =>
      own.length === 0 ? [] : [`Names of ${code(name)}, from 0: ${listed(own)}.${beyond(own.length)}`],
    ),
    ...lines,
    ...(trained === undefined ? [] : trainedText(trained, model)),
    ...(sha256 === undefined ? [] : [`Weights: sha256 ${sha256}.`]),
  ];
}

const listed = (names: readonly string[]): string =>
  names
    .slice(0, most)
    .map((name) => code(name))
    .join(', ');

function trainedText(
  { data, test, measures, loss, seen, epochs, seed, versions }: TrainedFacts,
  { inputs }: ModelFacts,
): string[] {
  const hash = (part: { sha256?: string | undefined }) => (part.sha256 === undefined ? '' : `, sha256 ${part.sha256}`);
  const figures = Object.entries(measures ?? {});
  const how = [
    ...(data === undefined ? [] : [`on ${data.rows} rows${hash(data)}`]),
    ...(epochs === undefined || epochs === 0 ? [] : [`${epochs} epochs`]),
    ...(loss === undefined ? [] : [lossText(loss)]),
    ...(seed === undefined ? [] : [`seed ${seed}`]),
    ...Object.entries(versions ?? {}).map(([name, version]) => line(name === 'onnxruntime' ? version : `${name} ${version}`)),
  ];
  const ranges = Object.entries(seen ?? {}).flatMap(([name, range]) => seenText(name, range, inputs));
  return [
    ...(figures.length === 0
      ? []
      : [
          `Measured${test === undefined ? '' : ` on ${test.rows} rows of test data${hash(test)}`}:\n\n${table(
            ['measure', 'value'],
            figures.map(([name, value]) => [line(name), value.toFixed(4)]),
          )}`,
        ]),
    ...(how.length === 0 ? [] : [`Trained ${how.join('; ')}.`]),
    ...ranges,
  ];
}

function seenText(name: string, { range, unit, each }: Seen, inputs: readonly InputFacts[]): string[] {
  if (unit !== undefined) return [];
  if (range !== undefined) return [`In training ${code(name)} was ${range[0]} to ${range[1]}.`];
  const called = new Map(inputs.flatMap(({ features = [] }) => features.map((f) => [f.place, f.name])));
  const rows = (each ?? []).flatMap((r, i) => (r === null ? [] : [[line(called.get(i) ?? String(i)), `${r[0]} to ${r[1]}`]]));
  return rows.length === 0
    ? []
    : [
        `In training the numbers of ${code(name)} were:\n\n${table(['feature', 'range'], rows.slice(0, most))}${beyond(rows.length)}`,
      ];
}

/** `loss {kind:focal,gamma:2}, class_weights [1,3]`: the name first; of several heads each. */
function lossText({ loss, ...options }: Readonly<Record<string, unknown>>): string {
  if (loss === undefined)
    return Object.entries(options)
      .map(([name, own]) => `${code(name)}: ${lossText({ loss: 'cross_entropy', ...(own as object) })}`)
      .join(', ');
  const plain = (value: unknown) => JSON.stringify(value).replace(/"/g, '');
  const said = Object.entries(options).map(([name, value]) => `${name} ${plain(value)}`);
  return code([`loss ${plain(loss)}`, ...said].join(', '), 400);
}

const steps = (task: TaskFacts | undefined): string => (task?.prepare ?? []).map((step) => code(step)).join(', then ');

const table = (header: readonly string[], rows: readonly (readonly string[])[]): string =>
  [header, header.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

/** Text of a stranger's file on one line, with nothing in it that Markdown or HTML would take for its own. */
export const line = (text: string): string =>
  text
    .slice(0, 200)
    .replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, ' ')
    .replace(/[\\`*_[\]<>|#&]/g, '\\$&');

/** The same as code. */
export const code = (text: string, longest = 200): string =>
  `\`${text
    .slice(0, longest)
    .replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, ' ')
    .replace(/`/g, "'")
    .replace(/\|/g, '\\|')}\``;
