// The engines of a training by name: `ort` is the loop's own, `ort-training` needs a package of its own, loaded when it is asked for.

import { checkOfficial, ortTrainingEngine } from '../artifacts/session-engine.js';
import type { Columns } from '../model/progressive/column.js';
import { UsageError } from '../onnx/core/errors.js';
import { loadOrtTraining } from '../onnx/runtime/ort-training-node.js';
import type { EngineMaker } from '../train/request.js';
import type { TrainSettings } from '../train/settings.js';

export interface ChosenEngine {
  readonly name: string;
  /** undefined: the loop's own. */
  readonly make?: EngineMaker;
  /** What it runs on, for the column's record; undefined: the runtime that does all else. */
  readonly trainer?: string;
}

/** Throws UsageError for an unknown name and for what the engine cannot do, RuntimeError that says what to install. */
export async function chooseEngine(
  name: string,
  { provider, settings, columns }: { provider: string; settings: TrainSettings; columns: Columns },
): Promise<ChosenEngine> {
  if (name === 'ort') return { name };
  if (name !== 'ort-training') {
    throw new UsageError(`unknown engine "${name}", expected one of ort, ort-training`, {
      path: 'engine',
      expected: 'ort, ort-training',
      got: name,
    });
  }
  if (provider !== 'cpu') {
    throw new UsageError(`the engine ort-training runs on the CPU alone`, {
      path: 'provider',
      remedy: { kind: 'leave-out', option: 'provider', value: provider },
      expected: 'cpu',
      got: provider,
    });
  }
  checkOfficial(settings, columns);
  const training = await loadOrtTraining();
  return { name, make: ortTrainingEngine(training), trainer: training.version };
}
