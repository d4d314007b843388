// SHA-256 by the platform's own hash (Web Crypto), in hex. Pages that are not served securely have none.

/** Bytes hashed at once; Node's Web Crypto takes less than 2 GiB. */
const chunk = 2 ** 28;

const hex = (bytes: ArrayBuffer): string => [...new Uint8Array(bytes)].map((b) => b.toString(16).padStart(2, '0')).join('');

/** Whether there is a hash here. */
export const hasDigest = (): boolean => globalThis.crypto?.subtle !== undefined;

/** SHA-256 of bytes, or of a text's UTF-8; undefined where the platform has no hash. */
export async function sha256Digest(content: Uint8Array | string): Promise<string | undefined> {
  if (!hasDigest()) return undefined;
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  // Web Crypto refuses shared memory.
  const own = bytes.buffer instanceof ArrayBuffer ? (bytes as Uint8Array<ArrayBuffer>) : new Uint8Array(bytes);
  return hex(await globalThis.crypto.subtle.digest('SHA-256', own));
}

/** A hash of bytes of any length: that of each piece of 256 MiB, one after another. */
export async function contentDigest(bytes: Uint8Array): Promise<string | undefined> {
  const found: string[] = [];
  for (let at = 0; at === 0 || at < bytes.length; at += chunk) {
    const part = await sha256Digest(bytes.subarray(at, at + chunk));
    if (part === undefined) return undefined;
    found.push(part);
  }
  return found.join('');
}
