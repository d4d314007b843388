// An imported graph run on a few samples before it is taken: whether ONNX Runtime takes it, what shapes its taps and scores have, and what the file that it
// came from answers. Two sessions, one after another, or the file's alone where the graph shows the rest; whether the column as it is exported answers
// alike is import-proof.ts's.
import { joinRows, sliceRows } from '../data/rows.js';
import type { Size } from '../model/nn/open-size.js';
import type { FileInput } from '../model/progressive/import-inputs.js';
import { type ImportedModel, isReadable, sayingFile } from '../model/progressive/import-model.js';
import { boundShape } from '../model/progressive/open-inputs.js';
import type { DType } from '../onnx/core/dtype.js';
import { must, RuntimeError, UsageError } from '../onnx/core/errors.js';
import { Random } from '../onnx/core/random.js';
import type { Remedy } from '../onnx/core/remedy.js';
import { elementCount } from '../onnx/core/shape.js';
import { Tensor } from '../onnx/core/tensor.js';
import { ownRows } from '../onnx/features/own-rows.js';
import { type Graph, nodeReads, type Value } from '../onnx/ir/graph.js';
import { cloneModel, type Model } from '../onnx/ir/model.js';
import { formatType, tensorType } from '../onnx/ir/types.js';
import { inferShapes } from '../onnx/passes/infer-shapes.js';
import { removeUnused } from '../onnx/passes/remove-unused.js';
import { takeBranch } from '../onnx/passes/take-branch.js';
import type { Runtime, Session, SessionOptions } from '../onnx/runtime/session.js';
import { sessionModel } from '../onnx/serde/session-model.js';
import { randomSamples } from './fixed-samples.js';
import { apartFrom, difference, type Feeds, type FileAnswers, near } from './import-proof.js';

export interface Probed {
  /** Shapes of one sample, of the taps in their order. */
  readonly shapes: readonly (readonly Size[])[];
  /** Of taps and scores that a head judges, by name. */
  readonly dtypes: ReadonlyMap<string, DType>;
  /** Of the scores that a head judges. */
  readonly scores: readonly Size[] | undefined;
  /** Of some of the samples. */
  readonly answers: FileAnswers;
  /** The value of a sample that changes when the others of its batch do, and by how much; undefined where none does. */
  readonly mixed: { readonly name: string; readonly by: number } | undefined;
}

/** A batch of one, and the smallest in which a sample stands beside another. */
const batches = [1, 2] as const;

/** The graph with its weights in it. */
export function withWeights({ model, weights }: Pick<ImportedModel, 'model' | 'weights'>, task: string): Model {
  const copy = cloneModel(model);
  const { graph } = copy;
  graph.inputs = graph.inputs.filter((v) => {
    const tensor = weights.get(`${task}/${v.name}`);
    if (tensor === undefined) return true;
    v.constant = tensor;
    graph.initializers.push(v);
    return false;
  });
  return copy;
}

type Fail = (message: string, cause?: unknown) => never;

export interface ProbeOptions {
  readonly task: string;
  readonly file: string;
  /** Whether a head judges the scores. */
  readonly judged: boolean;
  readonly session: SessionOptions;
}

/** A tap that later columns cannot read, as the run shows. */
export class TapRefused extends UsageError {
  constructor(
    message: string,
    readonly tap: string,
    file: string,
    cause?: unknown,
    remedy?: Remedy,
  ) {
    super(message, { path: file, ...(cause !== undefined && { cause }), ...(remedy !== undefined && { remedy }) });
  }
}

/**
 * All sizes of the inputs are known. Throws UsageError, in one line that `file` begins, for what does not run or has no row for each sample; TapRefused
 * where that is a tap.
 */
export async function probeKnown(
  runtime: Runtime,
  imported: ImportedModel,
  original: Model,
  options: ProbeOptions,
): Promise<Probed> {
  const shown = shownBy(imported, options);
  if (shown === undefined) return await probeByRuns(runtime, imported, original, options);
  const feeds = [feedsOf(imported, batches[0], new Random(0, 'import'))];
  try {
    return { ...shown, answers: await fileAnswers(runtime, imported, original, feeds, options), mixed: undefined };
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    // The column may need less of the file.
    return await probeByRuns(runtime, imported, original, options);
  }
}

