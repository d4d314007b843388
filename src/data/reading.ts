// What a long reading of data tells on its way, and how it is stopped: rows that are written to disk (stored/), part by part of their source (sources/).
import { setImmediate } from 'node:timers/promises';
import { InterruptedError } from '../onnx/core/errors.js';

/** How far a reading is. */
export interface Reading {
  /** What is counted, such as `rows read`. */
  readonly what: string;
  /** How many of them are done. */
  readonly done: number;
  /** How many there are. */
  readonly total: number;
}

/** Who hears of a reading, and what stops it. */
export interface ReadingOptions {
  /** On abort InterruptedError is thrown at the next part, and nothing half-written is left. */
  readonly signal?: AbortSignal;
  /** Told after each part of data that are written to disk. */
  readonly onReading?: (reading: Reading) => void;
}

/** Called after each part: tells of it, and lets the process hear of Ctrl-C. Throws InterruptedError. */
export type Step = (what: string, done: number, total: number) => Promise<void>;

/** The steps of one reading; `where` names the data. */
export function stepOf({ signal, onReading }: ReadingOptions, where: string): Step {
  return async (what, done, total) => {
    onReading?.({ what, done, total });
    // Between two tasks of the process signals come through, and between two of its promises not.
    await setImmediate();
    if (signal?.aborted === true)
      throw new InterruptedError(`${where}: interrupted while it was read, nothing of it is kept`, { cause: signal.reason });
  };
}
