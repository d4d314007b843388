// Every page is followed by a test from the packed package (test/tours.campaign.test.ts, test/pages.campaign.test.ts), and no command of one hides from it.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { blocksOf } from './support/tour.js';

const repo = new URL('..', import.meta.url).pathname;
const read = (file: string) => readFileSync(join(repo, file), 'utf8');

const pages = [
  'README.md',
  ...readdirSync(join(repo, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];
const followed = ['tours', 'pages'].flatMap((name) =>
  [...read(`test/${name}.campaign.test.ts`).matchAll(/\bfollow\('([\w./-]+)'/g)].map(([, page]) => page),
);

/** Pages without a block to follow. */
const without: Readonly<Record<string, string>> = {
  'docs/continual.md': 'figures of scripts that the package does not hold',
  'docs/decisions.md': 'a list of decisions',
  'docs/models.md': 'a table that node scripts/models/table.mjs writes',
  'docs/ops.md': 'a table that sh scripts/support-table writes',
  'docs/reliability.md': 'figures of scripts that the package does not hold',
  'docs/training-speed.md': 'what training does by itself',
  'docs/transfer.md': 'figures of scripts that the package does not hold',
};

it('each page is followed, or has nothing to follow', () => {
  expect([...followed, ...Object.keys(without)].toSorted()).toEqual(pages.toSorted());
  expect(Object.keys(without).flatMap((page) => blocksOf(read(page)))).toEqual([]);
});

it('no page shows commands or code outside of fenced blocks, which a test follows', () => {
  expect(pages.filter((page) => /^( {4,}|\t)(npm|npx|prognet|node|sh|python|pip|curl|docker|import) /m.test(read(page)))).toEqual(
    [],
  );
  // A fence that blocksOf does not find is none that is followed.
  const fences = (page: string) => (read(page).match(/^```/gm)?.length ?? 0) / 2;
  expect(pages.map((page) => [page, blocksOf(read(page)).length])).toEqual(pages.map((page) => [page, fences(page)]));
});

it('seventeen blocks are not run as they stand, each with its reason', () => {
  const left = pages.flatMap((page) =>
    blocksOf(read(page)).flatMap(({ left }) => (left === undefined ? [] : [`${page}: ${left}`])),
  );
  expect(left).toHaveLength(17);
});
