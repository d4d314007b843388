// Folders of files that prognet made: replaced as a whole, and put right by the next write where a kill left one aside.
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ownIdentity } from '../../src/onnx/files/process-identity.js';
import { temporaryName } from '../../src/onnx/files/temporary.js';
import { writeOutputFolder } from '../../src/workspace/output-folder.js';
import { messageOf, temporaryFolder } from './support.js';

const files = (text: string) =>
  new Map([
    ['a.txt', new TextEncoder().encode(text)],
    ['sub/b.txt', new TextEncoder().encode(`${text} too`)],
  ]);
const list = '.prognet-bundle.json';
const read = (...path: string[]) => readFileSync(join(...path), 'utf8');

it('is written, and replaced by another, and nothing else is left', () => {
  const root = temporaryFolder();
  const folder = join(root, 'out');
  writeOutputFolder(folder, files('one'));
  writeOutputFolder(folder, new Map([['c.txt', new TextEncoder().encode('two')]]));
  expect(readdirSync(root)).toEqual(['out']);
  expect(readdirSync(folder).sort()).toEqual([list, 'c.txt']);
});

it('a kill between the two renames left the old folder aside: the next write puts it back and replaces it', () => {
  const root = temporaryFolder();
  const folder = join(root, 'out');
  writeOutputFolder(folder, files('one'));
  renameSync(folder, join(root, '.out.replaced'));
  writeOutputFolder(folder, files('two'));
  expect(readdirSync(root)).toEqual(['out']);
  expect(read(folder, 'a.txt')).toBe('two');
});

it('a folder left aside that has been changed is put back as it was, and refused', () => {
  const root = temporaryFolder();
  const folder = join(root, 'out');
  writeOutputFolder(folder, files('one'));
  writeFileSync(join(folder, 'sub', 'b.txt'), 'mine');
  renameSync(folder, join(root, '.out.replaced'));
  expect(messageOf(() => writeOutputFolder(folder, files('two')))).toBe(
    `${folder}: "sub/b.txt" was changed since it was written; it stays as it is, choose another folder`,
  );
  expect(readdirSync(root)).toEqual(['out']);
  expect(read(folder, 'sub', 'b.txt')).toBe('mine');
});

it('a kill behind the second rename left both: the old one is removed', () => {
  const root = temporaryFolder();
  const folder = join(root, 'out');
  writeOutputFolder(folder, files('one'));
  renameSync(folder, join(root, '.out.replaced'));
  writeOutputFolder(join(root, 'other'), files('two'));
  renameSync(join(root, 'other'), folder);
  writeOutputFolder(folder, files('three'));
  expect(readdirSync(root)).toEqual(['out']);
  expect(read(folder, 'a.txt')).toBe('three');
});

it('what an ended process left half-written goes, what a live one writes stays', () => {
  const root = temporaryFolder();
  const { pid, boot, host, namespace } = ownIdentity();
  const dead = `.out.tmp-999999999-1-${boot}-${host}-${namespace}-0`;
  const [live, other] = [temporaryName('out'), `.out2.tmp-${pid}-1-${boot}-00000000-0`];
  for (const name of [dead, live, other]) mkdirSync(join(root, name));
  writeOutputFolder(join(root, 'out'), files('one'));
  expect(readdirSync(root).sort()).toEqual([live, other, 'out'].sort());
});
