// Runs benchmarks by name (all without one), keeps their results in results/, and writes BENCHMARKS.md from all results there are. A
// benchmark is a file here that exports `bench`: { title, run }, where run() returns { rows, notes, profile? }.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { machine, threads } from './harness.mjs';

const here = new URL('.', import.meta.url);
/** In the order in which BENCHMARKS.md tells them. */
const names = [
  'dense-step',
  'conv-step',
  'lstm-step',
  'encoder-step',
  'threads',
  'dense-column',
  'conv-column',
  'frozen-base',
  'growth',
  'wasm-step',
  'conv-gradient',
  'gradient-peers',
  'inference',
  'pruned',
  'numbers',
  'profile',
  'train-memory',
  'export-memory',
];

const requirements = readFileSync(new URL('requirements.txt', here), 'utf8');
const packages = JSON.parse(readFileSync(new URL('package.json', here), 'utf8')).dependencies ?? {};
const ownPackage = (name) => JSON.parse(readFileSync(new URL(`../../node_modules/${name}/package.json`, here), 'utf8')).version;

const chosen = process.argv.slice(2);
for (const name of chosen) {
  if (!names.includes(name)) {
    process.stderr.write(`no benchmark "${name}", there are: ${names.join(', ')}\n`);
    process.exit(2);
  }
}
for (const name of chosen.length === 0 ? names : chosen) {
  process.stderr.write(`== ${name}\n`);
  const { bench } = await import(new URL(`${name}.mjs`, here));
  const started = Date.now();
  const result = await bench.run();
  const about = {
    title: bench.title,
    date: new Date().toISOString().slice(0, 10),
    seconds: Math.round((Date.now() - started) / 1000),
    machine: machine(),
  };
  writeFileSync(new URL(`results/${name}.json`, here), `${JSON.stringify({ ...about, ...result }, null, 2)}\n`);
}
writeFileSync(new URL('../../BENCHMARKS.md', here), document());
if (chosen.length === 0 || chosen.includes('gradient-peers')) {
  const { withTable } = await import(new URL('gradient-peers.mjs', here));
  const file = new URL('../../docs/gradients.md', here);
  writeFileSync(
    file,
    withTable(readFileSync(file, 'utf8'), JSON.parse(readFileSync(new URL('results/gradient-peers.json', here), 'utf8'))),
  );
}

function number(x) {
  return x >= 100 ? x.toFixed(0) : x >= 10 ? x.toFixed(1) : x >= 1 ? x.toFixed(2) : x.toFixed(3);
}

function spread({ median, values }) {
  return `${number(median)} (${number(Math.min(...values))}..${number(Math.max(...values))})`;
}

function section(name, result) {
  const lines = [
    `## ${result.title}`,
    '',
    `\`sh scripts/bench/run ${name}\`, ${result.seconds} s, ${result.date}; ${result.machine}`,
    '',
  ];
  if (result.rows.length > 0) lines.push('| work | ours | peer | peer takes | ratio | bar | |', '|---|---|---|---|---|---|---|');
  for (const { work, ours, peer, ratio, bar, unit } of result.rows) {
    const over = `missed by ${Math.max(1, Math.round((ratio / bar - 1) * 100))} %`;
    const verdict = bar === undefined ? '' : ratio <= bar ? 'met' : over;
    lines.push(
      `| ${work} | ${spread(ours)} ${unit} | ${peer.name} | ${spread(peer)} ${unit} | ${ratio.toFixed(2)} | ${bar ?? ''} | ${verdict} |`,
    );
  }
  for (const note of result.notes ?? []) lines.push('', note);
  if (result.profile) lines.push('', ...result.profile);
  return lines.join('\n').replaceAll(/\n{3,}/g, '\n\n');
}

function document() {
  const present = readdirSync(new URL('results/', here));
  const sections = names
    .filter((name) => present.includes(`${name}.json`))
    .map((name) => section(name, JSON.parse(readFileSync(new URL(`results/${name}.json`, here), 'utf8'))));
  const versions = [
    `onnxruntime-node ${ownPackage('onnxruntime-node')}`,
    ...requirements
      .split('\n')
      .filter((line) => /^[a-z]/.test(line))
      .map((line) => line.replace('==', ' ')),
    ...Object.entries(packages).map(([name, version]) => `${name} ${version}`),
  ];
  return `# Benchmarks

Written by \`sh scripts/bench/run\` (all) or \`sh scripts/bench/run <name>\`; do not edit. Contestants are separate processes that take turns in
one run, ${threads} threads each unless a row says otherwise, those that wait being stopped; times are medians with the extremes of the turns. A
ratio is our time over the peer's, a bar the largest that we allow ourselves.

Versions: ${versions.join(', ')}.

${sections.join('\n\n')}
`;
}
