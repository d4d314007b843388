// Elements of string tensors: UTF-8 by the standard, any bytes in practice. A byte that is not UTF-8 becomes a lone surrogate
// U+DC80..U+DCFF and goes back as that byte (Python's "surrogateescape"), so decoding and encoding lose nothing.
import { ModelError } from '../core/errors.js';

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();
/** Lone surrogates only: a pair counts as one code point under the u flag. */
const lone = /\p{Surrogate}/u;

/** Length of the well-formed UTF-8 sequence at `i`, or 0. Unicode standard, table 3-7. */
function sequenceLength(bytes: Uint8Array, i: number): number {
  const a = bytes[i] ?? 0;
  if (a < 0x80) return 1;
  const n = a >= 0xc2 && a <= 0xdf ? 2 : a >= 0xe0 && a <= 0xef ? 3 : a >= 0xf0 && a <= 0xf4 ? 4 : 0;
  if (n === 0 || i + n > bytes.length) return 0;
  const b = bytes[i + 1] ?? 0;
  const low = a === 0xe0 ? 0xa0 : a === 0xf0 ? 0x90 : 0x80;
  const high = a === 0xed ? 0x9f : a === 0xf4 ? 0x8f : 0xbf;
  if (b < low || b > high) return 0;
  for (let k = 2; k < n; k++) if (((bytes[i + k] ?? 0) & 0xc0) !== 0x80) return 0;
  return n;
}

/** Bytes to a string; bytes that are not UTF-8 become lone surrogates. */
export function decodeText(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes);
  } catch {
    const parts: string[] = [];
    for (let i = 0; i < bytes.length; ) {
      const n = sequenceLength(bytes, i);
      parts.push(n === 0 ? String.fromCharCode(0xdc00 + (bytes[i] ?? 0)) : strict.decode(bytes.subarray(i, i + n)));
      i += Math.max(n, 1);
    }
    return parts.join('');
  }
}

/** The inverse of {@link decodeText}. Any other lone surrogate is no text: ModelError. */
export function encodeText(text: string): Uint8Array {
  if (!lone.test(text)) return encoder.encode(text);
  const out: number[] = [];
  for (const c of text) {
    const code = c.codePointAt(0) ?? 0;
    if (code >= 0xdc80 && code <= 0xdcff) out.push(code - 0xdc00);
    else if (code >= 0xd800 && code <= 0xdfff) {
      throw new ModelError(`a string has the lone surrogate U+${code.toString(16).toUpperCase()}, which UTF-8 cannot hold`);
    } else out.push(...encoder.encode(c));
  }
  return Uint8Array.from(out);
}
