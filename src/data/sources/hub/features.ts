// What the columns of a dataset of Hugging Face are: the note "huggingface" of its files, as the library `datasets` writes it.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as z from 'zod';
import { defaultMaxBytes } from '../../../formats/data-error.js';
import { jsonOrNothing } from '../../../formats/json-or-nothing.js';
import type { OpenTable } from '../../../formats/open-table.js';
import { must } from '../../../onnx/core/errors.js';
import { type HubPart, openFileGroups } from './parts.js';

/** A column, as far as it matters. */
export interface HubFeature {
  readonly name: string;
  readonly kind: 'image' | 'class' | 'other';
  /** Of classes, what they are called. */
  readonly names: readonly string[];
}

const noted = z.object({ info: z.object({ features: z.record(z.string(), z.unknown()) }) });
const saved = z.object({ features: z.record(z.string(), z.unknown()) });
const named = z.object({ _type: z.literal('ClassLabel'), names: z.array(z.string()).min(1) });
const image = z.object({ _type: z.literal('Image') });

/** The columns of a part, as its first file says it; undefined where that says nothing. */
export async function featuresIn(part: HubPart): Promise<readonly HubFeature[] | undefined> {
  const file = must(part.files[0], 'file');
  return featuresOf(await openFileGroups(part, file, true, defaultMaxBytes), part, file);
}

/** The columns of a file; undefined where nothing says what they are. */
export function featuresOf(
  { notes, names }: Pick<OpenTable, 'notes' | 'names'>,
  { format }: HubPart,
  file: string,
): readonly HubFeature[] | undefined {
  const note = noted.safeParse(jsonOrNothing(notes.get('huggingface')));
  const beside = join(dirname(file), 'dataset_info.json');
  const info =
    format === 'arrow' && existsSync(beside) ? saved.safeParse(jsonOrNothing(readFileSync(beside, 'utf8'))) : undefined;
  const features = note.data?.info.features ?? info?.data?.features;
  if (features === undefined) return undefined;
  return Object.entries(features)
    .filter(([name]) => names.includes(name))
    .map(([name, feature]) => {
      const classes = named.safeParse(feature);
      const kind = classes.success ? 'class' : image.safeParse(feature).success ? 'image' : 'other';
      return { name, kind, names: classes.data?.names ?? [] };
    });
}
