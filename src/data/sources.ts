// Data of a task: the source that a `data` entry names is found, read, split and transformed. What each source reads is under sources/.

import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { dataError, quote } from '../formats/data-error.js';
import { DataError, InternalError, UsageError } from '../onnx/core/errors.js';
import { aList, anObject, either, given, optional, text } from '../onnx/core/given.js';
import { type AnySet, type Dataset, type RowSet, type SampleSet, type Split, splitTest } from './dataset.js';
import { sameInputs, withClasses } from './from-arrays.js';
import { stepOf } from './reading.js';
import { inMemory } from './rows.js';
import type { DataOptions, DataSpec } from './schema.js';
import { kindOf } from './sources/files.js';
import { named, sources } from './sources/list.js';
import type { Place, SeveralContext, Source, SourceContext, Streams } from './sources/source.js';
import { type Keeping, keptSplit } from './stored/keep-split.js';
import { memoryOf } from './stored/memory.js';
import { packedSet, unpackedSet } from './stored/packed.js';
import type { Writer } from './stored/writing.js';
import { applyTransforms, changesTargets, type TransformSpec, transformStored } from './transforms/registry.js';
import { transformSeveral } from './transforms/several.js';

/** Sources that are names rather than paths. */
export const sourceNames: readonly string[] = named.map(({ what }) => what);
const kinds = sources.map(({ what }) => what);
const expected = `${kinds.slice(0, -1).join(', ')} or ${kinds.at(-1)}`;

async function placeOf(source: string, baseDir: string): Promise<Place> {
  const path = resolve(baseDir, source);
  return { source, path, kind: await kindOf(path), extension: path.slice(path.lastIndexOf('.') + 1).toLowerCase() };
}

/** The source that stands at a place. */
async function sourceAt(place: Place, where: string): Promise<Source> {
  for (const source of sources) if (await source.is(place)) return source;
  const { kind, path } = place;
  const what =
    kind === undefined
      ? `there is no ${path}`
      : kind === 'file'
        ? `${path} is none of these files`
        : `${path} holds none of these files`;
  throw dataError(where, `unknown source ${quote(place.source)}, ${what}, expected ${expected}`, {
    expected,
    got: place.source,
  });
}

/** The files that a source of the user's is read from, as far as they are there. */
export function sourceFiles(source: string, baseDir: string): string[] {
  if (sourceNames.includes(source)) return [];
  const path = resolve(baseDir, source);
  try {
    return statSync(path).isDirectory() ? sources.flatMap(({ files }) => files?.(path) ?? []) : [path];
  } catch {
    return [];
  }
}

/** An option that the source would ignore is refused. */
function checkSourceOptions(options: DataOptions, source: Source, where: string): void {
  for (const key of new Set(sources.flatMap(({ options }) => options))) {
    if (options[key] === undefined || source.options.includes(key)) continue;
    const takes = sources.filter(({ options }) => options.includes(key)).map(({ what }) => what);
    throw dataError(`${where}.${key}`, `is for ${takes.join(' or ')}, the source is ${quote(options.source)}`, {
      got: options.source,
    });
  }
}

/** How a test set is drawn is refused where the source brings one. */
function checkSplitOptions(options: DataOptions, whole: boolean, where: string): void {
  for (const key of ['test', 'seed'] as const) {
    if (options[key] === undefined || whole) continue;
    throw dataError(`${where}.${key}`, `is for sources without a test set, ${quote(options.source)} has its own`, {
      got: options.source,
    });
  }
}

/**
 * Loads a source as it is, its transforms not applied. A source without a test set is split by `test` (default 0.2) and `seed` (default 0).
 * @throws DataError for unknown sources, unreadable or broken files, NaN, options that the source has no use for
 */
export async function loadSource(spec: DataSpec, context: SourceContext): Promise<Split> {
  const opened = await openSource(spec, context);
  return await readSource(opened, context);
}

/** A source at its place, its options looked through. */
interface Opened {
  readonly source: Source;
  readonly place: Place;
  readonly options: DataOptions;
  readonly where: string;
}

