// A process that trains columns of a fleet, one after another, as its parent tells it.
import { type CustomerJob, trainCustomer } from '../fleet/train-customer.js';
import { FleetTrainer } from '../fleet/trainer.js';
import { PrognetError } from '../onnx/core/errors.js';
import { plainError } from '../onnx/core/plain-error.js';
import { loadRuntime } from '../onnx/runtime/load.js';
import { answerJobs } from '../tasks/process-runner.js';
import type { CustomerOutcome } from '../tasks/train-fleet.js';

let trainer: FleetTrainer | undefined;

answerJobs(async (customer: CustomerJob, folder): Promise<CustomerOutcome> => {
  try {
    trainer ??= await FleetTrainer.open((await loadRuntime({ threads: 1 })).runtime, folder);
  } catch (error) {
    return { state: 'broken', error: plainError(error) };
  }
  try {
    return await trainCustomer(trainer, folder, customer);
  } catch (error) {
    return { state: error instanceof PrognetError ? 'refused' : 'broken', error: plainError(error) };
  }
});