/** What the graph itself says of taps and scores: shapes and types, and that a row is its sample's alone. Undefined where a run must tell. */
function shownBy(
  { model: { graph }, file, inputs, taps, scores }: ImportedModel,
  { judged }: ProbeOptions,
): Pick<Probed, 'shapes' | 'dtypes' | 'scores'> | undefined {
  if (file.opened) return undefined;
  const samples = graph.inputs.filter((v) => inputs.includes(v.name));
  const own = ownRows(graph, samples);
  const shapes = new Map<string, readonly number[]>();
  const dtypes = new Map<string, DType>();
  const gives = scores ?? must(taps.at(-1), 'tap');
  const ran = neededBy(graph, gives);
  for (const v of graph.outputs) {
    if (!taps.includes(v.name) && !judged) continue;
    const shape = v.shape?.slice(1);
    // What the file's answer does not need nobody would have run.
    if (!shape?.every((d) => typeof d === 'number') || !own.has(v) || !isReadable(v.dtype) || !ran.has(v)) return undefined;
    shapes.set(v.name, shape);
    dtypes.set(v.name, v.dtype);
  }
  const shape = (name: string) => must(shapes.get(name), name);
  return { shapes: taps.map(shape), dtypes, scores: judged ? shape(gives) : undefined };
}

/** An output and all that it is computed from. */
function neededBy(graph: Graph, output: string): ReadonlySet<Value> {
  const needed = new Set(graph.outputs.filter((v) => v.name === output));
  for (const v of needed) if (v.producer !== undefined) for (const read of nodeReads(v.producer)) needed.add(read);
  return needed;
}

/** What the file answers. Throws UsageError where it does not run. */
async function fileAnswers(
  runtime: Runtime,
  imported: ImportedModel,
  original: Model,
  feeds: readonly Feeds[],
  { file, session }: ProbeOptions,
): Promise<FileAnswers> {
  const fail: Fail = (message, cause) => {
    throw new UsageError(`${file}: ${message}`, { path: file, cause });
  };
  const { given } = imported;
  const part = sayingFile(file, () => exposed(original, imported));
  const theirs = await inSession(runtime, part, session, fail, (s) => answers(s, feeds, [given]));
  return { feeds, given: theirs.map((of) => must(of[given], given)) };
}

