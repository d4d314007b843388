// What check and train say of a column whose laterals hold most of its weights, and of which columns they say nothing.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { check } from '../../src/cli/commands/check.js';
import type { ColumnInput } from '../../src/model/description/description.js';
import { parseDescription } from '../../src/model/description/parse.js';
import { columnsOf } from '../../src/model/progressive/column.js';
import { heavyLaterals } from '../../src/tasks/heavy-laterals.js';
import { trainTask } from '../../src/tasks/train-task.js';
import { runtime } from '../support/run.js';

/** What is said of a second column over a convolution's tap [8,12,12]. */
function said(second: Omit<ColumnInput, 'task' | 'head'>): string | undefined {
  const a: ColumnInput = {
    task: 'a',
    blocks: [
      [{ conv2d: { filters: 8, kernel: 3 } }, 'relu'],
      ['flatten', { dense: 40 }],
    ],
    head: { classify: 3 },
  };
  const columns = [a, { task: 'b', head: { classify: 2 }, ...second }];
  const description = parseDescription({ prognet: 1, name: 'n', input: { name: 'x', shape: [1, 14, 14] }, columns });
  return heavyLaterals(columnsOf(description).column('b'));
}
const blocks: ColumnInput['blocks'] = [['flatten', { dense: 12 }], [{ dense: 20 }]];

it('names the block, the tap with its shape, and what would be smaller', () => {
  // 1152 x 20 into block 1 and 40 x 2 into the head; its own are 196 x 12 + 12, 12 x 20 + 20 and 20 x 2 + 2.
  expect(said({ blocks })).toBe(
    'task "b": 23120 of its 25786 weights are laterals, 23040 of them into block 1, which reads tap 0 of "a", [8,12,12]; smaller would be join: pool, the mean over its positions, or an adapter with a small rank',
  );
  expect(said({ blocks, laterals: { kind: 'adapter', rank: 30 } })).toMatch(
    /into block 1, .* tap 0 of "a", \[8,12,12\]; smaller would be join: pool, .*, or a smaller rank$/,
  );
});

it('says what would be smaller of features', () => {
  const wide: ColumnInput['blocks'] = [['flatten', { dense: 1 }], [{ dense: 3 }], [{ dense: 400 }]];
  expect(said({ blocks: wide, laterals: { kind: 'linear', into: [2] } })).toBe(
    'task "b": 16000 of its 18605 weights are laterals, 16000 of them into block 2, which reads tap 1 of "a", [40]; smaller would be an adapter with a small rank',
  );
});

it('says nothing where they hold less, where weights are few, and of a head over features', () => {
  expect(said({ blocks, laterals: { kind: 'linear', join: 'pool' } })).toBeUndefined();
  expect(said({ blocks: [['flatten', { dense: 200 }], [{ dense: 20 }]] })).toBeUndefined();
  expect(said({ blocks: [['flatten', { dense: 2 }], [{ dense: 6 }]] })).toBeUndefined();
  expect(said({ blocks: [], laterals: { kind: 'linear' } })).toBeUndefined();
  expect(said({ blocks, laterals: 'none' })).toBeUndefined();
});

/** Two tasks over four numbers; the second's laterals hold 150 x 100 of its weights. */
const yaml = `prognet: 1
name: two
input: { name: x, shape: [4] }
columns:
  - task: a
    data: rows.csv
    blocks: [[{ dense: 150 }, relu]]
    head: { classify: 2 }
    train: { epochs: 1, batch: 4 }
  - task: b
    data: rows.csv
    blocks: [[{ dense: 4 }, relu], [{ dense: 100 }, relu]]
    head: { classify: 2 }
    train: { epochs: 1, batch: 4 }
`;

it('check and train say it, check --json as a note', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'prognet-heavy-'));
  writeFileSync(join(dir, 'prognet.yaml'), yaml);
  writeFileSync(
    join(dir, 'rows.csv'),
    `${Array.from({ length: 20 }, (_, i) => `${i % 2},${i % 3},${i % 5},1,${i % 2}`).join('\n')}\n`,
  );
  const line = expect.stringMatching(
    /^task "b": \d+ of its \d+ weights are laterals, 15000 of them into block 1, .*\[150\]; .* rank$/,
  );
  const out = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  const err = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  try {
    check({ json: true, workspace: dir });
    expect(JSON.parse(String(out.mock.calls[0]?.[0])).notes).toEqual([line]);
    expect(err).not.toHaveBeenCalled();
    check({ workspace: dir });
    expect(err.mock.calls.map(([text]) => String(text).trim())).toEqual([line]);
  } finally {
    out.mockRestore();
    err.mockRestore();
  }
  const notes: string[] = [];
  const onNote = (text: string) => {
    if (text.startsWith('task ')) notes.push(text);
  };
  await trainTask(runtime, dir, 'a', { onNote });
  expect(notes).toEqual([]);
  await trainTask(runtime, dir, 'b', { onNote });
  expect(notes).toEqual([line]);
});
