// NumPy's .npy as far as this service needs it: what may become an input of its dtype, C order, little-endian.

const kinds = {
  '<f4': { size: 4, read: (view, at) => view.getFloat32(at, true) },
  '<f8': { size: 8, read: (view, at) => view.getFloat64(at, true) },
  '<f2': { size: 2, read: (view, at, half) => half(view.getUint16(at, true)) },
  '<i4': { size: 4, read: (view, at) => view.getInt32(at, true) },
  '<i8': { size: 8, read: (view, at) => view.getBigInt64(at, true) },
  '|u1': { size: 1, read: (view, at) => view.getUint8(at) },
  '|b1': { size: 1, read: (view, at) => view.getUint8(at) },
};
/** What an input is made of. */
const taken = {
  float32: ['<f4', '<f8', '|u1'],
  uint8: ['<f4', '<f8', '|u1'],
  float16: ['<f2', '<f4'],
  int32: ['<i4', '<i8'],
  int64: ['<i8', '<i4'],
  bool: ['|b1', '|u1'],
};

/**
 * The elements, the shape, and whether they were bytes that are divided by 255 now, as a model of float32 takes grey levels.
 * @param dtype of the input
 * @param elements what numbers become (elements.mjs)
 * @param most elements at most, counted before they are read
 * @param tooMany the error for more
 * @param wrong makes the error of a message
 * @param missing whether NaN stands for a number that is not there
 */
export function readNpy(bytes, { dtype, elements, most, tooMany, wrong, missing = false }) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 12 || view.getUint32(0) !== 0x934e554d || view.getUint16(4) !== 0x5059)
    throw wrong('the body is no .npy file');
  const version = bytes[6];
  const start = version === 1 ? 10 : 12;
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length > 65535 || start + length > bytes.length) throw wrong('the .npy header is cut off');
  const header = new TextDecoder('latin1').decode(bytes.subarray(start, start + length));
  const descr = /'descr'\s*:\s*'([^']*)'/.exec(header)?.[1];
  const kind = taken[dtype].includes(descr) ? kinds[descr] : undefined;
  if (kind === undefined) {
    const known = taken[dtype];
    throw wrong(`.npy of dtype ${descr ?? 'unknown'}, expected ${known.slice(0, -1).join(', ')} or ${known.at(-1)}`);
  }
  if (!/'fortran_order'\s*:\s*False/.test(header)) throw wrong('.npy in Fortran order, expected C order');
  const at = start + length;
  const dims = (/'shape'\s*:\s*\(([\d\s,]*)\)/.exec(header)?.[1] ?? '')
    .split(',')
    .filter((d) => d.trim() !== '')
    .map(Number);
  const count = dims.reduce((a, b) => a * b, 1);
  if (count * kind.size !== bytes.length - at)
    throw wrong(`.npy of shape (${dims}) holds ${bytes.length - at} bytes, expected ${count * kind.size}`);
  if (count > most) throw tooMany;
  const values = elements.room(count);
  const scaled = dtype === 'float32' && descr === '|u1';
  const scale = Math.fround(1 / 255);
  for (let i = 0; i < count; i++) {
    const found = kind.read(view, at + i * kind.size, elements.half);
    const value = missing && Number.isNaN(found) ? found : elements.of(scaled ? found * scale : found);
    if (value === undefined) throw wrong(`found ${found} at number ${i}, expected ${elements.expected}`);
    values[i] = value;
  }
  return { values, dims, scaled };
}

/** float32 in C order, version 1. */
export function writeNpy(data, dims) {
  const shape = dims.length === 1 ? `(${dims[0]},)` : `(${dims.join(', ')})`;
  const dict = `{'descr': '<f4', 'fortran_order': False, 'shape': ${shape}, }`;
  const total = Math.ceil((10 + dict.length + 1) / 64) * 64;
  const out = Buffer.alloc(total + data.byteLength);
  out.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, (total - 10) & 255, (total - 10) >> 8]);
  out.write(`${dict.padEnd(total - 11)}\n`, 10, 'latin1');
  out.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), total);
  return out;
}
