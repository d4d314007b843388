// A folder with a folder of images for each class, or such folders for train and test. Reads PNG, JPEG and WebP.

import { lstatSync, readdirSync, realpathSync } from 'node:fs';
import { join, sep } from 'node:path';
import { dataError, quote } from '../../formats/data-error.js';
import { targetKind } from '../../model/heads/heads.js';
import { must } from '../../onnx/core/errors.js';
import { reason } from '../../onnx/core/one-line.js';
import { imageEndings } from '../images/decode.js';
import type { ImageBytes } from '../images/decode-all.js';
import { classesOfTexts, type LabelColumn } from '../label-texts.js';
import type { DataOptions } from '../schema.js';
import { bytesOf } from './files.js';
import { type LabelledImages, unreadImages } from './labelled-images.js';
import type { Found, Source, SourceContext, Streams, Unread } from './source.js';

/** The files of one class, by its name. */
type Classes = ReadonlyMap<string, readonly string[]>;

const parts = ['train', 'test'] as const;

/** What systems leave in folders. */
const isLeftOver = (name: string) => name.startsWith('.') || name === 'Thumbs.db' || name === 'desktop.ini';
/** What may stand beside folders of images and is no data. */
const isRemark = (name: string) => /^(readme|licen[cs]e|copying)(\.\w+)?$/i.test(name);

interface Entry {
  readonly name: string;
  readonly path: string;
  readonly folder: boolean;
}

/** What a folder holds, sorted by name; links that lead out of `root` are refused. */
function entriesOf(folder: string, root: string): Entry[] {
  try {
    return readdirSync(folder)
      .filter((name) => !isLeftOver(name))
      .toSorted()
      .map((name) => {
        const path = join(folder, name);
        const own = lstatSync(path);
        const real = own.isSymbolicLink() ? realpathSync(path) : path;
        if (own.isSymbolicLink() && !real.startsWith(`${realpathSync(root)}${sep}`))
          throw dataError(path, `is a link to ${real}, outside of ${root}`, { expected: `files in ${root}`, got: real });
        return { name, path, folder: lstatSync(real).isDirectory() };
      });
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause) throw dataError(folder, `cannot be read, ${reason(cause)}`, { cause });
    throw cause;
  }
}

const holdsImages = (folder: string): boolean => readdirSync(folder).some((name) => imageEndings.test(name) && !isLeftOver(name));

/** Whether a folder is such a source. Never throws. */
function looksLike(folder: string): boolean {
  try {
    const below = (at: string) =>
      readdirSync(at, { withFileTypes: true })
        .filter((entry) => !isLeftOver(entry.name) && (entry.isDirectory() || entry.isSymbolicLink()))
        .map(({ name }) => join(at, name));
    const isFolder = (path: string) => {
      try {
        return holdsImages(path);
      } catch {
        return false;
      }
    };
    const folders = below(folder);
    return holdsImages(folder) || folders.some(isFolder) || (isSplit(folder) && below(join(folder, 'train')).some(isFolder));
  } catch {
    return false;
  }
}

/** Whether it holds train and test, neither of them a class. */
function isSplit(folder: string): boolean {
  const names = readdirSync(folder);
  return parts.every((part) => names.includes(part)) && !holdsImages(join(folder, 'train'));
}

/** The images of each class. */
function classesOf(folder: string, root: string): Classes {
  const found = new Map<string, string[]>();
  for (const { name, path, folder: isFolder } of entriesOf(folder, root)) {
    if (!isFolder) {
      if (isRemark(name)) continue;
      const expected = 'a folder of images for each class';
      throw dataError(path, `stands beside the folders of the classes, expected ${expected}`, { expected, got: name });
    }
    const files = entriesOf(path, root).filter((entry) => entry.folder || !isRemark(entry.name));
    const odd = files.find((entry) => entry.folder || !imageEndings.test(entry.name));
    if (odd !== undefined)
      throw dataError(
        odd.path,
        `is ${odd.folder ? 'a folder' : 'no image'} in class ${quote(name)}, expected PNG, JPEG or WebP files`,
        {
          expected: 'PNG, JPEG or WebP files',
          got: odd.name,
        },
      );
    if (files.length === 0) throw dataError(path, 'holds no images', { expected: 'PNG, JPEG or WebP files' });
    found.set(
      name,
      files.map((file) => file.path),
    );
  }
  return found;
}

/** The classes of a folder, for train and test or for both together. */
function layoutOf(path: string): { readonly train: Classes; readonly test?: Classes } {
  if (!isSplit(path)) return { train: classesOf(path, path) };
  const other = entriesOf(path, path).find(({ name }) => !isRemark(name) && name !== 'train' && name !== 'test');
  if (other !== undefined) {
    const advice = 'validation data are drawn from train by "train: { validation: 0.1 }"';
    throw dataError(other.path, `stands beside train and test, expected those two alone; ${advice}`, {
      expected: 'train and test',
      got: other.name,
    });
  }
  const [train, test] = [classesOf(join(path, 'train'), path), classesOf(join(path, 'test'), path)];
  const unknown = [...test.keys()].find((name) => !train.has(name));
  if (unknown !== undefined)
    throw dataError(
      join(path, 'test', unknown),
      `is a class that train does not have, expected one of ${listed([...train.keys()])}`,
      {
        got: unknown,
      },
    );
  return { train, test };
}

const listed = (names: readonly string[]): string =>
  names.slice(0, 20).map(quote).join(', ') + (names.length > 20 ? `, ... (${names.length})` : '');

/** What is read of a folder. Throws DataError. */
async function openFolder(path: string, options: DataOptions, context: SourceContext): Promise<Unread> {
  const { head } = context;
  if (head !== undefined && targetKind(head).of !== 'classes')
    throw dataError(path, `folders of images are classes, a ${head.kind} head takes other targets`, { expected: 'classify' });
  const { train, test } = layoutOf(path);
  const parts = test === undefined ? [train] : [train, test];
  const { names, labels } = must(
    classesOfTexts(
      parts.map((classes) => labelsOf(classes, path)),
      head,
    ),
    'classes',
  );
  const all = parts.map((classes, i): LabelledImages => {
    const images = [...classes.values()].flat().map(imageOf);
    const group = { images, labels: must(labels[i], 'labels') };
    return { count: images.length, groups: () => [group] };
  });
  return await unreadImages(path, all, names, options, context);
}

/** Images by class. */
export const imageFolder: Source = {
  what: 'a folder with a folder of images for each class',
  options: ['resize'],
  is: ({ kind, path }) => kind === 'folder' && looksLike(path),
  read: async ({ path }, options, context): Promise<Found> => {
    const [first, second] = await (await openFolder(path, options, context)).read();
    const whole = must(first, 'images');
    return second === undefined ? { whole } : { split: { train: whole, test: second } };
  },
  open: async ({ path }, options, context): Promise<Streams> => {
    const [first, second] = await (await openFolder(path, options, context)).streams();
    return { train: must(first, 'images'), ...(second !== undefined && { test: second }) };
  },
  files: (folder) => {
    if (!looksLike(folder)) return [];
    const { train, test } = layoutOf(folder);
    return [...train.values(), ...(test?.values() ?? [])].flat();
  },
};

const imageOf = (file: string): ImageBytes => ({ name: file, bytes: async () => await bytesOf(file) });

function labelsOf(classes: Classes, where: string): LabelColumn {
  const ids = [...classes.values()].flatMap((files, id) => files.map(() => id));
  return { ids, texts: [...classes.keys()], numbers: undefined, where, rowOf: (row) => row };
}
