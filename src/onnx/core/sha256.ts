// SHA-256 of a text, at once and anywhere: the platform's own hash is asynchronous in browsers, and missing in pages that are not served securely.
// For what a description names; files of data are hashed by onnx/files/hash.ts.

/** The first 32 bits of the fractional part of a root of each prime. */
function fractions(count: number, root: (x: number) => number): Uint32Array {
  const found: number[] = [];
  for (let n = 2; found.length < count; n++) {
    let prime = true;
    for (let d = 2; d * d <= n; d++) if (n % d === 0) prime = false;
    if (prime) found.push((root(n) % 1) * 2 ** 32);
  }
  return Uint32Array.from(found, Math.floor);
}

const constants = fractions(64, Math.cbrt);
const start = fractions(8, Math.sqrt);

const turned = (x: number, by: number): number => (x >>> by) | (x << (32 - by));

/** 64 hex digits, of the text's UTF-8. */
export function sha256Text(text: string): string {
  const content = new TextEncoder().encode(text);
  const blocks = Math.ceil((content.length + 9) / 64);
  const padded = new Uint8Array(blocks * 64);
  padded.set(content);
  padded[content.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setBigUint64(padded.length - 8, BigInt(content.length) * 8n);
  const state = Uint32Array.from(start);
  const w = new Uint32Array(64);
  for (let block = 0; block < blocks; block++) {
    for (let i = 0; i < 16; i++) w[i] = view.getUint32(block * 64 + i * 4);
    absorb(state, w);
  }
  return [...state].map((word) => word.toString(16).padStart(8, '0')).join('');
}

/** A block, its 16 words at the head of `w`. */
function absorb(state: Uint32Array, w: Uint32Array): void {
  for (let i = 16; i < 64; i++) {
    const [a = 0, b = 0] = [w[i - 15], w[i - 2]];
    const early = turned(a, 7) ^ turned(a, 18) ^ (a >>> 3);
    const late = turned(b, 17) ^ turned(b, 19) ^ (b >>> 10);
    w[i] = (w[i - 16] ?? 0) + early + (w[i - 7] ?? 0) + late;
  }
  let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = state;
  for (let i = 0; i < 64; i++) {
    const one = turned(e, 6) ^ turned(e, 11) ^ turned(e, 25);
    const first = (h + one + ((e & f) ^ (~e & g)) + (constants[i] ?? 0) + (w[i] ?? 0)) | 0;
    const zero = turned(a, 2) ^ turned(a, 13) ^ turned(a, 22);
    const second = (zero + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + first) | 0, c, b, a, (first + second) | 0];
  }
  [a, b, c, d, e, f, g, h].forEach((value, i) => {
    state[i] = (state[i] ?? 0) + value;
  });
}
