// Exports tasks in another precision than float32, and measures what that costs.
import { convertFloat16, type PrecisionName } from '../deploy/precision/precision.js';
import type { Runtime } from '../runtime/session.js';
import { toBinary } from '../serde/to-binary.js';
import { type Exported, type ExportOptions, exportedModel, writeModel } from './export-tasks.js';
import { type Measured, measurePrecision } from './measure-precision.js';
import type { Project } from './project.js';

export interface PrecisionOptions extends ExportOptions {
  readonly precision: Exclude<PrecisionName, 'fp32'>;
  /** float16: inputs and outputs in float16 as well. */
  readonly halfIo?: boolean;
}

export interface ExportedPrecision extends Exported {
  readonly precision: PrecisionName;
  readonly notes: readonly string[];
  readonly measured: Measured;
}

/** Converts, measures on the test data of the tasks, then writes. Throws what `exportTasks` throws, DataError for the data. */
export async function exportWithPrecision(
  project: Project,
  runtime: Runtime,
  file: string,
  options: PrecisionOptions,
): Promise<ExportedPrecision> {
  const { precision, halfIo = false, tasks } = options;
  const model = exportedModel(project, options);
  const { model: converted, notes } = convertFloat16(model, { halfIo });
  const models = { float32: toBinary(model), now: toBinary(converted), halfIo };
  const measured = await measurePrecision(runtime, project, tasks, models);
  return { ...writeModel(converted, file, options), precision, notes, measured };
}
