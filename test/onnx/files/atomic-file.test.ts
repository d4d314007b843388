import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { WorkspaceError } from '../../../src/onnx/core/errors.js';
import { writeFileAtomic } from '../../../src/onnx/files/atomic-file.js';
import { fileError } from '../../../src/onnx/files/file-error.js';
import { ownIdentity } from '../../../src/onnx/files/process-identity.js';
import { readWhole } from '../../../src/onnx/files/read-file.js';
import { messageOf, temporaryFolder } from '../../workspace/support.js';

const bytes = (text: string) => new TextEncoder().encode(text);
const linux = process.platform === 'linux';

describe('writeFileAtomic', () => {
  it('makes and replaces a file of one or several pieces, and leaves nothing else', () => {
    const folder = temporaryFolder();
    const path = join(folder, 'a.bin');
    writeFileAtomic(path, bytes('one'));
    expect(readFileSync(path, 'utf8')).toBe('one');
    writeFileAtomic(path, [bytes('two'), bytes(''), bytes(' three')]);
    expect(readFileSync(path, 'utf8')).toBe('two three');
    expect(readdirSync(folder)).toEqual(['a.bin']);
  });

  it('takes names as long as the file system does', () => {
    const folder = temporaryFolder();
    writeFileAtomic(join(folder, 'n'.repeat(255)), bytes('x'));
    expect(readdirSync(folder)).toEqual(['n'.repeat(255)]);
  });

  it('keeps the mode of the old file and writes through a symbolic link', () => {
    const folder = temporaryFolder();
    const path = join(folder, 'a.sh');
    writeFileSync(path, 'old');
    chmodSync(path, 0o755);
    symlinkSync('a.sh', join(folder, 'link'));
    writeFileAtomic(join(folder, 'link'), bytes('new'));
    expect(statSync(path).mode & 0o777).toBe(0o755);
    expect(readFileSync(path, 'utf8')).toBe('new');
    expect(lstatSync(join(folder, 'link')).isSymbolicLink()).toBe(true);
  });

  it.runIf(linux)('writes to what is no file instead of replacing it (mkfifo: run on Linux)', () => {
    const folder = temporaryFolder();
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const reader = execFileSync('sh', ['-c', `cat "${pipe}" > "${folder}/out" & echo $!`], {
      stdio: ['ignore', 'pipe', 'ignore'],
      encoding: 'utf8',
    });
    expect(Number(reader)).toBeGreaterThan(0);
    writeFileAtomic(pipe, bytes('through'));
    expect(statSync(pipe).isFIFO()).toBe(true);
    writeFileAtomic('/dev/null', bytes('x'));
    expect(statSync('/dev/null').isCharacterDevice()).toBe(true);
  });

  it('removes what a process that has ended left of the same file, and nothing else', () => {
    const folder = temporaryFolder();
    const { pid, start, boot, host } = ownIdentity();
    const dead = `.a.bin.tmp-${pid}-${start + 1}-${boot}-${host}-0`;
    const others = [
      `.a.bin.tmp-${pid}-${start}-${boot}-${host}-999`,
      `.b.bin.tmp-${pid}-${start + 1}-${boot}-${host}-0`,
      `.a.bin.tmp-${pid}-${start + 1}-${boot}-00000000-0`,
      '.a.bin.tmp-mine',
    ];
    for (const name of [dead, ...others]) writeFileSync(join(folder, name), 'x');
    writeFileAtomic(join(folder, 'a.bin'), bytes('y'));
    expect(readdirSync(folder).sort()).toEqual([...(linux ? [] : [dead]), ...others, 'a.bin'].sort());
  });

  it('says why it cannot, and leaves the old file', () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'sub'));
    writeFileSync(join(folder, 'file'), 'x');
    const fails = (path: string) => messageOf(() => writeFileAtomic(path, bytes('y')));
    expect(fails(join(folder, 'sub'))).toBe(`cannot write ${folder}/sub: it is a folder, expected a file`);
    expect(fails(join(folder, 'no', 'x'))).toBe(`cannot write ${folder}/no/x: the folder ${folder}/no does not exist`);
    expect(fails(join(folder, 'file', 'x'))).toBe(
      `cannot write ${folder}/file/x: a part of the path is a file, expected a folder`,
    );
    // One shortening for all foreign words: the middle of a long one is left out.
    expect(fails(join(folder, 'n'.repeat(300)))).toMatch(
      /^cannot write \S+\/n{30,}\.\.\.n{30,}: the name is too long for the file system$/,
    );
    expect(readdirSync(folder).sort()).toEqual(['file', 'sub']);
  });

  it.runIf(linux && existsSync('/dev/full'))(
    'says why a full device or a system folder refuses (/dev/full, /proc: run on Linux)',
    () => {
      expect(messageOf(() => writeFileAtomic('/dev/full', bytes('y')))).toBe(
        'cannot write /dev/full: no space is left on the device, free some and try again',
      );
      expect(messageOf(() => writeFileAtomic('/proc/x', bytes('y')))).toBe('cannot write /proc/x: /proc takes no new files');
      expect(messageOf(() => writeFileAtomic('/sys/x', bytes('y')))).toMatch(
        /^cannot write \/sys\/x: (permission denied, check the owner and mode of \/sys|the file system is read-only, choose another place)$/,
      );
    },
  );
});

describe('fileError', () => {
  it.each([
    ['EACCES', 'permission denied, check the owner and mode of out'],
    ['EPERM', 'permission denied, check the owner and mode of out'],
    ['EROFS', 'the file system is read-only, choose another place'],
    ['ENOSPC', 'no space is left on the device, free some and try again'],
    ['EDQUOT', 'the disk quota is used up, free some space and try again'],
    ['EISDIR', 'it is a folder, expected a file'],
    ['ENOTDIR', 'a part of the path is a file, expected a folder'],
    ['ENOENT', 'the folder out does not exist'],
    ['EEXIST', 'it exists already'],
    ['ENAMETOOLONG', 'the name is too long for the file system'],
    ['ELOOP', 'its symbolic links go in a circle'],
    ['EMFILE', 'too many files are open, raise the limit (ulimit -n)'],
    ['ENFILE', 'too many files are open, raise the limit (ulimit -n)'],
    ['EFBIG', 'the file system takes no file of that size'],
    ['EBUSY', 'another program uses it'],
    ['ETXTBSY', 'another program uses it'],
    ['EIO', 'the device reports an input/output error'],
    ['EWEIRD', 'weird: two lines'],
  ])('%s', (code, text) => {
    const error = fileError('write', 'out/x', Object.assign(new Error('weird:\ntwo lines'), { code }));
    expect(error).toBeInstanceOf(WorkspaceError);
    expect(error.message).toBe(`cannot write out/x: ${text}`);
    expect(error.got).toBe(code);
  });
});

describe('readWhole', () => {
  it('reads a file into memory of its own', () => {
    const path = join(temporaryFolder(), 'a');
    writeFileSync(path, 'text');
    const read = readWhole(path);
    expect(new TextDecoder().decode(read)).toBe('text');
    expect([read.byteOffset, read.buffer.byteLength]).toEqual([0, 4]);
  });

  it('says why it cannot', () => {
    const folder = temporaryFolder();
    expect(messageOf(() => readWhole(join(folder, 'x')))).toBe(`cannot read ${folder}/x: it does not exist`);
    expect(messageOf(() => readWhole(folder))).toBe(`cannot read ${folder}: it is a folder, expected a file`);
    if (linux) expect(messageOf(() => readWhole('/dev/zero'))).toBe('cannot read /dev/zero: it is a device, expected a file');
  });
});
