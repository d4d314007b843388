// Inputs to be answered, part by part, so that no more of them is in memory than that: what every kind of them is read as.
import type { Samples } from '../../data/samples.js';
import type { DataOptions } from '../../data/schema.js';
import type { Pause } from './pipe.js';

/** Samples in their order, as many at once as it happens. */
export type InputParts = AsyncGenerator<Samples | Pause>;

/** Bytes of a part, about. */
export const bytesTogether = 2 ** 22;

/** What is known of the inputs beside the network's own. */
export interface ReadingInputs {
  /** Whether values may be missing, which the model fills. */
  readonly missing?: boolean;
  /** How the task's own table is read: its label column is passed over. */
  readonly data?: DataOptions;
  /** Hears what was taken for granted. */
  readonly onNote?: (line: string) => void;
}
