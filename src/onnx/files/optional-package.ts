// Where an npm package lies that only some users install (an optional peer).
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** The folder of the file that `name` resolves to, seen from prognet itself or from the working folder. Throws what Node says of it. */
export function packageFolder(name: string): string {
  let missing: unknown;
  for (const from of [import.meta.url, join(process.cwd(), 'package.json')]) {
    try {
      return dirname(createRequire(from).resolve(name));
    } catch (cause) {
      missing = cause;
    }
  }
  throw missing;
}
