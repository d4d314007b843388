// Every template of `prognet init`: its files, and a description that is sound. That each is trained and asked as it comes, from the package as it is
// packed, docs/templates.md shows, which test/tours.campaign.test.ts follows.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { templateFiles, templateNames } from '../../src/cli/templates.js';
import { prognet, repo } from './support.js';

const scratch = () => mkdtempSync(join(tmpdir(), 'prognet-templates-'));

describe.each(templateNames)('%s', (name) => {
  it('is written whole, checked, and never over what is there', () => {
    const dir = join(scratch(), 'made');
    const { status, stdout } = prognet('init', dir, '--template', name);
    expect(status).toBe(0);
    expect(stdout).toContain('prognet.yaml written, over ');
    expect(prognet('check', '-C', dir).status).toBe(0);
    const before = readFileSync(join(dir, 'prognet.yaml'), 'utf8');
    expect(prognet('init', dir, '--template', name)).toMatchObject({ status: 2 });
    expect(readFileSync(join(dir, 'prognet.yaml'), 'utf8')).toBe(before);
    expect(readFileSync(join(repo, 'docs/templates.md'), 'utf8')).toContain(`--template ${name}\n`);
  });
});

it('a file of the same name stays as it is, and nothing else is written', () => {
  const dir = scratch();
  writeFileSync(join(dir, 'customers.csv'), 'mine\n');
  const { status, stderr } = prognet('init', dir, '--template', 'tabular');
  expect({ status, stderr }).toEqual({
    status: 2,
    stderr: `prognet: ${join(dir, 'customers.csv')} is there already and stays as it is\n`,
  });
  expect(existsSync(join(dir, 'prognet.yaml'))).toBe(false);
  expect(readFileSync(join(dir, 'customers.csv'), 'utf8')).toBe('mine\n');
});

it('one that there is not is refused with those that there are', () => {
  const { status, stderr } = prognet('init', join(scratch(), 'x'), '--template', 'video');
  expect({ status, stderr }).toEqual({
    status: 2,
    stderr: 'prognet: unknown template "video", expected one of mnist, tabular, images, text, sensors, regression\n',
  });
});

it('their data are what the script writes', () => {
  const script = spawnSync('node', [join(repo, 'scripts/templates.mjs'), '--check'], { encoding: 'utf8' });
  expect(script).toMatchObject({ status: 0, stderr: '' });
  expect(templateFiles('images').files.size).toBe(2 * 3 * 52);
});
