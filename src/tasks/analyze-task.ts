// What a task of a workspace takes of earlier columns, measured on its test data and kept in analysis/<task>.json.

import { someSamples } from '../analysis/analysed.js';
import { type Analysis, type AnalysisProgress, analyze, refuseWithoutLaterals } from '../analysis/analyze.js';
import type { Reading } from '../data/reading.js';
import { isJudged } from '../model/heads/heads.js';
import { UsageError } from '../onnx/core/errors.js';
import { anObject, given, text } from '../onnx/core/given.js';
import type { Runtime, SessionOptions } from '../onnx/runtime/session.js';
import { writeAnalysis } from '../workspace/analysis-store.js';
import { aLoadedWorkspace, frozenOf, type LoadedWorkspace, weightsOf } from './load-workspace.js';
import { toJson } from './stored-run.js';
import { loadTaskData } from './task-data.js';
import { withTrained } from './trained-column.js';

/** Samples of the test data that are enough for shares of some hundredths. */
export const analysedRows = 1000;

/** How it is measured. */
export interface AnalyzeOptions extends SessionOptions {
  /** Test samples at most, drawn by the seed; default 1000. */
  readonly rows?: number;
  /** What noise and drawn samples follow from; default: the column's. */
  readonly seed?: number;
  /** Hears how far it is. */
  readonly onProgress?: (progress: AnalysisProgress) => void;
  /** Hears how far the reading of the data is. */
  readonly onReading?: (reading: Reading) => void;
  /** Stops it. */
  readonly signal?: AbortSignal;
}

/**
 * Throws UsageError for a task that is not trained, has no data or takes nothing of earlier columns, and where its answers are no better than a constant;
 * DataError for data that cannot be read; InterruptedError on abort.
 */
export async function analyzeTask(
  runtime: Runtime,
  opened: LoadedWorkspace,
  task: string,
  options: AnalyzeOptions = {},
): Promise<Analysis> {
  given(
    'analyzeTask',
    { runtime, opened, task, options },
    { runtime: anObject, opened: aLoadedWorkspace, task: text, options: anObject },
  );
  const { rows = analysedRows, seed, onProgress, onReading, signal, ...session } = options;
  const loaded = withTrained(opened, task);
  const column = loaded.columns.column(task);
  if (!isJudged(column.head))
    throw new UsageError(`task "${task}" has no head, expected one whose answers are judged`, { got: task });
  refuseWithoutLaterals(column);
  const { test } = await loadTaskData(loaded, task, { ...(onReading && { onReading }), ...(signal && { signal }) });
  const from = seed ?? column.seed;
  const stop = signal && { signal };
  const analysis = await analyze(
    { column, weights: weightsOf(loaded), data: someSamples(test, rows, from), runtime, session, seed: from, ...stop },
    onProgress,
  );
  writeAnalysis(loaded.workspace.root, task, toJson({ ...analysis, weights: frozenOf(loaded, task).record.sha256.weights }));
  return analysis;
}
