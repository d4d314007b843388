// The proof that earlier tasks did not move: witnesses of two moments compared, weights by hash and outputs bit for bit.
import type { Witness } from '../web.js';

export interface ProofRow {
  readonly task: string;
  readonly before: string;
  readonly after: string;
  /** Numbers compared. */
  readonly outputs: number;
  /** Those whose bits differ. */
  readonly moved: number;
}

export interface Proof {
  /** The task that was taught between the two moments. */
  readonly taught: string;
  readonly probes: number;
  readonly rows: readonly ProofRow[];
  readonly holds: boolean;
}

/** The bits of a witness's scores. */
function bitsOf({ scores }: Witness): Uint32Array {
  const { data } = scores;
  if (!(data instanceof Float32Array)) throw new Error(`internal: scores of ${scores.dtype}`);
  return new Uint32Array(data.buffer, data.byteOffset, data.length);
}

export function compare(taught: string, before: readonly Witness[], after: readonly Witness[]): Proof {
  const rows = before.map((was): ProofRow => {
    const is = after.find((w) => w.task === was.task);
    const [a, b] = [bitsOf(was), is === undefined ? new Uint32Array() : bitsOf(is)];
    let moved = Math.abs(a.length - b.length);
    for (let i = 0; i < Math.min(a.length, b.length); i++) if (a[i] !== b[i]) moved++;
    return { task: was.task, before: was.sha256 ?? '', after: is?.sha256 ?? '', outputs: a.length, moved };
  });
  const probes = before[0]?.scores.dims[0] ?? 0;
  return { taught, probes, rows, holds: rows.every((r) => r.before === r.after && r.moved === 0) };
}
