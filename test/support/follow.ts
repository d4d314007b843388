// Whole pages followed block by block, each in an empty folder, with one tarball for a test file.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import { environment } from '../python/python.js';
import { type Block, blocksOf, notPrinted, pack, Reader } from './tour.js';

const repo = new URL('../..', import.meta.url).pathname;

export const python = environment('.venv');

/** Commands as a block of a page. */
export const command = (text: string): Block[] =>
  text === '' ? [] : [{ language: 'sh', title: undefined, text, left: undefined, line: 0 }];

export interface FollowOptions {
  /** Commands that the page takes for granted. */
  readonly before?: string;
  readonly after?: string;
  /** What to call the files of blocks that have no title, by their language. */
  readonly titles?: Readonly<Record<string, string>>;
  /** Lines in place of others; a block with such a line is run, even if the page says that it is not. */
  readonly instead?: Readonly<Record<string, string>>;
}

/** What a page was: the folder it was followed in, and the reasons of the blocks that were left out. */
export interface Followed {
  readonly reader: Reader;
  readonly left: readonly string[];
}

/** Packs the package before all tests of the file, and removes the folders after them. */
export function followPages() {
  const scratch = mkdtempSync(join(tmpdir(), 'prognet-pages-'));
  const readers: Reader[] = [];
  let tarball = '';
  beforeAll(() => {
    tarball = pack(scratch);
  });
  afterAll(() => {
    for (const folder of [scratch, ...readers.map(({ root }) => root)]) rmSync(folder, { recursive: true, force: true });
  });

  function newReader(name: string): Reader {
    const reader = new Reader(tarball, name);
    readers.push(reader);
    return reader;
  }

  /** Follows a page, `docs/tour-train.md`. */
  function follow(page: string, { before = '', after = '', titles = {}, instead = {} }: FollowOptions = {}): Followed {
    const reader = newReader(page.replace(/\W+/g, '-'));
    const left: string[] = [];
    let printed = '';
    for (const read of [...command(before), ...blocksOf(readFileSync(join(repo, page), 'utf8')), ...command(after)]) {
      const text = read.text.replace(/^.*$/gm, (line) => instead[line] ?? line);
      const title = read.title ?? titles[read.language];
      const block = text === read.text ? { ...read, title } : { ...read, title, text, left: undefined };
      const why = block.left ?? withoutPython(block);
      if (why !== undefined) left.push(why);
      else if (block.language === 'text') expect(notPrinted(block, printed), `${page}:${block.line}`).toEqual([]);
      else if (block.title !== undefined || block.language === 'sh') {
        try {
          printed = reader.follow(block);
        } catch (cause) {
          throw new Error(`${page}:${block.line}: ${cause instanceof Error ? cause.message : cause}`, { cause });
        }
      } else throw new Error(`${page}:${block.line}: a block of ${block.language} is neither run nor a file nor left out`);
    }
    return { reader, left };
  }
  return { newReader, follow };
}

function withoutPython(block: Block): string | undefined {
  return python.missing && block.language === 'sh' && block.text.startsWith('python') ? 'no Python' : undefined;
}
