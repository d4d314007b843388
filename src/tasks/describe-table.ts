// A description for a table, from what its columns hold: features and categories, the label, steps of `prepare`, a small network. It is a beginning,
// written for people to go on with; what was taken for granted is said line by line.
import { delimiterName } from '../formats/csv-delimiter.js';
import type { ColumnProfile, CsvProfile } from '../formats/csv-profile.js';
import { DataError } from '../onnx/core/errors.js';

export interface TableWishes {
  /** The label's column; the last when absent. */
  readonly label?: string;
  readonly decimal?: '.' | ',';
  /** The path of the file as the description says it. */
  readonly source: string;
  /** Names the file in errors and notes. */
  readonly where: string;
}

/** A category has so many texts at most, and a class so many names. */
const mostCategories = 50;
/** Whole numbers are classes where there are so many of them at most. */
const mostNumberClasses = 20;

interface Feature {
  readonly name: string;
  readonly categories?: readonly string[];
}

/** YAML's own words and what other readers take for them. */
const words = /^(?:true|false|null|yes|no|on|off|y|n)$/i;
/** A text in a flow of YAML. */
const yaml = (text: string): string =>
  /^[A-Za-z][\w-]*(?: [\w-]+)*$/.test(text) && !words.test(text) ? text : JSON.stringify(text);
const list = (texts: readonly string[]): string => `[${texts.map(yaml).join(', ')}]`;

/** A name of a description that says what the text says, or another one. */
function nameOf(text: string, otherwise: string): string {
  const parts = text.split(/[^A-Za-z0-9-]/).filter((part) => part !== '');
  const name = parts.join('_').slice(0, 60);
  return !/^[A-Za-z]/.test(name) || name in Object.prototype ? otherwise : name;
}

/** The text of the description, and what it takes for granted. Throws DataError for a label that is not there or says nothing. */
export function describeTable(
  profile: CsvProfile,
  wishes: TableWishes,
): { readonly text: string; readonly notes: readonly string[] } {
  const notes: string[] = [];
  const label = labelOf(profile, wishes, notes);
  for (const column of profile.columns) notes.push(...numberNotes(column, wishes));
  const left: string[] = [];
  const features = profile.columns.flatMap((column): Feature[] =>
    column === label ? [] : featureOf(column, profile.rows, (why) => left.push(`column "${column.name}" is left out: ${why}`)),
  );
  if (features.length === 0) {
    const why =
      left.length === 0 ? `there is none, with cells parted at ${delimiterName(profile.delimiter)}` : left.slice(0, 3).join(', ');
    throw new DataError(`${wishes.where}: no column beside the label can be a feature: ${why}`, {
      path: wishes.where,
      expected: 'a feature',
    });
  }
  notes.push(...left);
  const head = headOf(label, profile.rows, wishes, notes);
  return { text: textOf(profile, label, features, head, wishes), notes };
}

function labelOf({ columns }: CsvProfile, { label, where }: TableWishes, notes: string[]): ColumnProfile {
  const found = label === undefined ? columns.at(-1) : columns.find(({ name }) => name === label);
  if (found === undefined) {
    const expected = columns.map(({ name }) => JSON.stringify(name)).join(', ');
    throw new DataError(`${where}: no column is named ${JSON.stringify(label)}, expected one of ${expected}`, {
      path: where,
      expected,
      got: label ?? 'none',
    });
  }
  if (label === undefined) notes.push(`column "${found.name}", the last, is the label; --label names another`);
  if (found.missing > 0)
    throw new DataError(`${where}: the label "${found.name}" is missing in ${found.missing} rows, expected it in every row`, {
      path: where,
      expected: 'no empty label',
    });
  if (found.values.size < 2)
    throw new DataError(`${where}: the label "${found.name}" is the same in every row, expected at least two values`, {
      path: where,
      expected: 'two values',
    });
  return found;
}

/** What is not said by calling a column numbers or texts. */
function numberNotes({ name, numbers, texts, otherDecimals, padded, values }: ColumnProfile, { decimal }: TableWishes): string[] {
  if (otherDecimals > 0 && otherDecimals === texts) {
    const other = decimal === ',' ? '.' : ',';
    const example = [...values].find((text) => text.includes(other));
    return [`column "${name}" is taken as texts, such as ${JSON.stringify(example)}; --decimal ${other} reads them as numbers`];
  }
  if (numbers > 0 && texts === 0 && padded !== undefined)
    return [`column "${name}" is taken as numbers, though ${JSON.stringify(padded)} begins with a zero as codes do`];
  return [];
}

