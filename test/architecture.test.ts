// The layers: who may import whom. Type-only imports count as well.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect, it } from 'vitest';

const src = new URL('../src', import.meta.url).pathname;
const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter(
  (f) => f.endsWith('.ts') && !f.includes('generated'),
);

/** Folder to the folders it may import from, itself aside. */
const allowed: Record<string, readonly string[]> = {
  core: [],
  ir: ['core'],
  serde: ['core', 'ir'],
  ops: ['core', 'ir'],
  passes: ['core', 'ir', 'ops'],
  autodiff: ['core', 'ir', 'ops'],
  nn: ['core', 'ir', 'ops'],
  optim: ['core', 'ir', 'ops'],
  progressive: ['core', 'ir', 'ops', 'passes', 'nn'],
  runtime: ['core'],
  data: ['core'],
  workspace: ['core'],
  train: ['core', 'ir', 'ops', 'passes', 'autodiff', 'nn', 'optim', 'progressive', 'runtime', 'serde'],
  deploy: ['core', 'ir', 'ops', 'passes', 'progressive', 'train', 'serde'],
  project: ['core', 'data', 'progressive', 'runtime', 'serde', 'train', 'workspace'],
  cli: ['core', 'data', 'deploy', 'progressive', 'project', 'runtime', 'serde', 'train', 'workspace'],
};

interface Import {
  readonly file: string;
  readonly from: string;
}

function importsOf(file: string, text: string): Import[] {
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map((m) => ({ file, from: m[1] ?? '' }));
}

/** What is wrong with one import; undefined when nothing is. */
function fault({ file, from }: Import): string | undefined {
  const folder = file.split('/')[0] ?? '';
  if (from.startsWith('protobufjs') && folder !== 'serde') return `${file} imports ${from}: only serde sees protobuf`;
  if (from.startsWith('onnxruntime-') && folder !== 'runtime') return `${file} imports ${from}: only runtime sees onnxruntime`;
  if (!from.startsWith('.') || !(folder in allowed)) return undefined;
  const target = relative(src, join(src, dirname(file), from));
  const other = target.split('/')[0] ?? '';
  if (target.startsWith('..')) return `${file} leaves src`;
  if (folder === 'train' && other === 'runtime' && target !== 'runtime/session.js')
    return `${file}: train knows only the runtime's interface`;
  if (other === folder || target === 'version.js' || allowed[folder]?.includes(other)) return undefined;
  return `${file} imports ${target}: ${folder} may not import ${other}`;
}

it('imports go one way', () => {
  const faults = files.flatMap((f) => importsOf(f, readFileSync(join(src, f), 'utf8'))).flatMap((i) => fault(i) ?? []);
  expect(faults).toEqual([]);
});

it('a planted violation is found', () => {
  expect(fault({ file: 'core/x.ts', from: '../ir/graph.js' })).toContain('core may not import ir');
  expect(fault({ file: 'ops/x.ts', from: 'onnxruntime-node' })).toContain('only runtime');
  expect(fault({ file: 'train/x.ts', from: '../runtime/node.js' })).toContain('interface');
});

it('every file says what it is, and none is a drawer for the rest', () => {
  for (const f of files) {
    expect(readFileSync(join(src, f), 'utf8'), f).toMatch(/^(#!.*\n)?(\/\/|\/\*)/);
    expect(f).not.toMatch(/(utils|helpers|common)\.ts$/);
  }
});
