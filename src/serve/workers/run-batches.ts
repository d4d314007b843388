// What a worker thread that computes does: holds sessions by number, and runs batches on them.
import type { TransferListItem } from 'node:worker_threads';
import { InternalError, RuntimeError } from '../../onnx/core/errors.js';
import type { Runtime, Session } from '../../onnx/runtime/session.js';
import type { Methods, Moved } from './calls.js';
import { cut, joined } from './rows.js';
import { type AllParts, apart, together } from './tensor-parts.js';

/** A session to make. */
export interface LoadJob {
  readonly session: number;
  readonly model: Uint8Array;
  readonly weightsFolder?: string;
  readonly threads: number;
  readonly providers: readonly string[];
}

/** What a session takes and gives. */
export interface LoadedSession {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly provider: string;
}

/** Requests to answer in one run. */
export interface RunJob {
  readonly session: number;
  readonly requests: readonly AllParts[];
  /** Of each request; where there is one request alone they are not looked at. */
  readonly rows: readonly number[];
  readonly outputs?: readonly string[];
}

export interface Ran {
  readonly outputs: readonly AllParts[];
  /** Nanoseconds. */
  readonly input: number;
  readonly infer: number;
  readonly output: number;
}

const now = (): number => Number(process.hrtime.bigint());

/** The methods of such a thread. */
export function batchRunner(runtime: Runtime): Methods {
  const sessions = new Map<number, Session>();
  const load = async ({ session, model, weightsFolder, threads, providers }: LoadJob): Promise<Moved<LoadedSession>> => {
    const made = await runtime.createSession(model, {
      threads,
      providers,
      ...(weightsFolder !== undefined && { weightsFolder }),
    });
    sessions.set(session, made);
    return { value: { inputs: made.inputNames, outputs: made.outputNames, provider: made.provider }, move: [] };
  };
  const unload = async (session: number): Promise<Moved<undefined>> => {
    await sessions.get(session)?.release();
    sessions.delete(session);
    return { value: undefined, move: [] };
  };
  const run = async ({ session, requests, rows, outputs }: RunJob): Promise<Moved<Ran>> => {
    const made = sessions.get(session);
    if (made === undefined) throw new InternalError(`no session ${session}`);
    const begun = now();
    const feeds = joined(requests.map(together));
    const fed = now();
    const all = await made.run(feeds, outputs);
    const ran = now();
    const sum = rows.reduce((a, b) => a + b, 0);
    for (const [name, { dims }] of Object.entries(all)) {
      if (rows.length === 1 || dims[0] === sum) continue;
      throw new RuntimeError(
        `output "${name}" of ${sum} rows is [${dims}]: its first size is no batch, serve it without batching`,
      );
    }
    const move: TransferListItem[] = [];
    const parts = cut(all, rows).map((one) => apart(one, move));
    return { value: { outputs: parts, input: fed - begun, infer: ran - fed, output: now() - ran }, move };
  };
  return { load, unload, run };
}
