// What one part of a description says of another: unique names, `like`; what laterals read and feed is resolve-laterals.ts.
import { isJudged, isSeveral, toBalance, unjudged } from '../heads/heads.js';
import { outputNames } from '../heads/output-names.js';
import { outputsBegin } from '../heads/several.js';
import { suggest } from '../nn/schema.js';
import { importedPrepare, learns } from '../prepare/prepare.js';
import { type ColumnDescription, type Description, type DescriptionWritten, type Tune, taskIdName } from './description.js';
import { categoriesName, hasCategories } from './features.js';
import { descriptionError, type Path, show } from './issues.js';
import { type ColumnWritten, type Fail, listTasks, notEarlier, resolveLaterals, tapOf } from './resolve-laterals.js';

/** Tasks must differ in more than case (they become folders), and their outputs stay apart from inputs and from each other. Names with their holders. */
function checkNames(written: DescriptionWritten, fail: Fail): Map<string, string> {
  const inputs = new Map([[taskIdName, 'the input of routed models']]);
  for (const input of written.input) {
    const { name } = input;
    inputs.set(name, 'an input');
    if (hasCategories(input.features)) inputs.set(categoriesName(name), 'the input of categories');
  }
  const tasks = new Map<string, number>();
  const values = new Map<string, string>();
  written.columns.forEach(({ task }, i) => {
    const path = ['columns', i, 'task'];
    const other = tasks.get(task.toLowerCase());
    if (other !== undefined)
      throw fail(path, `task ${show(task)} stands in columns[${other}] already`, 'expected a name of its own');
    tasks.set(task.toLowerCase(), i);
    for (const value of Object.values(outputNames(task))) {
      const holder = inputs.get(value) ?? values.get(value);
      if (holder !== undefined) {
        throw fail(path, `task ${show(task)} has an output ${show(value)}, the name of ${holder}`, 'expected a name of its own');
      }
      values.set(value, `an output of task ${show(task)}`);
    }
  });
  return new Map([...inputs, ...values]);
}

/** The same of several heads, whose outputs begin with their names. */
function checkHeadNames({ task, head }: ColumnDescription, path: Path, taken: Map<string, string>, fail: Fail): void {
  if (!isSeveral(head)) return;
  for (const { name } of head.heads)
    for (const value of Object.values(outputNames(outputsBegin(task, name)))) {
      const holder = taken.get(value);
      if (holder !== undefined)
        throw fail([...path, 'heads', name], `has an output ${show(value)}, the name of ${holder}`, 'expected a name of its own');
      taken.set(value, `an output of head ${show(name)} of task ${show(task)}`);
    }
}

function likeColumn(
  index: number,
  done: readonly ColumnDescription[],
  written: readonly ColumnWritten[],
  fail: Fail,
): ColumnDescription | undefined {
  const name = written[index]?.like;
  if (name === undefined) return undefined;
  const source = done.find((c) => c.task === name);
  if (source !== undefined) return source;
  const tasks = done.map((c) => c.task);
  const hint = tasks.length === 0 ? 'expected no "like" in the first column' : suggest(name, tasks);
  const got = notEarlier(name, index, written);
  const right = got.startsWith('unknown') || tasks.length === 0 ? hint : `expected an earlier task: ${listTasks(tasks)}`;
  throw fail(['columns', index, 'like'], got, right);
}

