// Columns of texts beside the numbers of one table: each becomes the token ids of an input of text. They stand behind the numbers of a row as float32, which
// holds every id, until the inputs are parted (several.ts).
import type { CsvTable } from '../../formats/csv.js';
import type { NetworkInput } from '../../model/progressive/inputs.js';
import { InternalError, must } from '../../onnx/core/errors.js';
import { Tensor } from '../../onnx/core/tensor.js';
import { type TextInput, takesText, tokenizerOf } from '../text/tokenizer.js';

/** The numbers of a table's rows [from, to), with the ids of its texts behind them: float32 [rows, features + ids]. */
export type WithIds = (table: CsvTable, where: string, from?: number, to?: number) => Tensor;

/** Ids of a row. */
export const idsOf = (inputs: readonly NetworkInput[]): number =>
  inputs.filter(takesText).reduce((sum, { shape: [length = 0] }) => sum + length, 0);

/** What takes the texts of those of the inputs that are text, each in the column of its name. Throws DataError where a tokenizer cannot be had. */
export async function withIds(inputs: readonly NetworkInput[], where: string): Promise<WithIds> {
  const texts: readonly TextInput[] = inputs.filter(takesText);
  const tokenizers = await Promise.all(texts.map(async (input) => ({ input, tokenize: await tokenizerOf(input, where) })));
  return ({ features, texts: found, rowOf }, file, from = 0, to = features.dims[0] ?? 0) => {
    const [, width = 0] = features.dims;
    const { data } = features;
    if (!(data instanceof Float32Array)) throw new InternalError('features that are not float32');
    const ids = tokenizers.map(({ input, tokenize }) => {
      const own = must(found?.get(input.name), input.name).slice(from, to);
      return tokenize(own, file, (row) => rowOf(from + row));
    });
    const whole = width + idsOf(texts);
    const out = new Float32Array((to - from) * whole);
    for (let row = from; row < to; row++) {
      const at = (row - from) * whole;
      out.set(data.subarray(row * width, (row + 1) * width), at);
      let place = at + width;
      for (const own of ids) {
        const [, length = 0] = own.dims;
        for (let i = 0; i < length; i++) out[place++] = Number(own.data[(row - from) * length + i]);
      }
    }
    return new Tensor('float32', [to - from, whole], out);
  };
}
