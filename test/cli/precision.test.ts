// prognet export --precision: what it costs is told, and what was written answers so.
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { prognet, workspace } from './support.js';

let dir = '';
beforeAll(() => {
  dir = workspace();
  expect(prognet('train', '--all', '--quiet', '-C', dir).status).toBe(0);
});

it.each([
  ['fp16', []],
  ['fp16', ['--half-io']],
  ['int8', []],
  ['int8', ['--calibration', '50', '--percentile', '100', '--reduce-range']],
  ['int8-dynamic', ['--probabilities']],
  ['fp16', ['--routed']],
  ['int8-dynamic', ['--routed']],
])('%s %j', (precision, flags) => {
  const file = join(dir, 'all.onnx');
  const exported = prognet(
    'export',
    ...(flags.includes('--routed') ? [] : ['--all']),
    '--precision',
    precision,
    ...flags,
    '-o',
    file,
    '--json',
    '-C',
    dir,
  );
  expect(exported).toMatchObject({ status: 0 });
  const { measured, ...said } = JSON.parse(exported.stdout);
  expect(said).toMatchObject({ file, precision, tasks: ['a', 'b'], notes: [] });
  expect(measured.tasks.map((t: { task: string }) => t.task)).toEqual(['a', 'b']);
  for (const { metric, largestDifference, largestScore, rows } of measured.tasks) {
    expect(rows).toBeGreaterThan(20);
    expect(metric.name).toBe('accuracy');
    expect(metric.difference).toBe(metric.now - metric.float32);
    expect(Math.abs(metric.difference)).toBeLessThan(0.1);
    expect(largestDifference).toBeGreaterThan(0);
    // static ranges cut off what lies beyond the few samples that they were found on
    expect(largestDifference / largestScore).toBeLessThan(precision === 'fp16' ? 0.005 : precision === 'int8' ? 0.5 : 0.1);
  }
  const found = JSON.parse(prognet('inspect', file, '--json').stdout);
  const type = flags.includes('--half-io') ? 'float16[N,4]' : 'float32[N,4]';
  expect(found.inputs[0]).toMatchObject({ name: 'x', type });
});

it('prints a table', () => {
  const { stdout } = prognet('export', '--task', 'b', '--precision', 'int8', '-o', join(dir, 'b.onnx'), '-C', dir);
  expect(stdout).toMatch(
    /b\.onnx written: b, int8\ntask +test rows +accuracy fp32 +int8 +difference +largest difference of a score\nb /,
  );
  expect(stdout).toMatch(/\n\d+ bytes, \d+ % of the \d+ at float32\n$/);
});

it.each([
  [['--precision', 'int4'], '--precision: found "int4", expected one of fp32, fp16, int8, int8-dynamic'],
  [['--half-io'], '--half-io is for --precision fp16'],
  [['--calibration', '9'], '--calibration and --percentile are for --precision int8'],
  [
    ['--precision', 'int8', '--percentile', '12'],
    '--percentile: found "12", expected a number over 50, at most 100 (100: the extremes)',
  ],
  [
    ['--routed', '--precision', 'int8'],
    '--precision int8 does not go into the branches of a routed model, expected fp16 or int8-dynamic',
  ],
  [['--precision', 'fp16', '--reduce-range'], '--reduce-range is for --precision int8 and int8-dynamic'],
])('%j is refused', (flags, said) => {
  const { status, stderr } = prognet(
    'export',
    ...(flags[0] === '--routed' ? [] : ['--task', 'a']),
    ...flags,
    '-o',
    join(dir, 'no.onnx'),
    '-C',
    dir,
  );
  expect(stderr).toBe(`prognet: ${said}\n`);
  expect(status).toBe(2);
});