/** The inputs that a column reads, by name; its own, else those of the column whose blocks it has, else the first. */
function readNames(
  column: ColumnWritten,
  source: ColumnDescription | undefined,
  { input }: DescriptionWritten,
  path: Path,
  fail: Fail,
): readonly string[] {
  const names = input.map((each) => each.name);
  column.inputs?.forEach((name, i) => {
    const at = [...path, 'inputs', i];
    if (!names.includes(name)) throw fail(at, `unknown input ${show(name)}`, suggest(name, names));
    if (column.inputs?.indexOf(name) !== i) throw fail(at, `${show(name)} stands there twice`, 'expected each input once');
  });
  column.inputs?.forEach((name, i) => {
    const { mask, types = mask } = input.find((each) => each.name === name) ?? {};
    if (types === undefined || column.inputs?.includes(types)) return;
    throw fail([...path, 'inputs', i], `${show(name)} follows of ${show(types)}`, `expected ${show(types)} among them`);
  });
  const liked = column.blocks === undefined && column.onnx === undefined ? source?.inputs : undefined;
  return column.inputs ?? liked ?? names.slice(0, 1);
}

/** A column without blocks is a head over what earlier columns give: it reads no input itself. */
function checkHeadAlone({ laterals }: ColumnDescription, written: ColumnWritten, index: number, fail: Fail): void {
  const path = (key: string) => ['columns', index, key];
  if (written.inputs !== undefined)
    throw fail(path('inputs'), 'found beside "blocks: []"', 'expected none, since the column reads earlier columns alone');
  if (laterals.kind === 'none')
    throw fail(path('blocks'), 'found none', 'expected at least one block, or laterals from an earlier task into the head');
  if (written.prepare !== undefined)
    throw fail(path('prepare'), 'found beside "blocks: []"', 'expected none, since the column reads earlier columns alone');
}

/** An imported column brings blocks and laterals of its own. */
function checkImported(column: ColumnWritten, index: number, fail: Fail): void {
  for (const key of ['blocks', 'like', 'laterals', 'train', 'heads'] as const) {
    const given = column[key];
    if (given === undefined || (key === 'laterals' && column.laterals?.kind === 'none')) continue;
    throw fail(['columns', index, key], `found beside "onnx"`, 'expected an imported column without it');
  }
}

/** What a column tunes, checked against the columns before it; undefined where it tunes none. */
function resolveTune(
  index: number,
  source: ColumnDescription | undefined,
  done: readonly ColumnDescription[],
  all: readonly ColumnWritten[],
  fail: Fail,
): { readonly tune: Tune; readonly base: ColumnDescription } | undefined {
  const column = all[index];
  const inherited = column?.blocks === undefined && column?.onnx === undefined ? source?.tune : undefined;
  const tune = column?.tune ?? inherited;
  if (column === undefined || tune === undefined) return undefined;
  const path = (...keys: (string | number)[]) => ['columns', index, ...keys];
  for (const key of ['blocks', 'onnx', 'laterals', 'prepare', 'inputs'] as const) {
    if (column[key] === undefined || (key === 'laterals' && column.laterals?.kind === 'none')) continue;
    throw fail(path(key), 'found beside "tune"', `expected a column without it, since it has those of ${show(tune.base)}`);
  }
  const base = done.find(({ task }) => task === tune.base);
  const imported = done.filter(({ onnx }) => onnx !== undefined).map(({ task }) => task);
  const right =
    imported.length === 0
      ? 'expected an imported column, and none comes before'
      : `expected an imported column: ${listTasks(imported)}`;
  if (base === undefined) throw fail(path('tune', 'base'), notEarlier(tune.base, index, all), right);
  if (base.onnx === undefined) throw fail(path('tune', 'base'), `${show(tune.base)} is not imported`, right);
  if (tune.from !== undefined) tapOf(base, { tap: tune.from, path: path('tune', 'from') }, fail);
  return { tune, base };
}

