// A trained column tested by the model that will be exported: what its record says, for whoever keeps or freezes it.

import { rows, type SampleSet, type Split } from '../data/dataset.js';
import { fingerprint } from '../data/fingerprint.js';
import { headLoss, isJudged, metricName } from '../model/heads/heads.js';
import type { Column } from '../model/progressive/column.js';
import type { Weights } from '../model/progressive/weights.js';
import { ModelError } from '../onnx/core/errors.js';
import type { Tensor } from '../onnx/core/tensor.js';
import type { Runtime, Session } from '../onnx/runtime/session.js';
import { DivergedError } from '../train/diverged.js';
import { evaluateScores, headFigures } from '../train/evaluate.js';
import { type Measures, measuresOf } from '../train/measures.js';
import { seenOf } from '../train/seen.js';
import type { ColumnDraft, ColumnRecord } from '../workspace/column-record.js';
import { freezeColumn } from '../workspace/column-store.js';
import type { Json } from '../workspace/json.js';
import type { MetricValue } from '../workspace/metrics-log.js';
import { type LoadedWorkspace, sourceHashes, weightsOf } from './load-workspace.js';
import { versionsNow } from './machine.js';
import { toJson } from './stored-run.js';
import { type TaskOutputs, taskOutputs } from './task-outputs.js';

export interface TestRequest {
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
    /** Its options, `train` of the description with what was set beside it; absent where the training was elsewhere. */
    readonly train?: Json;
    /** Updates that gave the weights; absent where the training was elsewhere. */
    readonly step?: number;
  };
  readonly seconds: number;
  /** What trained the column, if it was not the engine `ort`. */
  readonly trainer?: string;
  /** Asks the session of the exported model more. */
  readonly also?: ((session: Session) => Promise<void>) | undefined;
  readonly signal?: AbortSignal;
}

/** A column that is trained and tested: its record, but for what the store adds, and its weights. */
export interface TestedColumn {
  readonly draft: ColumnDraft;
  readonly weights: Weights;
  /** Over all outputs, on the test data. */
  readonly measures: () => Measures['overall'];
}

/**
 * Tests a column by the model that will be exported. Where the loss on the test data is not finite, DivergedError after a training of ours and
 * ModelError after one elsewhere.
 */
export async function testColumn(request: TestRequest): Promise<TestedColumn> {
  const { runtime, loaded, column, data, session, trained, signal, also } = request;
  const { task, head } = column;
  const weights = new Map(weightsOf(loaded)).set(task, trained.weights);
  const outputs = await taskOutputs(runtime, loaded.columns, weights, task, data.test.inputs, session, signal, also);
  const metrics = isJudged(head) ? await judged(request, outputs.scores) : {};
  return draftOf(request, outputs, metrics);
}

/** Loss and metric on the test data. Throws as `testColumn`. */
async function judged({ runtime, column, data, trained }: TestRequest, scores: Tensor): Promise<Record<string, number>> {
  const { task, head } = column;
  const { loss, metric, heads } = await evaluateScores(runtime, head, scores, data.test.targets);
  if (!Number.isFinite(loss) || !Number.isFinite(metric)) {
    const found = `task "${task}": the loss on its test data is ${loss}, ${metricName(head)} ${metric}`;
    if (trained.step !== undefined) throw new DivergedError(found, trained.step);
    throw new ModelError(`${found}, expected finite numbers`);
  }
  return { [metricName(head)]: metric, loss, ...headFigures(heads) };
}

function draftOf(request: TestRequest, outputs: TaskOutputs, metrics: Readonly<Record<string, number>>): TestedColumn {
  const { runtime, loaded, column, seed, data, session, trained, seconds, trainer } = request;
  const { task, head } = column;
  return {
    weights: trained.weights,
    measures: () => (isJudged(head) ? measuresOf(head, outputs.scores, data.test.targets).overall : {}),
    draft: {
      task,
      description: column.canonical,
      sources: sourceHashes(loaded, column),
      seed,
      data: {
        fingerprint: fingerprint(data.train),
        test: fingerprint(data.test),
        rows: rows(data.train),
        seen: toJson(seenOf(data.train.inputs, column.inputs)),
        ...(trained.train !== undefined && { train: trained.train }),
        loss: toJson(headLoss(head)),
        ...(data.train.classNames && { classes: [...data.train.classNames] }),
        ...(data.train.decoding && { decoding: toJson(data.train.decoding) }),
      },
      metrics: { ...metrics, seconds, epochs: trained.history.length },
      history: [...trained.history],
      outputs: { sha256: outputs.sha256, count: rows(data.test), provider: outputs.provider, threads: session.threads },
      versions: { ...versionsNow(runtime), ...(trainer !== undefined && { trainer }) },
      sha256: { graph: outputs.graph },
    },
  };
}

/** Tests a column and freezes it. Throws as `testColumn`, and WorkspaceError when it is frozen already or the disk does not take it. */
export async function testAndFreeze(request: TestRequest): Promise<ColumnRecord> {
  const { draft, weights } = await testColumn(request);
  return freezeColumn(request.loaded.workspace.root, draft, weights);
}
