// NumPy's .npy as far as this service needs it: float32, float64 or uint8, C order, little-endian.

const kinds = {
  '<f4': { size: 4, read: (view, at) => view.getFloat32(at, true) },
  '<f8': { size: 8, read: (view, at) => view.getFloat64(at, true) },
  '|u1': { size: 1, read: (view, at) => view.getUint8(at) },
};

/**
 * The elements as float32, the shape, and whether they were bytes that are divided by 255 now.
 * @param most elements at most, counted before they are read
 * @param asTheyAre whether uint8 stay 0..255; else they are grey levels, divided by 255
 * @param tooMany the error for more
 * @param wrong makes the error of a message
 */
export function readNpy(bytes, most, asTheyAre, tooMany, wrong) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 12 || view.getUint32(0) !== 0x934e554d || view.getUint16(4) !== 0x5059)
    throw wrong('the body is no .npy file');
  const version = bytes[6];
  const start = version === 1 ? 10 : 12;
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length > 65535 || start + length > bytes.length) throw wrong('the .npy header is cut off');
  const header = new TextDecoder('latin1').decode(bytes.subarray(start, start + length));
  const descr = /'descr'\s*:\s*'([^']*)'/.exec(header)?.[1];
  const kind = Object.hasOwn(kinds, descr ?? '') ? kinds[descr] : undefined;
  if (kind === undefined) throw wrong(`.npy of dtype ${descr ?? 'unknown'}, expected <f4, <f8 or |u1`);
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
  const values = new Float32Array(count);
  const scale = kind.size === 1 && !asTheyAre ? Math.fround(1 / 255) : 1;
  for (let i = 0; i < count; i++) values[i] = kind.read(view, at + i * kind.size) * scale;
  return { values, dims, scaled: scale !== 1 };
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
