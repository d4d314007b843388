// The published JSON Schema of a description, for editors: models/prognet.schema.json. Generated from the schemas that parse.
import * as z from 'zod';
import { headDefinitions } from '../heads/heads.js';
import { initDefinitions } from '../nn/init.js';
import { layerDefinitions } from '../nn/layers.js';
import { descriptionSchema, inputDefinitions } from './description.js';
import { lateralDefinitions } from './lateral-schema.js';
import { trainDefinitions } from './train-schema.js';

const definitions: Readonly<Record<string, z.ZodType>> = {
  ...inputDefinitions,
  ...initDefinitions,
  ...layerDefinitions,
  ...headDefinitions,
  ...lateralDefinitions,
  ...trainDefinitions,
};

/** Sums are `$ref`s that stand for schemas decided by name when parsing, and so are opaque to zod. */
function plainSchema(schema: z.ZodType): Record<string, unknown> {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  return rest;
}

/** JSON Schema (draft 2020-12) of what may be written. */
export function toJsonSchema(): Record<string, unknown> {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'prognet description',
    ...plainSchema(descriptionSchema),
    $defs: Object.fromEntries(Object.entries(definitions).map(([name, schema]) => [name, plainSchema(schema)])),
  };
}

/** The text of models/prognet.schema.json. */
export function jsonSchemaText(): string {
  return `${JSON.stringify(toJsonSchema(), null, 2)}\n`;
}
