// Finds the training build of onnxruntime-web under Node: an optional peer, installed under the alias `ort-training` since the plain name
// belongs to the current onnxruntime-web. The package hides that build from Node, so that its bundle is imported by file.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { RuntimeError } from '../core/errors.js';
import { packageFolder } from '../files/optional-package.js';
import { ortReason } from './ort-session.js';
import { OrtTraining, type TrainingPackage } from './ort-training.js';

const install = { kind: 'install', package: 'ort-training@npm:onnxruntime-web@1.19.2', note: '100 MB' } as const;

/** The package's folder `dist`. */
function distFolder(): string {
  try {
    return packageFolder('ort-training');
  } catch (cause) {
    throw new RuntimeError('the engine ort-training needs a package that is not installed', {
      expected: 'ort-training',
      remedy: install,
      cause,
    });
  }
}

/** Throws RuntimeError that says what to install. */
export async function loadOrtTraining(): Promise<OrtTraining> {
  const file = join(distFolder(), 'ort.training.wasm.min.mjs');
  let module: TrainingPackage;
  try {
    module = await import(pathToFileURL(file).href);
  } catch (cause) {
    throw new RuntimeError(`${file}: cannot be loaded (${ortReason(cause)})`, { path: file, remedy: install, cause });
  }
  return OrtTraining.of(module);
}
