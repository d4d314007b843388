// A static page over prognet/web: templates/web/index.html, the library's browser bundle, onnxruntime-web's files and the network as one file.
// Any web server will do that knows .wasm and .mjs; it works from any path, and needs no other host.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { WorkspaceError } from '../../core/errors.js';
import { type Files, text } from './bundle.js';

const template = new URL('../../../templates/web/index.html', import.meta.url);
/** Where `npm run build` puts the browser bundle, beside the compiled folders. */
const library = new URL('../../browser/', import.meta.url).pathname;
const libraryFiles = ['prognet.js', 'worker.js'];
const onnxruntimeFiles = [
  'ort.wasm.bundle.min.mjs',
  'ort-wasm-simd-threaded.wasm',
  'ort.webgpu.bundle.min.mjs',
  'ort-wasm-simd-threaded.asyncify.wasm',
];

const escaped = (title: string): string => title.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);

function fileOf(folder: string, name: string, expected: string): Uint8Array {
  const path = join(folder, name);
  if (existsSync(path)) return readFileSync(path);
  throw new WorkspaceError(`${path}: missing, expected ${expected}`, { path, expected });
}

/** @param onnxruntime the folder of onnxruntime-web's modules */
export function webPage(name: string, bundle: Uint8Array, onnxruntime: string): Files {
  const files = new Map<string, Uint8Array>([
    ['index.html', text(readFileSync(template, 'utf8').replaceAll('{{title}}', escaped(name)))],
    ['network.prognet', bundle],
  ]);
  for (const file of libraryFiles) files.set(file, fileOf(library, file, 'a package built with npm run build'));
  for (const file of onnxruntimeFiles) files.set(file, fileOf(onnxruntime, file, 'onnxruntime-web 1.30'));
  return files;
}
