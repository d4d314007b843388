// The proof that earlier tasks did not move while another was taught, as the page shows it; and what is kept of the moment before.
import { type Evidence, type Proof as Found, Tensor } from '../web.js';

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

/** Evidence that survives the browser's database, which takes no objects of classes. */
export interface KeptEvidence {
  readonly task: string;
  readonly weights?: string | undefined;
  readonly scores: { readonly dims: readonly number[]; readonly data: Float32Array };
}

export function kept({ tasks }: Found): readonly KeptEvidence[] {
  return tasks.map(({ task, weights, scores }) => {
    const { dims = [0], data = new Float32Array() } = scores ?? {};
    if (!(data instanceof Float32Array)) throw new Error(`internal: scores of ${scores?.dtype}`);
    return { task, weights, scores: { dims, data } };
  });
}

export function evidence(before: readonly KeptEvidence[]): readonly Evidence[] {
  return before.map(({ task, weights, scores: { dims, data } }) => ({
    task,
    ...(weights !== undefined && { weights }),
    scores: new Tensor('float32', dims, data),
  }));
}

/** What `verify` says of the tasks that were there before the lesson. */
export function shown(taught: string, before: readonly KeptEvidence[], { tasks }: Found): Proof {
  const rows = before.map((was): ProofRow => {
    const is = tasks.find(({ task }) => task === was.task);
    const outputs = was.scores.data.length;
    return { task: was.task, before: was.weights ?? '', after: is?.weights ?? '', outputs, moved: is?.moved ?? outputs };
  });
  const identical = before.every((was) => tasks.find(({ task }) => task === was.task)?.identical === true);
  return { taught, probes: before[0]?.scores.dims[0] ?? 0, rows, holds: identical };
}
