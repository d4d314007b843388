// Arrays in files as rows read part by part: inputs from their file as they come, targets whole, since they take a number a row.
import { type ArrayFile, type Extent, openNpy } from '../../formats/array-file.js';
import { dataError } from '../../formats/data-error.js';
import type { NetworkInput } from '../../model/progressive/inputs.js';
import { byteLength } from '../../onnx/core/dtype.js';
import { must } from '../../onnx/core/errors.js';
import { elementCount } from '../../onnx/core/shape.js';
import type { Tensor } from '../../onnx/core/tensor.js';
import { sliceRows } from '../rows.js';
import { fitting } from './fitting.js';
import { namedSet, packedPart } from './several.js';
import type { RowStream, SeveralContext, SourceContext } from './source.js';

/** Bytes of inputs that are read together. */
const bytesAtOnce = 2 ** 23;

/** How files are called in errors. */
interface Names {
  readonly inputs: string;
  readonly targets: string;
}

/** Rows of two arrays; `sample` is the shape of one, where it is another than the file's. */
export function arrayStream(
  inputs: ArrayFile,
  wholeTargets: () => Promise<Tensor>,
  names: Names,
  { head, missing, inputs: [input] = [] }: SourceContext,
  sample = inputs.dims.slice(1),
): RowStream {
  const [count = 0] = inputs.dims;
  const read = async (): Promise<Tensor> => {
    const targets = await wholeTargets();
    if (targets.dims[0] === count) return targets;
    const found = targets.dims[0] ?? 0;
    throw dataError(names.targets, `${found} targets for ${count} inputs, expected one each`, {
      expected: `${count} rows`,
      got: `${found} rows`,
    });
  };
  const width = byteLength(inputs.dtype === 'uint8' ? 'uint8' : (input?.dtype ?? 'float32'), elementCount(sample));
  return {
    bytes: count * width,
    parts: async function* (step) {
      const targets = await read();
      let first = 0;
      for await (const part of inputs.parts(Math.max(1, Math.floor(bytesAtOnce / width)))) {
        const [own = 0] = part.dims;
        const labels = sliceRows(targets, first, first + own);
        yield fitting(part.reshape([own, ...sample]), labels, { ...names, missing, first, input }, head);
        first += own;
        await step('rows read', first, count);
      }
    },
  };
}

/** Rows of an array for each input, read in step, packed in rows of bytes; `where` names each in errors. */
export function arraysStream(
  arrays: readonly ArrayFile[],
  where: readonly string[],
  wholeTargets: () => Promise<Tensor>,
  targetsWhere: string,
  { head, missing, inputs }: SeveralContext,
): RowStream {
  const count = arrays[0]?.dims[0] ?? 0;
  const width = arrays.reduce((sum, { dims, dtype }, i) => {
    const own = dtype === 'uint8' ? 'uint8' : (inputs[i]?.dtype ?? 'float32');
    return sum + byteLength(own, elementCount(dims.slice(1)));
  }, 0);
  return {
    bytes: count * width,
    parts: async function* (step) {
      const targets = await wholeTargets();
      arrays.forEach(({ dims: [rows = 0] }, i) => {
        const found = targets.dims[0] ?? 0;
        if (rows === found) return;
        const [expected, got] = [`${found} rows`, `${rows} rows`];
        throw dataError(where[i] ?? targetsWhere, `has ${got}, ${targetsWhere} has ${expected}`, { expected, got });
      });
      const together = Math.max(1, Math.floor(bytesAtOnce / width));
      const readers = arrays.map((array) => array.parts(together)[Symbol.asyncIterator]());
      for (let first = 0; first < count; ) {
        const parts = new Map<NetworkInput, Tensor>();
        for (const [i, input] of inputs.entries()) {
          const next = await readers[i]?.next();
          if (next?.done === false) parts.set(input, next.value);
        }
        const own = parts.values().next().value?.dims[0] ?? 0;
        const labels = { tensor: sliceRows(targets, first, first + own), where: targetsWhere };
        const array = (input: NetworkInput) => ({
          tensor: must(parts.get(input), input.name),
          where: where[inputs.indexOf(input)] ?? '',
        });
        yield packedPart(namedSet(inputs, array, labels, { head, missing, first }));
        first += own;
        await step('rows read', first, count);
      }
    },
  };
}

/** All of a .npy array, for targets of any number of rows. */
export async function wholeNpy(extent: Extent): Promise<Tensor> {
  const file = await openNpy(extent);
  for await (const part of file.parts(Math.max(1, file.dims[0] ?? 1))) return part;
  throw dataError(extent.where, 'holds no rows', { expected: 'at least one row' });
}
