// Trials of a sweep in a process of its own, so that they run side by side: training holds a process's event loop.
import { type ChildProcess, fork } from 'node:child_process';
import type { TrialRunner } from '../tasks/sweep/sweep-task.js';
import type { TrialJob, TrialOutcome } from '../tasks/sweep/trial.js';

/** A process that runs the trials of this workspace; it begins with the first. */
export function trialRunner(folder: string): TrialRunner {
  let child: ChildProcess | undefined;
  return {
    run: (job: TrialJob) =>
      new Promise<TrialOutcome>((resolve) => {
        child ??= fork(new URL('./trial-process.js', import.meta.url), [folder], {
          stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
        });
        const running = child;
        const done = (outcome: TrialOutcome) => {
          running.removeAllListeners();
          resolve(outcome);
        };
        const ended = (why: string) => {
          child = undefined;
          done({ state: 'failed', reason: `its process ended: ${why}` });
        };
        running.on('message', done);
        running.on('error', ({ message }) => ended(message));
        running.on('exit', (code, signal) => ended(signal ?? `exit code ${code}`));
        running.send(job);
      }),
    close: () => child?.kill('SIGKILL'),
  };
}
