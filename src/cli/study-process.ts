// A process that does trainings of a study, one after another, as its parent tells it.
import { loadRuntime } from '../onnx/runtime/load.js';
import { loadDescription } from '../tasks/load-workspace.js';
import { answerJobs } from '../tasks/process-runner.js';
import { runStudyTraining, StudyData, type StudyJob } from '../tasks/study/training.js';

let data: StudyData | undefined;

answerJobs(async (job: StudyJob, description) => {
  data ??= new StudyData(loadDescription(description));
  const { runtime } = await loadRuntime({ threads: job.threads });
  return await runStudyTraining(runtime, data, job);
});
