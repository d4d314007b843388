// Where the package onnxruntime-node lies, for what its API does not offer: its native binaries and its install script.
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { RuntimeError } from '../core/errors.js';

/** The package's folder. Throws RuntimeError where it is not installed. */
export function packageFolder(): string {
  try {
    return dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'));
  } catch (cause) {
    throw new RuntimeError('onnxruntime-node is not installed', {
      remedy: { kind: 'install', package: 'onnxruntime-node' },
      cause,
    });
  }
}

export function binaryFolder(): string {
  return join(packageFolder(), 'bin', 'napi-v6', process.platform, process.arch);
}

/** Where onnxruntime-web's modules and .wasm files lie. Throws RuntimeError where it is not installed. */
export function webPackageFolder(): string {
  try {
    return dirname(createRequire(import.meta.url).resolve('onnxruntime-web'));
  } catch (cause) {
    throw new RuntimeError('onnxruntime-web is not installed, its files go into the bundle', {
      remedy: { kind: 'install', package: 'onnxruntime-web' },
      cause,
    });
  }
}
