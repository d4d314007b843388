// Data of a column with several heads: the source is read once for each of them, the rows of all readings are the same, and their targets stand side by
// side. Which column or array the targets of a head are, `targets` in the data entry says, else it is called as the head.
import { dataError, quote } from '../formats/data-error.js';
import { targetKind } from '../model/heads/heads.js';
import { sideBySide } from '../model/heads/several.js';
import { suggest } from '../model/nn/schema.js';
import { must } from '../onnx/core/errors.js';
import { fitTargets, type NamedTargetHead } from './checks.js';
import { type AnySet, type Labelled, rows, type Split } from './dataset.js';
import type { SampleRows } from './samples.js';
import type { DataOptions, DataSpec } from './schema.js';
import type { SourceContext, TargetColumns } from './sources/source.js';
import { changesTargets } from './transforms/registry.js';

type Columns = TargetColumns['of'];

const optionsOf = (spec: DataSpec): DataOptions => (typeof spec === 'string' ? { source: spec } : spec);

/** The columns or the array of each head, in the order of the heads. Throws DataError for targets of what is no head. */
function columnsFor(spec: DataSpec, heads: readonly NamedTargetHead[], where: string): readonly Columns[] {
  const { targets = {} } = optionsOf(spec);
  const names = heads.map(({ name }) => name);
  const other = Object.keys(targets).find((name) => !names.includes(name));
  if (other !== undefined)
    throw dataError(`${where}.targets`, `no head is called ${quote(other)}, ${suggest(other, names)}`, { got: other });
  return heads.map((head) => targets[head.name] ?? ownNames(head) ?? head.name);
}

/** Numbers and labels that have names are called by them. */
const ownNames = (head: NamedTargetHead): readonly string[] | undefined =>
  targetKind(head).of === 'classes' || head.size === 1 ? undefined : head.names;

/** The data entry as it is read where nothing is to be learned: the targets of all heads are labels. */
export function withLabels(spec: DataSpec | undefined, heads: readonly NamedTargetHead[] | undefined): DataOptions | undefined {
  if (heads === undefined || spec === undefined) return typeof spec === 'string' ? undefined : spec;
  const label = [...new Set(columnsFor(spec, heads, 'data').flatMap(listOf))];
  return { ...optionsOf(spec), label };
}

const listOf = (columns: Columns): readonly (string | number)[] => (typeof columns === 'object' ? columns : [columns]);

/**
 * Loads the data of several heads by `load`, which reads those of one. Throws DataError where a head has no targets, where they do not fit it, and for
 * transforms that make other targets.
 */
export async function loadHeads<D extends AnySet, C extends SourceContext>(
  spec: DataSpec,
  context: C & { readonly heads: readonly NamedTargetHead[] },
  load: (spec: DataSpec, context: C) => Promise<Split<D>>,
): Promise<Split<D>> {
  const { heads, path: where = 'data', onNote, onDrawn } = context;
  const options = optionsOf(spec);
  const changing = options.transform?.findIndex(changesTargets) ?? -1;
  if (changing >= 0)
    throw dataError(
      `${where}.transform[${changing}]`,
      'makes targets of one head, the column has several; expected none of them',
    );
  if (options.label !== undefined)
    throw dataError(`${where}.label`, 'is of one head, the column has several; expected "targets", the columns by head');
  const columns = columnsFor(spec, heads, where);
  const said = new Set<string>();
  const once = (hear: ((line: string) => void) | undefined) => (line: string) => {
    if (!said.has(line)) hear?.(line);
    said.add(line);
  };
  const told = { onNote: once(onNote), onDrawn: once(onDrawn) };
  const loaded: Split<D>[] = [];
  for (const [i, head] of heads.entries()) {
    const of = must(columns[i], head.name);
    const said = options.targets?.[head.name] !== undefined;
    const own = listOf(of);
    const others = [...new Set(columns.flatMap(listOf))].filter((column) => !own.includes(column));
    const split = await load(options, { ...context, head, target: { head: head.name, said, of, others }, ...told });
    const named = split.train.classNames;
    if (named !== undefined && head.names === undefined) {
      const expected = `names: ${JSON.stringify(named)} in the head`;
      throw dataError(`${where}: head ${quote(head.name)}`, `its targets are texts, expected ${expected}`, { expected });
    }
    loaded.push(split);
  }
  const joined = (part: 'train' | 'test'): D => {
    const sets = loaded.map((split) => split[part]);
    const first = must(sets[0], 'set');
    const targets = sets.map((set, i) => {
      const head = must(heads[i], 'head');
      const { targets: own, classNames } = set;
      const alone: Labelled<SampleRows> = { inputs: {}, targets: own, ...(classNames && { classNames }) };
      if (rows(set) !== rows(first))
        throw dataError(where, `has ${rows(set)} rows for head ${quote(head.name)}, ${rows(first)} for others`);
      return fitTargets({ ...alone, inputs: { targets: own } }, head, `${where}: head ${quote(head.name)}`).targets;
    });
    const { classes: _, classNames: _names, ...rest } = first;
    return { ...rest, targets: sideBySide(targets), heads: heads.map(({ name }) => name) } as AnySet as D;
  };
  return { train: joined('train'), test: joined('test') };
}
