// The table of docs/serve.md says what the campaigns beside a real Triton know of differences, over HTTP and over gRPC: no row more, none less, and the statuses in its cells.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { repo } from '../cli/support.js';
import { differs } from './triton-calls.js';
import { type Reason, reasons, requests } from './triton-requests.js';

/** As the page says it. */
const statuses: Readonly<Record<string, number>> = {
  OK: 200,
  INVALID_ARGUMENT: 400,
  NOT_FOUND: 404,
  INTERNAL: 500,
  UNIMPLEMENTED: 501,
};

const page = readFileSync(join(repo, 'docs/serve.md'), 'utf8');
const [, table = ''] = /^\| request \| Triton \| here \|.*\n\|.*\n((?:\|.*\n)+)/m.exec(page) ?? [];
const rows = table
  .trimEnd()
  .split('\n')
  .map((row) => row.split('|').map((cell) => cell.trim()));
/** Reason, statuses of Triton and of prognet serve, of every request that differs. */
const all: readonly (readonly [Reason, number, number])[] = [
  ...Object.values(requests).flatMap(({ differs }) => (differs === undefined ? [] : [differs])),
  ...Object.values(differs).map(
    ([why, triton, own]) => [why, statuses[triton] ?? Number.NaN, statuses[own] ?? Number.NaN] as const,
  ),
];

it('every reason is a row, there is no other, and each is of a request', () => {
  expect(rows.map(([, request]) => request)).toEqual(Object.values(reasons));
  // Answers of that reason are compared as equal, but for the shape.
  expect([...new Set(all.map(([why]) => why)), 'perRow'].toSorted()).toEqual(Object.keys(reasons).toSorted());
});

it.each(Object.entries(reasons))('%s: statuses in the cells are those of the requests', (reason, request) => {
  const [, , triton = '', here = ''] = rows.find(([, own]) => own === request) ?? [];
  const own = all.filter(([why]) => why === reason);
  const of = (side: 1 | 2) => [...new Set(own.map((one) => one[side]))].toSorted();
  const said = (cell: string) => [...new Set(cell.match(/\b[2-5]\d\d\b/g)?.map(Number))].toSorted();
  if (said(triton).length > 0) expect(said(triton)).toEqual(of(1));
  if (said(here).length > 0) expect(said(here)).toEqual(of(2));
  else expect(of(2)).toEqual(of(1));
});
