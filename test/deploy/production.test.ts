// What lies in a deployed folder for those who run it: manifests of Kubernetes, a unit of systemd, Dockerfiles, the list of what is installed. Each is read by a
// checker of others, which must find a fault that is planted. No container runtime, no cluster and no systemd runs here.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { serveSchema } from '../../src/serve/options.js';
import { repo } from '../cli/support.js';

const dir = mkdtempSync(join(tmpdir(), 'prognet-production-'));
const template = (name: string) => join(repo, 'templates', name);
const text = (name: string) => readFileSync(template(name), 'utf8');
/** The file with something else in a place of it. */
function planted(name: string, from: string, to: string): string {
  expect(text(name)).toContain(from);
  const file = join(dir, name.split('/').at(-1) ?? '');
  writeFileSync(file, text(name).replace(from, to));
  return file;
}
const run = (command: string, ...args: string[]) => spawnSync(command, args, { cwd: dir, encoding: 'utf8' });
const checker = (name: string) => (file: string) => run('node', join(repo, 'scripts/deploy-check', name), file);

describe('the manifest of Kubernetes', () => {
  const check = checker('manifests.mjs');
  const name = 'node-service/kubernetes.yaml';

  it('is one by the schemas of Kubernetes', () => {
    expect(check(template(name))).toMatchObject({ status: 0, stdout: 'Deployment Service\n' });
  });

  it.each([
    ['readOnlyRootFilesystem', 'readonlyRootFilesystem', 'readonlyRootFilesystem'],
    ['containerPort: 8000', 'containerPort: http', 'containers/0/ports/0/containerPort must be integer'],
    ['targetPort: metrics', 'target: metrics', `'"target"' does not exist in type 'IServicePort'`],
  ])('with %s as %s is refused', (from, to, said) => {
    const { status, stderr } = check(planted(name, from, to));
    expect(status).toBe(1);
    expect(stderr).toContain(said);
  });

  it('gives the server its time to drain, and asks what it answers', () => {
    const [deployment, service] = parseAllDocuments(text(name)).map((document) => document.toJS());
    const { terminationGracePeriodSeconds, containers } = deployment.spec.template.spec;
    const [{ command, lifecycle, ports, readinessProbe }] = containers;
    const drain = Number(command[command.indexOf('--drain-ms') + 1]);
    const pause = Number(lifecycle.preStop.exec.command[1]);
    expect(terminationGracePeriodSeconds * 1000).toBeGreaterThan(drain + pause * 1000);
    const { port, grpc_port, metrics_port, drain_ms } = serveSchema.parse({});
    expect(drain).toBe(drain_ms);
    expect(ports.map((one: { containerPort: number }) => one.containerPort)).toEqual([port, grpc_port, metrics_port]);
    expect(service.spec.selector).toEqual(deployment.spec.selector.matchLabels);
    expect(readinessProbe.httpGet).toEqual({ path: '/v2/health/ready', port: 'http' });
  });
});

const systemd = spawnSync('systemd-analyze', ['--version']).error === undefined;
describe.skipIf(!systemd)(`the unit of systemd${systemd ? '' : ' (not run: systemd-analyze is not installed)'}`, () => {
  // Node lies elsewhere on some machines.
  const unit = (from = 'Restart=on-failure', to = from) => {
    const file = planted('node-service/prognet.service', from, to);
    writeFileSync(file, readFileSync(file, 'utf8').replace('/usr/bin/node', process.execPath));
    return run('systemd-analyze', 'verify', file);
  };

  it('is one by systemd-analyze', () => {
    expect(unit()).toMatchObject({ status: 0, stderr: '' });
    const stop = Number(/^TimeoutStopSec=(\d+)$/m.exec(text('node-service/prognet.service'))?.[1]);
    const drain = Number(/--drain-ms (\d+)$/m.exec(text('node-service/prognet.service'))?.[1]);
    expect(stop * 1000).toBeGreaterThan(drain);
  });

  it.each([
    ['TimeoutStopSec=45', 'TimeoutStopSec=soon', 'Failed to parse time value'],
    ['LimitNOFILE', 'LimitFiles', "Unknown key 'LimitFiles'"],
  ])('with %s as %s is told', (from, to, said) => {
    expect(unit(from, to).stderr).toContain(said);
  });
});

