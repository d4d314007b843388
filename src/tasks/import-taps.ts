// Taps of a model from elsewhere, as a run of it shows them: which of those that are found later columns can read, and what the description says of each.
import type { ImportedTap } from '../model/description/imported-schema.js';
import { type ImportedModel, type ImportRequest, importModel, layoutUnknown } from '../model/progressive/import-model.js';
import { must } from '../onnx/core/errors.js';
import type { Model } from '../onnx/ir/model.js';
import type { Runtime } from '../onnx/runtime/session.js';
import { probeImport } from './import-open.js';
import { type Probed, type ProbeOptions, TapRefused } from './import-probe.js';

/** The model as it is probed. Taps that nobody named and that later columns cannot read are left out, which `left` says. Throws what the first one is refused with where none is left. */
export async function withGoodTaps(
  runtime: Runtime,
  original: Model,
  first: ImportedModel,
  request: ImportRequest,
  asked: ProbeOptions,
): Promise<{ imported: ImportedModel; probed: Probed; left: readonly string[] }> {
  const without = new Map<string, TapRefused>();
  for (let imported = first; ; ) {
    try {
      const probed = await probeImport(runtime, imported, original, asked);
      return { imported, probed, left: leftOut([...without.values()]) };
    } catch (error) {
      if (!(error instanceof TapRefused) || request.taps !== undefined) throw error;
      without.set(error.tap, error);
      try {
        imported = importModel(original, { ...request, without: new Set(without.keys()) }, asked.file);
      } catch {
        throw [...without.values()][0];
      }
    }
  }
}

/** A line for each tap that is left out; one for all that keep a size from staying open. */
function leftOut(refused: readonly TapRefused[]): string[] {
  const [first, ...more] = refused.filter(({ remedy }) => remedy !== undefined);
  const others = refused.filter(({ remedy }) => remedy === undefined).map(({ message }) => `${message}: it is no tap`);
  if (first === undefined) return others;
  return [`${first.statement}: it is no tap${more.length > 0 ? `, nor are ${more.length} more` : ''}`, ...others];
}

/** What the description says of the taps. `onNote` hears of those whose axes nobody knows. */
export function describedTaps(
  imported: ImportedModel,
  { shapes }: Probed,
  file: string,
  onNote: ((line: string) => void) | undefined,
): ImportedTap[] {
  return imported.taps.map((name, i) => {
    const shape = [...must(shapes[i], name)];
    // Of known ones it was told already.
    if (imported.shapes[i] === undefined && shape.length > 1 && imported.layouts[i] === undefined)
      onNote?.(`${file}: ${layoutUnknown(name, shape.length + 1)}`);
    const layout = shape.length > 1 ? imported.layouts[i] : undefined;
    return { name, shape, ...(layout !== undefined && { layout }) };
  });
}

/** A line where a sample's values change with the others of its batch. */
export function mixedNote({ mixed }: Probed, file: string): string[] {
  if (mixed === undefined) return [];
  const { name, by } = mixed;
  return [`${file}: "${name}" of a sample changes with the others of its batch, by up to ${by}: so do answers made of it`];
}
