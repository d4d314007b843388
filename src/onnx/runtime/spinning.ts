// How long worker threads of onnxruntime-node spin when they wait for work. To sleep and be woken costs more than most gaps between ops last,
// but a thread that spins takes its core from other processes: so they spin long only where a core is free for each, and never without end.
// Figures: docs/training-speed.md, BENCHMARKS.md ("Threads that wait").
import { readdirSync, readFileSync } from 'node:fs';
import os from 'node:os';
import { setTimeout } from 'node:timers/promises';
import type { SessionOptions } from './session.js';

/** Longer than most ops that run on one thread. */
const longSpin = 200;
/** Gains less, and costs others nothing that can be measured. */
const shortSpin = 20;

/** Microseconds of a spin for so many threads, when other threads of the machine run on some of its cores. */
export function spinDuration(threads: number, others: number | undefined, cores: number): number {
  return others !== undefined && threads + others <= cores ? longSpin : shortSpin;
}

/** Threads of other processes that run or wait for a core at this moment; undefined where the system does not say. */
export function othersRunning(): number | undefined {
  try {
    const [, running] = / (\d+)\/\d+ /.exec(readFileSync('/proc/loadavg', 'latin1')) ?? [];
    if (running === undefined) return undefined;
    const own = readdirSync('/proc/self/task').filter((id) => / R /.test(readFileSync(`/proc/self/task/${id}/stat`, 'latin1')));
    return Math.max(0, Number(running) - own.length);
  } catch {
    return undefined;
  }
}

/** Looks more than once where the cores seem taken: what runs for a blink only does not count. */
const looks = 3;
const betweenLooks = 1;

/** Session config entries for a session of `threads` threads. */
export async function spinConfig({ spinning }: SessionOptions, threads: number): Promise<Record<string, string>> {
  const allowed = 'session.intra_op.allow_spinning';
  if (spinning !== undefined) return { [allowed]: spinning ? '1' : '0' };
  // The one thread is the caller's own: none waits.
  if (threads === 1) return {};
  // Bound to some of the cores, what runs on the others would have to be told apart.
  const bound = os.availableParallelism() < os.cpus().length;
  let duration = shortSpin;
  for (let look = 0; look < looks && duration < longSpin; look++) {
    if (look > 0) await setTimeout(betweenLooks);
    duration = spinDuration(threads, bound ? undefined : othersRunning(), os.cpus().length);
  }
  return { [allowed]: '1', 'session.intra_op.spin_duration_us': String(duration) };
}
