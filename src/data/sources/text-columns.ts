// Columns of texts beside the numbers of one table: each becomes the token ids of an input of text, or the pixels of the images whose paths they are. They stand
// behind the numbers of a row as float32, which holds every id and byte, until the inputs are parted (several.ts).

import type { CsvTable } from '../../formats/csv.js';
import { dataError, defaultMaxBytes } from '../../formats/data-error.js';
import type { NetworkInput } from '../../model/progressive/inputs.js';
import { InternalError, must } from '../../onnx/core/errors.js';
import { elementCount } from '../../onnx/core/shape.js';
import { Tensor } from '../../onnx/core/tensor.js';
import type { Resize } from '../images/decoding.js';
import { takesText, tokenizerOf } from '../text/tokenizer.js';
import { decodingIn, imagesOf, isPictured } from './image-columns.js';

/** Whether a table gives the input as a column of texts of its name. */
export const isInCells = (input: NetworkInput): boolean => takesText(input) || isPictured(input);

/** The numbers of a table's rows [from, to), with what its texts become behind them: float32 [rows, features + values]. */
export type WithCells = (table: CsvTable, where: string, from?: number, to?: number) => Promise<Tensor>;

/** What the texts of a row become. */
export const valuesOf = (inputs: readonly NetworkInput[]): number =>
  inputs.filter(isInCells).reduce((sum, { shape }) => sum + elementCount(shape.map(Number)), 0);

/** What reads the texts of those of the inputs that are columns of some, each in the column of its name. Throws DataError where a tokenizer cannot be had. */
export async function withCells(inputs: readonly NetworkInput[], where: string, resize?: Resize): Promise<WithCells> {
  const readers = await Promise.all(
    inputs.filter(isInCells).map(async (input) => {
      if (takesText(input)) {
        const tokenize = await tokenizerOf(input, where);
        return {
          input,
          read: async (texts: readonly string[], file: string, rowOf: (row: number) => number) => tokenize(texts, file, rowOf),
        };
      }
      const decoding = decodingIn(input, resize, where);
      return {
        input,
        read: (texts: readonly string[], file: string, rowOf: (row: number) => number) =>
          imagesOf(texts, input, decoding, file, rowOf),
      };
    }),
  );
  const values = valuesOf(inputs);
  return async ({ features, texts: found, rowOf }, file, from = 0, to = features.dims[0] ?? 0) => {
    const [, width = 0] = features.dims;
    const { data } = features;
    if (!(data instanceof Float32Array)) throw new InternalError('features that are not float32');
    const whole = width + values;
    const bytes = (to - from) * whole * Float32Array.BYTES_PER_ELEMENT;
    if (bytes > defaultMaxBytes) {
      const expected = `at most ${defaultMaxBytes} bytes, as arrays in a .npz file take a quarter of`;
      throw dataError(file, `its rows with their images take ${bytes} bytes while they are read, expected ${expected}`, {
        expected,
      });
    }
    const parts: Tensor[] = [];
    for (const { input, read } of readers) {
      const own = must(found?.get(input.name), input.name).slice(from, to);
      parts.push(await read(own, file, (row) => rowOf(from + row)));
    }
    const out = new Float32Array((to - from) * whole);
    for (let row = from; row < to; row++) {
      const at = (row - from) * whole;
      out.set(data.subarray(row * width, (row + 1) * width), at);
      let place = at + width;
      for (const own of parts) {
        const length = elementCount(own.dims.slice(1));
        for (let i = 0; i < length; i++) out[place++] = Number(own.data[(row - from) * length + i]);
      }
    }
    return new Tensor('float32', [to - from, whole], out);
  };
}
