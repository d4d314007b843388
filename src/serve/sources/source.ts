// Where models come from: places on disk, each of which says what it holds now and reads it when it is asked.
import { resolve } from 'node:path';
import { DataError, UsageError } from '../../onnx/core/errors.js';
import type { Model } from '../../onnx/ir/model.js';

/** Bytes of which a session is made. */
export interface Readable {
  /** What the signature and the facts are read off. */
  readonly model: Model;
  readonly bytes: Uint8Array;
  /** Where weights lie that are not in the bytes. */
  readonly weightsFolder?: string;
}

/** A model that a place holds. */
export interface Held {
  readonly name: string;
  /** Another one once the model has changed. */
  readonly stamp: string;
  /** Throws PrognetError in one line. */
  read(): Promise<Readable>;
}

/** A place. */
export interface Source {
  /** The path, as it was given. */
  readonly place: string;
  /** What it holds now. Throws PrognetError in one line. */
  held(): Promise<readonly Held[]>;
}

/** A name that stands in a URL and in a folder as it is. */
export function servedName(name: string, place: string): string {
  if (/^[\w-][\w.-]*$/.test(name)) return name;
  const expected = 'letters, digits, "-", "_" and "."';
  throw new UsageError(`${place}: the name "${name}" cannot be a served model's, expected ${expected}`, { expected, got: name });
}

/** What all places hold, sorted by name. Throws DataError for a name that two of them have. */
export async function heldBy(sources: readonly Source[]): Promise<readonly Held[]> {
  const found = new Map<string, { readonly held: Held; readonly place: string }>();
  for (const source of sources) {
    for (const held of await source.held()) {
      const before = found.get(held.name);
      if (before !== undefined) {
        const where =
          resolve(before.place) === resolve(source.place)
            ? `twice in ${source.place}`
            : `in ${before.place} and in ${source.place}`;
        throw new DataError(`the model "${held.name}" is ${where}, expected each name once`, { got: held.name });
      }
      found.set(held.name, { held, place: source.place });
    }
  }
  return [...found.values()].map(({ held }) => held).sort((a, b) => (a.name < b.name ? -1 : 1));
}