async function probeByRuns(runtime: Runtime, imported: ImportedModel, original: Model, options: ProbeOptions): Promise<Probed> {
  const { task, file, judged, session } = options;
  const { taps, scores, inputs } = imported;
  const random = new Random(0, 'import');
  const feeds = batches.map((rows) => feedsOf(imported, rows, random));
  const rowed = [...new Set([...taps, ...(judged && scores !== undefined ? [scores] : [])])];
  const gives = scores ?? must(taps.at(-1), 'tap');
  const names = [...new Set([...rowed, gives])];
  const fail: Fail = (message, cause) => {
    throw new UsageError(`${file}: ${message}`, { path: file, ...(cause !== undefined && { cause }) });
  };
  const run: Fail = imported.file.opened
    ? (message, cause) => fail(`its batch is 1 and cannot be opened: ${message}`, cause)
    : fail;
  const opening = imported.file.opened ? 'its batch is 1 and cannot be opened: ' : '';
  const refuse = (name: string, message: string, cause?: unknown): never => {
    if (taps.includes(name)) throw new TapRefused(`${file}: ${message}`, name, file, cause);
    return fail(message, cause);
  };
  // Of what does not run, the deepest tap needs most.
  const ill: Fail = (message, cause) =>
    taps.length > 1 ? refuse(must(taps.at(-1), 'tap'), `${opening}${message}`, cause) : run(message, cause);
  const own = (of: Feeds) => Object.fromEntries(inputs.map((name) => [name, must(of[name], name)]));
  const [, more = {}] = feeds;
  // The first sample once more, among others; and all of them the other way round.
  const other = besideOthers(more, feedsOf(imported, batches[1], random));
  const turned = Object.fromEntries(Object.entries(more).map(([name, t]) => [name, reversed(t)]));
  const asked = [...feeds, other, turned].map(own);
  const ran = await inSession(runtime, withWeights(imported, task), session, ill, (s) => answers(s, asked, names));
  const ours = ran.slice(0, batches.length);
  const [, two = {}, again = {}, backward = {}] = ran;
  const shapes = new Map<string, readonly number[]>();
  const dtypes = new Map<string, DType>();
  for (const name of rowed) {
    const { dtype, dims } = must(two[name], name);
    if (!isReadable(dtype))
      refuse(name, `"${name}" is ${formatType(tensorType(dtype, ['N', ...dims.slice(1)]))}, expected float32[N,...]`);
    dtypes.set(name, dtype);
    const way = judged && name === scores ? ', or --head none' : '';
    const [first = [], second = []] = ours.map((of) => must(of[name], name).dims);
    if (second[0] !== batches[1])
      refuse(name, `${opening}"${name}" is [${second}] for ${batches[1]} samples, expected one row for each${way}`);
    if (first[0] !== batches[0])
      refuse(name, `${opening}"${name}" is [${first}] for one sample, expected one row for each${way}`);
    if (first.slice(1).join() !== second.slice(1).join())
      refuse(name, `the shape of "${name}" depends on the samples: [${first}] and [${second}], expected one shape for all`);
    shapes.set(name, first.slice(1));
    const back = reversed(must(backward[name], name));
    if (!(difference(must(two[name], name), back) <= near(back)))
      refuse(name, `${opening}"${name}" has no row for each sample: in another order of the samples its rows are others`);
  }
  const [mixed] = rowed.flatMap((name) => {
    const [a, b] = [two, again].map((of) => sliceRows(must(of[name], name), 0, 1));
    const by = difference(must(a, name), must(b, name));
    return by === 0 ? [] : [{ name, by }];
  });
  if (mixed !== undefined && imported.file.opened)
    refuse(mixed.name, `its batch is 1 and cannot be opened: "${mixed.name}" of a sample changes with the others`);
  // A batch that was 1 is compared row by row.
  const each = imported.file.opened ? rowsOf(imported, more, batches[1]) : [more];
  const theirs = await fileAnswers(runtime, imported, original, each, options);
  if (imported.file.opened) {
    const opened = difference(joined([must(two[gives], gives)]), joined(theirs.given));
    if (!(opened <= Math.max(...theirs.given.map(near))))
      fail(`its batch is 1 and cannot be opened: "${gives}" of a sample changes with the others`);
  }
  return {
    shapes: taps.map((name) => must(shapes.get(name), name)),
    dtypes,
    scores: judged ? shapes.get(gives) : undefined,
    answers: theirs,
    mixed,
  };
}

/** How far the column is from the file where it cannot be asked as a whole: by its graph without taps among its outputs, as `export` writes it. */
export async function apartAlone(
  runtime: Runtime,
  imported: ImportedModel,
  { answers: found }: Probed,
  { task, file, session }: ProbeOptions,
): Promise<number> {
  const output = imported.scores ?? must(imported.taps.at(-1), 'tap');
  const alone = withWeights(imported, task);
  alone.graph.outputs = alone.graph.outputs.filter((v) => v.name === output);
  removeUnused(alone.graph);
  const fail: Fail = (message, cause) => {
    throw new UsageError(`${file}: ${message}`, { path: file, cause });
  };
  return await inSession(runtime, alone, session, fail, (s) =>
    apartFrom(found, s, imported, { names: imported.inputs, output, file }),
  );
}

/** Of all that the file asks for. */
function feedsOf({ file }: ImportedModel, rows: number, random: Random): Feeds {
  return Object.fromEntries(
    file.all.map((input) => {
      const { name, dtype, shape, fixed } = input;
      return [
        name,
        fixed === undefined
          ? differing(() => randomSamples(dtype, [rows, ...boundShape(shape)], random))
          : fixedFeed(input, rows),
      ];
    }),
  );
}

/** Rows that are not all the same, where chance gives such: lengths and flags decide what becomes of a row. */
function differing(draw: () => Tensor): Tensor {
  let found = draw();
  for (let tries = 0; tries < 16 && found.dims[0] !== 1 && sameRows(found); tries++) found = draw();
  return found;
}

const sameRows = (t: Tensor): boolean => {
  const rows = t.dims[0] ?? 0;
  return Array.from({ length: rows }, (_, i) => sliceRows(t, i, i + 1).bytes).every(
    (row, _, [first]) => first && Buffer.compare(first, row) === 0,
  );
};

