// Taps of a model from elsewhere, as a run of it shows them: which of those that are found later columns can read, what the description says of each, and
// which open sizes are one size.
import type { ImportedTap } from '../model/description/imported-schema.js';
import { type ImportedModel, type ImportRequest, importModel, layoutUnknown } from '../model/progressive/import-model.js';
import { must, UsageError } from '../onnx/core/errors.js';
import type { Model } from '../onnx/ir/model.js';
import type { Runtime } from '../onnx/runtime/session.js';
import { probeImport } from './import-open.js';
import { type Probed, type ProbeOptions, TapRefused } from './import-probe.js';

/** A model that was probed. */
interface GoodTaps {
  readonly imported: ImportedModel;
  readonly probed: Probed;
  /** What the user should know of taps that were left out, and of sizes that are one. */
  readonly left: readonly string[];
}

/**
 * The model as it is probed. Where that refuses sizes that differ, two of those that are open, or all of them, are one size if it runs so. Taps that nobody
 * named and that later columns cannot read are left out. Throws what the model is refused with where its sizes differ.
 */
export async function withGoodTaps(
  runtime: Runtime,
  original: Model,
  first: ImportedModel,
  request: ImportRequest,
  asked: ProbeOptions,
): Promise<GoodTaps> {
  const probe = async (imported: ImportedModel) => ({
    imported,
    probed: await probeImport(runtime, imported, original, asked),
    left: [],
  });
  const fewer = (imported: ImportedModel, by: ImportRequest) => withoutBad(original, imported, by, asked.file, probe);
  const same = sameSizes(first, request);
  let refusal: unknown;
  // All taps with any sizes rather than a few of them.
  for (const attempt of request.taps === undefined ? (same.length > 0 ? [probe, fewer] : [fewer]) : [probe])
    for (const called of [undefined, ...same]) {
      const by = called === undefined ? request : { ...request, called };
      try {
        const good = await attempt(called === undefined ? first : importModel(original, by, asked.file), by);
        return { ...good, left: [...sameNotes(first, called, asked.file), ...good.left] };
      } catch (error) {
        if (!(error instanceof UsageError)) throw error;
        if (called === undefined) refusal = error;
      }
    }
  throw refusal;
}

/** What sizes that stay open are called where each two of them, or all, are one. */
function sameSizes({ file: { open } }: ImportedModel, { called = new Map() }: ImportRequest): ReadonlyMap<string, string>[] {
  const own = called.size > 0 ? [...called.keys()] : [...open.keys()];
  const there = (name: string) => called.get(name) ?? name;
  const names = [...new Set(own.map(there))];
  const pairs = names.length > mostPaired ? [] : names.flatMap((a, i) => names.slice(i + 1).map((b) => [a, b]));
  const groups = names.length > 2 ? [...pairs, names] : pairs;
  return groups.map((group) => {
    const [one = ''] = group;
    return new Map(own.map((name) => [name, group.includes(there(name)) ? one : there(name)]));
  });
}

/** Of more open sizes than these it is tried whether all are one, not each two. */
const mostPaired = 4;

/** A line for those that are one size. */
function sameNotes({ file: { open } }: ImportedModel, called: ReadonlyMap<string, string> | undefined, file: string): string[] {
  const count = (name: string) => [...(called ?? [])].filter(([, other]) => other === name).length;
  const [one] = [...(called?.values() ?? [])].filter((name) => count(name) > 1);
  if (called === undefined || one === undefined) return [];
  const names = [...called].flatMap(([name, other]) => (other === one ? [`"${open.get(name) ?? name}"`] : []));
  return [`${file}: ${names.join(' and ')} are one size here, "${one}": apart they cannot stay open`];
}

/** Without taps that cannot be read, which `left` says. Throws what the first one is refused with where none is left. */
async function withoutBad(
  original: Model,
  first: ImportedModel,
  request: ImportRequest,
  file: string,
  probe: (imported: ImportedModel) => Promise<GoodTaps>,
): Promise<GoodTaps> {
  const without = new Map<string, TapRefused>();
  for (let imported = first; ; ) {
    try {
      const good = await probe(imported);
      return { ...good, left: leftOut([...without.values()]) };
    } catch (error) {
      if (!(error instanceof TapRefused)) throw error;
      without.set(error.tap, error);
      try {
        imported = importModel(original, { ...request, without: new Set(without.keys()) }, file);
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
