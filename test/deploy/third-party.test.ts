// What goes out with a bundle of others' code: their licences, and the versions that the Node service is installed with.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { locks, serviceLock } from '../../scripts/service-lock.mjs';
import { prognet, repo, workspace } from '../cli/support.js';
import { environment, python } from '../python/python.js';

let dir = '';
beforeAll(() => {
  dir = workspace();
  expect(prognet('train', 'a', '--freeze', '--quiet', '-C', dir).status).toBe(0);
});

describe('notices', () => {
  const text = (path: string) => readFileSync(path, 'utf8');
  const licenceOf = (name: string) => text(join(repo, 'node_modules', name, 'LICENSE')).trim();
  const versionOf = (name: string) => JSON.parse(text(join(repo, 'node_modules', name, 'package.json'))).version;
  const holds = (notices: string, names: readonly string[]) => {
    expect(notices).toContain(text(join(repo, 'LICENSE')).trim());
    for (const name of names) {
      expect(notices, name).toContain(`\n${name} ${versionOf(name)} (`);
      expect(notices, name).toContain(licenceOf(name));
    }
  };
  const inWasm = text(join(repo, 'scripts/licenses/onnxruntime-third-party.txt'));
  const bundled = ['@petamoriken/float16', 'long', 'protobufjs', 'pure-rand', 'zod'];

  it('stand beside the bundles of the package', () => {
    holds(text(join(repo, 'dist/browser/THIRD-PARTY-NOTICES.txt')), bundled);
    holds(text(join(repo, 'dist/web/THIRD-PARTY-NOTICES.txt')), bundled);
    holds(text(join(repo, 'dist/cli/THIRD-PARTY-NOTICES.txt')), [...bundled, 'commander', 'fflate', 'flatbuffers', 'yaml']);
    holds(text(join(repo, 'dist/studio/THIRD-PARTY-NOTICES.txt')), [...bundled, 'preact']);
    expect(text(join(repo, 'dist/browser/THIRD-PARTY-NOTICES.txt'))).not.toContain('\npreact ');
  });

  it.each([
    ['deploy', 'web', '-o'],
    ['studio', '--build'],
  ])('go along with %s %s', (...command) => {
    const folder = join(dir, command[0] ?? '');
    const { status, stderr } = prognet(...command, folder, '-C', dir);
    expect(stderr).toMatch(/^samples of test data go with the page: a \d+ \(\d+ bytes\); --no-samples leaves them out\n$/);
    expect(status).toBe(0);
    const notices = text(join(folder, 'THIRD-PARTY-NOTICES.txt'));
    holds(notices, bundled);
    expect(notices).toContain(`\nonnxruntime-web ${versionOf('onnxruntime-web')} (MIT)\n`);
    expect(notices).toContain('Copyright (c) Microsoft Corporation');
    expect(notices).toContain('What its .wasm files hold of others: ONNXRUNTIME-THIRD-PARTY-NOTICES.txt, beside them.');
    expect(text(join(folder, 'ONNXRUNTIME-THIRD-PARTY-NOTICES.txt'))).toBe(inWasm);
  });

  it("of what onnxruntime-web's .wasm files hold are of its version: sh scripts/licenses/write renews them", () => {
    const [title] = inWasm.split('\n', 1);
    expect(title).toBe(`ONNX Runtime ${versionOf('onnxruntime-web')}, notices of what its binaries hold of others`);
    for (const name of ['protocolbuffers/protobuf', 'Eigen', 'abseil-cpp', 'https://github.com/emscripten-core/emsdk'])
      expect(inWasm, name).toContain(`\n${name}\n`);
  });

  const { missing, note } = environment('.venv');
  it.skipIf(missing)(`of what its .wasm files hold are word for word those of ONNX Runtime${note}`, () => {
    const file = join(dir, 'notices.txt');
    python('.venv', 'onnxruntime_notices.py', file);
    expect(inWasm === text(file)).toBe(true);
  });
});

describe('the lock of the Node service', () => {
  const install = (folder: string) =>
    spawnSync('npm', ['ci', '--dry-run', '--offline', '--omit=dev', '--ignore-scripts'], { cwd: folder, encoding: 'utf8' });

  it('is what our own lock gives: node scripts/service-lock.mjs writes it', () => {
    for (const [file, more] of Object.entries(locks))
      expect(JSON.parse(readFileSync(join(repo, 'templates/node-service', file), 'utf8')), file).toEqual(
        JSON.parse(serviceLock(more)),
      );
  });

  it.each(['lock-images.json', 'lock-texts.json'])('%s can be installed as it is', (file) => {
    const folder = mkdtempSync(join(tmpdir(), 'prognet-lock-'));
    const lock = readFileSync(join(repo, 'templates/node-service', file), 'utf8');
    writeFileSync(join(folder, 'package-lock.json'), lock);
    writeFileSync(join(folder, 'package.json'), JSON.stringify(JSON.parse(lock).packages['']));
    expect(install(folder)).toMatchObject({ status: 0, stderr: '' });
    for (const [path, entry] of Object.entries<Record<string, unknown>>(JSON.parse(lock).packages))
      if (path !== '') expect(entry.integrity, path).toMatch(/^sha512-/);
  });

  it('fits the package.json that lies beside it, each version with its hash', () => {
    const service = join(dir, 'service');
    expect(prognet('deploy', 'node', '-o', service, '--tasks', 'a', '-C', dir).status).toBe(0);
    const found = install(service);
    expect(found.stderr).toBe('');
    expect(found.status).toBe(0);
    const { packages } = JSON.parse(readFileSync(join(service, 'package-lock.json'), 'utf8'));
    expect(found.stdout).toMatch(/^add onnxruntime-node 1\.\d+\.\d+$/m);
    expect(found.stdout.match(/^add /gm)).toHaveLength(Object.keys(packages).length - 1);
    for (const [path, entry] of Object.entries<Record<string, unknown>>(packages))
      if (path !== '') expect(entry.integrity, path).toMatch(/^sha512-/);
    expect(readFileSync(join(service, 'Dockerfile'), 'utf8')).toMatch(
      /COPY package\.json package-lock\.json \.\/\n(?:#.*\n)*RUN npm ci --omit=dev/,
    );
    // A check that lets everything pass would be none.
    const other = mkdtempSync(join(tmpdir(), 'prognet-lock-'));
    cpSync(join(service, 'package-lock.json'), join(other, 'package-lock.json'));
    const own = readFileSync(join(service, 'package.json'), 'utf8');
    writeFileSync(join(other, 'package.json'), own.replace('"1.30.0"', '"1.29.0", "adm-zip": "^0.5.0"'));
    expect(install(other).status).toBe(1);
  });
});
