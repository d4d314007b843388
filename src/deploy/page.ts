// A page as files: what `npm run build` made of src/studio, onnxruntime-web beside it, and a network with what is known of its tasks. Either the
// studio, with a lesson to try where there is one, or its questions and answers alone. The same files are served on this machine or written as a
// folder for any web server.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import { WorkspaceError } from '../onnx/core/errors.js';
import { type Files, text } from './deployment.js';
import { fileOf, onnxruntimeFiles } from './onnxruntime-files.js';

/** Where `npm run build` puts the pages, beside the compiled folders. */
const pages = fileURLToPath(new URL('../studio/', import.meta.url));
const demo = fileURLToPath(new URL('../../templates/studio/', import.meta.url));
const built = 'a package built with npm run build';
const listSchema = z.object({ studio: z.array(z.string()), ask: z.array(z.string()) });

/** Labelled examples as an IDX pair. */
export interface Lesson {
  readonly title: string;
  readonly images: Uint8Array;
  readonly labels: Uint8Array;
}

/** A network with what is known of its tasks (data/about-tasks.ts). */
export interface PageNetwork {
  /** A .prognet file. */
  readonly network: Uint8Array;
  readonly about: Uint8Array;
}

export interface PageParts {
  /** Folder of onnxruntime-web's modules. */
  readonly onnxruntime: string;
  /** Whether its files for WebGPU are there too. */
  readonly webgpu: boolean;
  /** undefined: the demo network that comes with the package. */
  readonly own?: PageNetwork;
}

/** What a page reads first: which network, which lesson, and every file that it needs to work without a connection. */
export const manifestName = 'studio.json';
const aboutName = 'about.safetensors';

function pageFiles(page: 'studio' | 'ask', parts: PageParts): Map<string, Uint8Array> {
  const list = join(pages, 'pages.json');
  if (!existsSync(list)) throw new WorkspaceError(`${list}: missing, expected ${built}`, { path: list, expected: built });
  const names = listSchema.parse(JSON.parse(readFileSync(list, 'utf8')))[page];
  const files = new Map(names.map((name) => [name, fileOf(pages, name, built)]));
  for (const [name, bytes] of onnxruntimeFiles(parts.onnxruntime, parts.webgpu)) files.set(name, bytes);
  files.set('network.prognet', parts.own?.network ?? fileOf(demo, 'demo.prognet', built));
  return files.set(aboutName, parts.own?.about ?? fileOf(demo, 'demo-about.safetensors', built));
}

interface Manifest {
  readonly demo: boolean;
  readonly lesson: string | null;
  readonly title: string | null;
  readonly webgpu: boolean;
  readonly files: readonly string[];
}

const manifest = (said: Manifest): Uint8Array => text(JSON.stringify(said));

/** The page of `prognet studio`. */
export function studioPage(parts: PageParts, lesson?: Lesson): Files {
  const files = pageFiles('studio', parts);
  if (lesson !== undefined) {
    files.set('lesson-images.idx', lesson.images);
    files.set('lesson-labels.idx', lesson.labels);
  }
  const said = { demo: parts.own === undefined, lesson: lesson?.title ?? null, title: null, webgpu: parts.webgpu };
  return files.set(manifestName, manifest({ ...said, files: [...files.keys()] }));
}

/** The page of `prognet deploy web`. @param title a network's name: letters, digits, "-" and "_" alone */
export function askPage(title: string, parts: PageParts & { readonly own: PageNetwork }): Files {
  const files = pageFiles('ask', parts);
  const html = new TextDecoder().decode(files.get('ask.html')).replaceAll('{{title}}', title);
  files.delete('ask.html');
  files.set('index.html', text(html));
  return files.set(manifestName, manifest({ demo: false, lesson: null, title, webgpu: parts.webgpu, files: [...files.keys()] }));
}
