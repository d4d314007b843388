// `prognet report`: a workspace in every state as one page, its figures and its numbers, and what is refused.
import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { count } from '../../src/chart/numbers.js';
import { exampleStudy } from '../support/study-example.js';
import { okIn, prognet, workspace, yaml } from './support.js';

let dir = '';
beforeAll(() => {
  dir = workspace();
  okIn(dir, 'train', 'a', '--freeze', '--quiet');
  okIn(dir, 'train', 'b', '--quiet');
});
const out = () => mkdtempSync(join(tmpdir(), 'prognet-report-'));
const cellsOf = (page: string) =>
  [...page.matchAll(/<t[dh][^>]*>([^<]*)<\/t[dh]>/g)].map(([, text = '']) => text.replaceAll('&quot;', '"'));

it('writes one page, and its figures and numbers beside it', async () => {
  const to = out();
  const [html, figures, data] = ['r.html', 'figures', 'data'].map((name) => join(to, name));
  const { status, stdout, stderr } = prognet('report', dir, '-o', html ?? '', '--figures', figures ?? '', '--data', data ?? '');
  expect([status, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(/^\S+r\.html written: the tasks, learning curves, .*; and figures, data\n$/);
  const page = readFileSync(html ?? '', 'utf8');
  expect(page.length).toBeLessThan(150_000);
  expect(page).not.toMatch(/<script|https?:\/\/(?!www\.w3\.org\/2000\/svg")/);
  const names = readdirSync(figures ?? '').filter((name) => !name.startsWith('.'));
  expect(names).toEqual(expect.arrayContaining(['curves-a.svg', 'curves-a.png', 'curves-b.svg', 'growth.svg', 'growth.png']));
  for (const name of names.filter((n) => n.endsWith('.png'))) {
    const png = readFileSync(join(figures ?? '', name));
    expect(png.subarray(1, 4).toString()).toBe('PNG');
    // Twice the width of the picture.
    expect(png.readUInt32BE(16)).toBe(
      2 * Number(/ width="(\d+)"/.exec(readFileSync(join(figures ?? '', name.replace('png', 'svg')), 'utf8'))?.[1]),
    );
  }
  // Every number of the page is one of the data, and those of the data are what the other commands say.
  const { tables } = JSON.parse(readFileSync(join(data ?? '', 'report.json'), 'utf8'));
  const cells = new Set(cellsOf(page));
  for (const row of tables.tasks) {
    expect(cells).toContain(count(row.parameters));
    expect(cells).toContain(row.test_accuracy.toFixed(4));
  }
  const growth = JSON.parse(okIn(dir, 'analyze', '--json')).tasks;
  expect(
    tables.growth.map((row: Record<string, number>) => [row.task, row.model_parameters, row.model_bytes, row.multiply_adds]),
  ).toEqual(
    growth.map(({ task, model }: { task: string; model: Record<string, number> }) => [
      task,
      model.parameters,
      model.bytes,
      model.multiplyAdds,
    ]),
  );
  const record = JSON.parse(readFileSync(join(dir, 'columns/a/column.json'), 'utf8'));
  expect(tables.proof).toMatchObject([
    { task: 'a', weights_sha256: record.sha256.weights, outputs_sha256: record.outputs.sha256 },
  ]);
  expect(page).toContain(record.sha256.weights);
  expect(tables['curves-a'].map((row: Record<string, number>) => row.loss)).toEqual(
    record.history.map((e: Record<string, number>) => e.loss),
  );
  expect(tables.settings.map((row: Record<string, unknown>) => [row.task, row.epochs, row.data])).toEqual([
    ['a', 6, 'a.csv {"header":false}'],
    ['b', 6, 'b.csv {"header":false}'],
  ]);
  const [header, ...rows] = readFileSync(join(data ?? '', 'growth.csv'), 'utf8')
    .trimEnd()
    .split('\r\n');
  expect(header).toMatch(/^task,parameters,/);
  expect(rows).toHaveLength(2);
  // Again over its own.
  expect(prognet('report', dir, '-o', html ?? '', '--figures', figures ?? '', '--quiet').status).toBe(0);
});

it('draws the network with what analyze kept, and says what it did not', () => {
  const two = workspace(yaml('', 1));
  okIn(two, 'train', '--all', '--quiet');
  const report = () => prognet('report', '-C', two, '-o', '-').stdout;
  expect(report()).toContain('Not measured yet: b. What measures it: prognet analyze b.');
  expect(report()).toMatch(/<path class="unknown" /);
  const { taps } = JSON.parse(okIn(two, 'analyze', 'b', '--json', '--quiet'));
  const page = report();
  expect(page).not.toMatch(/Not measured yet|<path class="unknown" /);
  const cells = cellsOf(page);
  for (const tap of taps) expect(cells).toContain(tap.fisher.toFixed(3));
  // In the heat map of two sources each: the share that is drawn is the one of the table.
  const [, heat = ''] = page.split('>Average Fisher sensitivity</text>');
  expect([...(heat.split('</svg>')[0]?.matchAll(/>(\d\.\d{3})<\/text>/g) ?? [])].map(([, share]) => share)).toEqual(
    taps.map((tap: { fisher: number }) => tap.fisher.toFixed(3)),
  );
  // Of other weights than those that are there now.
  const file = join(two, 'analysis/b.json');
  const kept = readFileSync(file, 'utf8');
  writeFileSync(file, kept.replace(/"weights":"../, '"weights":"00'));
  expect(report()).toContain('Trained anew since it was measured, so left out here: b.');
  writeFileSync(file, kept.replace('"rows":40', '"rows":"many"'));
  expect(prognet('report', '-C', two, '-o', '-')).toMatchObject({
    status: 2,
    stderr: 'prognet: analysis/b.json: rows: found "many", expected an integer of 0 and more; prognet analyze b writes it anew\n',
  });
});

it('runs the test data where it is asked to: proof, measures, confusion', () => {
  const bad = '<script>alert(1)</script>';
  const named = workspace(yaml('', 2).replace('classify: 2', `classify: { classes: 2, names: ["${bad}", "=b"] }`));
  okIn(named, 'train', 'a', '--freeze', '--quiet');
  okIn(named, 'train', 'b', '--quiet');
  const data = join(out(), 'data');
  const page = okIn(named, 'report', '--verify', '-o', '-', '--data', data);
  expect(page).not.toContain('<script');
  expect(page).toContain('1 of 1 frozen tasks gave the same bits over their whole test data');
  const { tables } = JSON.parse(readFileSync(join(data, 'report.json'), 'utf8'));
  const measured = JSON.parse(okIn(named, 'eval', '--all', '--json')).tasks;
  expect(tables.verified.map((row: Record<string, unknown>) => [row.task, row.outputs, row.now])).toEqual([
    ['a', 'identical', measured[0].metric.now],
    ['b', 'identical, not frozen', measured[1].metric.now],
  ]);
  expect(tables.measures[0].balanced_accuracy).toBe(measured[0].measures.overall['balanced accuracy']);
  expect(tables['confusion-a'].reduce((sum: number, row: { samples: number }) => sum + row.samples, 0)).toBe(measured[0].rows);
  expect(readFileSync(join(data, 'measures-a.csv'), 'utf8')).toContain("\r\n'=b,");
  // Other outputs than those of its freezing: said, on the page and as exit code.
  writeFileSync(join(named, 'a.csv'), readFileSync(join(named, 'b.csv')));
  const other = prognet('report', '--verify', '-C', named, '-o', '-');
  expect(other.stdout).toContain('0 of 1 frozen tasks gave the same bits');
  expect(other.stdout).toContain('a (other data)');
  expect(prognet('report', '--threads', '1', '-C', named, '-o', '-').stderr).toBe(
    'prognet: --threads is of --verify, which runs the tasks: expected both\n',
  );
});

it('reports a study where the folder holds one', () => {
  const folder = out();
  writeFileSync(join(folder, 'study.json'), JSON.stringify(exampleStudy()));
  const page = prognet('report', folder, '-o', '-');
  expect([page.status, page.stderr]).toEqual([0, '']);
  expect(page.stdout).toContain('<h1>Study of example</h1>');
  expect(prognet('report', folder, '--verify', '-o', '-')).toMatchObject({
    status: 2,
    stderr: `prognet: --verify is of a workspace, ${folder} holds a study\n`,
  });
  writeFileSync(join(folder, 'study.json'), '{');
  expect(prognet('report', folder, '-o', '-')).toMatchObject({
    status: 2,
    stderr: expect.stringMatching(/^prognet: .*study\.json.*\n$/),
  });
});

it('says its files as a document, and goes to stdout', () => {
  const file = join(out(), 'r.html');
  expect(JSON.parse(prognet('report', '-C', dir, '-o', file, '--json').stdout)).toMatchObject({
    file,
    of: 'workspace',
    title: 'Report of toy',
    figures: ['curves-a', 'curves-b', 'network', 'growth'],
  });
  expect(prognet('report', '-C', dir, '-o', '-').stdout).toMatch(/^<!doctype html>\n[\s\S]*<\/html>\n$/);
});

it('reports a workspace that is not trained, one without columns, and one of twenty tasks', () => {
  const fresh = prognet('report', '-C', workspace(), '-o', '-').stdout;
  expect(fresh).toContain('No task has a training whose epochs are kept.');
  expect(fresh).toContain('No column is frozen yet');
  const empty = prognet(
    'report',
    '-C',
    workspace('prognet: 1\nname: none\ninput: { name: x, shape: [4] }\ncolumns: []\n'),
    '-o',
    '-',
  );
  expect([empty.status, empty.stderr]).toEqual([0, '']);
  expect(empty.stdout).toContain('The description has no column yet.');
  const many = Array.from(
    { length: 18 },
    (_, i) => `  - task: t${i}\n    data: { source: a.csv, header: false }\n    like: a\n    train: { epochs: 1 }\n`,
  ).join('');
  const twenty = workspace(yaml(many, 1));
  okIn(twenty, 'train', '--all', '--quiet');
  const page = prognet('report', '-C', twenty, '-o', '-').stdout;
  expect(page.match(/Learning curves of t\d+<\/title>/g)).toHaveLength(18);
  expect(page.length).toBeLessThan(1_000_000);
}, 120_000);

it('escapes what the description says', () => {
  const bad = '<script>alert(1)</script>';
  const evil = workspace(yaml('', 1).replace('{ source: a.csv, header: false }', `{ source: "${bad}.csv", label: "${bad}" }`));
  const { status, stdout } = prognet('report', '-C', evil, '-o', '-');
  expect(status).toBe(0);
  expect(stdout).toContain(`&lt;script&gt;alert(1)&lt;/script&gt;.csv`);
  expect(stdout).not.toContain('<script');
});

it.each<[string, string[], RegExp]>([
  ['a folder that is no workspace', ['report', '/'], /^prognet: no prognet\.yaml in \/ or above it, begin with: prognet init\n$/],
  [
    'another ending',
    ['report', '-o', 'a.pdf'],
    /^prognet: --output: found "a\.pdf", expected a name that ends in \.html, or - for stdout\n$/,
  ],
  ['both on stdout', ['report', '--json', '-o', '-'], /^prognet: --json and -o - would both take stdout, give -o a file\n$/],
  [
    'one folder for two',
    ['report', '-o', '-', '--figures', 'x', '--data', 'x'],
    /^prognet: --figures and --data: found "x" for both, expected two folders\n$/,
  ],
])('refuses %s', (_, args, message) => {
  const { status, stderr } = args.includes('/') ? prognet(...args) : prognet(...args, '-C', dir);
  expect([status, stderr]).toEqual([2, expect.stringMatching(message)]);
});

it('writes over no file of another, and no file of the workspace', () => {
  const mine = join(out(), 'mine.html');
  writeFileSync(mine, '<!doctype html>');
  expect(prognet('report', dir, '-o', mine)).toMatchObject({
    status: 2,
    stderr: `prognet: ${mine}: is not a report that prognet wrote; it stays as it is, expected another output\n`,
  });
  expect(readFileSync(mine, 'utf8')).toBe('<!doctype html>');
  const folder = out();
  writeFileSync(join(folder, 'note.txt'), 'mine');
  const page = join(out(), 'r.html');
  expect(prognet('report', dir, '-o', page, '--data', folder)).toMatchObject({ status: 2 });
  expect(existsSync(page)).toBe(false);
  for (const flag of ['--data', '--figures'])
    expect(prognet('report', dir, '-o', page, flag, join(dir, 'columns')).stderr).toMatch(/is a file of the workspace itself/);
});
