// Data larger than memory: the table of docs/data.md.
//   node scripts/bench/large-data.mjs [GB] [memory] [npy|parquet]    (needs npm run build; default 4 GB of npy with a memory of 1GB; some minutes, four times the data on the disk)
// Makes in the temporary folder a folder of .npy files, uint8 images [1,32,32] of eight classes, or a Parquet file of 256 columns of float32 in row groups of 20,000, also
// 1024 bytes a row. Trains one column over it with the rows on disk and, up to 1.9 GB, in
// memory, and prints peak memory of the process and seconds of an epoch. Exits 1 where 4 GB take 1.5 GB of memory or more.
import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, statfsSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fileWriter, ParquetWriter, schemaFromColumnData } from 'hyparquet-writer';
import { writeNpy } from '../../dist/formats/npy.js';
import { Tensor } from '../../dist/index.js';

const [gigabytes = '4', memory = '1GB', kind = 'npy'] = process.argv.slice(2);
const side = 32;
const classes = 8;
const mostInMemory = 1.9;

/** A folder of x.npy and y.npy, written part by part. */
function makeData(folder, rows) {
  const x = openSync(join(folder, 'x.npy'), 'w');
  const header = writeNpy(new Tensor('uint8', [0, 1, side, side], new Uint8Array()));
  const text = new TextDecoder('latin1').decode(header).replace('(0, 1', `(${rows}, 1`);
  // The header stays as long as it was: blanks before its line's end make up for the digits.
  const longer = `${rows}`.length - 1;
  const place = text.lastIndexOf(' '.repeat(longer));
  writeSync(
    x,
    Uint8Array.from(text.slice(0, place) + text.slice(place + longer), (c) => c.charCodeAt(0)),
  );
  const y = new BigInt64Array(rows);
  const part = new Uint8Array(8192 * side * side);
  let state = 1;
  for (let from = 0; from < rows; from += 8192) {
    const own = Math.min(8192, rows - from);
    const words = new Uint32Array(part.buffer, 0, (own * side * side) / 4);
    for (let i = 0; i < words.length; i++) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      words[i] = state;
    }
    for (let i = 0; i < own; i++) {
      const label = part[i * side * side] % classes;
      y[from + i] = BigInt(label);
      // A brighter band where the class says.
      const band = i * side * side + label * 4 * side;
      for (let at = band; at < band + 4 * side; at++) part[at] = 128 + (part[at] >> 1);
    }
    const bytes = part.subarray(0, own * side * side);
    for (let at = 0; at < bytes.length; ) at += writeSync(x, bytes, at);
  }
  closeSync(x);
  writeFileSync(join(folder, 'y.npy'), writeNpy(new Tensor('int64', [rows], y)));
}

/** A Parquet file of numbers, written group by group; the class lifts some of them. */
function makeParquet(folder, rows) {
  const width = side ** 2 / 4;
  const group = 20_000;
  let writer;
  for (let from = 0; from < rows; from += group) {
    const own = Math.min(group, rows - from);
    const label = Int32Array.from({ length: own }, (_, i) => (from + i) % classes);
    const columns = Array.from({ length: width }, (_, c) => ({
      name: `x${c}`,
      type: 'FLOAT',
      nullable: false,
      encoding: 'PLAIN',
      data: Float32Array.from({ length: own }, (_, i) => Math.random() + (c % classes === label[i] ? 1 : 0)),
    }));
    const columnData = [...columns, { name: 'label', type: 'INT32', nullable: false, data: label }];
    writer ??= new ParquetWriter({
      writer: fileWriter(join(folder, 'x.parquet')),
      schema: schemaFromColumnData({ columnData }),
      statistics: false,
    });
    writer.write({ columnData, rowGroupSize: group });
  }
  writer.finish();
}

const kinds = {
  npy: { make: makeData, source: '.', input: `[1, ${side}, ${side}]`, blocks: 'flatten, ' },
  parquet: { make: makeParquet, source: 'x.parquet', input: `[${side ** 2 / 4}]`, blocks: '' },
};
const { make, source, input, blocks } = kinds[kind];

function run(size, limit) {
  const rows = Math.round((size * 1e9) / side ** 2);
  const folder = mkdtempSync(join(tmpdir(), 'prognet-large-'));
  try {
    const { bavail, bsize } = statfsSync(folder);
    const needed = 4.2 * rows * side ** 2;
    if (bavail * bsize < needed) throw new Error(`${folder}: ${(needed / 1e9).toFixed(1)} GB of disk are needed`);
    make(folder, rows);
    const data = limit === undefined ? source : `{ source: ${source}, memory: ${limit} }`;
    writeFileSync(
      join(folder, 'prognet.yaml'),
      `prognet: 1
name: large
input: { name: x, shape: ${input} }
columns:
  - { task: a, data: ${data}, blocks: [[${blocks}{ dense: 64 }, relu]], head: { classify: ${classes} }, train: { epochs: 2, validation: 0.05 } }
`,
    );
    const child = [fileURLToPath(new URL('large-train.mjs', import.meta.url)), folder];
    const found = JSON.parse(execFileSync(process.execPath, child, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }));
    return { rows, limit, ...found };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const size = Number(gigabytes);
const compared = Math.min(size, mostInMemory);
const results = [run(compared, undefined), run(compared, memory), ...(size > compared ? [run(size, memory)] : [])];
const table = [
  '| rows | where | peak memory | before the first step | an epoch | rows a second |',
  '|---|---|---|---|---|---|',
  ...results.map(({ rows, limit, peak, preparing, epochs }) => {
    const seconds = Math.min(...epochs.map((epoch) => epoch.seconds));
    const trained = rows * 0.8 * 0.95;
    return `| ${(rows / 1e6).toFixed(2)} million, ${((rows * side ** 2) / 1e9).toFixed(1)} GB | ${limit === undefined ? 'in memory' : `on disk, \`memory: ${limit}\``} | ${(peak / 1e9).toFixed(2)} GB | ${preparing.toFixed(0)} s | ${seconds.toFixed(1)} s | ${Math.round(trained / seconds)} |`;
  }),
];
process.stdout.write(`${table.join('\n')}\n`);
const large = results.filter(({ rows, limit }) => limit !== undefined && rows * side ** 2 >= 3.9e9);
if (large.some(({ peak }) => peak >= 1.5e9)) process.exit(1);
