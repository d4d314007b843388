// Whether an imported column, as it is exported, gives what its file gives, bit for bit: over a few samples that the file has answered.
import type { Description } from '../model/description/description.js';
import { importedPrepare } from '../model/prepare/prepare.js';
import type { ImportedModel } from '../model/progressive/import-model.js';
import { must, UsageError } from '../onnx/core/errors.js';
import { Tensor } from '../onnx/core/tensor.js';
import type { Session } from '../onnx/runtime/session.js';

/** Values by the names of the file's inputs or outputs. */
export type Feeds = Readonly<Record<string, Tensor>>;

/**
 * What a value may be from that of the file at most, relative to numbers over 1: as much as another order of sums makes; of narrower numbers two roundings,
 * since ONNX Runtime leaves out some where the column goes on in float32.
 */
export const near = ({ dtype }: Tensor): number => (dtype === 'float16' ? 2 ** -10 : dtype === 'bfloat16' ? 2 ** -7 : 1e-4);

/** What the file answers. */
export interface FileAnswers {
  /** All that it asks for, for each run. */
  readonly feeds: readonly Feeds[];
  /** Of the value that the column gives, for each run. */
  readonly given: readonly Tensor[];
}

/** The network's names for what the column reads, where it reads that as it is; undefined where steps prepare it. */
export function readAsTheyAre({ inputs }: Description, names: readonly string[]): readonly string[] | undefined {
  const plain = names.every((name, i) => {
    const input = inputs.find((each) => each.name === name);
    const steps = i === 0 ? importedPrepare(input?.prepare) : input?.prepare;
    return input?.features === undefined && (steps?.length ?? 0) === 0;
  });
  return plain ? names : undefined;
}

/**
 * The largest difference from the file's answers, 0 where every bit is the same. `names`: what the session calls the column's inputs, in their order. Throws
 * UsageError where it is over what another order of sums can make.
 */
export async function apartFrom(
  { feeds, given }: FileAnswers,
  session: Session,
  { inputs, given: value }: ImportedModel,
  { names, output, file }: { readonly names: readonly string[]; readonly output: string; readonly file: string },
): Promise<number> {
  let apart = 0;
  for (const [i, of] of feeds.entries()) {
    const own = inputs.map((name, at) => [must(names[at], name), must(of[name], name)] as const);
    const answer = (await session.run(Object.fromEntries(own), [output]))[output];
    const theirs = must(given[i], value);
    apart = Math.max(apart, difference(must(answer, output), theirs));
    if (!(apart <= near(theirs)))
      throw new UsageError(`${file}: its values "${value}" are others once it is taken in, by up to ${apart}`, { path: file });
  }
  return apart;
}

/** The largest difference, relative where numbers are over 1; 0 where all bits are the same, NaN where one alone is no number. */
export function difference(a: Tensor, b: Tensor): number {
  // Columns give float32; what is narrower is the same number there.
  const [x, y] = a.dtype === b.dtype ? [a, b] : [asFloat(a), asFloat(b)];
  if (x.dtype !== 'string' && y.dtype !== 'string' && Buffer.compare(x.bytes, y.bytes) === 0) return 0;
  const [own, other] = [x.numbers(), y.numbers()];
  if (own.length !== other.length) return Number.POSITIVE_INFINITY;
  return own.reduce((most, v, i) => {
    const by = Math.abs(v - must(other[i], 'number')) / Math.max(1, Math.abs(v));
    return Object.is(v, other[i]) || by <= most || Number.isNaN(most) ? most : by;
  }, Number.MIN_VALUE);
}

const asFloat = (t: Tensor): Tensor => (t.dtype === 'string' ? t : Tensor.from('float32', t.numbers(), t.dims));
