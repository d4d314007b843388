// Answers written as they come, in each of the formats: rows at once, what needs to know all of them first (the count in a .npy, the lists of a JSON
// document) at the end. Nobody holds all answers in memory.
import { tmpdir } from 'node:os';
import { dirname } from 'node:path';
import type { Answered, AnswerLines } from '../../data/answer-rows.js';
import { npyHeader } from '../../formats/npy.js';
import type { GrowingFile } from '../../onnx/files/atomic-file.js';
import type { AnswerFormat } from './formats.js';
import { Spool } from './spool.js';

/** Where answers go. */
export interface Target {
  /** A folder for what has to wait. */
  readonly folder: string;
  readonly write: (bytes: Uint8Array) => Promise<void> | void;
  /** Writes over the first bytes; absent where what was written is gone. */
  readonly replaceStart?: (bytes: Uint8Array) => void;
}

/** What takes answers run by run. */
export interface AnswerWriter {
  readonly add: (rows: AnswerLines, answers: Answered) => Promise<void> | void;
  /** All have come; `notes` were said of them. */
  readonly end: (notes: readonly string[]) => Promise<void> | void;
  /** Gives up what was kept. */
  readonly close: () => void;
}

export const toStdout: Target = {
  folder: tmpdir(),
  write: async (bytes) => {
    if (!process.stdout.write(bytes)) await new Promise((resolve) => process.stdout.once('drain', resolve));
  },
};

export const toFile = (file: GrowingFile, path: string): Target => ({
  folder: dirname(path),
  write: (bytes) => file.write(bytes),
  ...(file.replaceable && { replaceStart: (bytes) => file.replaceStart(bytes) }),
});

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A writer of rows that stand on their own. */
function rowWriter({ write }: Target, text: (rows: AnswerLines, before: number) => string): AnswerWriter {
  let before = 0;
  const add = async (rows: AnswerLines) => {
    const bytes = encode(text(rows, before));
    before += rows.count;
    await write(bytes);
  };
  return { add, end: () => {}, close: () => {} };
}

/** The greatest number of rows that a header may have to say. */
const most = Number.MAX_SAFE_INTEGER;

function npyWriter({ folder, write, replaceStart }: Target): AnswerWriter {
  const spool = new Spool(folder);
  let [count, inPlace]: [number, boolean] = [0, false];
  let header = (_: number): Uint8Array => new Uint8Array();
  return {
    add: async (_, { values }) => {
      if (count === 0) {
        header = (rows) => npyHeader(values.dtype, [rows, ...values.dims.slice(1)]);
        // A header of the same length can be put right in its place.
        inPlace = replaceStart !== undefined && header(1).length === header(most).length;
        if (inPlace) await write(header(0));
      }
      count += values.dims[0] ?? 0;
      if (inPlace) await write(values.bytes);
      else spool.add(values.bytes);
    },
    end: async () => {
      if (inPlace) replaceStart?.(header(count));
      else {
        await write(header(count));
        for (const part of spool.parts()) await write(part);
      }
    },
    close: () => spool.close(),
  };
}

/** What stands in a document beside the answers. */
export interface AboutAnswers {
  readonly task: string;
  readonly frozen: boolean;
  /** The file that holds the numbers, which then do not stand in the document. */
  readonly output?: string | undefined;
}

/** A list in JSON whose entries come one after another. */
class JsonList {
  private readonly spool: Spool;
  private empty = true;

  constructor(folder: string) {
    this.spool = new Spool(folder);
  }

  add(entries: readonly unknown[]): void {
    if (entries.length === 0) return;
    const text = JSON.stringify(entries).slice(1, -1);
    this.spool.add(encode(this.empty ? text : `,${text}`));
    this.empty = false;
  }

  async writeTo({ write }: Target): Promise<void> {
    await write(encode('['));
    for (const part of this.spool.parts()) await write(part);
    await write(encode(']'));
  }

  close(): void {
    this.spool.close();
  }
}

/** One document: lists of labels, names and numbers. */
export function documentWriter(target: Target, { task, frozen, output }: AboutAnswers): AnswerWriter {
  const [labels, names, values] = [new JsonList(target.folder), new JsonList(target.folder), new JsonList(target.folder)];
  let count = 0;
  let told: Answered | undefined;
  const each = <T>(rows: AnswerLines, of: (row: number) => T) => Array.from({ length: rows.count }, (_, row) => of(row));
  return {
    add: (rows, answers) => {
      told ??= answers;
      count += rows.count;
      if (answers.heads !== undefined) {
        values.add(rows.values);
        return;
      }
      if (answers.labels !== undefined) labels.add(each(rows, (row) => rows.label(row)));
      if (answers.labels !== undefined && answers.names !== undefined) names.add(each(rows, (row) => rows.called(row)));
      if (output === undefined) values.add(rows.values);
    },
    end: async (notes) => {
      const head = { task, frozen, rows: count, ...(notes.length > 0 && { notes }) };
      await target.write(encode(JSON.stringify(head).slice(0, -1)));
      const list = async (key: string, entries: JsonList) => {
        await target.write(encode(`,${JSON.stringify(key)}:`));
        await entries.writeTo(target);
      };
      if (told?.labels !== undefined) await list('labels', labels);
      if (told?.labels !== undefined && told.names !== undefined) await list('names', names);
      if (told?.names !== undefined) await target.write(encode(`,"classes":${JSON.stringify(told.names)}`));
      if (output !== undefined) await target.write(encode(`,"output":${JSON.stringify(output)}`));
      else if (told !== undefined) await list(told.heads === undefined ? told.kind : 'answers', values);
      await target.write(encode('}\n'));
    },
    close: () => {
      for (const each of [labels, names, values]) each.close();
    },
  };
}

export function answerWriter(format: AnswerFormat, target: Target, about: AboutAnswers): AnswerWriter {
  switch (format) {
    case 'json':
      return documentWriter(target, about);
    case 'npy':
      return npyWriter(target);
    case 'jsonl':
      return rowWriter(target, (rows) => rows.jsonl());
    case 'csv':
      return rowWriter(target, (rows, before) => (before === 0 ? rows.csvHeader() : '') + rows.csvRows(before));
    case 'text':
      return rowWriter(target, (rows) => `${rows.text()}\n`);
  }
}
