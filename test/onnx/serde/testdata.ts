// ONNX's backend-test models: PROGNET_ONNX_TESTDATA, or what scripts/fetch-onnx-testdata has put into .cache.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const folder =
  process.env.PROGNET_ONNX_TESTDATA ?? fileURLToPath(new URL('../../../.cache/onnx-testdata', import.meta.url));

/** Names of all models, sorted. Throws when there are none: a round trip over nothing proves nothing. */
export function backendModels(): string[] {
  const names = existsSync(folder)
    ? readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.onnx'))
    : [];
  if (names.length === 0) throw new Error(`no ONNX backend tests in ${folder}: run sh scripts/fetch-onnx-testdata`);
  return names.sort();
}

/** The bytes of one of them. */
export function backendModel(name: string): Uint8Array {
  return new Uint8Array(readFileSync(join(folder, name)));
}
