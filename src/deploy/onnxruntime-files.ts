// onnxruntime-web's files that lie beside a page: its builds for wasm and for WebGPU, each a module and a .wasm.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { WorkspaceError } from '../onnx/core/errors.js';

const names = [
  'ort.wasm.bundle.min.mjs',
  'ort-wasm-simd-threaded.wasm',
  'ort.webgpu.bundle.min.mjs',
  'ort-wasm-simd-threaded.asyncify.wasm',
];

/** A file that must be there. Throws WorkspaceError that says what would bring it. */
export function fileOf(folder: string, name: string, expected: string): Uint8Array {
  const path = join(folder, name);
  if (existsSync(path)) return readFileSync(path);
  throw new WorkspaceError(`${path}: missing, expected ${expected}`, { path, expected });
}

/** By name. @param folder that of onnxruntime-web's modules */
export function onnxruntimeFiles(folder: string): Map<string, Uint8Array> {
  return new Map(names.map((name) => [name, fileOf(folder, name, 'onnxruntime-web 1.30')]));
}
