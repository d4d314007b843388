import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DataError, WorkspaceError } from '../../src/onnx/core/errors.js';
import { sha256, sha256Tensors } from '../../src/onnx/files/hash.js';
import { ownIdentity } from '../../src/onnx/files/process-identity.js';
import type { ColumnDraft } from '../../src/workspace/column-record.js';
import { freezeColumn, listColumns, loadColumn } from '../../src/workspace/column-store.js';
import { isJsonObject, type Json, parseJson, stableJson } from '../../src/workspace/json.js';
import { sampleDraft, sampleTensors } from './sample.js';
import { errorOf, messageOf, temporaryFolder } from './support.js';

function frozen(): { readonly root: string; readonly weights: string; readonly record: string } {
  const root = temporaryFolder();
  freezeColumn(root, sampleDraft('digits'), sampleTensors('digits'));
  const folder = join(root, 'columns', 'digits');
  return { root, weights: join(folder, 'weights.safetensors'), record: join(folder, 'column.json') };
}

function overwrite(path: string, content: string | Uint8Array): void {
  chmodSync(path, 0o644);
  writeFileSync(path, content);
}

/** Writes another record and, as a forger would, the `self` that fits it. */
function forge(path: string, change: (record: Record<string, Json>) => void): void {
  const value = parseJson(readFileSync(path), path);
  if (!isJsonObject(value)) throw new Error('no record');
  const { self: _, ...record } = value;
  change(record);
  overwrite(path, stableJson({ ...record, self: sha256(stableJson(record)) }));
}

describe('freezeColumn', () => {
  it('writes two read-only files that load again as they were', () => {
    const { root } = frozen();
    const folder = join(root, 'columns', 'digits');
    expect(readdirSync(join(root, 'columns'))).toEqual(['.frozen', 'digits']);
    expect(readdirSync(folder).sort()).toEqual(['column.json', 'weights.safetensors']);
    for (const name of readdirSync(folder)) expect(statSync(join(folder, name)).mode & 0o777).toBe(0o444);
    const { record, tensors } = loadColumn(root, 'digits');
    expect(sha256Tensors(tensors)).toBe(sha256Tensors(sampleTensors('digits')));
    const { sha256: hashes, self, format, ...rest } = record;
    const { sha256: given, ...draft } = sampleDraft('digits');
    expect(rest).toEqual(draft);
    expect(hashes.graph).toBe(given.graph);
    expect(hashes.weights).toBe(sha256(readFileSync(join(folder, 'weights.safetensors'))));
    expect([format, self.length]).toEqual([1, 64]);
  });

  it('is deterministic, byte for byte', () => {
    const a = frozen();
    const b = frozen();
    expect(readFileSync(a.weights)).toEqual(readFileSync(b.weights));
    expect(readFileSync(a.record)).toEqual(readFileSync(b.record));
  });

  it('notes the time when none is stated', () => {
    const root = temporaryFolder();
    const { createdAt: _, ...draft } = sampleDraft('digits');
    const record = freezeColumn(root, draft, new Map());
    expect(Math.abs(Date.parse(record.createdAt) - Date.now())).toBeLessThan(60_000);
    expect(loadColumn(root, 'digits').tensors.size).toBe(0);
  });

  it('refuses a frozen column, another folder in its place, and bad names', () => {
    const { root, weights } = frozen();
    const before = readFileSync(weights);
    const freeze = (task: string) => messageOf(() => freezeColumn(root, sampleDraft(task), sampleTensors(task, 3)));
    expect(freeze('digits')).toBe(
      'column "digits" is frozen already, columns/digits is never written again; choose another task name',
    );
    expect(readFileSync(weights)).toEqual(before);
    mkdirSync(join(root, 'columns', 'notes'));
    writeFileSync(join(root, 'columns', 'notes', 'a.txt'), '');
    expect(freeze('notes')).toBe('columns/notes: holds "a.txt" but no column.json, so it is no frozen column; move it elsewhere');
    for (const task of ['../digits', '.x', '', 'a/b', '9']) {
      expect(freeze(task)).toBe(
        `task ${JSON.stringify(task)} is no valid name, expected a letter, then letters, digits, "_" or "-", at most 100`,
      );
    }
    mkdirSync(join(root, 'columns', 'empty'));
    freezeColumn(root, sampleDraft('empty'), sampleTensors('empty'));
    expect(listColumns(root)).toEqual(['digits', 'empty', 'notes']);
  });

  it('refuses a record that could not be read again', () => {
    const root = temporaryFolder();
    const freeze = (change: Partial<ColumnDraft>) =>
      messageOf(() => freezeColumn(root, { ...sampleDraft('digits'), ...change }, sampleTensors('digits')));
    expect(freeze({ metrics: { loss: Number.NaN } })).toBe(
      'columns/digits/column.json: metrics.loss: found NaN, expected a finite number',
    );
    expect(freeze({ history: [{ loss: Number.POSITIVE_INFINITY }] })).toBe(
      'columns/digits/column.json: history[0].loss: found Infinity, expected a finite number',
    );
    expect(freeze({ sha256: { graph: 'x' } })).toBe(
      'columns/digits/column.json: sha256.graph: found "x", expected a SHA-256, 64 lower-case hex digits',
    );
    expect(freeze({ createdAt: 'today' })).toBe(
      'columns/digits/column.json: createdAt: found "today", expected a time such as 2026-01-31T12:00:00.000Z',
    );
    expect(freeze({ seed: 1.5 })).toBe('columns/digits/column.json: seed: found 1.5, expected an integer');
    expect(listColumns(root)).toEqual([]);
  });

  it('says why it cannot write, and leaves nothing', () => {
    const root = temporaryFolder();
    writeFileSync(join(root, 'columns'), 'a file');
    expect(messageOf(() => freezeColumn(root, sampleDraft('digits'), sampleTensors('digits')))).toBe(
      `cannot read ${root}/columns/digits: a part of the path is a file, expected a folder`,
    );
    expect(messageOf(() => freezeColumn('/proc/nowhere', sampleDraft('digits'), sampleTensors('digits')))).toBe(
      'cannot write /proc/nowhere/columns/digits: the folder /proc/nowhere/columns does not exist',
    );
  });

  it('removes what an ended process left, and never what a live one writes', () => {
    const root = temporaryFolder();
    const columns = join(root, 'columns');
    const { pid, start, boot, host } = ownIdentity();
    const names = {
      live: `.a.tmp-${pid}-${start}-${boot}-${host}-0`,
      elsewhere: `.a.tmp-${pid}-${start}-${boot}-00000000-0`,
      reused: `.a.tmp-${pid}-${start + 1}-${boot}-${host}-0`,
      ended: `.a.tmp-4194999-${start}-${boot}-${host}-0`,
      rebooted: `.a.tmp-${pid}-${start}-12345678-${host}-0`,
    };
    for (const name of Object.values(names)) mkdirSync(join(columns, name, 'x'), { recursive: true });
    freezeColumn(root, sampleDraft('digits'), sampleTensors('digits'));
    expect(readdirSync(columns).sort()).toEqual([names.live, names.elsewhere, '.frozen', 'digits'].sort());
    mkdirSync(join(columns, names.ended));
    loadColumn(root, 'digits');
    expect(readdirSync(columns)).not.toContain(names.ended);
    expect(listColumns(root)).toEqual(['digits']);
  });
});

