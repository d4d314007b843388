// Transforms of data of several inputs: those of rows and labels hold for all inputs, those of values change one of them alone, the first that a column reads, as `augment` does.
import { must } from '../../onnx/core/errors.js';
import { Tensor } from '../../onnx/core/tensor.js';
import type { RowSet, SampleSet, Split } from '../dataset.js';
import { take } from '../dataset.js';
import { inMemory, type Rows } from '../rows.js';
import { countOf } from '../samples.js';
import { bindAll, type TransformSpec } from './registry.js';
import type { Rewrite, TransformContext } from './transform.js';

/** The numbers of the rows, in the place of inputs. */
function numbered({ inputs, ...rest }: SampleSet): RowSet {
  const count = countOf(inputs);
  return {
    ...rest,
    inputs: new Tensor(
      'int64',
      [count, 1],
      BigInt64Array.from({ length: count }, (_, i) => BigInt(i)),
    ),
  };
}

/**
 * Applies transforms in order, as `applyTransforms` does.
 * @param name the input whose values change
 * @param rewrite where rows on disk go whose values are made others
 * @throws DataError
 */
export async function transformSeveral(
  split: Split<SampleSet>,
  list: readonly TransformSpec[],
  path: string,
  name: string,
  rewrite?: Rewrite,
): Promise<Split<SampleSet>> {
  let { train, test } = split;
  for (const { run, values, refuseTokens, path: place } of bindAll(list, path)) {
    const before = train;
    const apply = async (set: SampleSet, part: TransformContext['part']): Promise<SampleSet> => {
      if (values === undefined) {
        const { inputs, ...rest } = run(numbered(set), { path: place, part, train: numbered(before) });
        const numbers = Uint32Array.from((inputs as Tensor).data as BigInt64Array, Number);
        const kept = numbers.length === countOf(set.inputs) ? set : take(set, numbers);
        return { ...rest, inputs: kept.inputs };
      }
      const first = ({ inputs, ...rest }: SampleSet): RowSet => ({ ...rest, inputs: must(inputs[name], name) });
      const own = first(set);
      refuseTokens(own);
      const context = { path: place, part, train: first(before) };
      const made = async (rows: Rows): Promise<Rows> =>
        inMemory(rows) ? values(context)(rows) : await must(rewrite, 'rewrite')(rows, values(context));
      return { ...set, inputs: { ...set.inputs, [name]: await made(own.inputs) } };
    };
    train = await apply(before, 'train');
    test = await apply(test, 'test');
  }
  return { train, test };
}