function featureOf(column: ColumnProfile, rows: number, leaveOut: (why: string) => void): Feature[] {
  const { name, texts, numbers, values, missing } = column;
  const left = (why: string): Feature[] => {
    leaveOut(why);
    return [];
  };
  if (texts + numbers === 0) return left('it is empty');
  if (name === '') return left('it has no name, as the index that pandas writes');
  if (texts === 0) {
    const counts = /^(?:unnamed: 0|index|row|row_?id|id)$/i.test(name) && column.whole && values.size >= Math.min(rows, 1000);
    return counts ? left('it numbers the rows') : [{ name }];
  }
  if (values.size > mostCategories) return left(`it has more than ${mostCategories} different texts`);
  if ([...values].some((text) => text.length > 200)) return left('it has texts of more than 200 characters');
  return [{ name, categories: [...(missing > 0 ? [''] : []), ...values].sort() }];
}

/** The head in YAML. */
function headOf({ name, texts, values, whole }: ColumnProfile, rows: number, { where }: TableWishes, notes: string[]): string {
  const found = [...values];
  if (texts > 0) {
    if (values.size <= mostCategories) return `{ classify: { classes: ${values.size}, names: ${list(found.sort())} } }`;
    throw new DataError(
      `${where}: the label "${name}" has more than ${mostCategories} different texts, expected classes or numbers`,
      {
        path: where,
        expected: 'classes or numbers',
      },
    );
  }
  const numbers = found.map(Number).sort((a, b) => a - b);
  if (!whole || values.size > mostNumberClasses || values.size * 2 > rows)
    return `{ regress: { outputs: 1, names: ${list([name])} } }`;
  notes.push(
    `the label "${name}" has ${values.size} whole numbers, taken as classes; { regress: 1 } as the head predicts it as a number`,
  );
  if (numbers.every((value, i) => value === i)) return `{ classify: ${values.size} }`;
  return `{ classify: { classes: ${values.size}, names: [${numbers.map((v) => JSON.stringify(String(v))).join(', ')}] } }`;
}

function textOf(
  { columns, delimiter }: CsvProfile,
  label: ColumnProfile,
  features: readonly Feature[],
  head: string,
  { source, decimal }: TableWishes,
): string {
  const holes = features.some(
    ({ name, categories }) => categories === undefined && (columns.find((column) => column.name === name)?.missing ?? 0) > 0,
  );
  const numbers = features.some(({ categories }) => categories === undefined);
  const categories = features.some((feature) => feature.categories !== undefined);
  const steps = [...(holes ? ['{ fill: median }'] : []), ...(numbers ? ['standardise'] : []), ...(categories ? ['one_hot'] : [])];
  const task = nameOf(label.name, 'label');
  const input = task === 'row' ? 'table' : 'row';
  const base = source.replace(/^.*[\\/]/, '').replace(/\.[^.]*$/, '');
  const lines = features.map((feature) =>
    feature.categories === undefined
      ? `    - ${yaml(feature.name)}`
      : `    - { ${yaml(feature.name)}: ${list(feature.categories)} }`,
  );
  const options = [
    `source: ${JSON.stringify(source)}`,
    `label: ${yaml(label.name)}`,
    ...(delimiter === ',' || delimiter === '\t' ? [] : [`delimiter: ${JSON.stringify(delimiter)}`]),
    ...(decimal === ',' ? ["decimal: ','"] : []),
  ];
  return `# One task on a table: ${label.name} by ${features.length} features.
# yaml-language-server: $schema=./prognet.schema.json
prognet: 1
name: ${nameOf(base, 'table')}
seed: 0
input:
  name: ${input}
  features:
${lines.join('\n')}
  prepare: [${steps.join(', ')}]
columns:
  - task: ${task}
    data: { ${options.join(', ')} }
    blocks:
      - [{ dense: 32 }, relu]
      - [{ dense: 32 }, relu]
    head: ${head}
    train: { epochs: 60, batch: 32, lr: 0.003 }
`;
}
