// A model as what a session is made of: its bytes, without the weights that stand in files, which ONNX Runtime maps by itself.
import { StoredTensor } from '../core/stored-tensor.js';
import { allNodes } from '../ir/graph.js';
import type { Model } from '../ir/model.js';
import type { PlaceTensor } from './tensor-to-proto.js';
import { toBinary } from './to-binary.js';

/** What a session is made of. */
interface SessionModel {
  readonly bytes: Uint8Array;
  /** Option of the session; absent where all weights stand in the bytes. */
  readonly options: { readonly weightsFolder?: string };
}

/** The bytes for a session of a runtime that reads files, or does not. Throws ModelError where they are over 2 GB all the same. */
export function sessionModel(model: Model, { readsFiles = false }: { readonly readsFiles?: boolean }): SessionModel {
  const graphs = [model.graph, ...Array.from(allNodes(model.graph), (node) => node.subgraphs).flat()];
  const tensors = graphs.flatMap((g) => g.initializers).map((v) => v.constant);
  const folder = readsFiles
    ? commonFolder(tensors.flatMap((t) => (t instanceof StoredTensor && t.at ? [t.at.path] : [])))
    : undefined;
  if (folder === undefined) return { bytes: toBinary(model), options: {} };
  const place: PlaceTensor = (tensor) => {
    const at = tensor instanceof StoredTensor ? tensor.at : undefined;
    if (at === undefined) return undefined;
    return new Map([
      ['location', partsOf(at.path).slice(partsOf(folder).length).join('/')],
      ['offset', String(at.offset)],
      ['length', String(tensor.byteLength)],
    ]);
  };
  return { bytes: toBinary(model, place), options: { weightsFolder: folder } };
}

const isPosix = (path: string): boolean => path.startsWith('/');

/** The names that a path is made of; pages have no node:path. */
const partsOf = (path: string): string[] => path.split(isPosix(path) ? '/' : /[\\/]/).filter((name) => name !== '');

/** The deepest folder that all files are in; undefined where there is none, and for paths that do not begin at a root. */
function commonFolder(paths: readonly string[]): string | undefined {
  const [first, ...rest] = new Set(paths);
  if (first === undefined) return undefined;
  if (![first, ...rest].every((path) => isPosix(path) || /^[A-Za-z]:[\\/]/.test(path))) return undefined;
  const folders = [first, ...rest].map((path) => partsOf(path).slice(0, -1));
  const [names = [], ...others] = folders;
  const differs = names.findIndex((name, i) => others.some((other) => other[i] !== name));
  const common = differs < 0 ? names : names.slice(0, differs);
  if (common.length === 0) return isPosix(first) ? '/' : undefined;
  return isPosix(first) ? `/${common.join('/')}` : `${common.join('\\')}\\`;
}
