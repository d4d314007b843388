// Where an npm package lies that only some users install (an optional peer), and what it exports.
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** What `name` resolves to, seen from prognet itself or from the working folder. Throws what Node says of it. */
function resolved(name: string): string {
  let missing: unknown;
  for (const from of [import.meta.url, join(process.cwd(), 'package.json')]) {
    try {
      return createRequire(from).resolve(name);
    } catch (cause) {
      missing = cause;
    }
  }
  throw missing;
}

/** The folder of the file that `name` resolves to. Throws what Node says of it. */
export function packageFolder(name: string): string {
  return dirname(resolved(name));
}

/** What the package exports. Throws what Node says of it. */
export async function importPackage(name: string): Promise<object> {
  return Object(await import(pathToFileURL(resolved(name)).href));
}
