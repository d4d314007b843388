// A process that trains trials of a sweep, one after another, as its parent tells it. It ends with its parent.
import { PrognetError } from '../onnx/core/errors.js';
import { loadRuntime } from '../onnx/runtime/load.js';
import { loadWorkspace } from '../tasks/load-workspace.js';
import { type KeptData, runTrial, type TrialJob, type TrialOutcome } from '../tasks/sweep/trial.js';

const [folder = '.'] = process.argv.slice(2);
// Ctrl-C reaches every process of a terminal; the parent decides.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {});
process.on('disconnect', () => process.exit(0));

const kept: KeptData = {};

async function answer(job: TrialJob): Promise<TrialOutcome> {
  try {
    const { runtime } = await loadRuntime({ threads: job.threads });
    return await runTrial(runtime, loadWorkspace(folder), job, kept);
  } catch (error) {
    return { state: 'failed', reason: error instanceof PrognetError ? error.statement : String(error) };
  }
}

process.on('message', (job: TrialJob) => {
  void answer(job).then((outcome) => process.send?.(outcome));
});
