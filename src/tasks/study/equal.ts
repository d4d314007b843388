// Widths scaled down so that a progressive network has no more parameters than a rival: what a table compares is then not the size.
import type { Description, DescriptionInput } from '../../model/description/description.js';
import { parseDescription, toInput } from '../../model/description/parse.js';
import { DescriptionError, UsageError } from '../../onnx/core/errors.js';
import { parametersOf, StudyColumns } from './columns.js';

/** Options of layers that say how wide they are. */
const widths = ['units', 'filters', 'hidden'];
/** Layers that others hold. */
const lists = ['layers', 'shortcut'];
/** Factors that are tried are so many parts of 1. */
const parts = 256;

const scaled = (width: number, factor: number): number => Math.max(1, Math.round(width * factor));

function scaledLayer(layer: object, factor: number): object {
  return Object.fromEntries(
    Object.entries(layer).map(([name, value]): [string, unknown] => {
      if (widths.includes(name) && typeof value === 'number') return [name, scaled(value, factor)];
      if (lists.includes(name) && Array.isArray(value)) return [name, value.map((inner: object) => scaledLayer(inner, factor))];
      return [name, value];
    }),
  );
}

/** The description with every width of its blocks, and every rank of its adapters, multiplied by `factor`. Throws DescriptionError where a layer bears none. */
function scaledDescription(description: Description, factor: number): Description {
  const input = toInput(description);
  const ranked = (rank: unknown): unknown =>
    typeof rank === 'number'
      ? scaled(rank, factor)
      : Object.fromEntries(Object.entries(rank ?? {}).map(([block, r]) => [block, scaled(Number(r), factor)]));
  const columns = input.columns.map(({ blocks, laterals, ...column }) => ({
    ...column,
    ...(blocks && {
      blocks: blocks.map((layers) => layers.map((layer) => (typeof layer === 'string' ? layer : scaledLayer(layer, factor)))),
    }),
    ...(laterals !== undefined && {
      laterals: typeof laterals === 'object' && 'rank' in laterals ? { ...laterals, rank: ranked(laterals.rank) } : laterals,
    }),
  }));
  return parseDescription({ ...input, columns });
}

/**
 * The largest factor with which the network that `networkOf` makes has at most `budget` parameters, and the columns that it is made of.
 * @throws UsageError where none is found
 */
export function equalColumns(
  description: Description,
  budget: number,
  networkOf: (columns: StudyColumns) => DescriptionInput,
): { readonly factor: number; readonly columns: StudyColumns; readonly parameters: number } {
  let fewest = Number.POSITIVE_INFINITY;
  const at = (part: number) => {
    try {
      const columns = new StudyColumns(scaledDescription(description, part / parts));
      const parameters = parametersOf(networkOf(columns)).reduce((sum, { column }) => sum + column, 0);
      fewest = Math.min(fewest, parameters);
      return { factor: part / parts, columns, parameters };
    } catch (error) {
      if (error instanceof DescriptionError) return undefined;
      throw error;
    }
  };
  // Parameters grow with the factor, but not every factor fits every layer: groups must divide channels.
  let [fits, over] = [0, parts + 1];
  while (over - fits > 1) {
    const middle = (fits + over) >> 1;
    const found = at(middle);
    if (found !== undefined && found.parameters <= budget) fits = middle;
    else if (found === undefined) break;
    else over = middle;
  }
  for (let part = over - 1; part > 0; part--) {
    const found = at(part);
    if (found !== undefined && found.parameters <= budget) return found;
  }
  const found = Number.isFinite(fewest) ? `the smallest has ${fewest}` : 'no factor fits its layers';
  throw new UsageError(`equal parameters: no progressive network of ${budget} parameters: ${found}`, {
    path: 'equalParameters',
    expected: `at most ${budget}`,
  });
}
