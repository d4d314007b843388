// Three of the models of docs/models.md, from packages that scripts/test fetches, go all the way as `node scripts/models/table.mjs` takes each: imported,
// compared bit for bit with the file, grown by a column, verified, exported, run in Python. The page is what the script keeps.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { environment } from './python/python.js';

const repo = new URL('..', import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), 'prognet-sample-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const models = {
  'packages/basic-pitch/basic_pitch/saved_models/icassp_2022/nmp.onnx': { taps: 4, arguments: undefined },
  'packages/magika/magika/models/standard_v3_3/model.onnx': { taps: 2, arguments: undefined },
  'packages/arabic-name-romanizer/arabic_name_romanizer/resources/encoder.onnx': { taps: 1, arguments: '--dim src_len=64' },
};
/** A voice detector that reads its batch as the windows of one recording, one after another. */
const sequence = 'packages/faster-whisper/faster_whisper/assets/silero_vad_v6.onnx';
const python = environment('.venv');
const absent = [...Object.keys(models), sequence].filter((name) => !existsSync(join(repo, '.cache/models', name)));
if (absent.length > 0 && process.env.CI === 'true') throw new Error(`${absent[0]} is missing: see scripts/test`);
const note = absent.length > 0 ? ' (skipped: not fetched, see scripts/test)' : python.note;

interface Row {
  readonly model: string;
  readonly stopped?: string;
  readonly reason?: string;
  readonly arguments?: string;
  readonly taps?: readonly string[];
  readonly apart?: Readonly<Record<string, number | string | object>>;
  readonly forms?: Readonly<Record<string, number | string>>;
}

it.skipIf(note !== '')(
  `three models from packages go all the way${note}`,
  () => {
    const file = join(folder, 'results.json');
    execFileSync(process.execPath, [join(repo, 'scripts/models/table.mjs'), '--into', file, ...Object.keys(models)]);
    const rows: Row[] = JSON.parse(readFileSync(file, 'utf8'));
    const found = rows.map(({ model, stopped, reason, taps = [], ...row }) => [
      model,
      { stopped, reason, taps: taps.length, arguments: row.arguments },
    ]);
    const expected = Object.entries(models).map(([name, of]) => [name, { stopped: undefined, reason: undefined, ...of }]);
    expect(Object.fromEntries(found)).toEqual(Object.fromEntries(expected));
    for (const { model, taps = [], apart = {}, forms = {} } of rows) {
      // Taps and at least one output.
      expect(Object.keys(apart).length, model).toBeGreaterThan(taps.length);
      expect([model, Object.values(apart).filter((v) => v !== 0)]).toEqual([model, []]);
      const { routed, ...others } = forms;
      expect(routed).toBe('a routed model needs two tasks or more, expected at least two trained ones');
      expect(Object.keys(others).toSorted()).toEqual(['all', 'fused', 'task']);
      for (const v of Object.values(others)) expect(v).toBeLessThan(1e-5);
    }
  },
  240_000,
);

it.skipIf(note !== '')(
  `of a model whose rows read each other from some depth on, the taps before it are taken${note}`,
  () => {
    const file = join(folder, 'sequence.json');
    execFileSync(process.execPath, [join(repo, 'scripts/models/table.mjs'), '--into', file, sequence]);
    const [row]: Row[] = JSON.parse(readFileSync(file, 'utf8'));
    expect(row?.reason).toBe(undefined);
    expect(row?.taps?.map((tap) => tap.split(' ')[0])).toEqual([
      '/encoder/relu/Relu_output_0',
      '/encoder/relu_1/Relu_output_0',
      '/encoder/relu_2/Relu_output_0',
      '/encoder/relu_3/Relu_output_0',
    ]);
  },
  120_000,
);

it('docs/models.md is what the script keeps', () => {
  execFileSync(process.execPath, [join(repo, 'scripts/models/page.mjs'), '--check'], { encoding: 'utf8' });
});
