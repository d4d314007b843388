// A workspace's columns as a network in the hand of a program.
import { toInput } from '../model/description/parse.js';
import { Network } from '../network/network.js';
import { factsOf } from './facts-of.js';
import { type LoadedWorkspace, weightsOf } from './load-workspace.js';

/** The workspace's network as a value: the weights in the order of the description, which an imported column's file need not have. */
export function networkOf(loaded: LoadedWorkspace): Network {
  let network = new Network(toInput(loaded.description));
  for (const [task, weights] of weightsOf(loaded)) network = network.withWeights(task, weights);
  return network.with({ facts: factsOf(loaded) });
}
