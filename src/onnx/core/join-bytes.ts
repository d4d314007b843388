// Pieces of bytes as one.

/** One array of all, in their order. */
export function joinBytes(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return joinPieces(
    pieces,
    pieces.reduce((sum, { length }) => sum + length, 0),
  );
}

/** The same of pieces that are good until the next, `length` bytes together. */
export function joinPieces(pieces: Iterable<Uint8Array>, length: number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    out.set(piece, at);
    at += piece.length;
  }
  return out;
}
