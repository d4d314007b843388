// What the page came with, from beside it: its manifest, the network, what is known of its tasks, the lesson.
import * as z from 'zod';
import { type About, decodeAbout } from '../data/about-tasks.js';
import { RuntimeError } from '../web.js';

const manifestSchema = z.object({
  demo: z.boolean(),
  lesson: z.string().nullable(),
  /** The network's name, for pages that ask alone. */
  title: z.string().nullable(),
  /** Whether ONNX Runtime's files for WebGPU lie beside the page. */
  webgpu: z.boolean(),
});
export type Served = z.output<typeof manifestSchema>;

export async function fetchBytes(name: string): Promise<Uint8Array<ArrayBuffer>> {
  let response: Response;
  try {
    response = await fetch(new URL(name, document.baseURI));
  } catch (cause) {
    throw new RuntimeError(`${name} cannot be fetched: is its server still running?`, { path: name, cause });
  }
  if (!response.ok) throw new RuntimeError(`${name}: the server answers ${response.status}`, { path: name });
  return new Uint8Array(await response.arrayBuffer());
}

export async function served(): Promise<Served> {
  const text = new TextDecoder().decode(await fetchBytes('studio.json'));
  return manifestSchema.parse(JSON.parse(text));
}

/** What is known of the tasks of the network that the page came with. */
export async function servedAbout(): Promise<About> {
  const name = 'about.safetensors';
  return decodeAbout(await fetchBytes(name), name);
}

/** Hex; where the page has no hash, since it is not served securely, the length stands in. */
export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  if (crypto.subtle === undefined) return `length ${bytes.length}`;
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return [...hash].map((b) => b.toString(16).padStart(2, '0')).join('');
}
