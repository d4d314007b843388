// Exit codes and lines of errors, by their cause: 1 where the machine failed, 2 for what the user gave.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { fail } from '../../src/cli/report.js';
import { InterruptedError, TrainingError, UsageError } from '../../src/onnx/core/errors.js';
import { fileError } from '../../src/onnx/files/file-error.js';

const said = { stdout: '', stderr: '' };
beforeEach(() => {
  for (const name of ['stdout', 'stderr'] as const) {
    said[name] = '';
    vi.spyOn(process[name], 'write').mockImplementation((text) => {
      said[name] += String(text);
      return true;
    });
  }
});
afterEach(() => {
  vi.restoreAllMocks();
});

const failed = (code: string) => Object.assign(new Error(`${code}: the system's words`), { code });

describe('an error of the file system', () => {
  it.each([
    ['ENOSPC', 'no space is left on the device, free some and try again'],
    ['EDQUOT', 'the disk quota is used up, free some space and try again'],
    ['EIO', 'the device reports an input/output error'],
    ['EMFILE', 'too many files are open, raise the limit (ulimit -n)'],
    ['ENFILE', 'too many files are open, raise the limit (ulimit -n)'],
  ])('%s is of the machine: 1', (code, why) => {
    for (const verb of ['write', 'read', 'remove'] as const) {
      said.stderr = '';
      const exit = fail(fileError(verb, 'out/x', failed(code)), false);
      expect({ exit, stderr: said.stderr }).toEqual({ exit: 1, stderr: `prognet: cannot ${verb} out/x: ${why}\n` });
    }
    // One that nobody caught on its way.
    expect(fail(failed(code), false)).toBe(1);
  });

  it.each(['EACCES', 'EPERM', 'EROFS', 'EISDIR', 'ENOTDIR', 'ENOENT', 'EEXIST', 'ENAMETOOLONG', 'ELOOP', 'EFBIG', 'EBUSY'])(
    '%s is of what the user named: 2',
    (code) => {
      expect(fail(fileError('write', 'out/x', failed(code)), false)).toBe(2);
      expect(said.stderr).toMatch(/^prognet: cannot write out\/x: [^\n]+\n$/);
    },
  );
});

it('an interruption is 130, what failed in training 1, what the user gave 2, anything else 1 and internal', () => {
  expect(fail(new InterruptedError('stopped'), false)).toBe(130);
  expect(fail(new TrainingError('diverged'), false)).toBe(1);
  expect(fail(new UsageError('unknown'), false)).toBe(2);
  expect(said.stderr).toBe('prognet: stopped\nprognet: diverged\nprognet: unknown\n');
  said.stderr = '';
  expect(fail(new TypeError('x is undefined\nand more'), false)).toBe(1);
  expect(said.stderr).toBe('prognet: internal: x is undefined\n');
});

it('under --json the document says the same exit code', () => {
  expect(fail(fileError('write', 'out/x', failed('EDQUOT')), true)).toBe(1);
  expect(JSON.parse(said.stdout)).toEqual({
    error: {
      name: 'WorkspaceError',
      message: 'cannot write out/x: the disk quota is used up, free some space and try again',
      path: 'out/x',
      got: 'EDQUOT',
      exitCode: 1,
    },
  });
});
