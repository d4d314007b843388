// prognet schema
import { jsonSchemaText, toJsonSchema } from '../../tasks/json-schema.js';
import { type GlobalOptions, result } from '../report.js';

export function schema(options: GlobalOptions): void {
  result(options, toJsonSchema(), jsonSchemaText());
}
