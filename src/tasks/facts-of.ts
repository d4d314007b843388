// What the records of a workspace's columns say that files of their models are to carry.
import type { ColumnFacts, FactsByTask, TrainedFacts } from '../model/progressive/facts.js';
import { seenIn, trainedFactsIn } from '../model/progressive/facts.js';
import { sha256Pattern } from '../onnx/files/hash.js';
import type { ColumnRecord } from '../workspace/column-record.js';
import { isJsonObject, type Json } from '../workspace/json.js';
import { decodingOf } from './decoding-of.js';
import type { LoadedWorkspace } from './load-workspace.js';

/** Of every column that has weights. Throws WorkspaceError for a record whose decoding cannot be read. */
export function factsOf(loaded: LoadedWorkspace): FactsByTask {
  const facts = new Map<string, ColumnFacts>();
  for (const [task, { record }] of loaded.frozen) {
    const decoding = decodingOf(loaded, task);
    // A network that was saved as a workspace brought along what it knew.
    facts.set(task, {
      ...(decoding !== undefined && { decoding: JSON.stringify(decoding) }),
      trained: trainedFactsIn(record.data.trained) ?? trainedFacts(record),
    });
  }
  return facts;
}

/** Of a training in this workspace. Without what differs where the bits do not: seconds, the time of day, the processor. */
function trainedFacts({ data, metrics, seed, outputs, versions }: ColumnRecord): TrainedFacts {
  const { seconds: _, epochs, ...measures } = metrics;
  const { processor: _p, ...rest } = versions;
  const { rows, test } = data;
  const seen = seenIn(data.seen);
  return {
    ...(typeof rows === 'number' && { data: { ...hashed(data.fingerprint), rows } }),
    ...(typeof test === 'string' && { test: { ...hashed(test), rows: outputs.count } }),
    ...(seen !== undefined && { seen }),
    ...(Object.keys(measures).length > 0 && { measures }),
    ...(isJsonObject(data.loss) && { loss: lossOf(data.loss) }),
    seed,
    ...(epochs !== undefined && { epochs }),
    versions: rest,
  };
}

/** A head that names no loss has cross-entropy; several heads have losses by their names. */
function lossOf(loss: Readonly<Record<string, Json>>): Readonly<Record<string, unknown>> {
  const each = Object.values(loss);
  return each.length > 0 && each.every((own) => isJsonObject(own) && typeof own.weight === 'number')
    ? loss
    : { loss: 'cross_entropy', ...loss };
}

/** A network that was saved as a workspace has data that nobody hashed. */
const hashed = (fingerprint: string): { sha256?: string } => (sha256Pattern.test(fingerprint) ? { sha256: fingerprint } : {});
