// The proof that no trained task moved: hashes of weights, and outputs bit for bit, of two moments.
import { anObject, given, listOf } from '../onnx/core/given.js';
import type { Tensor } from '../onnx/core/tensor.js';

/** What a trained task is at one moment. */
export interface Evidence {
  /** The task that is shown. */
  readonly task: string;
  /** SHA-256 of the weights as a file holds them; absent where the platform has no hash (pages that are not served securely). */
  readonly weights?: string;
  /** Raw scores, float32 [N, k], of the inputs that were asked. */
  readonly scores?: Tensor;
}

export interface TaskProof extends Evidence {
  /** Rows of scores that were compared. */
  readonly rows: number;
  /** Of those numbers, how many have other bits now; absent where hashes alone were compared. */
  readonly moved?: number;
  /** Whether everything compared is the same, bit for bit; undefined where nothing could be compared, `reason` says why. */
  readonly identical: boolean | undefined;
  /** Why a task is not as it was, or could not be asked; in one line. */
  readonly reason?: string;
}

/** What `verify` found. */
export interface Proof {
  /** Each trained task. */
  readonly tasks: readonly TaskProof[];
  /** Whether every task was compared and is identical; of an earlier moment that `since` gave, every task that was trained then. */
  readonly holds: boolean;
}

/** Numbers whose bits differ, those that only one of the two has included. */
function differing(a: Tensor, b: Tensor): number {
  const [x, y] = [a.bytes, b.bytes];
  const width = a.size === 0 ? 4 : x.length / a.size;
  let found = Math.abs(a.size - b.size);
  for (let i = 0; i < Math.min(x.length, y.length); i += width) {
    for (let k = 0; k < width; k++) {
      if (x[i + k] === y[i + k]) continue;
      found++;
      break;
    }
  }
  return found;
}

function compared(now: Evidence, then: Evidence | undefined): TaskProof {
  const nothing = (reason: string): TaskProof => ({ ...now, rows: 0, identical: undefined, reason });
  if (then === undefined) return nothing('there is no record of it to compare with');
  const hashes = now.weights !== undefined && then.weights !== undefined;
  const both = now.scores !== undefined && then.scores !== undefined;
  if (!hashes && !both) return nothing('there is no hash here, and no outputs to compare');
  const rows = both ? (now.scores?.dims[0] ?? 0) : 0;
  const moved = now.scores !== undefined && then.scores !== undefined ? differing(now.scores, then.scores) : undefined;
  const found = { ...now, rows, ...(moved !== undefined && { moved }) };
  if (hashes && now.weights !== then.weights) return { ...found, identical: false, reason: 'the weights are others (sha256)' };
  if (moved !== undefined && moved > 0) return { ...found, identical: false, reason: `${moved} outputs are others` };
  return { ...found, identical: true };
}

/**
 * Each task of now against the same task then. A task that was there then and is gone is a proof that fails; a new one as well, unless `grown` says
 * that there may be some.
 */
export function proofOf(now: readonly Evidence[], then: readonly Evidence[], grown = false): Proof {
  given('proofOf', { now, earlier: then }, { now: listOf(anObject), earlier: listOf(anObject) });
  const tasks = now.map((task) =>
    compared(
      task,
      then.find((t) => t.task === task.task),
    ),
  );
  const gone = then
    .filter((t) => !now.some(({ task }) => task === t.task))
    .map(({ task }): TaskProof => ({ task, rows: 0, identical: false, reason: 'it is no longer there' }));
  const all = [...tasks, ...gone];
  const counted = grown ? all.filter(({ task }) => then.some((t) => t.task === task)) : all;
  return { tasks: all, holds: counted.every(({ identical }) => identical === true) && (counted.length > 0 || all.length === 0) };
}
