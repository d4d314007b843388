// Peak memory of `prognet export`, from a workspace of one frozen dense column of about the megabytes given, in each way that an export writes
// weights; and of reading what was written. Prints JSON in bytes: { weights, idle, external, inside, loadExternal, loadInside }. `idle` is an
// export of next to nothing: Node and the package themselves.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { columnsOf, initialWeights, readDescription } from '../../dist/index.js';
import { freezeColumn } from '../../dist/workspace/column-store.js';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const cli = here('../../dist/cli/main.js');
const megabytes = Number(process.argv[2] ?? 1000);
const folder = mkdtempSync(join(tmpdir(), 'prognet-peak-'));

/** A workspace whose one column has four square layers of `width`. */
function workspace(name, width) {
  const root = join(folder, name);
  mkdirSync(root);
  const text = `prognet: 1
name: large
input: { name: x, shape: [${width}] }
columns:
  - { task: big, blocks: [[{ dense: ${width} }], [{ dense: ${width} }], [{ dense: ${width} }], [{ dense: ${width} }]], head: { classify: 2 } }
`;
  writeFileSync(join(root, 'prognet.yaml'), text);
  const column = columnsOf(readDescription(text, 'prognet.yaml')).column('big');
  const weights = initialWeights(column);
  const none = '0'.repeat(64);
  freezeColumn(
    root,
    {
      task: 'big',
      sha256: { graph: none },
      description: column.canonical,
      sources: {},
      seed: 0,
      data: { fingerprint: 'none' },
      metrics: {},
      outputs: { sha256: none, count: 0, provider: 'cpu', threads: 1 },
      versions: { prognet: 'none', onnxruntime: 'none' },
    },
    weights,
  );
  return { root, bytes: [...weights.values()].reduce((n, t) => n + t.bytes.length, 0) };
}

/** The most memory that a Node process held. */
function peak(...args) {
  const file = join(folder, 'peak');
  execFileSync(process.execPath, ['--require', here('peak.cjs'), ...args], { env: { ...process.env, PEAK_FILE: file } });
  return Number(readFileSync(file, 'utf8'));
}

try {
  const small = workspace('small', 8);
  const large = workspace('large', Math.round(Math.sqrt((megabytes * 1e6) / 16)));
  const exported = ({ root }, file, ...more) =>
    peak(cli, 'export', '--task', 'big', '-o', join(folder, file), '-C', root, ...more);
  const loaded = (file) => peak(cli, 'inspect', join(folder, file));
  const found = {
    weights: large.bytes,
    idle: exported(small, 'small.onnx'),
    external: exported(large, 'external.onnx', '--external-data'),
    inside: exported(large, 'inside.onnx'),
    loadExternal: loaded('external.onnx'),
    loadInside: loaded('inside.onnx'),
  };
  process.stdout.write(`${JSON.stringify(found)}\n`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
