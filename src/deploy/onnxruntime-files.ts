// onnxruntime-web's files that lie beside a page: its builds for wasm and for WebGPU, each a module and a .wasm, and the licences of what these
// hold of others.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WorkspaceError } from '../onnx/core/errors.js';

const names = {
  wasm: ['ort.wasm.bundle.min.mjs', 'ort-wasm-simd-threaded.wasm'],
  webgpu: ['ort.webgpu.bundle.min.mjs', 'ort-wasm-simd-threaded.asyncify.wasm'],
} as const;

/** Where `npm run build` puts the notices, beside the compiled folders. */
const licenses = fileURLToPath(new URL('../licenses/', import.meta.url));
const notices = 'ONNXRUNTIME-THIRD-PARTY-NOTICES.txt';

/** A file that must be there. Throws WorkspaceError that says what would bring it. */
export function fileOf(folder: string, name: string, expected: string): Uint8Array {
  const path = join(folder, name);
  if (existsSync(path)) return readFileSync(path);
  throw new WorkspaceError(`${path}: missing, expected ${expected}`, { path, expected });
}

/**
 * By name.
 * @param folder that of onnxruntime-web's modules
 * @param webgpu whether the build for WebGPU, which is twice as large, is there beside the one for wasm
 */
export function onnxruntimeFiles(folder: string, webgpu: boolean): Map<string, Uint8Array> {
  const chosen: string[] = [...names.wasm, ...(webgpu ? names.webgpu : [])];
  const files = new Map(chosen.map((name) => [name, fileOf(folder, name, 'onnxruntime-web 1.30')]));
  return files.set(notices, fileOf(licenses, notices, 'a package built with npm run build'));
}
