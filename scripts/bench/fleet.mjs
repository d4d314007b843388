// One base and many columns over it: how fast columns drawn at random answer, mixed batches, memory, and a session for each column beside it. Columns are copies of one file under other
// names, each with its own record and hash, so that thousands are made in seconds; what is read, checked, kept and run is what a fleet of trained ones reads, checks, keeps and runs.
// Figures are medians over processes, one after another (fleet-run.mjs): in each of them all fleets have their turn in every round.
//   node scripts/bench/fleet.mjs [--processes 7] [--quick] [--write]     --write puts the table into docs/fleet.md
import { execFileSync } from 'node:child_process';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { writePart } from '../page-part.mjs';

const { values: options } = parseArgs({
  options: {
    processes: { type: 'string' },
    quick: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
});
const processes = Number(options.processes ?? (options.quick ? 1 : 7));
if (!(Number.isInteger(processes) && processes > 0))
  throw new Error(`--processes ${options.processes}: expected a positive integer`);
const program = fileURLToPath(new URL('fleet-run.mjs', import.meta.url));
const all = Array.from({ length: processes }, (_, i) => {
  console.error(`process ${i + 1} of ${processes}`);
  const args = ['--expose-gc', program, ...(options.quick ? ['--quick'] : [])];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }));
});

const { rounds, baseBytes, bytesOfColumn, counts } = all[0];
const fixed = (n, digits = 2) => n.toFixed(digits);
const named = (n) => n.toLocaleString('en');
const sorted = (of) => all.map(of).sort((a, b) => a - b);
const median = (of) => sorted(of)[processes >> 1];
/** Median, least and most. */
const spread = (of) => {
  const list = sorted(of);
  return processes === 1 ? fixed(list[0]) : `${fixed(median(of))} (${fixed(list[0])} to ${fixed(list.at(-1))})`;
};
const lines = [
  '| columns | a run of one row | beside 5 columns | 64 rows of many columns | as runs of their own | memory of a further column, of its weights |',
  '|---|---|---|---|---|---|',
  ...counts.map(({ count }, i) => {
    const of = (name) => median((one) => one.counts[i][name]);
    const share = i === 0 ? '1' : spread((one) => one.counts[i].run / one.counts[0].run);
    // Of a hundred columns and fewer it is less than what the process takes and gives back meanwhile.
    const memory = count < 1000 ? '' : spread((one) => one.counts[i].perColumn / bytesOfColumn);
    return `| ${named(count)} | ${fixed(of('run'))} ms | ${share} | ${fixed(of('together'), 1)} ms | ${fixed(of('apart'), 0)} ms | ${memory} |`;
  }),
];
/** What a column takes from the first row with a figure to the last: what the process holds beside is in both. */
function further() {
  const at = counts.findIndex(({ count }) => count >= 1000);
  if (at < 0 || at === counts.length - 1) return '';
  const bytes = ({ count, perColumn }) => perColumn * (count - 1);
  const each = spread((one) => {
    const [first, last] = [one.counts[at], one.counts.at(-1)];
    return (bytes(last) - bytes(first)) / (last.count - first.count) / bytesOfColumn;
  });
  return `Memory is that of the process. From ${named(counts[at].count)} to ${named(counts.at(-1).count)} columns a further one took ${each} of its weights.\n\n`;
}
const own = (name) => median((one) => one.ownSessions[name]);
const text = `A base of ${fixed(baseBytes / 1e6, 1)} MB and columns of ${fixed(bytesOfColumn / 1000, 0)} kB each, drawn at random; one thread of a machine with ${cpus().length} cores. Medians of ${processes} processes, the least and the most in brackets; in each the median of ${rounds} rounds:

${lines.join('\n')}

${further()}${own('sessions')} sessions, one for each column, took ${fixed(own('run'))} ms a run in the same process, ${fixed(own('bytes') / 1e6, 1)} MB and ${fixed(own('making'), 0)} ms each to make.`;
console.log(text);
if (options.write && !options.quick) writePart('fleet.md', 'columns', text);