/** The first row of one batch, and all further ones of another. */
function besideOthers(first: Feeds, others: Feeds): Feeds {
  return Object.fromEntries(
    Object.entries(others).map(([name, t]) => {
      const own = must(first[name], name);
      if (t.dims[0] !== batches[1]) return [name, t];
      const bytes = Uint8Array.from(t.bytes);
      bytes.set(sliceRows(own, 0, 1).bytes);
      return [name, Tensor.fromBytes(t.dtype, t.dims, bytes)];
    }),
  );
}

/** The rows of the larger batch from the last to the first; a value of another length is no sample and stays. */
function reversed(t: Tensor): Tensor {
  const rows = t.dims[0] ?? 0;
  if (rows !== batches[1]) return t;
  return joinRows(Array.from({ length: rows }, (_, i) => sliceRows(t, rows - 1 - i, rows - i)));
}

/** Each row as a batch of its own. */
function rowsOf({ file }: ImportedModel, feeds: Feeds, rows: number): Feeds[] {
  return Array.from({ length: rows }, (_, i) =>
    Object.fromEntries(
      file.all.map((input) => {
        const { name, fixed } = input;
        return [name, fixed === undefined ? sliceRows(must(feeds[name], name), i, i + 1) : fixedFeed(input, 1)];
      }),
    ),
  );
}

/** An input that is no sample, for so many rows. */
function fixedFeed({ dtype, shape, fixed = 0, batchAt }: FileInput, rows: number): Tensor {
  const dims = boundShape(shape).map((d, i) => (i === batchAt ? rows : d));
  return Tensor.from(dtype, new Array<number>(elementCount(dims)).fill(fixed), dims);
}

/** All numbers one after another. */
const joined = (parts: readonly Tensor[]): Tensor => {
  const numbers = parts.flatMap((t) => t.numbers());
  return Tensor.from('float64', numbers, [numbers.length]);
};

/** The file's own model, with what the column gives among its outputs; where that is none of them, the part that gives it. */
function exposed(original: Model, { given, file }: ImportedModel): Model {
  if (original.graph.outputs.some((v) => v.name === given)) return original;
  const copy = cloneModel(original);
  const { graph, opset } = copy;
  const find = () => graph.nodes.flatMap((node) => node.outputs).find((v) => v.name === given);
  if (find() === undefined) {
    // It stands in a branch that what is fixed chooses.
    for (const v of graph.inputs) {
      const input = file.all.find(({ name, fixed }) => name === v.name && fixed !== undefined);
      if (input === undefined || input.batchAt !== undefined) continue;
      v.constant = fixedFeed(input, 1);
      graph.initializers.push(v);
    }
    graph.inputs = graph.inputs.filter((v) => v.constant === undefined);
    inferShapes(graph, { opset });
    takeBranch(graph);
  }
  graph.outputs = [must(find(), given)];
  removeUnused(graph);
  return copy;
}

async function answers(session: Session, feeds: readonly Feeds[], names: readonly string[]): Promise<Feeds[]> {
  const found: Feeds[] = [];
  for (const each of feeds) {
    const taken = session.inputNames.map((name) => [name, must(each[name], name)] as const);
    found.push(await session.run(Object.fromEntries(taken), names));
  }
  return found;
}

async function inSession<T>(
  runtime: Runtime,
  model: Model,
  how: SessionOptions,
  fail: Fail,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  try {
    const { bytes, options } = sessionModel(model, runtime);
    const session = await runtime.createSession(bytes, { ...how, ...options });
    try {
      return await work(session);
    } finally {
      await session.release();
    }
  } catch (cause) {
    if (cause instanceof RuntimeError) return fail(cause.message, cause);
    throw cause;
  }
}

/** States what was found of the outputs in the graph, for those who read it. */
export function stateShapes({ model, taps, scores }: Pick<ImportedModel, 'model' | 'taps' | 'scores'>, probed: Probed): void {
  const found = new Map(taps.map((name, i) => [name, must(probed.shapes[i], name)]));
  if (scores !== undefined && probed.scores !== undefined) found.set(scores, probed.scores);
  for (const v of model.graph.outputs) {
    const shape = found.get(v.name);
    const dtype = probed.dtypes.get(v.name);
    if (shape !== undefined && dtype !== undefined) v.type = tensorType(dtype, ['N', ...shape]);
  }
}
