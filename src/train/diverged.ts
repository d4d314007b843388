// A training that diverged, and how far back it was still good.
import { TrainingError } from '../onnx/core/errors.js';

export class DivergedError extends TrainingError {
  /**
   * @param found what was not finite, and where
   * @param step steps whose weights gave it: a state from before is the last good one
   */
  constructor(
    readonly found: string,
    readonly step: number,
  ) {
    super(`${found}: lower the rate, clip gradients or standardise the inputs (prepare: [standardise])`);
  }
}
