// How many bytes rows may take in memory, as a data entry says it.
import { defaultMaxBytes } from '../../formats/data-error.js';

const units: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

/** How it is written. */
export const memoryPattern = /^(\d+(?:\.\d+)?) ?(B|kB|MB|GB|TB|KiB|MiB|GiB|TiB)$/;

/** What is too small to read blocks into is no limit. */
export const leastMemory = 2 ** 20;

/** Bytes in words, for messages. */
export const inWords = (bytes: number): string =>
  bytes < 1e9 ? `${(bytes / 1e6).toFixed(0)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;

/** Bytes that rows may take in memory by a data entry. */
export const memoryOf = ({ memory }: { readonly memory?: number | string | undefined }): number =>
  memory === undefined ? defaultMaxBytes : memoryBytes(memory);

/** Bytes of `500MB`, `1.5 GiB` or a number. */
export function memoryBytes(written: number | string): number {
  if (typeof written === 'number') return written;
  const [, number = '', unit = ''] = memoryPattern.exec(written) ?? [];
  return Math.floor(Number(number) * (units[unit] ?? Number.NaN));
}