async function openSource(spec: DataSpec, context: SourceContext): Promise<Opened> {
  if (context?.baseDir === undefined) {
    throw new UsageError('loadData: "baseDir" is missing, expected { baseDir }, the folder that relative paths start from', {
      path: 'baseDir',
    });
  }
  const options: DataOptions = typeof spec === 'string' ? { source: spec } : spec;
  const where = context.path ?? 'data';
  const place = await placeOf(options.source, context.baseDir);
  const source = await sourceAt(place, where);
  const { target } = context;
  if (target !== undefined && !source.options.includes('targets')) {
    const takes = sources.filter(({ options }) => options.includes('targets')).map(({ what }) => what);
    const text = `${quote(options.source)} gives one target, the column has several heads; expected ${takes.join(' or ')}`;
    throw dataError(where, text, { expected: takes.join(' or '), got: options.source });
  }
  if (target === undefined && options.targets !== undefined)
    throw dataError(`${where}.targets`, 'is for columns with several heads, expected "label"', { expected: 'label' });
  checkSourceOptions(options, source, where);
  return { source, place, options, where };
}

async function readSource(opened: Opened, context: SourceContext): Promise<Split> {
  const { source, place, options, where } = opened;
  const found = await source.read(place, options, context);
  checkSplitOptions(options, 'whole' in found, where);
  if ('split' in found) {
    const { train } = sameInputs(found.split, where, context.inputs);
    return train.classes === undefined ? withClasses(found.split) : found.split;
  }
  return withClasses(drawn(found.whole, opened, context));
}

/** The part that is the test set where nobody says it. */
const testPart = 0.2;

/** A data set with a test set drawn from it. */
function drawn<D extends AnySet>(whole: D, { options, place, where }: Opened, { onDrawn }: SourceContext): Split<D> {
  const { test = testPart, seed = 0 } = options;
  const split = splitTest(whole, test, seed, where);
  const [count, all] = [split.test, whole].map(({ targets: { dims } }) => dims[0]);
  if (options.test === undefined) onDrawn?.(drawnLine(place, seed, `${count} of ${all}`));
  return split;
}

const drawnLine = ({ path }: Place, seed: number, rows: string): string =>
  `${path}: brings no test set: ${rows} rows, drawn by seed ${seed}, are it; "test" and "seed" in the data entry decide it`;

/** Files that together are smaller hold nothing that could be too much, whatever they are packed by. */
const smallFiles = 2 ** 21;

/** Where and how the rows are kept, when they are more than may be in memory. */
async function keepingOf<C extends SourceContext>(
  { source, place, options, where }: Opened,
  context: C,
  list: readonly TransformSpec[] | undefined,
  openOf: (source: Source) => ((place: Place, options: DataOptions, context: C) => Promise<Streams>) | undefined,
): Promise<(Keeping & { readonly streams: Streams }) | undefined> {
  const { memory: written, ...rest } = options;
  const { cache, head, features, inputs, missing, target, onNote } = context;
  const open = openOf(source);
  if (written !== undefined && open === undefined) {
    const takes = sources.filter((other) => openOf(other) !== undefined).map(({ what }) => what);
    throw dataError(`${where}.memory`, `is for ${takes.join(' or ')}, the source is ${quote(options.source)}`, {
      got: options.source,
    });
  }
  if (written !== undefined && cache === undefined) {
    const expected = 'a workspace, whose folder cache/ holds what is not to be in memory';
    throw dataError(`${where}.memory`, `expected ${expected}`, { expected });
  }
  if (open === undefined || cache === undefined) return undefined;
  const files = place.kind === 'file' ? [place.path] : (source.files?.(place.path) ?? []);
  if (written === undefined && files.reduce((n, file) => n + statSync(file).size, 0) < smallFiles) return undefined;
  const memory = memoryOf(options);
  const said: string[] = [];
  const say = (line: string) => {
    said.push(line);
    onNote?.(line);
  };
  let streams: Streams;
  try {
    streams = await open(place, options, { ...context, onNote: say });
  } catch (error) {
    if (written !== undefined || !(error instanceof DataError)) throw error;
    // Read whole it may be taken, or is refused for the same.
    return undefined;
  }
  const bytes = streams.train.bytes + (streams.test?.bytes ?? 0);
  if (bytes <= memory) return undefined;
  // Whether they are written now or were before; how many there are is known at the end.
  if (streams.test === undefined && options.test === undefined)
    context.onDrawn?.(drawnLine(place, options.seed ?? 0, 'a fifth of its'));
  const asked = [{ ...rest, transform: list }, place.path, head, features, inputs, missing, ...(target ? [target] : [])];
  return { cache, memory, asked, files, bytes, where: place.path, said, onNote, step: stepOf(context, place.path), streams };
}

