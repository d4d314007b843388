// What a worker thread that computes does: holds sessions by number, and runs batches on them.
import type { TransferListItem } from 'node:worker_threads';
import { InternalError, RuntimeError } from '../../onnx/core/errors.js';
import type { Runtime, Session } from '../../onnx/runtime/session.js';
import type { Tensors } from '../served-model.js';
import type { Methods, Moved } from './calls.js';
import { collect } from './collect.js';
import { fleetRuns } from './fleet-runs.js';
import type { LoadJob, Ran, RunJob, Runs } from './jobs.js';
import { cut } from './rows.js';
import { apart, together } from './tensor-parts.js';

const now = (): number => Number(process.hrtime.bigint());

const sessionRuns = (session: Session): Runs => ({
  run: (feeds, { outputs }) => session.run(feeds, outputs),
  release: () => session.release(),
});

/** One run for all requests; where a column among them is at fault, one for each, so that the others are answered. */
async function answers(runs: Runs, feeds: Tensors, job: RunJob): Promise<Tensors | (Tensors | string)[]> {
  const { rows, columns = [] } = job;
  try {
    const all = await runs.run(feeds, job);
    const sum = rows.reduce((a, b) => a + b, 0);
    for (const [name, { dims }] of Object.entries(all)) {
      if (rows.length === 1 || dims[0] === sum) continue;
      throw new RuntimeError(
        `output "${name}" of ${sum} rows is [${dims}]: its first size is no batch, serve it without batching`,
      );
    }
    return all;
  } catch (error) {
    const fault = runs.columnFault?.(error);
    if (fault === undefined) throw error;
    if (rows.length === 1) return [fault];
    const each: (Tensors | string)[] = [];
    for (const [i, request] of cut(feeds, rows).entries()) {
      const alone = { ...job, rows: rows.slice(i, i + 1), columns: columns.slice(i, i + 1) };
      each.push(...[await answers(runs, request, alone)].flat());
    }
    return each;
  }
}

/** The methods of such a thread. */
export function batchRunner(runtime: Runtime): Methods {
  const loaded = new Map<number, Runs>();
  const load = async (job: LoadJob): Promise<Moved<undefined>> => {
    const { session, threads, providers } = job;
    if ('fleet' in job) {
      loaded.set(session, await fleetRuns(runtime, job.fleet, { memory: job.memory, session: { threads, providers } }));
    } else {
      const { model, weightsFolder } = job;
      const options = { threads, providers, ...(weightsFolder !== undefined && { weightsFolder }) };
      loaded.set(session, sessionRuns(await runtime.createSession(model, options)));
    }
    return { value: undefined, move: [] };
  };
  const unload = async (session: number): Promise<Moved<undefined>> => {
    await loaded.get(session)?.release();
    loaded.delete(session);
    collect();
    return { value: undefined, move: [] };
  };
  const run = async (job: RunJob): Promise<Moved<Ran>> => {
    const runs = loaded.get(job.session);
    if (runs === undefined) throw new InternalError(`no session ${job.session}`);
    const begun = now();
    const feeds = together(job.inputs);
    const fed = now();
    const all = await answers(runs, feeds, job);
    const ran = now();
    const move: TransferListItem[] = [];
    const parts = Array.isArray(all) ? all.map((one) => (typeof one === 'string' ? one : apart(one, move))) : apart(all, move);
    return { value: { answers: parts, input: fed - begun, infer: ran - fed, output: now() - ran }, move };
  };
  return { load, unload, run };
}
