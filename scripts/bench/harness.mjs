// The benchmarks' harness: contestants are separate processes that take turns. A contestant prints one line of JSON when it is prepared,
// then one for each line "run" that it reads: { "ms": ... }. Between its turns it is stopped (SIGSTOP), so that the threads of one engine
// alone are alive; turns are interleaved, so that whatever else the machine does meets all of them alike.
import { spawn } from 'node:child_process';
import os from 'node:os';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
/** Threads of every engine. */
export const threads = 2;

/** A contestant in Python, from the environment that scripts/bench/setup makes. */
export const python = (file, ...args) => [fileURLToPath(new URL('../../.venv-bench/bin/python', import.meta.url)), file, ...args];
/** A contestant in Node. */
export const node = (file, ...args) => [process.execPath, file, ...args];

/** What figures were measured on. */
export function machine() {
  const cpus = os.cpus();
  return `${cpus.length} cores of ${cpus[0]?.model.trim()}, ${Math.round(os.totalmem() / 2 ** 30)} GB, ${os.platform()} ${os.arch()}, Node ${process.versions.node}`;
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

class Contestant {
  constructor(name, command) {
    this.name = name;
    this.values = [];
    const [file, ...args] = command;
    const environment = { ...process.env, OMP_NUM_THREADS: String(threads), MKL_NUM_THREADS: String(threads) };
    this.child = spawn(file, args, { cwd: here, stdio: ['pipe', 'pipe', 'inherit'], env: environment });
    this.child.stdin.on('error', () => {});
    this.lines = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
  }

  async next() {
    for (;;) {
      const { value, done } = await this.lines.next();
      if (done) throw new Error(`benchmark: the contestant "${this.name}" ended early, its last words stand above`);
      if (value.startsWith('{')) return JSON.parse(value);
    }
  }

  async turn() {
    this.child.kill('SIGCONT');
    this.child.stdin.write('run\n');
    const result = await this.next();
    this.child.kill('SIGSTOP');
    return result;
  }

  end() {
    this.child.stdin.end();
    this.child.kill('SIGCONT');
    this.child.kill('SIGKILL');
  }
}

/**
 * Lets contestants take turns: `contestants` is { name: command }. After one turn each that does not count come `rounds` that do.
 * Returns { name: { median, values, info, last } }, times in milliseconds, `info` what it said when prepared, `last` its last answer.
 */
export async function race(contestants, { rounds = 7 } = {}) {
  const all = [];
  try {
    for (const [name, command] of Object.entries(contestants)) {
      const contestant = new Contestant(name, command);
      all.push(contestant);
      contestant.info = await contestant.next();
      contestant.child.kill('SIGSTOP');
    }
    for (let round = 0; round <= rounds; round++) {
      for (const contestant of all) {
        contestant.last = await contestant.turn();
        if (round > 0) contestant.values.push(contestant.last.ms);
        process.stderr.write(
          `  ${round === 0 ? 'warm-up' : `round ${round}/${rounds}`}  ${contestant.name} ${contestant.last.ms.toFixed(3)} ms\n`,
        );
      }
    }
    return Object.fromEntries(all.map(({ name, values, info, last }) => [name, { median: median(values), values, info, last }]));
  } finally {
    for (const contestant of all) contestant.end();
  }
}

/** The contestant's side in Node: `measure` does one turn and returns { ms, ... }. */
export async function serve(info, measure) {
  process.stdout.write(`${JSON.stringify(info)}\n`);
  for await (const line of createInterface({ input: process.stdin })) {
    if (line === 'run') process.stdout.write(`${JSON.stringify(await measure())}\n`);
  }
}

/** One row of BENCHMARKS.md: our time against a peer's. `bar` is the largest ratio that passes; without one the row informs. */
export function row(work, results, ours, peer, bar, unit = 'ms') {
  const pick = (name) => ({ name, median: results[name].median, values: results[name].values });
  return {
    work,
    ours: pick(ours),
    peer: pick(peer),
    ratio: results[ours].median / results[peer].median,
    unit,
    ...(bar && { bar }),
  };
}

/** The fastest of several contestants. */
export function best(results, names) {
  return names.reduce((a, b) => (results[b].median < results[a].median ? b : a));
}
