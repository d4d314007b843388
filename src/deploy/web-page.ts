// A static page over prognet/web: templates/web/index.html, the library's browser bundle, onnxruntime-web's files and the network as one file.
// Any web server will do that knows .wasm and .mjs; it works from any path, and needs no other host.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Files, text } from './deployment.js';
import { fileOf, onnxruntimeFiles } from './onnxruntime-files.js';

const template = new URL('../../templates/web/index.html', import.meta.url);
/** Where `npm run build` puts the browser bundle, beside the compiled folders. */
const library = fileURLToPath(new URL('../browser/', import.meta.url));
/** The licences of what is in them, and of onnxruntime-web, with them. */
const libraryFiles = ['prognet.js', 'worker.js', 'THIRD-PARTY-NOTICES.txt'];

const escaped = (title: string): string => title.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);

/** @param onnxruntime the folder of onnxruntime-web's modules */
export function webPage(name: string, network: Uint8Array, onnxruntime: string): Files {
  const files = new Map<string, Uint8Array>([
    ...onnxruntimeFiles(onnxruntime),
    ['index.html', text(readFileSync(template, 'utf8').replaceAll('{{title}}', escaped(name)))],
    ['network.prognet', network],
  ]);
  for (const file of libraryFiles) files.set(file, fileOf(library, file, 'a package built with npm run build'));
  return files;
}
