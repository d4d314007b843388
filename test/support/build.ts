// Before all tests: the package is built when it is older than its sources, since some tests run it as users do.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const repo = new URL('../..', import.meta.url).pathname;

export function setup(): void {
  const built = join(repo, 'dist/studio/index.html');
  const sources = readdirSync(join(repo, 'src'), { recursive: true, encoding: 'utf8' }).map((name) => join(repo, 'src', name));
  const newest = Math.max(...sources.map((path) => statSync(path).mtimeMs));
  if (existsSync(built) && statSync(built).mtimeMs > newest) return;
  execFileSync('npm', ['run', '--silent', 'build'], { cwd: repo });
}
