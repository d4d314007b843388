// The package as npm lays it down in a folder of its own: what is packed, and its dependencies without optional ones.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { repo } from '../cli/support.js';

/** Makes the folder. @param more packages that are installed beside */
export function laidDown(...more: string[]): string {
  const alone = mkdtempSync(join(tmpdir(), 'prognet-alone-'));
  const { dependencies } = JSON.parse(readFileSync(join(repo, 'package.json'), 'utf8'));
  for (const name of [...Object.keys(dependencies), ...more]) {
    const place = join(alone, 'node_modules', name);
    mkdirSync(dirname(place), { recursive: true });
    symlinkSync(join(repo, 'node_modules', name), place);
  }
  const packed = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: repo, encoding: 'utf8' });
  for (const { path } of JSON.parse(packed)[0].files) cpSync(join(repo, path), join(alone, path));
  return alone;
}