describe('loadColumn', () => {
  it('finds a change of one bit anywhere in the weights', () => {
    const { root, weights } = frozen();
    const good = readFileSync(weights);
    for (const at of [0, 20, good.length - 1]) {
      const bad = Buffer.from(good);
      bad[at] = (bad[at] ?? 0) ^ 1;
      overwrite(weights, bad);
      const error = errorOf(() => loadColumn(root, 'digits'));
      expect(error).toBeInstanceOf(WorkspaceError);
      expect(error.message).toBe(
        `columns/digits/weights.safetensors: changed since it was frozen, sha256 is ${sha256(bad).slice(0, 12)}.., column.json says ${sha256(good).slice(0, 12)}..`,
      );
      expect([error.expected, error.got]).toEqual([sha256(good), sha256(bad)]);
    }
    overwrite(weights, good.subarray(0, 100));
    expect(messageOf(() => loadColumn(root, 'digits'))).toMatch(
      /^columns\/digits\/weights\.safetensors: changed since it was frozen/,
    );
  });

  it('finds a changed record', () => {
    const { root, record } = frozen();
    const text = readFileSync(record, 'utf8');
    overwrite(record, text.replace('0.98', '0.99'));
    expect(messageOf(() => loadColumn(root, 'digits'))).toMatch(
      /^columns\/digits\/column\.json: changed since it was frozen, sha256 of its content is [0-9a-f]{12}\.\., its field self says [0-9a-f]{12}\.\.$/,
    );
    // Blanks and the order of keys are no content.
    overwrite(record, stableJson(parseJson(text, 'x'), 7));
    expect(loadColumn(root, 'digits').record.metrics.accuracy).toBe(0.98);
  });

  it('says what is missing, misplaced or of another format', () => {
    const { root, weights, record } = frozen();
    expect(messageOf(() => loadColumn(root, 'letters'))).toBe('column "letters" is not frozen, found digits');
    expect(messageOf(() => loadColumn(temporaryFolder(), 'letters'))).toBe('column "letters" is not frozen, no column is');
    expect(messageOf(() => loadColumn(root, '../x'))).toMatch(/^task "\.\.\/x" is no valid name/);
    const copy = join(root, 'columns', 'copy');
    mkdirSync(copy);
    copyFileSync(record, join(copy, 'column.json'));
    expect(messageOf(() => loadColumn(root, 'copy'))).toBe('columns/copy/weights.safetensors: missing, restore it from a copy');
    copyFileSync(weights, join(copy, 'weights.safetensors'));
    expect(messageOf(() => loadColumn(root, 'copy'))).toBe(
      'columns/copy/column.json: is the record of task "digits", expected "copy"; the folder was renamed',
    );
    rmSync(join(copy, 'column.json'));
    expect(messageOf(() => loadColumn(root, 'copy'))).toBe('columns/copy/column.json: missing, restore it from a copy');
    const bad = (content: string) => {
      overwrite(record, content);
      return messageOf(() => loadColumn(root, 'digits'));
    };
    expect(bad('[]')).toBe('columns/digits/column.json: found [], expected an object');
    expect(bad('{"format":2}')).toBe(
      'columns/digits/column.json: format 2 is newer than this prognet, which reads format 1; update prognet',
    );
    expect(bad('{}')).toBe('columns/digits/column.json: format: is missing, expected 1');
    expect(bad('{"a":')).toMatch(/^columns\/digits\/column\.json: not valid JSON, /);
  });

  it('checks each field even when the record fits its own hash', () => {
    const place = 'columns/digits/column.json';
    const cases: readonly (readonly [(r: Record<string, Json>) => void, string])[] = [
      [(r) => delete r.seed, `${place}: seed: is missing, expected an integer`],
      [(r) => Object.assign(r, { extra: 1 }), `${place}: unknown key "extra", expected a record of prognet`],
      [(r) => Object.assign(r, { data: {} }), `${place}: data.fingerprint: is missing, expected text`],
      [(r) => Object.assign(r, { metrics: { a: 'x' } }), `${place}: metrics.a: found "x", expected a finite number`],
      [(r) => Object.assign(r, { outputs: 7 }), `${place}: outputs: found 7, expected an object`],
      [(r) => Object.assign(r, { history: {} }), `${place}: history: found {}, expected a list`],
      [(r) => Object.assign(r, { task: '../x' }), `${place}: task: found "../x", expected a task name`],
    ];
    for (const [change, message] of cases) {
      const { root, record } = frozen();
      forge(record, change);
      expect(messageOf(() => loadColumn(root, 'digits'))).toBe(message);
    }
  });

  it('throws nothing but errors about input, whatever column.json holds', () => {
    const { root, record } = frozen();
    const good = readFileSync(record);
    const tolerated = (content: string | Uint8Array) => {
      overwrite(record, content);
      try {
        loadColumn(root, 'digits');
      } catch (error) {
        expect(error instanceof WorkspaceError || error instanceof DataError).toBe(true);
        expect(error instanceof Error ? error.message : '').not.toMatch(/[\n\r]/);
      }
    };
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.nat(255), fc.nat(good.length), (at, value, cut) => {
        const bytes = Buffer.from(good);
        bytes[at] = value;
        tolerated(bytes);
        tolerated(bytes.subarray(0, cut));
      }),
      { numRuns: 500 },
    );
    fc.assert(fc.property(fc.json(), tolerated), { numRuns: 300 });
    const value = parseJson(good, 'x');
    const keys = isJsonObject(value) ? Object.keys(value).filter((k) => k !== 'self') : [];
    fc.assert(
      fc.property(fc.constantFrom(...keys), fc.jsonValue(), (key, replacement) => {
        overwrite(record, good);
        const text = JSON.stringify(replacement);
        if (text.includes('__proto__')) return;
        forge(record, (r) => {
          r[key] = parseJson(text, 'x');
        });
        tolerated(readFileSync(record));
      }),
      { numRuns: 300 },
    );
    tolerated(`{"format":1,"data":${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}}`);
  });
});

describe('listColumns', () => {
  it('names folders alone, sorted', () => {
    const root = temporaryFolder();
    expect(listColumns(root)).toEqual([]);
    for (const task of ['b', 'a', 'C']) freezeColumn(root, sampleDraft(task), new Map());
    writeFileSync(join(root, 'columns', 'README'), '');
    mkdirSync(join(root, 'columns', '.git'));
    expect(listColumns(root)).toEqual(['C', 'a', 'b']);
    renameSync(join(root, 'columns'), join(root, 'moved'));
    writeFileSync(join(root, 'columns'), '');
    expect(messageOf(() => listColumns(root))).toBe(
      `cannot read ${root}/columns: a part of the path is a file, expected a folder`,
    );
  });
});
