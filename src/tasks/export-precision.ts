// Exports tasks in another precision than float32, and measures what that costs.
import { categoriesName } from '../model/description/features.js';
import { anObject, given, names, text } from '../onnx/core/given.js';
import type { Model } from '../onnx/ir/model.js';
import { type PrecisionName, type Quantized, quantize } from '../onnx/precision/quantize.js';
import type { Runtime } from '../onnx/runtime/session.js';
import { refuseOutput } from '../workspace/output-path.js';
import { calibrationSamples } from './calibration-samples.js';
import { type Exported, type ExportOptions, exportedModel, writeModel } from './export-tasks.js';
import { aLoadedWorkspace, type LoadedWorkspace } from './load-workspace.js';
import { type Measured, measurePrecision } from './measure-precision.js';
import { namedFiles } from './task-data.js';

/** How ranges are found. */
export interface CalibrationOptions {
  /** Samples of each task. */
  readonly samples: number;
  /** undefined: the extremes; else the share of the values that a range holds, in per cent. */
  readonly percentile?: number;
}

/** The precision of an exported file. */
export interface PrecisionOptions {
  /** float32, float16, int8 or dynamic int8. */
  readonly precision: Exclude<PrecisionName, 'fp32'>;
  /** fp16: inputs and outputs in float16 as well. */
  readonly halfIo?: boolean;
  /** int8: how ranges are found. Default: `defaultCalibration`. */
  readonly calibration?: CalibrationOptions;
  /** int8, int8-dynamic: weights of 7 bits, for x86 processors without VNNI. */
  readonly reduceRange?: boolean;
}

/** An exported file and what its precision cost. */
export interface ExportedPrecision extends Exported {
  /** The precision that it has. */
  readonly precision: PrecisionName;
  /** What was left as it was, and why; a line each. */
  readonly notes: readonly string[];
  /** What the new precision changed, where it was measured. */
  readonly measured: Measured;
}

export const defaultCalibration: CalibrationOptions = { samples: 512, percentile: 99.99 };

/** A model of `tasks` in another precision; the one given stays as it is. Throws DataError for the data of calibration. */
export async function convertModel(
  loaded: LoadedWorkspace,
  runtime: Runtime,
  tasks: readonly string[],
  model: Model,
  options: PrecisionOptions,
): Promise<Quantized> {
  const { precision, halfIo = false, calibration = defaultCalibration, reduceRange = false } = options;
  // Raw inputs may be of any size: what prepares them stays float32.
  const prefixes = [
    ...[...loaded.columns].map(({ task }) => `${task}/prepare/`),
    ...loaded.columns.inputs.map(({ name }) => `${categoriesName(name)}/`),
  ];
  const keepNodes = (name: string) => prefixes.some((prefix) => name.startsWith(prefix));
  if (precision === 'fp16') return await quantize(runtime, model, { precision, halfIo, keepNodes });
  if (precision === 'int8-dynamic') return await quantize(runtime, model, { precision, reduceRange });
  const samples = await calibrationSamples(loaded, tasks, calibration.samples);
  const { percentile } = calibration;
  return await quantize(runtime, model, { precision, samples, reduceRange, ...(percentile !== undefined && { percentile }) });
}

/** Converts, measures on the test data of the tasks, then writes. Throws what `exportTasks` throws, DataError for the data. */
export async function exportWithPrecision(
  loaded: LoadedWorkspace,
  runtime: Runtime,
  file: string,
  what: ExportOptions,
  how: PrecisionOptions,
): Promise<ExportedPrecision> {
  given(
    'exportWithPrecision',
    { loaded, runtime, file, what, how },
    { loaded: aLoadedWorkspace, runtime: anObject, file: text, what: anObject, 'what.tasks': names, how: anObject },
  );
  // The measuring takes long: what cannot be written is refused before it.
  refuseOutput(file, namedFiles(loaded));
  const model = exportedModel(loaded, what);
  const { model: converted, notes } = await convertModel(loaded, runtime, what.tasks, model, how);
  const models = {
    float32: model,
    now: converted,
    halfIo: how.halfIo ?? false,
    routed: what.routed ?? false,
  };
  const measured = await measurePrecision(runtime, loaded, what.tasks, models);
  return { ...writeModel(loaded, converted, file, what), precision: how.precision, notes, measured };
}
