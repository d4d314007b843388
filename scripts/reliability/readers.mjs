// Damaged files through every reader: each input is read, or refused with one line, in bounded time. Needs npm run build.
//   node scripts/reliability/readers.mjs [--inputs 100000] [--seed 1] [--readers csv,npy,npz,idx,safetensors,yaml,parquet,records,images,arrow,tokenizer]
// Prints a row for each reader: inputs, read, refused, the slowest in ms. What is neither, or takes over five seconds, is printed; then it exits 1.

import { readdirSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';

const dist = (path) => import(new URL(`../../dist/${path}`, import.meta.url).href);
const { readCsv } = await dist('formats/csv.js');
const { readNpy, writeNpy } = await dist('formats/npy.js');
const { readNpz, writeNpz } = await dist('formats/npz.js');
const { readParquet } = await dist('formats/parquet.js');
const { openParquet } = await dist('formats/parquet-file.js');
const { openArrow } = await dist('formats/arrow-file.js');
const { decodeInto } = await dist('data/images/decode.js');
const { loadSharp } = await dist('data/images/sharp.js');
const { readIdx } = await dist('formats/gzip-idx.js');
const { writeIdx } = await dist('formats/idx.js');
const { decodeSafetensors, encodeSafetensors } = await dist('formats/safetensors.js');
const { tokenizerOf } = await dist('data/text/tokenizer.js');
const { parseDescription } = await dist('model/description/parse.js');
const { columnsOf } = await dist('model/progressive/column.js');
const { readDescription } = await dist('model/description/read-text.js');
const { PrognetError } = await dist('onnx/core/errors.js');
const { Random } = await dist('onnx/core/random.js');
const { Tensor } = await dist('onnx/core/tensor.js');

const { values } = parseArgs({
  options: {
    inputs: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    readers: { type: 'string', default: 'csv,npy,npz,idx,safetensors,yaml,parquet,records,images,arrow,tokenizer' },
  },
});
const random = new Random(Number(values.seed), 'readers');
const below = (n) => Math.floor(random.uniform() * n);
const text = (t) => new TextEncoder().encode(t);

const floats = Tensor.from('float32', [1, 2, 3, 4, 5, 6], [2, 3]);
const labels = Tensor.from('int64', [0, 1]);
const arrays = new Map([
  ['x', floats],
  ['y', labels],
]);
const idx = writeIdx([2, 3], Uint8Array.from([1, 2, 3, 4, 5, 6]));
const yaml = `prognet: 1
name: toy
input: { name: x, shape: [4] }
columns:
  - task: a
    data: &d { source: a.csv, header: false }
    blocks: [[{ dense: 8 }, relu], [{ dense: 8 }, relu]]
    head: { classify: 2 }
  - { task: b, data: *d, like: a, laterals: { kind: adapter, rank: 3 } }
`;

const sharp = await loadSharp('images');
const pixels = new Uint8Array(24 * 32 * 3);
const grain = new Random(1, 'images');
const noise = (width, height) =>
  sharp(
    Uint8Array.from({ length: width * height * 3 }, () => Math.floor(grain.uniform() * 256)),
    { raw: { width, height, channels: 3 } },
  );
const shards = new URL('../../test/data/hub/data/', import.meta.url);
const saved = new URL('../../test/data/saved/', import.meta.url);
const arrowFiles = ['images/train/data-00000-of-00002', 'texts/test/data-00000-of-00001', 'table/train/data-00000-of-00001'];
const tables = new URL('../../test/formats/parquet/', import.meta.url);

/** Seeds, the reader, and pieces of its syntax that are put in. */
const readers = {
  csv: [
    [text('a,b,kind\n1,2.5,0\n-3e1,.5,1\n'), text('"1";2;3\r\n4;5;6\r\n')],
    (b) => readCsv(b),
    [',', '"', '\n', '1e9', '-', '.', '\ufeff'],
  ],
  npy: [[writeNpy(floats), writeNpy(labels)], (b) => readNpy(b), ["'", '(', '),', '<f8', 'True', '99999999999', ' ']],
  npz: [
    [writeNpz(arrays), writeNpz(arrays, false)],
    (b) => readNpz(b, 'a', 1 << 24),
    ['PK\u0001\u0002', 'PK\u0005\u0006', '\uffff'],
  ],
  idx: [[idx, gzipSync(idx)], (b) => readIdx(b, 'a', 1 << 24), ['\u0000', '\u0008', '\u001f\u008b']],
  safetensors: [
    [encodeSafetensors(arrays, { a: 'b' })],
    (b) => decodeSafetensors(b, 'a'),
    ['{', '"', '}', '[', ',', ':', '"dtype"', '1e99', '__metadata__'],
  ],
  records: [
    readdirSync(shards).map((name) => readFileSync(new URL(name, shards))),
    async (b) => {
      const opened = await openParquet(b, 'a', 1 << 24, true);
      for (const name of opened.names) await opened.column(name, () => {});
    },
    ['PAR1', '\u0015\u0004', '\u00ff\u00ff\u00ff\u00ff\u000f', '\u0000', 'bytes', '\u002c', '\u001c'],
  ],
  arrow: [
    arrowFiles.map((name) => readFileSync(new URL(`${name}.arrow`, saved))),
    async (b) => {
      const opened = openArrow(b, 'a', true);
      for (const name of opened.names) await opened.column(name, () => {});
    },
    [
      '\u00ff\u00ff\u00ff\u00ff',
      'ARROW1',
      '\u0000\u0000\u0000\u0000',
      '\u0001\u0000\u0000\u0000',
      '\u00ff\u00ff\u00ff\u007f',
      '\u0008',
    ],
  ],
  tokenizer: [
    [readFileSync(new URL('../../templates/init/text/tokenizer.json', import.meta.url))],
    async (b) => {
      const input = { name: 'text', tokenizer: new TextDecoder().decode(b), length: 8 };
      const [found] = columnsOf(parseDescription({ prognet: 1, name: 'a', input, columns: [] })).inputs;
      (await tokenizerOf(found, 'a'))(['The crew mends the sail, slowly.', ''], 'a');
    },
    ['{', '"', '}', '[', ',', ':', 'null', '1e99', '-1', '"Split"', '"Regex":"(a+)+$"', 'true'],
  ],
  images: [
    await Promise.all(['png', 'jpeg', 'webp'].map((format) => noise(32, 24)[format]().toBuffer())),
    (b) => decodeInto(sharp, b, { kind: 'image', colours: 'rgb', axes: 'CHW', height: 24, width: 32, fit: 'cover' }, pixels, 'a'),
    ['IHDR', 'IDAT', '\u0000', '\u00ff\u00d8', '\u00ff\u00da', 'RIFF', 'VP8 ', '\u00ff'],
  ],
  parquet: [
    readdirSync(tables)
      .filter((name) => name.startsWith('people'))
      .map((name) => readFileSync(new URL(name, tables))),
    (b) =>
      readParquet(b, { missing: true, texts: true, columns: ['age', 'member', 'visits', 'height'], label: 'kind' }, 'a', 1 << 24),
    ['PAR1', '\u0015\u0004', '\u00ff\u00ff\u00ff\u00ff\u000f', '\u0000', 'age', '\u002c', '\u001c'],
  ],
  yaml: [
    [text(yaml)],
    (b) => readDescription(new TextDecoder().decode(b), 'a'),
    [
      '? ',
      ': ',
      '- ',
      '{',
      '}',
      '[',
      ']',
      '&a ',
      '*a ',
      '!!str ',
      '|\n',
      '>\n',
      '\t',
      '"',
      "'",
      '# ',
      '---\n',
      '<<: ',
      '%YAML 1.1\n',
    ],
  ],
};

/** One to eight damages: bytes changed, cut, repeated, moved, or pieces of syntax put in. */
function damaged(seeds, pieces) {
  let bytes = Buffer.from(seeds[below(seeds.length)]);
  for (let i = 1 + below(8); i > 0; i--) {
    const at = below(bytes.length + 1);
    const end = Math.min(bytes.length, at + 1 + below(1 + below(64)));
    switch (below(6)) {
      case 0:
        if (at < bytes.length) bytes[at] = below(256);
        break;
      case 1:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(end)]);
        break;
      case 2:
        bytes = Buffer.concat([
          bytes.subarray(0, end),
          ...Array(1 + below(200)).fill(bytes.subarray(at, end)),
          bytes.subarray(end),
        ]);
        break;
      case 3:
        bytes = bytes.subarray(0, at);
        break;
      case 4:
        if (at < bytes.length) bytes[at] ^= 1 << below(8);
        break;
      default:
        bytes = Buffer.concat([
          bytes.subarray(0, at),
          ...Array(1 + below(1 + below(300))).fill(Buffer.from(pieces[below(pieces.length)], 'utf8')),
          bytes.subarray(at),
        ]);
    }
    // Repetitions of repetitions would only measure the copying.
    if (bytes.length > 200_000) bytes = Buffer.from(bytes.subarray(0, 200_000));
  }
  return new Uint8Array(bytes);
}

