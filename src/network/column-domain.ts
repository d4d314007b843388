// What a trained column's own samples look like to it (data/domain.ts), asked of the network itself and kept among what is known of the column, so
// that later answers can be marked where a sample is unlike them.
import { domainOf, domainText, type ScoresAndTap } from '../data/domain.js';
import { gatherRows, type Rows } from '../data/rows.js';
import { countOf, isRows, mapSamples, type SampleRows } from '../data/samples.js';
import { answersOf, eachOf } from '../model/heads/heads.js';
import { must } from '../onnx/core/errors.js';
import { Random } from '../onnx/core/random.js';
import type { Tensor } from '../onnx/core/tensor.js';
import type { GivenData, Inputs } from './growing.js';
import type { Network } from './network.js';

/** Rows that statistics are taken of, and rows that the threshold is found on. */
const learnedRows = 2000;
const ownRows = 1000;

/** Rows with their targets, in memory or on disk. */
interface Labelled {
  readonly inputs: SampleRows | Tensor;
  readonly targets: Rows;
}

/** These rows, in memory. */
export function someRows({ inputs, targets }: Labelled, picked: Uint32Array): GivenData {
  const some: Inputs = isRows<Rows>(inputs) ? gatherRows(inputs, picked) : mapSamples(inputs, (rows) => gatherRows(rows, picked));
  return { inputs: some, targets: gatherRows(targets, picked) };
}

/** Rows drawn by a seed of their own, in the order of the data. */
function drawn(data: Labelled, count: number, what: string): GivenData {
  return someRows(data, new Random(1, 'about', what).permutation(countOf(data.inputs)).subarray(0, count).toSorted());
}

/**
 * The network, knowing what samples of a trained task look like to its column; as it was where it has no blocks, answers each step, ends in open sizes, or
 * there are too few samples.
 * @param learned what the column was trained on
 * @param own the same kind of samples that it was not trained on
 */
export async function withDomain(network: Network, task: string, learned: Labelled, own: Labelled): Promise<Network> {
  const { head, blocks, taps } = network.columns.column(task);
  // Of steps, and of taps of any size, there are no samples of one kind.
  const one = eachOf(head) === undefined && taps.at(-1)?.every((size) => typeof size === 'number') === true;
  if (blocks.length === 0 || !one) return network;
  const seen = async ({ inputs }: GivenData): Promise<ScoresAndTap> => {
    const { scores, tap } = await network.predict(task, inputs, { tap: true });
    return { scores, tap: must(tap, 'tap') };
  };
  const trained = drawn(learned, learnedRows, 'learned');
  const labels = answersOf(head)?.each === 'class' ? [...trained.targets.numbers()] : undefined;
  const domain = domainOf(await seen(trained), labels, await seen(drawn(own, ownRows, 'own')));
  if (domain === undefined) return network;
  const facts = { ...network.facts.get(task), domain: domainText(domain) };
  return network.with({ facts: new Map(network.facts).set(task, facts) });
}
