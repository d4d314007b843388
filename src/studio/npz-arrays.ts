// Arrays of a .npz file in a browser, which unpacks by itself: as formats/npz.ts reads them in Node.
import { readNpy } from '../formats/npy.js';
import { packedBytes, readDirectory, type ZipEntry } from '../formats/zip-directory.js';
import { joinBytes } from '../onnx/core/join-bytes.js';
import { DataError, type Tensor } from '../web.js';

/** No more than the entry claims. */
async function unpacked(
  packed: Uint8Array<ArrayBuffer>,
  { method, unpacked: size }: ZipEntry,
  where: string,
): Promise<Uint8Array> {
  if (method === 0) return packed;
  const reader = new Blob([packed]).stream().pipeThrough(new DecompressionStream('deflate-raw')).getReader();
  const parts: Uint8Array[] = [];
  let length = 0;
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      parts.push(next.value);
      length += next.value.length;
      if (length > size) break;
    }
  } catch (cause) {
    throw new DataError(`${where}: is broken`, { cause });
  } finally {
    await reader.cancel().catch(() => {});
  }
  if (length !== size) throw new DataError(`${where}: is damaged, it unpacks to other than its ${size} bytes`);
  return joinBytes(parts);
}

/** CRC-32 of ISO 3309, as zip archives have it. */
function crc32(bytes: Uint8Array): number {
  const table = Uint32Array.from({ length: 256 }, (_, i) => {
    let value = i;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
    return value;
  });
  let sum = 0xffffffff;
  for (const byte of bytes) sum = (sum >>> 8) ^ (table[(sum ^ byte) & 255] ?? 0);
  return (sum ^ 0xffffffff) >>> 0;
}

/**
 * The arrays of these names, as far as they are there.
 * @param most bytes that they may unpack to
 * @throws DataError for a broken archive or array
 */
export async function npzArrays(
  bytes: Uint8Array<ArrayBuffer>,
  names: readonly string[],
  where: string,
  most: (bytes: number) => void,
): Promise<Map<string, Tensor>> {
  const entries = readDirectory(bytes, where).filter(({ name }) => names.some((own) => name === `${own}.npy`));
  most(entries.reduce((sum, entry) => sum + entry.unpacked, 0));
  const found = new Map<string, Tensor>();
  for (const entry of entries) {
    const own = `${where}: "${entry.name}"`;
    const content = await unpacked(new Uint8Array(packedBytes(bytes, entry, where)), entry, own);
    if (crc32(content) !== entry.crc) throw new DataError(`${own}: is damaged, its CRC-32 does not match`);
    found.set(entry.name.slice(0, -'.npy'.length), readNpy(content, own));
  }
  return found;
}
