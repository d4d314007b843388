// A network of two tiny tasks with their data, and how prognet is run in it: what the campaigns of this folder work on.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const repo = fileURLToPath(new URL('../..', import.meta.url));
const main = join(repo, 'dist/cli/main.js');
const hook = join(repo, 'scripts/reliability/fault-hook.mjs');

const yaml = `prognet: 1
name: toy
input: { name: x, shape: [4] }
columns:
  - task: a
    data: { source: a.csv, header: false, label: -1 }
    blocks: [[{ dense: 32 }, relu], [{ dense: 8 }, relu]]
    head: { classify: 2 }
    train: { epochs: 2, batch: 16, lr: 0.01, seed: 3 }
  - task: b
    data: { source: b.csv, header: false, label: -1 }
    like: a
    train: { epochs: 2, batch: 16, lr: 0.01 }
`;

function csv(which) {
  let state = which;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
  return Array.from({ length: 100 }, () => {
    const x = Array.from({ length: 4 }, next);
    return [...x.map((v) => v.toFixed(4)), x[which] > 0 ? 1 : 0].join(',');
  }).join('\n');
}

/** Writes the description and its data. */
export function describe(folder) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'prognet.yaml'), yaml);
  for (const [i, name] of ['a', 'b'].entries()) writeFileSync(join(folder, `${name}.csv`), csv(i + 1));
  writeFileSync(join(folder, 'rows.npy'), npy());
}

/** Three rows of inputs as .npy, version 1. */
function npy() {
  const header = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }".padEnd(117);
  const elements = Float32Array.from({ length: 12 }, (_, i) => i / 12);
  return Buffer.concat([
    Buffer.from([0x93, ...Buffer.from('NUMPY'), 1, 0, 118, 0]),
    Buffer.from(`${header}\n`),
    new Uint8Array(elements.buffer),
  ]);
}

/** Runs prognet in a folder, with a fault if one is given (fault-hook.mjs). */
export function prognet(folder, args, fault) {
  const before = fault === undefined ? [] : ['--import', hook];
  const env = { ...process.env, ...(fault !== undefined && { PROGNET_FAULT: fault }) };
  const { status, signal, stderr } = spawnSync(process.execPath, [...before, main, ...args], {
    cwd: folder,
    env,
    encoding: 'utf8',
  });
  return { status, signal, stderr };
}

/** The same beside other work. */
export function prognetBeside(folder, args) {
  return new Promise((done) => {
    const child = spawn(process.execPath, [main, ...args], { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
    let stderr = '';
    child.stderr.on('data', (data) => {
      stderr += data;
    });
    child.on('close', (status, signal) => done({ status, signal, stderr }));
  });
}

/** What stands in a file but for times: column.json holds some, and so do the metadata of a trained column and the table of a sweep. */
function contentOf(path) {
  if (path.endsWith('column.json')) return 'a record';
  const bytes = readFileSync(path);
  if (path.endsWith('sweep.json')) return bytes.toString().replace(/^ *"seconds": .*$/gm, '');
  if (path.endsWith('sweep.csv')) return bytes.toString().replace(/,[^,]*,([^,]*)$/gm, ',$1');
  if (!path.endsWith('trained.safetensors')) return bytes;
  const end = 8 + Number(bytes.readBigUInt64LE());
  const { __metadata__, ...tensors } = JSON.parse(bytes.subarray(8, end).toString());
  return Buffer.concat([Buffer.from(JSON.stringify(tensors)), bytes.subarray(end)]);
}

/** Every file below a folder by path, with the hash of what stands in it. */
export function snapshot(folder) {
  const found = {};
  if (!existsSync(folder)) return found;
  for (const name of readdirSync(folder, { recursive: true })) {
    const path = join(folder, name);
    if (lstatSync(path).isDirectory()) continue;
    found[name] = createHash('sha256').update(contentOf(path)).digest('hex');
  }
  return found;
}

/** The paths in which two snapshots differ. */
export function differences(a, b) {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((path) => a[path] !== b[path]).sort();
}
