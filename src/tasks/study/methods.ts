// What a study compares: baselines 1 to 4 of the paper (arXiv 1606.04671, section 4) and progressive networks.
import { UsageError } from '../../onnx/core/errors.js';

/** What is known of a method before anything is trained. */
export interface Method {
  /** For legends. */
  readonly label: string;
  /** One sentence. */
  readonly about: string;
  readonly kind: 'baseline' | 'progressive';
  /** Whether it carries one task over to another, so that pairs of tasks may be asked of it. */
  readonly carries: boolean;
  /** Whether its tasks know nothing of each other. */
  readonly apart: boolean;
}

/** The name of a method: a baseline of the paper, or a progressive network by what its columns have. */
export type MethodName = 'b1' | 'b2' | 'b3' | 'b4' | 'linear' | 'adapter' | 'lora';

/** By their names, in the order of the tables. */
export const methods = {
  b1: {
    label: 'B1',
    about: 'a column for each task, which learns it alone',
    kind: 'baseline',
    carries: false,
    apart: true,
  },
  b2: {
    label: 'B2',
    about: 'the column of the first task, frozen; of each later task the head alone is trained',
    kind: 'baseline',
    carries: true,
    apart: false,
  },
  b3: {
    label: 'B3',
    about: 'the column of the first task, all of it tuned on each later task in turn; each task keeps the head that it had',
    kind: 'baseline',
    carries: true,
    apart: false,
  },
  b4: {
    label: 'B4',
    about: 'two columns for each later task, of which the first is frozen as it was drawn',
    kind: 'baseline',
    carries: false,
    apart: true,
  },
  linear: {
    label: 'linear',
    about: 'a column for each task, with linear laterals from the frozen columns of all earlier tasks (Eq. 1)',
    kind: 'progressive',
    carries: true,
    apart: false,
  },
  adapter: {
    label: 'adapter',
    about: 'a column for each task, with adapters over the frozen columns of all earlier tasks (Eq. 2)',
    kind: 'progressive',
    carries: true,
    apart: false,
  },
  lora: {
    label: 'LoRA',
    about: 'low-rank updates of an imported column for each task, and a head',
    kind: 'progressive',
    carries: true,
    apart: false,
  },
} as const satisfies Readonly<Record<MethodName, Method>>;

/** All of them, in the order of the tables. */
export const methodNames = Object.keys(methods) as MethodName[];

/** Those that a matrix may be of. */
export const carrying: readonly MethodName[] = methodNames.filter((name) => methods[name].carries);

/** Those of columns that tune an imported one. There is no first task: each begins with what was imported. */
const tuning: readonly MethodName[] = ['b1', 'b2', 'b3', 'lora'];

/** The methods that there are for such columns. Throws UsageError for one of the others that was asked for. */
export function methodsFor(tuned: boolean, asked: readonly MethodName[] | undefined): readonly MethodName[] {
  const known = methodNames.filter((name) => (tuned ? tuning.includes(name) : name !== 'lora'));
  const other = asked?.find((name) => !known.includes(name));
  if (other === undefined) return asked ?? known;
  const what = tuned
    ? 'columns with layers of their own, these tune an imported one'
    : 'columns that tune an imported one, these have layers of their own';
  throw new UsageError(`method ${other} is for ${what}; expected some of ${known.join(', ')}`, {
    path: 'methods',
    expected: known.join(', '),
    got: other,
  });
}

/** Throws UsageError for a name that is none of `known`, and for one that stands there twice. @param where what names them */
export function methodsNamed(where: string, names: readonly string[], known: readonly MethodName[] = methodNames): MethodName[] {
  return names.map((name, i) => {
    const found = known.find((each) => each === name);
    const expected = known.join(', ');
    if (found === undefined)
      throw new UsageError(`${where}: found "${name}", expected some of ${expected}`, { path: where, expected, got: name });
    if (names.indexOf(name) !== i)
      throw new UsageError(`${where}: found "${name}" twice, expected each method once`, { path: where, got: name });
    return found;
  });
}
