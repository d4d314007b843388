// What a task of a workspace is now: described, interrupted, trained or frozen, and what is known of its training. Of an ONNX file: model-facts.ts.
import { type Head, headText, metricName } from '../model/heads/heads.js';
import type { ImportedGraph } from '../model/progressive/imported-graph.js';
import { weightsToUpdate } from '../model/progressive/tuning.js';
import type { EpochRecord } from '../train/checkpoint.js';
import { headFigures, headsInFigures, inOrderOf } from '../train/evaluate.js';
import { bestEpoch, monitorOf } from './best-epoch.js';
import { epochOf } from './epoch-records.js';
import type { LoadedWorkspace } from './load-workspace.js';
import { runExists } from './stored-run.js';
import { changedSince, isTrained, trainedOf } from './trained-column.js';

/** How a task's column came to be what it is. */
export interface InspectedTraining {
  /** How many epochs were run. */
  readonly epochs: number;
  /** The epoch whose weights are kept; absent where the training was elsewhere. */
  readonly epoch?: number;
  /** How long it took. */
  readonly seconds?: number;
  /** When it ended, or was frozen; ISO 8601. */
  readonly at: string;
  /** Rows of its training data, the validation part included. */
  readonly rows?: number;
  /** On the test data: the head's metric, and the loss; of several heads those of each beside, as `group/loss`. */
  readonly test: Readonly<Record<string, number>>;
  /** Of the epoch whose weights are kept. */
  readonly measured?: EpochRecord;
}

/** What a task of a workspace is. */
export interface InspectedTask {
  /** The task. */
  readonly task: string;
  /** `trained`: it answers, and may be trained anew; `frozen`: for good. */
  readonly state: 'new' | 'unfinished' | 'trained' | 'frozen';
  /** What it predicts: the head's kind, of several heads each by its name, `group classify, age regress`. */
  readonly head: string;
  /** How many parameters its column has. */
  readonly parameters: number;
  /** Of the weights that it reads of the column it tunes; absent where it tunes none. */
  readonly shared?: number;
  /** Of an imported column: the weights that low-rank updates may name, in `lora.on`, by their names or those of the nodes that read them. */
  readonly tunable?: readonly {
    readonly name: string;
    readonly shape: readonly number[];
    readonly op: string;
    readonly node: string;
  }[];
  /** Tasks that it reads. */
  readonly reads: readonly string[];
  /** An unfinished training stands in runs/ beside what is told here. */
  readonly unfinished?: true;
  /** In what the workspace differs from what a trained column was trained from. */
  readonly changed?: string;
  /** Absent where it is not trained. */
  readonly training?: InspectedTraining;
}

/** Before the last tap. */
function tunableOf(graph: ImportedGraph): NonNullable<InspectedTask['tunable']> {
  return weightsToUpdate(graph).map(({ name, parameter: { shape }, reader }) => ({
    name,
    shape,
    op: reader.opType,
    node: reader.name,
  }));
}

/** What several heads gave in the order in which they stand in the description. */
function inOrder(head: Head, record: EpochRecord): EpochRecord {
  const heads = inOrderOf(head, record.validation?.heads);
  return record.validation === undefined || heads === undefined
    ? record
    : { ...record, validation: { ...record.validation, heads } };
}

/** What a task is. Throws UsageError for an unknown one, WorkspaceError where its trained column is damaged. */
export function inspectTask(loaded: LoadedWorkspace, task: string): InspectedTask {
  const column = loaded.columns.column(task);
  const frozen = loaded.frozen.get(task);
  const trained = isTrained(loaded, task) ? trainedOf(loaded, task) : undefined;
  const record = (frozen ?? trained)?.record;
  const unfinished = frozen === undefined && runExists(loaded.workspace.root, task);
  const state = frozen !== undefined ? 'frozen' : trained !== undefined ? 'trained' : unfinished ? 'unfinished' : 'new';
  const changed = trained && changedSince(loaded, trained);
  const base = {
    task,
    state,
    head: headText(column.head),
    parameters: column.parameters.count,
    ...(column.tuned !== undefined && { shared: column.parameters.shared }),
    ...(column.imported !== undefined && { tunable: tunableOf(column.imported) }),
    reads: column.foundation.map(({ task: name }) => name),
    ...(unfinished && state === 'trained' && { unfinished: true as const }),
    ...(changed !== undefined && { changed }),
  } as const;
  if (record === undefined) return base;
  const history = (record.history ?? []).map(epochOf);
  const monitor = monitorOf(record);
  const epoch = (monitor && bestEpoch(history, monitor)?.epoch) ?? history.at(-1)?.epoch;
  const measured = history.find((e) => e.epoch === epoch);
  const { loss, seconds } = record.metrics;
  const metric = metricName(column.head);
  const value = record.metrics[metric];
  const { rows } = record.data;
  return {
    ...base,
    training: {
      epochs: history.length,
      ...(epoch !== undefined && { epoch }),
      ...(seconds !== undefined && { seconds }),
      at: record.createdAt,
      ...(typeof rows === 'number' && { rows }),
      test: {
        ...(value !== undefined && { [metric]: value }),
        ...(loss !== undefined && { loss }),
        ...headFigures(inOrderOf(column.head, headsInFigures(record.metrics))),
      },
      ...(measured !== undefined && { measured: inOrder(column.head, measured) }),
    },
  };
}