let misses = 0;
console.log('| reader | inputs | read | refused | neither | slowest, ms | s |\n|---|---|---|---|---|---|---|');
for (const name of values.readers.split(',')) {
  const [seeds, read, pieces] = readers[name];
  const begun = performance.now();
  const counts = { read: 0, refused: 0, neither: 0 };
  let slowest = 0;
  for (let i = 0; i < Number(values.inputs); i++) {
    const bytes = damaged(seeds, pieces);
    const started = performance.now();
    let wrong = '';
    try {
      await read(bytes);
      counts.read++;
    } catch (error) {
      if (error instanceof PrognetError && !error.message.includes('\n')) counts.refused++;
      else wrong = `${error?.stack ?? error}`;
    }
    const took = performance.now() - started;
    slowest = Math.max(slowest, took);
    if (took > 5000) wrong ||= `took ${took.toFixed(0)} ms`;
    if (wrong === '') continue;
    counts.neither++;
    misses++;
    console.error(`${name}, input ${i}: ${wrong}\n${Buffer.from(bytes.subarray(0, 3000)).toString('base64')}`);
  }
  const seconds = (performance.now() - begun) / 1000;
  console.log(
    `| ${name} | ${values.inputs} | ${counts.read} | ${counts.refused} | ${counts.neither} | ${slowest.toFixed(0)} | ${seconds.toFixed(0)} |`,
  );
}
process.exitCode = misses === 0 ? 0 : 1;