describe.each(['node-service', 'mlserver'])('the Dockerfile of %s', (name) => {
  const check = checker('dockerfile.mjs');

  it('has no fault for the linter', () => {
    expect(check(template(`${name}/Dockerfile`))).toMatchObject({ status: 0, stdout: '' });
  });

  it.each([
    ['WORKDIR /', 'WORKDIR ', 'WORKDIR paths should be absolute'],
    ['COPY . ', 'COPPY . ', 'Unknown instruction: COPPY'],
    ['EXPOSE 80', 'EXPOSE x80', 'Invalid containerPort: x80'],
  ])('with %s as %s has one', (from, to, said) => {
    const { status, stdout } = check(planted(`${name}/Dockerfile`, from, to));
    expect(status).toBe(1);
    expect(stdout).toContain(said);
  });
});

describe('the list of what is installed', () => {
  it.each(['lock.json', 'lock-images.json', 'lock-texts.json'])('by npm sbom of %s is CycloneDX with each package', (lock) => {
    const folder = mkdtempSync(join(dir, 'sbom-'));
    const { packages } = JSON.parse(text(`node-service/${lock}`));
    writeFileSync(join(folder, 'package-lock.json'), text(`node-service/${lock}`));
    writeFileSync(join(folder, 'package.json'), JSON.stringify(packages['']));
    // The line of docs/deploy.md.
    const line = /^npm sbom .*$/m.exec(readFileSync(join(repo, 'docs/deploy.md'), 'utf8'))?.[0] ?? '';
    expect(spawnSync('sh', ['-c', line], { cwd: folder, encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' });
    const found = JSON.parse(readFileSync(join(folder, 'sbom.json'), 'utf8'));
    expect([found.bomFormat, found.specVersion]).toEqual(['CycloneDX', '1.5']);
    const { dependencies } = packages[''];
    const names = found.components.map((one: { name: string; group?: string; purl: string }) => one.purl);
    for (const [name, version] of Object.entries(dependencies))
      expect(names).toContainEqual(`pkg:npm/${name.replace('@', '%40')}@${version}`);
    // Of packages for other platforms, and only of those, npm says nothing.
    const everywhere = Object.entries<{ optional?: boolean }>(packages).filter(([path, one]) => path !== '' && !one.optional);
    for (const [path] of everywhere)
      expect(names.join(' ')).toContain(path.slice(path.lastIndexOf('node_modules/') + 13).replace('@', '%40'));
    for (const { hashes } of found.components) expect(hashes[0].alg).toBe('SHA-512');
  });
});

const python = join(repo, '.venv-deploy/bin/python');
const kserve = existsSync(python);
it.skipIf(!kserve).each([
  ['node-service', 8000],
  ['mlserver', 8080],
])(`the custom predictor of KServe for %s is one by KServe's own package`, (name, port) => {
  const file = `${name}/inference-service.yaml`;
  const check = (path: string) => run(python, join(repo, 'scripts/deploy-check/check_manifest.py'), path);
  expect(check(template(file))).toMatchObject({
    status: 0,
    stdout: 'V1beta1InferenceService V1beta1InferenceServiceSpec V1beta1PredictorSpec\n',
  });
  expect(check(planted(file, 'minReplicas', 'minimumReplicas')).stderr).toContain('has no such field');
  const [container] = parse(text(file)).spec.predictor.containers;
  expect(container.ports).toEqual([{ containerPort: port, protocol: 'TCP' }]);
  expect(text(`${name}/Dockerfile`)).toMatch(new RegExp(`^EXPOSE ${port} `, 'm'));
});
