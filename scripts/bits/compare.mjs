// Two folders of files compared: which differ, and where a differing one first does. ONNX files are decoded by proto/onnx.proto alone, so that
// the code under comparison has no part in it.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import protobuf from 'protobufjs';

const repo = new URL('../..', import.meta.url).pathname;
const model = protobuf.loadSync(join(repo, 'proto/onnx.proto')).lookupType('onnx.ModelProto');
const shown = 6;

const filesOf = (folder) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => statSync(join(folder, name)).isFile())
    .sort();

/** Differences of two folders: `{ name, why }`, why being lines. */
export function compareFolders(before, after, settle) {
  const [a, b] = [filesOf(before), filesOf(after)];
  const names = [...new Set([...a, ...b])].sort();
  const differing = [];
  for (const name of names) {
    if (!a.includes(name)) differing.push({ name, why: ['is new'] });
    else if (!b.includes(name)) differing.push({ name, why: ['is gone'] });
    else {
      const [x, y] = [settle.before(readFileSync(join(before, name))), settle.after(readFileSync(join(after, name)))];
      if (!x.equals(y)) differing.push({ name, why: differences(name, x, y) });
    }
  }
  return { count: names.length, differing };
}

function differences(name, x, y) {
  if (name.endsWith('.onnx')) {
    const lines = [];
    walk('', plainModel(x), plainModel(y), lines);
    return lines.length === 0 ? ['the same graph in other bytes: order of fields'] : firstOf(lines);
  }
  if (/\.(safetensors|prognet)$/.test(name)) return tensorDifferences(x, y);
  if (/\.(json|yaml|pbtxt)$/.test(name)) return textDifferences(x.toString(), y.toString());
  const at = x.findIndex((byte, i) => byte !== y[i]);
  return [`${x.length} and ${y.length} bytes, the first other one at ${at}`];
}

const firstOf = (lines) => (lines.length <= shown ? lines : [...lines.slice(0, shown), `and ${lines.length - shown} more`]);

/** Bytes of tensors as a hash, so that a difference is a line. */
function plainModel(bytes) {
  const plain = model.toObject(model.decode(bytes), { longs: String, enums: String });
  return plain;
}

const isBytes = (v) => v instanceof Uint8Array;
/** Short texts as they are, other bytes by their beginning and hash. */
const shortBytes = (v) =>
  /^[\x20-\x7e]{0,40}$/.test(v.toString('latin1'))
    ? JSON.stringify(v.toString('latin1'))
    : `${v.length} bytes ${v.toString('hex', 0, 8)}... of hash ${createHash('sha256').update(v).digest('hex').slice(0, 8)}`;
const text = (v) => {
  if (v === undefined) return 'nothing';
  if (isBytes(v)) return shortBytes(Buffer.from(v));
  const said = JSON.stringify(v, (_, inner) => (isBytes(inner) ? `${inner.length} bytes` : inner));
  return said.length <= 120 ? said : `${said.slice(0, 117)}...`;
};

/** How a thing in a list is called: `node[3] Gemm "a/0/dense"`. */
const label = (v) =>
  typeof v === 'object' && v !== null
    ? [v.opType, v.name && `"${v.name}"`]
        .filter(Boolean)
        .map((t) => ` ${t}`)
        .join('')
    : '';

function walk(path, x, y, lines) {
  if (isBytes(x) && isBytes(y)) {
    const at = x.findIndex((byte, i) => byte !== y[i]);
    if (at >= 0 || x.length !== y.length)
      lines.push(`${path}: ${text(x)}, now ${text(y)}, from byte ${at < 0 ? x.length : at} on`);
  } else if (Array.isArray(x) && Array.isArray(y)) {
    if (x.length !== y.length) lines.push(`${path}: ${x.length} of them, now ${y.length}`);
    for (let i = 0; i < Math.min(x.length, y.length); i++) walk(`${path}[${i}]${label(x[i])}`, x[i], y[i], lines);
  } else if (typeof x === 'object' && typeof y === 'object' && x !== null && y !== null) {
    for (const key of new Set([...Object.keys(x), ...Object.keys(y)]))
      walk(path === '' ? key : `${path}.${key}`, x[key], y[key], lines);
  } else if (x !== y) lines.push(`${path}: ${text(x)}, now ${text(y)}`);
}

function textDifferences(x, y) {
  const [a, b] = [x.split('\n'), y.split('\n')];
  const at = a.map((_, i) => i).filter((i) => a[i] !== b[i]);
  const lines = at.map((i) => `line ${i + 1}: ${text(a[i].trim())}, now ${text(b[i]?.trim())}`);
  if (a.length !== b.length) lines.push(`${a.length} lines, now ${b.length}`);
  return firstOf(lines);
}

/** The header and the bytes of a safetensors file. */
function tensors(bytes) {
  const length = Number(bytes.readBigUInt64LE(0));
  const { __metadata__, ...entries } = JSON.parse(bytes.subarray(8, 8 + length).toString());
  const data = bytes.subarray(8 + length);
  const read = ({ dtype, shape, data_offsets: [from, to] }) => ({ dtype, shape, data: data.subarray(from, to) });
  return {
    metadata: __metadata__,
    order: Object.keys(entries),
    tensors: Object.fromEntries(Object.entries(entries).map(([n, e]) => [n, read(e)])),
  };
}

function tensorDifferences(x, y) {
  const lines = [];
  walk('', tensors(x), tensors(y), lines);
  return lines.length === 0 ? ['the same tensors in other bytes: the header'] : firstOf(lines);
}
