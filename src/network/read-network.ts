// A .prognet file as a network: the bytes are network-file.ts's, whether they fit the description is for the network to check.
import { toInput } from '../model/description/parse.js';
import type { ColumnFacts } from '../model/progressive/facts.js';
import { DataError, must } from '../onnx/core/errors.js';
import { bytes as aBinary, given, text } from '../onnx/core/given.js';
import { Network } from './network.js';
import { columnHash, decodeNetwork } from './network-file.js';

/** The network of a .prognet file. Weights are checked against the description, and against their hashes where the platform can. */
export async function readNetwork(bytes: Uint8Array, file = 'network'): Promise<Network> {
  given('readNetwork', { bytes, file }, { bytes: aBinary, file: text });
  const { description, tensors, hashOf, factsOf } = decodeNetwork(bytes, file);
  let network = new Network(toInput(description));
  const recorded = new Map<string, string>();
  const facts = new Map<string, ColumnFacts>();
  for (const task of network.tasks) {
    if (!network.parameters(task).specs.some(({ name }) => tensors.has(name))) continue;
    network = network.withWeights(task, tensors);
    facts.set(task, factsOf(task));
    const said = hashOf(task);
    const found = await columnHash(task, must(network.weights(task), task));
    if (said !== undefined) recorded.set(task, said);
    if (said === undefined || found === undefined || said === found) continue;
    throw new DataError(`${file}: the weights of task "${task}" are not those that were frozen (sha256 differs)`, {
      path: file,
      expected: said,
      got: found,
    });
  }
  return network.with({ recorded, facts });
}
