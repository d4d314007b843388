// A fleet in a worker thread: requests of one column run with its weights, those of several in one stacked run.
import { FleetRunner, type FleetRunnerOptions } from '../../fleet/runner.js';
import { must, PrognetError, RuntimeError } from '../../onnx/core/errors.js';
import type { Runtime } from '../../onnx/runtime/session.js';
import type { Tensors } from '../served-model.js';
import type { Runs } from './jobs.js';

/** Throws as `FleetRunner.open`. */
export async function fleetRuns(runtime: Runtime, folder: string, options: FleetRunnerOptions): Promise<Runs> {
  const runner = await FleetRunner.open(runtime, folder, options);
  return {
    async run(feeds, { rows, columns = [], outputs }) {
      const ofRows = columns.flatMap((name, i) => new Array<string>(rows[i] ?? 0).fill(name));
      // Requests without rows ask a column all the same.
      const first = must(ofRows[0] ?? columns[0], 'a column');
      const alike = ofRows.every((name) => name === first);
      const all: Tensors = { ...(await (alike ? runner.run(first, feeds) : runner.runMixed(ofRows, feeds))) };
      return outputs === undefined ? all : Object.fromEntries(outputs.map((name) => [name, must(all[name], name)]));
    },
    columnFault: (error) => (error instanceof PrognetError && !(error instanceof RuntimeError) ? error.message : undefined),
    release: () => runner.release(),
  };
}