/** Fills in what the columns say of each other. Throws DescriptionError. */
export function resolve(written: DescriptionWritten, file: string | undefined): Description {
  const fail: Fail = (path, got, right) => descriptionError(file, path, got, right);
  const taken = checkNames(written, fail);
  const done: ColumnDescription[] = [];
  written.columns.forEach((column, i) => {
    const source = likeColumn(i, done, written.columns, fail);
    if (column.onnx !== undefined) checkImported(column, i, fail);
    if (source?.onnx !== undefined && column.blocks === undefined) {
      throw fail(
        ['columns', i, 'like'],
        `${show(source.task)} is imported and has no layers to be like`,
        'expected "blocks" of its own',
      );
    }
    const tuned = resolveTune(i, source, done, written.columns, fail);
    const blocks = (column.onnx?.taps ?? tuned?.base.blocks)?.map(() => []) ?? column.blocks ?? source?.blocks;
    if (column.head !== undefined && column.heads !== undefined)
      throw fail(['columns', i], 'found "head" and "heads"', 'expected one of them');
    const head = column.heads ?? column.head ?? source?.head ?? (column.onnx === undefined ? undefined : unjudged());
    const path = ['columns', i];
    if (blocks === undefined) throw fail(path, '"blocks" is missing', 'expected a list of blocks, or "like"');
    if (head === undefined) throw fail(path, '"head" is missing', 'expected a head such as { classify: 10 }, "heads", or "like"');
    if (column.onnx === undefined && !isJudged(head))
      throw fail([...path, 'head'], 'found none', 'expected what the column is trained for, such as { classify: 10 }');
    if (column.onnx !== undefined && column.onnx.scores === undefined && isJudged(head))
      throw fail([...path, 'onnx'], '"scores" is missing', 'expected the value that the head judges');
    const alone = blocks.length === 0;
    const reads = readNames(tuned === undefined ? column : { ...column, inputs: tuned.base.inputs }, source, written, path, fail);
    const [first = ''] = reads;
    const at = written.input.findIndex((each) => each.name === first);
    const input = written.input[at];
    const alike = source?.inputs === undefined ? at === 0 : source.inputs[0] === first;
    const own =
      column.onnx === undefined ? ((alike ? source?.prepare : undefined) ?? input?.prepare) : importedPrepare(input?.prepare);
    const prepare = alone ? undefined : tuned === undefined ? (column.prepare ?? own) : tuned.base.prepare;
    const learning = column.onnx === undefined ? undefined : prepare?.find(learns);
    if (learning !== undefined) {
      const right = 'expected steps that learn nothing, since an imported column is not trained';
      throw fail(['columns', i, 'prepare'], `${learning.kind} learns of the training data`, right);
    }
    const balanced = column.onnx === undefined ? undefined : toBalance(head);
    if (balanced !== undefined) {
      const right = 'expected numbers, since an imported column is not trained';
      throw fail(['columns', i, 'head'], `${balanced}: balanced is learned of the training data`, right);
    }
    if (prepare === undefined && !alone && column.onnx === undefined && tuned === undefined && input?.dtype === 'uint8') {
      const right = 'expected what makes numbers of uint8, such as [scale] for 0..255 to 0..1';
      throw fail(['input', ...(written.input.length > 1 ? [at] : []), 'prepare'], '"prepare" is missing', right);
    }
    const resolved: ColumnDescription = {
      task: column.task,
      ...(column.data === undefined ? {} : { data: column.data }),
      ...(prepare === undefined ? {} : { prepare: prepare.map((step) => structuredClone(step)) }),
      ...(alone || (reads.length === 1 && at === 0) ? {} : { inputs: [...reads] }),
      blocks: structuredClone(blocks),
      ...(column.onnx === undefined ? {} : { onnx: column.onnx }),
      ...(tuned === undefined ? {} : { tune: tuned.tune }),
      head: structuredClone(head),
      ...(column.like === undefined ? {} : { like: column.like }),
      laterals:
        column.onnx !== undefined || tuned !== undefined
          ? { kind: 'none' }
          : resolveLaterals(i, blocks.length, done, written.columns, fail),
      train: column.train ?? {},
    };
    if (alone) checkHeadAlone(resolved, column, i, fail);
    checkHeadNames(resolved, path, taken, fail);
    done.push(resolved);
  });
  return { prognet: 1, name: written.name, seed: written.seed, inputs: written.input, columns: done };
}
