// What a command that writes a model may write over, beside the rule for every output (workspace/output-path.ts): not a model whose weights in
// files beside it would stay behind, or are still read.
import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { UsageError } from '../onnx/core/errors.js';
import { dataFilesOf, isOwnData } from '../onnx/serde/save-model.js';
import { isSame, refuseOutput } from '../workspace/output-path.js';

/**
 * Refuses what `refuseOutput` does. A model that stands at `output` may have its weights in files beside it: those that prognet wrote go with it, so
 * none may be an input; any other would stay behind, and is not prognet's to remove. Throws UsageError.
 * @param inputs paths that the command reads
 */
export function refuseModelOutput(output: string, inputs: readonly string[] = []): void {
  refuseOutput(output, inputs);
  if (!existsSync(output)) return;
  const real = realpathSync(output);
  const refuse = (location: string, what: string, expected: string): never => {
    throw new UsageError(`${output}: ${what}, expected ${expected}`, { path: output, expected, got: location });
  };
  for (const location of dataFilesOf(real)) {
    const data = join(dirname(real), location);
    if (!existsSync(data)) continue;
    if (inputs.some((input) => isSame(data, input)))
      refuse(location, `its weights in ${location} are what the command reads`, 'another output');
    if (!isOwnData(real, location))
      refuse(
        location,
        `the model there has weights in ${location}, which would stay behind`,
        'another output or neither of them there',
      );
  }
}
