// One training of a column in this process: its data checked, its parts made, the loop run. Nothing is frozen here.
import type { Labelled } from '../data/dataset.js';
import { countOf, type Samples } from '../data/samples.js';
import type { Column } from '../model/progressive/column.js';
import type { ColumnFacts } from '../model/progressive/facts.js';
import type { FrozenWeights, Weights } from '../model/progressive/weights.js';
import { version } from '../onnx/core/version.js';
import type { EpochRecord } from '../train/checkpoint.js';
import { headFigures } from '../train/evaluate.js';
import { train } from '../train/loop.js';
import { fitData, partition } from '../train/prepare-data.js';
import type { TrainRequest } from '../train/request.js';
import { seenOf } from '../train/seen.js';
import { trainSettings } from '../train/settings.js';
import type { GivenData, Measured, TaskData } from './growing.js';
import type { Place } from './kept.js';

/** What the loop takes beside the column and its data. */
type How = Place &
  Pick<TrainRequest, 'engine' | 'tapBudget' | 'tapStorage' | 'tapCache' | 'store' | 'onEvent' | 'signal'> & {
    readonly frozen: FrozenWeights;
  };

/** A column that was trained. */
interface TrainedWeights {
  readonly weights: Weights;
  readonly history: readonly EpochRecord[];
  /** What its loss learned of the training part, in place of "balanced". */
  readonly balance?: readonly number[];
  /** The training data, the validation's part included. */
  readonly given: Labelled<Samples>;
  readonly test: Labelled<Samples> | undefined;
}

/** Trains `column` by its own settings. @throws DataError for data that do not fit, and as the loop */
export async function trainColumn(
  column: Column,
  data: TaskData | GivenData,
  { runtime, session, ...how }: How,
): Promise<TrainedWeights> {
  const settings = trainSettings(column.train, column.seed, column.head);
  const parts = 'train' in data ? data : { train: data };
  const checked = (part: keyof TaskData, given: GivenData) => fitData(column, given, `${part} data of task "${column.task}"`);
  const given = checked('train', parts.train);
  const test = parts.test && checked('test', parts.test);
  const { weights, history, balance } = await train({
    ...how,
    ...(session && { session }),
    ...(parts.validation === undefined
      ? partition(given, settings, `train data of task "${column.task}"`)
      : { train: given, validation: checked('validation', parts.validation) }),
    runtime,
    column,
    settings,
  });
  return { weights, history, given, test, ...(balance && { balance }) };
}

/** What is known of the column that such a training gave. */
export function factsOfTraining(
  column: Column,
  { decoding, inputs }: Labelled<Samples>,
  epochs: number,
  test: Measured | undefined,
): ColumnFacts {
  return {
    ...(decoding !== undefined && { decoding: JSON.stringify(decoding) }),
    trained: {
      data: { rows: countOf(inputs) },
      seen: seenOf(inputs, column.inputs),
      ...(test !== undefined && {
        test: { rows: test.rows },
        measures: { [test.metric]: test.value, loss: test.loss, ...headFigures(test.heads) },
      }),
      seed: column.seed,
      epochs,
      versions: { prognet: version },
    },
  };
}