/** Both parts from streams, the rows on disk. */
async function writeSplit(
  writer: Writer,
  { train, test }: Streams,
  { options, where }: Opened,
  { inputs }: SourceContext,
): Promise<Split<RowSet>> {
  const first = await writer.write(train);
  if (test === undefined) return withClasses(splitTest(first, options.test ?? testPart, options.seed ?? 0, where));
  const split = sameInputs({ train: first, test: await writer.write(test) }, where, inputs);
  return first.classes === undefined ? withClasses(split) : split;
}

/** Loads a source and applies its transforms: what a column is trained and evaluated on. Throws a DataError. */
export async function loadData(spec: DataSpec, context: SourceContext): Promise<Split> {
  const { train, test } = await loadRows(spec, omitCache(context));
  const whole = (data: RowSet): Dataset => {
    if (!inMemory(data.inputs)) throw new InternalError('rows on disk without a folder for them');
    return { ...data, inputs: data.inputs };
  };
  return { train: whole(train), test: whole(test) };
}

function omitCache(context: SourceContext): SourceContext {
  const { cache: _, ...rest } = context ?? {};
  return rest;
}

/** The same, with rows on disk where they take more than the data entry's `memory`: kept in the folder `cache`. */
export async function loadRows(spec: DataSpec, context: SourceContext): Promise<Split<RowSet>> {
  given(
    'loadData',
    { spec, context },
    { spec: either(text, anObject), context: optional(anObject), 'spec.transform': optional(aList) },
  );
  const list = typeof spec === 'string' ? undefined : spec.transform;
  const { head, ...place } = context ?? {};
  // targets that a transform makes are no longer those of the file
  const own = head === undefined || list?.some(changesTargets) ? place : context;
  const path = `${context?.path ?? 'data'}.transform`;
  const opened = await openSource(spec, own);
  const keeping = await keepingOf(opened, own, list, ({ open }) => open);
  if (keeping === undefined) {
    const split = await readSource(opened, own);
    return list === undefined ? split : applyTransforms(split, list, path);
  }
  const { streams } = keeping;
  return await keptSplit(keeping, async (writer) => {
    checkSplitOptions(opened.options, streams.test === undefined, opened.where);
    const split = await writeSplit(writer, streams, opened, context);
    return list === undefined ? split : transformStored(split, list, path, writer.rewrite);
  });
}

/** Of several inputs, each by its name, in memory or on disk. Throws DataError where the source gives one, and as `loadRows`. */
export async function loadSeveral(spec: DataSpec, context: SeveralContext): Promise<Split<SampleSet>> {
  const list = typeof spec === 'string' ? undefined : spec.transform;
  const path = `${context.path ?? 'data'}.transform`;
  const { head, ...place } = context;
  const first = context.first ?? context.inputs[0]?.name ?? '';
  // as of one input
  const own: SeveralContext = head === undefined || list?.some(changesTargets) ? place : context;
  const opened = await openSource(spec, own);
  const { source, options, where } = opened;
  if (source.readSeveral === undefined) {
    const expected = sources
      .filter(({ readSeveral }) => readSeveral !== undefined)
      .map(({ what }) => what)
      .join(' or ');
    const text = `${quote(options.source)} gives one input, the task reads ${context.inputs.length} inputs; expected ${expected}`;
    throw dataError(where, text, { expected });
  }
  const keeping = await keepingOf(opened, own, list, ({ openSeveral }) => openSeveral);
  if (keeping === undefined) {
    const found = await source.readSeveral(opened.place, options, own);
    checkSplitOptions(options, 'whole' in found, where);
    const whole = 'split' in found ? found.split : drawn(found.whole, opened, own);
    const split = withClasses(whole);
    return list === undefined ? split : await transformSeveral(split, list, path, first);
  }
  const { streams } = keeping;
  const kept = await keptSplit({ ...keeping, asked: [keeping.asked, first] }, async (writer) => {
    checkSplitOptions(options, streams.test === undefined, where);
    const split = await writeSplit(writer, streams, opened, own);
    if (list === undefined) return split;
    const made = await transformSeveral(eachPart(split, unpackedSet), list, path, first, writer.rewrite);
    return eachPart(made, packedSet);
  });
  return eachPart(kept, unpackedSet);
}

const eachPart = <D, E>({ train, test }: Split<D>, part: (set: D) => E): Split<E> => ({ train: part(train), test: part(test) });
