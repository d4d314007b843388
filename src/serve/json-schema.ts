// The published JSON Schema of the file for `serve --config`: docs/serve.schema.json. Generated from the schema that parses.
import * as z from 'zod';
import { serveSchema } from './options.js';

/** JSON Schema (draft 2020-12) of what may be written. */
export function serveJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(serveSchema, {
    io: 'input',
    override: ({ jsonSchema, path }) => {
      // One for each core of the machine that asks.
      if (path.join('.') === 'properties.workers') delete jsonSchema.default;
    },
  });
  return { ...schema, title: 'prognet serve --config' };
}

/** The text of docs/serve.schema.json. */
export const serveSchemaText = (): string => `${JSON.stringify(serveJsonSchema(), null, 2)}\n`;
