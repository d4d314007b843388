// Runs mutants through pipeline.mjs in several processes. A process that hangs or dies is followed by another, and the mutant that it was at has failed.
import { fork } from 'node:child_process';

/** Mutants that a worker takes at once; a hang is one that takes as long as `patience`. */
const batch = 50;
const patience = 60_000;
const here = (file) => new URL(file, import.meta.url).pathname;

/**
 * Mutants `from` to `to` of a seed. `only` names the stages, all without; with `keep` the bytes of what is verified come back, and those of its gradient.
 * `take` gets what pipeline.mjs says of each, `fail(draw, why)` those that it never came to an end with. Throws when no worker begins.
 */
export async function throughPipeline({ seed, from, to, workers, heap, keep, only }, take, fail) {
  let next = from;
  const again = [];

  /** Runs one worker after the other until nothing is left. */
  function runWorker() {
    return new Promise((resolve) => {
      const child = fork(here('pipeline.mjs'), {
        execArgv: [`--max-old-space-size=${heap}`],
        stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      });
      let complaint = '';
      let range;
      let begun;
      let timer;
      child.stderr.on('data', (text) => {
        complaint = (complaint + text).slice(-2000);
      });
      const stop = () => {
        clearTimeout(timer);
        child.removeAllListeners();
        child.kill('SIGKILL');
      };
      const watch = () => {
        clearTimeout(timer);
        timer = setTimeout(() => lost(`hangs, past ${patience / 1000} s`), patience);
      };
      const lost = (why) => {
        stop();
        if (begun !== undefined) {
          fail(begun, why);
          if (begun + 1 < range[1]) again.push([begun + 1, range[1]]);
        }
        resolve(begun === undefined ? why : runWorker());
      };
      child.on('message', (m) => {
        watch();
        if (m.begun !== undefined) begun = m.begun;
        else if (m.idle) {
          range = again.pop() ?? (next < to ? [next, Math.min(to, next + batch)] : undefined);
          if (range === undefined) {
            stop();
            return resolve(undefined);
          }
          if (range[0] === next) next = range[1];
          child.send({ seed, from: range[0], to: range[1], keep, only });
        } else take(m);
      });
      child.on('exit', (code, signal) =>
        lost(`the process ends, ${signal ?? code}: ${complaint.split('\n').find((l) => /FATAL|Error/.test(l)) ?? ''}`),
      );
      watch();
    });
  }

  const lost = (await Promise.all(Array.from({ length: workers }, runWorker))).find((why) => why !== undefined);
  if (lost !== undefined) throw new Error(`no worker begins: ${lost}`);
}
