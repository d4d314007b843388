// Versions that graphs of a network have of ai.onnx and of other domains, as its imported columns ask for them.
import { DescriptionError } from '../../onnx/core/errors.js';
import { defaultOpset, type Model } from '../../onnx/ir/model.js';
import type { ImportedGraph } from './imported-graph.js';

/** A network's columns, as far as they are imported. */
type Imports = Iterable<{ readonly task: string; readonly imported: ImportedGraph | undefined }>;

/**
 * The opset of the network's graphs: the highest of its imported columns, at least 17. Throws DescriptionError where the graph of another cannot be
 * brought to it with its bits.
 */
export function commonOpset(network: Imports): number {
  const graphs = [...network].flatMap(({ task, imported }) => (imported === undefined ? [] : [{ task, imported }]));
  const highest = Math.max(defaultOpset, ...graphs.map(({ imported }) => imported.opset));
  const newest = graphs.find(({ imported }) => imported.opset === highest);
  if (newest !== undefined) for (const { imported } of graphs) imported.beside(newest.task, highest);
  return highest;
}

/**
 * The model of a network's graph with the versions that imported nodes have of domains beside ai.onnx. Throws DescriptionError where two imported
 * columns have different versions of one: a model has room for one alone.
 */
export function withDomains(model: Model, network: Imports): Model {
  const found = new Map<string, { readonly task: string; readonly version: number }>();
  for (const { task, imported } of network) {
    if (imported === undefined) continue;
    for (const [domain, version] of imported.model.opsets) {
      if (domain === '') continue;
      const first = found.get(domain);
      if (first !== undefined && first.version !== version) {
        throw new DescriptionError(
          `task "${task}" was imported with version ${version} of the domain ${domain}, "${first.task}" with ${first.version}: export both with one version and import again`,
          { expected: String(first.version), got: String(version) },
        );
      }
      found.set(domain, { task, version });
      if (model.opsets.has(domain)) model.opsets.set(domain, version);
    }
  }
  return model;
}
