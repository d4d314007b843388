// A network from disk: a workspace, or a .prognet file.

import { statSync } from 'node:fs';
import type { Network } from '../network/network.js';
import { readNetwork } from '../network/read-network.js';
import { anObject, given, optional, text } from '../onnx/core/given.js';
import { fileError } from '../onnx/files/file-error.js';
import { readWhole } from '../onnx/files/read-file.js';
import { loadRuntime } from '../onnx/runtime/load.js';
import type { Runtime } from '../onnx/runtime/session.js';
import { WorkspaceNetwork } from './workspace-network.js';

/** What runs the network's graphs. */
export interface OpenOptions {
  /** What runs its graphs; default: onnxruntime-node, or onnxruntime-web's wasm where that is absent. */
  readonly on?: Runtime;
}

/**
 * Opens a network: of a folder (or one within it) the workspace, of a file the network it holds.
 * @throws WorkspaceError, DataError or DescriptionError in one line; RuntimeError where there is no runtime
 */
export async function open(path: string, options: OpenOptions = {}): Promise<WorkspaceNetwork | Network> {
  given('open', { options }, { options: anObject });
  const { on } = options;
  given('open', { path, on }, { path: text, on: optional(anObject) });
  let isFile: boolean;
  try {
    isFile = statSync(path).isFile();
  } catch (cause) {
    throw fileError('read', path, cause);
  }
  const runtime = on ?? (await loadRuntime()).runtime;
  return isFile ? (await readNetwork(readWhole(path), path)).on(runtime) : WorkspaceNetwork.open(path, runtime);
}
