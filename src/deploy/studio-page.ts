// The page of `prognet studio` as files: what `npm run build` made of src/studio, onnxruntime-web beside it, a network to begin with, and a
// lesson to try where there is one. The same files are served on this machine or written as a folder for any web server.
import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { WorkspaceError } from '../onnx/core/errors.js';
import { type Files, text } from './deployment.js';
import { fileOf, onnxruntimeFiles } from './onnxruntime-files.js';

/** Where `npm run build` puts the page, beside the compiled folders. */
const page = fileURLToPath(new URL('../studio/', import.meta.url));
const demo = fileURLToPath(new URL('../../templates/studio/', import.meta.url));
const built = 'a package built with npm run build';

/** Labelled examples as an IDX pair. */
export interface Lesson {
  readonly title: string;
  readonly images: Uint8Array;
  readonly labels: Uint8Array;
}

export interface StudioParts {
  /** Folder of onnxruntime-web's modules. */
  readonly onnxruntime: string;
  /** A .prognet file; undefined: the demo network that comes with the package. */
  readonly network?: Uint8Array;
  readonly lesson?: Lesson;
}

/** What the page reads first: which network, which lesson, and every file that it needs to work without a connection. */
export const manifestName = 'studio.json';

export function studioPage({ onnxruntime, network, lesson }: StudioParts): Files {
  if (!existsSync(page)) throw new WorkspaceError(`${page}: missing, expected ${built}`, { path: page, expected: built });
  const names = readdirSync(page, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.parentPath.slice(page.length)}/${entry.name}`.replaceAll('\\', '/').replace(/^\/+/, ''));
  const files = new Map(names.sort().map((name) => [name, fileOf(page, name, built)]));
  for (const [name, bytes] of onnxruntimeFiles(onnxruntime)) files.set(name, bytes);
  files.set('network.prognet', network ?? fileOf(demo, 'demo.prognet', built));
  if (lesson !== undefined) {
    files.set('lesson-images.idx', lesson.images);
    files.set('lesson-labels.idx', lesson.labels);
  }
  const manifest = { demo: network === undefined, lesson: lesson?.title ?? null, files: [...files.keys()] };
  return files.set(manifestName, text(JSON.stringify(manifest)));
}
