// Data of a task: the source that a `data` entry names is found, read, split and transformed. What each source reads is under sources/.

import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { dataError, quote } from '../formats/data-error.js';
import { UsageError } from '../onnx/core/errors.js';
import { aList, anObject, either, given, optional, text } from '../onnx/core/given.js';
import { type Split, splitTest } from './dataset.js';
import { sameInputs, withClasses } from './from-arrays.js';
import type { DataOptions, DataSpec } from './schema.js';
import { kindOf } from './sources/files.js';
import { named, sources } from './sources/list.js';
import type { Found, Place, Source, SourceContext } from './sources/source.js';
import { applyTransforms, changesTargets } from './transforms/registry.js';

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
function checkSplitOptions(options: DataOptions, found: Found, where: string): void {
  for (const key of ['test', 'seed'] as const) {
    if (options[key] === undefined || 'whole' in found) continue;
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
  if (context?.baseDir === undefined) {
    throw new UsageError('loadData: "baseDir" is missing, expected { baseDir }, the folder that relative paths start from', {
      path: 'baseDir',
    });
  }
  const options: DataOptions = typeof spec === 'string' ? { source: spec } : spec;
  const where = context.path ?? 'data';
  const place = await placeOf(options.source, context.baseDir);
  const source = await sourceAt(place, where);
  checkSourceOptions(options, source, where);
  const found = await source.read(place, options, context);
  checkSplitOptions(options, found, where);
  if ('split' in found) {
    const { train } = sameInputs(found.split, where);
    return train.classes === undefined ? withClasses(found.split) : found.split;
  }
  return withClasses(splitTest(found.whole, options.test ?? 0.2, options.seed ?? 0, where));
}

/** Loads a source and applies its transforms: what a column is trained and evaluated on. Throws a DataError. */
export async function loadData(spec: DataSpec, context: SourceContext): Promise<Split> {
  given(
    'loadData',
    { spec, context },
    { spec: either(text, anObject), context: optional(anObject), 'spec.transform': optional(aList) },
  );
  const list = typeof spec === 'string' ? undefined : spec.transform;
  const { head, ...place } = context ?? {};
  // targets that a transform makes are no longer those of the file
  const split = await loadSource(spec, head === undefined || list?.some(changesTargets) ? place : context);
  return list === undefined ? split : applyTransforms(split, list, `${context.path ?? 'data'}.transform`);
}
