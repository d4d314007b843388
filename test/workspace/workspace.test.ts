import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createFolders, findWorkspace, openWorkspace, requireWorkspace } from '../../src/workspace/workspace.js';
import { messageOf, temporaryFolder } from './support.js';

describe('a workspace', () => {
  it.each(['prognet.yaml', 'prognet.yml', 'prognet.json'])('is found upward by its %s', (name) => {
    const root = temporaryFolder();
    const deep = join(root, 'a', 'b');
    mkdirSync(deep, { recursive: true });
    mkdirSync(join(deep, 'prognet.yaml'));
    writeFileSync(join(root, name), '');
    expect(findWorkspace(deep)).toBe(root);
    expect(findWorkspace(root)).toBe(root);
    expect(requireWorkspace(deep)).toEqual({
      root,
      description: join(root, name),
      columns: join(root, 'columns'),
      runs: join(root, 'runs'),
    });
  });

  it('says how to begin where there is none', () => {
    const root = temporaryFolder();
    expect(findWorkspace(root)).toBeUndefined();
    expect(findWorkspace(join(root, 'not', 'there'))).toBeUndefined();
    expect(messageOf(() => requireWorkspace(root))).toBe(
      `no prognet.yaml in ${root} or above it, expected the folder of a workspace`,
    );
    expect(messageOf(() => openWorkspace(root))).toBe(`${root}: no prognet.yaml here, expected the folder of a workspace`);
  });

  it('has one description', () => {
    const root = temporaryFolder();
    for (const name of ['prognet.yaml', 'prognet.json']) writeFileSync(join(root, name), '');
    const message = `${root}: found prognet.yaml and prognet.json, expected one description; remove or rename the others`;
    expect(messageOf(() => findWorkspace(root))).toBe(message);
    expect(messageOf(() => openWorkspace(root))).toBe(message);
  });

  it('gets its folders when asked', () => {
    const root = temporaryFolder();
    writeFileSync(join(root, 'prognet.yaml'), '');
    const workspace = openWorkspace(root);
    expect(existsSync(workspace.columns)).toBe(false);
    createFolders(workspace);
    createFolders(workspace);
    expect([existsSync(workspace.columns), existsSync(workspace.runs)]).toEqual([true, true]);
    expect(messageOf(() => createFolders({ ...workspace, runs: join(root, 'prognet.yaml') }))).toBe(
      `cannot write ${root}/prognet.yaml: it is a file, expected a folder`,
    );
    const below = { ...workspace, columns: join(root, 'prognet.yaml', 'columns') };
    expect(messageOf(() => createFolders(below))).toBe(
      `cannot write ${root}/prognet.yaml/columns: a part of the path is a file, expected a folder`,
    );
  });
});
