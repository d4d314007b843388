// prognet schema
import { UsageError } from '../../onnx/core/errors.js';
import { serveJsonSchema, serveSchemaText } from '../../serve/json-schema.js';
import { jsonSchemaText, toJsonSchema } from '../../tasks/json-schema.js';
import { type GlobalOptions, result } from '../report.js';

export function schema(of: string | undefined, options: GlobalOptions): void {
  if (of === undefined) result(options, toJsonSchema(), jsonSchemaText());
  else if (of === 'serve') result(options, serveJsonSchema(), serveSchemaText());
  else
    throw new UsageError(`unknown schema "${of}", expected serve, or nothing for that of descriptions`, {
      expected: 'serve',
      got: of,
    });
}
