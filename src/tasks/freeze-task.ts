// A trained column tested by the model that will be exported, and frozen for good.

import { rows, type SampleSet, type Split } from '../data/dataset.js';
import { fingerprint } from '../data/fingerprint.js';
import { metricName } from '../model/heads/heads.js';
import type { Column } from '../model/progressive/column.js';
import type { Weights } from '../model/progressive/weights.js';
import { ModelError } from '../onnx/core/errors.js';
import type { Runtime } from '../onnx/runtime/session.js';
import { DivergedError } from '../train/diverged.js';
import { evaluateScores } from '../train/evaluate.js';
import type { ColumnRecord } from '../workspace/column-record.js';
import { freezeColumn } from '../workspace/column-store.js';
import type { MetricValue } from '../workspace/metrics-log.js';
import { type LoadedWorkspace, sourceHashes, weightsOf } from './load-workspace.js';
import { versionsNow } from './machine.js';
import { taskOutputs } from './task-outputs.js';

export interface FreezeRequest {
  readonly runtime: Runtime;
  readonly loaded: LoadedWorkspace;
  readonly column: Column;
  readonly seed: number;
  readonly data: Split<SampleSet>;
  readonly session: { readonly providers: readonly string[]; readonly threads: number };
  readonly trained: {
    /** Parameters and statistics. */
    readonly weights: Weights;
    /** A record for each epoch, none where the training was elsewhere. */
    readonly history: readonly Record<string, MetricValue>[];
    /** Updates that gave the weights; absent where the training was elsewhere. */
    readonly step?: number;
  };
  readonly seconds: number;
  /** What trained the column, if it was not the engine `ort`. */
  readonly trainer?: string;
  readonly signal?: AbortSignal;
}

/**
 * Throws WorkspaceError when the column is frozen already or the disk does not take it; where the loss on the test data is not finite,
 * DivergedError after a training of ours and ModelError after one elsewhere.
 */
export async function testAndFreeze(request: FreezeRequest): Promise<ColumnRecord> {
  const { runtime, loaded, column, seed, data, session, trained, seconds, trainer, signal } = request;
  const { task, head } = column;
  const weights = new Map(weightsOf(loaded)).set(task, trained.weights);
  const outputs = await taskOutputs(runtime, loaded.columns, weights, task, data.test.inputs, session, signal);
  const { loss, metric } = await evaluateScores(runtime, head, outputs.scores, data.test.targets);
  if (!Number.isFinite(loss) || !Number.isFinite(metric)) {
    const found = `task "${task}": the loss on its test data is ${loss}, ${metricName(head)} ${metric}`;
    if (trained.step !== undefined) throw new DivergedError(found, trained.step);
    throw new ModelError(`${found}, expected finite numbers`);
  }
  return freezeColumn(
    loaded.workspace.root,
    {
      task,
      description: column.canonical,
      sources: sourceHashes(loaded, column),
      seed,
      data: {
        fingerprint: fingerprint(data.train),
        test: fingerprint(data.test),
        rows: rows(data.train),
        ...(data.train.classNames && { classes: [...data.train.classNames] }),
      },
      metrics: { [metricName(head)]: metric, loss, seconds, epochs: trained.history.length },
      history: [...trained.history],
      outputs: { sha256: outputs.sha256, count: rows(data.test), provider: outputs.provider, threads: session.threads },
      versions: { ...versionsNow(runtime), ...(trainer !== undefined && { trainer }) },
      sha256: { graph: outputs.graph },
    },
    trained.weights,
  );
}
