// The files of a dataset of Hugging Face: shards of Parquet as the hub holds them, train-00000-of-00001.parquet, in a folder or in its folder `data`; or
// Arrow files as `save_to_disk` writes them, with state.json beside. Names alone, and how they are opened.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { openArrow, openArrowGroups } from '../../../formats/arrow-file.js';
import { dataError, defaultMaxBytes, quote } from '../../../formats/data-error.js';
import { bytesOnDisk } from '../../../formats/disk-bytes.js';
import { type GroupedTable, joinTables, type OpenTable } from '../../../formats/open-table.js';
import { openParquet, openParquetGroups } from '../../../formats/parquet-file.js';
import { bytesOf } from '../files.js';

/** A part of a dataset, such as train: its files in their order. */
export interface HubPart {
  readonly part: string;
  readonly files: readonly string[];
  readonly format: 'parquet' | 'arrow';
}

const shardName = /^(.+)-(\d{5})-of-(\d{5})\.parquet$/;

interface Shard {
  readonly part: string;
  readonly index: number;
  readonly of: number;
  readonly file: string;
}

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;

/** The shards of a folder or of its folder `data`, in their order; none where there are none. */
function shardsIn(path: string): Shard[] {
  for (const folder of [path, join(path, 'data')]) {
    const found = (isFolder(folder) ? readdirSync(folder) : []).toSorted().flatMap((name): Shard[] => {
      const [, part = '', index, of] = shardName.exec(name) ?? [];
      return of === undefined ? [] : [{ part, index: Number(index), of: Number(of), file: join(folder, name) }];
    });
    if (found.length > 0) return found;
  }
  return [];
}

const stateOf = (folder: string): string => join(folder, 'state.json');
const dictOf = (folder: string): string => join(folder, 'dataset_dict.json');

/** Whether a folder holds such a dataset. */
export const isHub = (path: string): boolean =>
  isFolder(path) && (shardsIn(path).length > 0 || existsSync(dictOf(path)) || existsSync(stateOf(path)));

const plainName = z.string().regex(/^[^/\\]+$/);
const state = z.looseObject({ _data_files: z.array(z.looseObject({ filename: plainName })).min(1) });
const dict = z.looseObject({ splits: z.array(plainName.refine((name) => name !== '..')).min(1) });

function json<T>(file: string, schema: z.ZodType<T>, expected: string): T {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    value = undefined;
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw dataError(file, `is none that save_to_disk writes, expected ${expected}`, { expected });
}

function savedPart(folder: string, part: string): HubPart {
  const files = json(stateOf(folder), state, '"_data_files", a list of names')._data_files.map(({ filename }) =>
    join(folder, filename),
  );
  return { part, files, format: 'arrow' };
}

/** What an unsplit dataset is called. */
const whole = 'train';

/** All parts, each whole. Throws DataError where shards are missing or the files say nothing. */
export function partsOf(path: string): HubPart[] {
  const shards = shardsIn(path);
  if (shards.length === 0) {
    if (!existsSync(dictOf(path))) return [savedPart(path, whole)];
    return json(dictOf(path), dict, '"splits", a list of names').splits.map((part) => savedPart(join(path, part), part));
  }
  return [...new Set(shards.map(({ part }) => part))].map((part) => {
    const own = shards.filter((shard) => shard.part === part);
    const count = own[0]?.of ?? 0;
    if (own.length !== count || own.some(({ index, of }, i) => index !== i || of !== count))
      throw dataError(path, `has ${own.length} of the ${count} shards of ${part}`, {
        expected: `${count} shards`,
        got: `${own.length}`,
      });
    return { part, files: own.map(({ file }) => file), format: 'parquet' };
  });
}

/** The files that are read, as far as they are there. */
export function filesIn(path: string): string[] {
  try {
    return isHub(path) ? partsOf(path).flatMap(({ files }) => files) : [];
  } catch {
    return shardsIn(path).map(({ file }) => file);
  }
}

/** Opens a file of a part; with `records` a column may be a record, and bytes stay bytes. */
export async function openFile({ format }: HubPart, file: string, records: boolean): Promise<OpenTable> {
  const bytes = await bytesOf(file);
  return format === 'parquet' ? await openParquet(bytes, file, defaultMaxBytes, records) : openArrow(bytes, file, records);
}

/** All files of a part as one table. Throws DataError where their columns differ. */
export async function openPart(part: HubPart): Promise<OpenTable> {
  const opened: OpenTable[] = [];
  for (const file of part.files) {
    const next = await openFile(part, file, false);
    requireSameColumns(next, opened[0], file);
    opened.push(next);
  }
  return joinTables(opened[0] ?? { names: [], notes: new Map() }, opened);
}

/** The same by row groups, which are opened one by one; messages count the rows of the part. */
export async function openPartGroups(part: HubPart, memory: number): Promise<GroupedTable> {
  const opened: GroupedTable[] = [];
  for (const file of part.files) {
    const next = await openFileGroups(part, file, false, memory);
    requireSameColumns(next, opened[0], file);
    opened.push(next);
  }
  const [{ names, notes } = { names: [], notes: new Map<string, string>() }] = opened;
  return {
    rows: opened.reduce((sum, { rows }) => sum + rows, 0),
    names,
    notes,
    groups: opened.flatMap(({ groups }) => groups),
  };
}

/** A file of a part by its row groups. */
export async function openFileGroups({ format }: HubPart, file: string, records: boolean, memory: number): Promise<GroupedTable> {
  const bytes = bytesOnDisk(file);
  return format === 'parquet' ? await openParquetGroups(bytes, file, memory, records) : openArrowGroups(bytes, file, records);
}

function requireSameColumns(next: Pick<OpenTable, 'names'>, before: Pick<OpenTable, 'names'> | undefined, file: string): void {
  const [names, first] = [next, before ?? next].map((table) => table.names.map(quote).join(', '));
  if (names === first) return;
  throw dataError(file, `has the columns ${names}, the file before has ${first}`, { expected: `${first}` });
}
