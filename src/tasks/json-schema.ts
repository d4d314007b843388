// The published JSON Schema of a description, for editors: models/prognet.schema.json. Generated from the schemas that parse.
import * as z from 'zod';
import { dataDefinitions } from '../data/schema.js';
import { augmentDefinitions } from '../model/description/augment-schema.js';
import { descriptionSchema, inputDefinitions } from '../model/description/description.js';
import { lateralDefinitions } from '../model/description/lateral-schema.js';
import { trainDefinitions } from '../model/description/train-schema.js';
import { headDefinitions } from '../model/heads/heads.js';
import { severalDefinitions } from '../model/heads/several-schema.js';
import { initDefinitions } from '../model/nn/init.js';
import { layerDefinitions } from '../model/nn/layers.js';
import { stepDefinitions } from '../model/prepare/prepare.js';

const definitions: Readonly<Record<string, z.ZodType>> = {
  ...inputDefinitions,
  ...initDefinitions,
  ...layerDefinitions,
  ...stepDefinitions,
  ...headDefinitions,
  ...severalDefinitions,
  ...lateralDefinitions,
  ...trainDefinitions,
  ...augmentDefinitions,
  ...dataDefinitions,
};

/** Sums are `$ref`s that stand for schemas decided by name when parsing, and so are opaque to zod. */
function plainSchema(schema: z.ZodType): Record<string, unknown> {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
    override: ({ jsonSchema }) => {
      // What refers to a definition says no more than that.
      if (jsonSchema.$ref !== undefined) delete jsonSchema.anyOf;
    },
  });
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
