// Jobs in processes of their own, so that they run side by side: training holds a process's event loop. Both ends: what the parent calls, and what
// such a process does.
import { type ChildProcess, fork } from 'node:child_process';
import { PrognetError } from '../onnx/core/errors.js';
import type { Runner } from './side-by-side.js';

/** Why a job gave nothing. */
interface Failed {
  readonly state: 'failed';
  readonly reason: string;
  /** Its process ended by itself; the next job has another. */
  readonly ended?: true;
}

/** Where the build puts the programs: as far from this file as from what the command is bundled to. */
const programs = new URL('../../dist/cli/', import.meta.url);

/** A process that does the jobs of `program`, one of the files of dist/cli, about this folder or file; it begins with the first. */
export function processRunner<J extends object, O>(program: string, about: string): Runner<J, O | Failed> {
  let child: ChildProcess | undefined;
  return {
    run: (job) =>
      new Promise((resolve) => {
        child ??= fork(new URL(`${program}.js`, programs), [about], {
          stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
          // What a caller that is no file was started with: Node refuses it for one that is.
          execArgv: process.execArgv.filter((flag) => !flag.startsWith('--input-type')),
        });
        const running = child;
        const done = (outcome: O | Failed) => {
          running.removeAllListeners();
          resolve(outcome);
        };
        const ended = (why: string) => {
          child = undefined;
          done({ state: 'failed', reason: `its process ended: ${why}`, ended: true });
        };
        running.on('message', (outcome) => done(outcome as O));
        running.on('error', ({ message }) => ended(message));
        running.on('exit', (code, signal) => ended(signal ?? `exit code ${code}`));
        running.send(job);
      }),
    close: () => child?.kill('SIGKILL'),
  };
}

/** The other end: answers the parent's jobs, and ends with it. @param answer is given what the process is about */
export function answerJobs<J, O>(answer: (job: J, about: string) => Promise<O>): void {
  const [about = '.'] = process.argv.slice(2);
  // Ctrl-C reaches every process of a terminal; the parent decides.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {});
  process.on('disconnect', () => process.exit(0));
  const answered = async (job: J): Promise<O | Failed> => {
    try {
      return await answer(job, about);
    } catch (error) {
      return { state: 'failed', reason: error instanceof PrognetError ? error.statement : String(error) };
    }
  };
  process.on('message', (job: J) => {
    void answered(job).then((outcome) => process.send?.(outcome));
  });
}
