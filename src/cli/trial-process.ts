// A process that trains trials of a sweep, one after another, as its parent tells it.
import { loadRuntime } from '../onnx/runtime/load.js';
import { loadWorkspace } from '../tasks/load-workspace.js';
import { answerJobs } from '../tasks/process-runner.js';
import { type KeptData, runTrial, type TrialJob } from '../tasks/sweep/trial.js';

const kept: KeptData = {};

answerJobs(async (job: TrialJob, folder) => {
  const { runtime } = await loadRuntime({ threads: job.threads });
  return await runTrial(runtime, loadWorkspace(folder), job, kept);
});
