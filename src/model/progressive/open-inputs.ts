// Sizes of a network's inputs that are open: found in data, and put in their place before anything is built of those data. A graph of training then has the
// shapes of its data, and so no other nodes than one whose sizes are known; exported graphs are lowered with the names.
import { DataError, InternalError, UsageError } from '../../onnx/core/errors.js';
import { formatShape } from '../../onnx/core/shape.js';
import { type Size, sizeIn } from '../nn/open-size.js';
import { type Column, columnsOf } from './column.js';
import type { ImportedDescription } from './imported-graph.js';
import type { ByInput, NetworkInput } from './inputs.js';

/** Sizes by the name of the dimension. */
export type Sizes = Readonly<Record<string, number>>;

type Shaped = Pick<NetworkInput, 'name' | 'shape'>;

/** Whether a sample of these sizes is one of such a shape, whatever its open sizes are. */
export const fitsShape = (found: readonly number[], shape: readonly Size[]): boolean =>
  found.length === shape.length && shape.every((size, i) => typeof size === 'string' || size === found[i]);

/**
 * The open sizes as data have them, `dimsOf` an input being [rows, ...]. Throws DataError where inputs that share a name do not agree, and for none at all.
 * @param where names the data in errors
 */
export function sizesOfData(
  inputs: readonly Shaped[],
  dimsOf: (input: string) => readonly number[] | undefined,
  where: string,
): Sizes {
  const found = new Map<string, { readonly size: number; readonly input: string }>();
  for (const { name, shape } of inputs)
    shape.forEach((dim, axis) => {
      const size = dimsOf(name)?.[axis + 1];
      if (typeof dim !== 'string' || size === undefined) return;
      const known = found.get(dim);
      if (size === 0) {
        const expected = 'at least 1';
        throw new DataError(`${where}: "${dim}" of input "${name}" is 0, expected ${expected}`, {
          path: where,
          expected,
          got: '0',
        });
      }
      if (known !== undefined && known.size !== size) {
        const [expected, got] = [String(known.size), String(size)];
        throw new DataError(
          `${where}: "${dim}" is ${expected} in input "${known.input}" and ${got} in "${name}", expected one size`,
          {
            path: where,
            expected,
            got,
          },
        );
      }
      found.set(dim, { size, input: name });
    });
  return Object.fromEntries([...found].map(([dim, { size }]) => [dim, size]));
}

/** The column of a network whose open sizes are these; the column itself where none of its network's is open. Its parameters are the same. */
export function boundTo(column: Column, sizes: Sizes): Column {
  const { description } = column.network;
  if (description.inputs.every(({ shape }) => shape.every((dim) => typeof dim === 'number'))) return column;
  const inputs = description.inputs.map((input) => ({ ...input, shape: input.shape.map((dim) => sizes[dim] ?? dim) }));
  const columns = description.columns.map((each) => ({ ...each, ...(each.onnx && { onnx: importedAt(each.onnx, sizes) }) }));
  return columnsOf({ ...description, inputs, columns }).column(column.task);
}

/** What is said of an imported column where open sizes are these. */
const importedAt = (onnx: ImportedDescription, sizes: Sizes): ImportedDescription => ({
  ...onnx,
  taps: onnx.taps.map((tap) =>
    typeof tap === 'string' ? tap : { ...tap, shape: tap.shape.map((size) => sizeIn(size, sizes) ?? size) },
  ),
});

/** The same of the sizes of samples by input, each [rows, ...]. Throws DataError. */
export function boundToData(column: Column, samples: ByInput<{ readonly dims: readonly number[] }>, where: string): Column {
  return boundTo(
    column,
    sizesOfData(column.inputs, (name) => samples[name]?.dims, where),
  );
}

/** The shape of an input whose sizes must be known. Throws UsageError for one that is open; `who` needs them. */
export function knownShape({ name, shape }: Shaped, who: string, expected = 'an input of known sizes'): number[] {
  return shape.map((dim) => {
    if (typeof dim === 'number') return dim;
    const found = `the input "${name}" is ${formatShape(shape)}, "${dim}" is open`;
    throw new UsageError(`${who}: ${found}, expected ${expected}`, { expected, got: dim });
  });
}

/** Sizes of a column that is bound to data. */
export const boundShape = (shape: readonly Size[]): number[] =>
  shape.map((dim) => {
    if (typeof dim === 'string') throw new InternalError(`the size "${dim}" is open in a graph of data`);
    return dim;
  });
