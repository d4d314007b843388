// The layers of CONTRIBUTING.md, read off the import statements under src: who may import whom, and the habits of every file.
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  cycles,
  generated,
  type Import,
  importsOf,
  opLists,
  readSources,
  type Sources,
  withoutComments,
} from './support/sources.js';

const onnx = [
  'onnx/core',
  'onnx/files',
  'onnx/ir',
  'onnx/serde',
  'onnx/ops',
  'onnx/passes',
  'onnx/autodiff',
  'onnx/features',
  'onnx/runtime',
  'onnx/precision',
];
const model = [...onnx, 'formats', 'model'];
const training = [...model, 'data', 'train', 'workspace'];
const using = [...training, 'network', 'artifacts', 'analysis', 'deploy', 'fleet'];

/**
 * Folder to the folders it may import from; itself always. In three sentences: onnx imports onnx alone; formats and model stand on it and know
 * nothing of data, training, files on disk; nothing imports a face (cli, web, studio).
 */
const layers: Readonly<Record<string, readonly string[]>> = {
  onnx,
  'onnx/core': [],
  'onnx/files': ['onnx/core'],
  'onnx/ir': ['onnx/core'],
  'onnx/serde': ['onnx/core', 'onnx/files', 'onnx/ir'],
  'onnx/ops': ['onnx/core', 'onnx/ir'],
  'onnx/passes': ['onnx/core', 'onnx/ir', 'onnx/ops'],
  'onnx/autodiff': ['onnx/core', 'onnx/ir', 'onnx/ops', 'onnx/passes'],
  'onnx/features': ['onnx/core', 'onnx/ir', 'onnx/ops', 'onnx/passes'],
  'onnx/runtime': ['onnx/core', 'onnx/files'],
  'onnx/precision': ['onnx/core', 'onnx/ir', 'onnx/ops', 'onnx/passes', 'onnx/runtime', 'onnx/serde'],
  formats: ['onnx/core', 'onnx/files'],
  model: [...onnx, 'formats'],
  data: [...onnx, 'formats', 'model'],
  workspace: ['onnx/core', 'onnx/files', 'formats'],
  train: training,
  network: training,
  artifacts: training,
  analysis: [...training, 'network'],
  deploy: [...training, 'network'],
  fleet: training,
  report: ['chart'],
  tasks: [...using, 'chart', 'report'],
  browser: [],
  chart: [],
  web: [...using, 'browser'],
  serve: [...using, 'tasks'],
  cli: [...using, 'chart', 'report', 'tasks', 'serve'],
  studio: ['onnx/core', 'data', 'formats', 'browser', 'chart'],
};

/** The page of prognet studio uses the browser library by its public name. */
const publicWeb = 'web.ts';
/** Folders that may name an adapter of the runtime; all others know its interface. */
const choosesAdapter = ['onnx', 'onnx/runtime', 'tasks', 'web', 'cli'];
const runtimeInterfaces = ['onnx/runtime/session.ts', 'onnx/runtime/training-session.ts', 'onnx/runtime/traits.ts'];

/** `onnx/ops` of a file under onnx/ops, `onnx` of the entries in it, elsewhere the first folder; '' for a file directly in src. */
function folder(path: string): string {
  const folders = path.split('/').slice(0, -1);
  return folders.slice(0, folders[0] === 'onnx' ? 2 : 1).join('/');
}

type Rule = (sources: Sources, imports: readonly Import[]) => string[];

/** Every rule returns a line for each violation. */
const rules: Readonly<Record<string, Rule>> = {
  'every folder stands in the layer table': (sources) =>
    [...new Set([...sources.keys()].map(folder))].filter((f) => f !== '' && layers[f] === undefined).map((f) => `folder ${f}`),

  'folders import only from the layers below them': (_, imports) =>
    imports
      .filter(({ from, to, file }) => {
        const [a, b] = [folder(from), folder(to)];
        if (!file || a === '' || a === b || to.startsWith('..')) return false;
        if (a === 'studio' && to === publicWeb) return false;
        return !(layers[a]?.includes(b) ?? false);
      })
      .map(({ from, to }) => `${from} imports ${to}`),

  'only serde sees protobuf': (_, imports) =>
    imports
      .filter(
        ({ from, to, file }) => folder(from) !== 'onnx/serde' && (file ? generated(to) : /^(@?protobufjs|onnx-proto)/.test(to)),
      )
      .map(({ from, to }) => `${from} imports ${to}`),

  'only runtime sees onnxruntime': (_, imports) =>
    imports
      .filter(({ from, to, file }) => !file && folder(from) !== 'onnx/runtime' && to.startsWith('onnxruntime'))
      .map(({ from, to }) => `${from} imports ${to}`),

  'all but the outermost layers know the interface of the runtime alone': (_, imports) =>
    imports
      .filter(({ from, to }) => {
        const a = folder(from);
        return folder(to) === 'onnx/runtime' && !runtimeInterfaces.includes(to) && a !== '' && !choosesAdapter.includes(a);
      })
      .map(({ from, to }) => `${from} imports ${to}`),

  'the runtime interface is types alone': (_, imports) =>
    imports
      .filter(
        ({ from, to }) =>
          runtimeInterfaces.includes(from) && !['onnx/core/tensor.ts', 'onnx/core/errors.ts', 'onnx/core/dtype.ts'].includes(to),
      )
      .map(({ from, to }) => `${from} imports ${to}`),

  'src imports nothing outside itself': (_, imports) =>
    imports.filter(({ to, file }) => file && to.startsWith('..')).map(({ from, to }) => `${from} imports ${to}`),

  'relative imports name a file that is there, with its .js suffix': (sources, imports) =>
    imports
      .filter(({ to, file }) => file && !to.startsWith('..') && !sources.has(to))
      .map(({ from, to }) => `${from} imports ${to}`),

  'Node is imported under node:': (_, imports) =>
    imports
      .filter(({ to, file }) => !file && /^(fs|path|os|crypto|url|util|zlib|module)(\/|$)/.test(to))
      .map(({ from, to }) => `${from} imports ${to}`),

  'Node is not seen by what computes graphs, nor by anything that the public library reaches': (_, imports) => {
    const pure = ['onnx/core', 'onnx/ir', 'onnx/ops', 'onnx/passes', 'onnx/autodiff', 'model'];
    const reached = new Set(
      ['index.ts', 'onnx/index.ts', 'web.ts', 'web/worker.ts', 'studio/main.tsx'].flatMap((root) => [
        ...reachable(root, imports),
      ]),
    );
    return imports
      .filter(
        ({ from, to, typeOnly }) => to.startsWith('node:') && !typeOnly && (pure.includes(folder(from)) || reached.has(from)),
      )
      .map(({ from, to }) => `${from} imports ${to}`);
  },

  'prognet/onnx reaches no packages but protobufjs and float16, whatever else is installed': (_, imports) => {
    const reached = reachable('onnx/index.ts', imports);
    return imports
      .filter(
        ({ from, to, file, typeOnly }) =>
          reached.has(from) && !file && !typeOnly && !/^(protobufjs\/|@petamoriken\/float16$)/.test(to),
      )
      .map(({ from, to }) => `${from} imports ${to}`);
  },

  'zod is imported whole, as a namespace: bundlers then leave out its translations': (sources) =>
    [...sources]
      .filter(
        ([, text]) =>
          /import (type )?\{[^}]*\} from 'zod'/.test(text) && !/import type \{/.test(text.match(/.*from 'zod'/)?.[0] ?? ''),
      )
      .map(([path]) => path),

  'ops are told apart by their traits: no list of their names outside the op table': (sources) =>
    [...sources].flatMap(([path, text]) =>
      path.startsWith('onnx/ops/') || generated(path)
        ? []
        : opLists(withoutComments(text)).map((list) => `${path} lists ${list.join(', ')}`),
    ),

  'no cycles between files': (sources, imports) => cycles(sources, imports),

  'no file is called utils, helpers or common': (sources) =>
    [...sources.keys()].filter((path) => /(^|\/)(utils?|helpers?|common|misc)(\.|\/)/.test(path)),

  'files are called in kebab-case': (sources) =>
    [...sources.keys()].filter(
      (path) => !generated(path) && !/^([a-z0-9]+(-[a-z0-9]+)*\/)*[a-z0-9]+(-[a-z0-9]+)*(\.d)?\.(ts|tsx|js)$/.test(path),
    ),

  'every file begins with a comment': (sources) =>
    [...sources].filter(([path, text]) => !generated(path) && !/^(#!.*\n)?\s*(\/\/ ?\S|\/\*)/.test(text)).map(([path]) => path),

  'named exports only': (sources) =>
    [...sources].filter(([path, text]) => !generated(path) && /^export default\b/m.test(withoutComments(text))).map(([p]) => p),
};

/** The files that one file loads, itself included. */
function reachable(root: string, imports: readonly Import[]): Set<string> {
  const seen = new Set([root]);
  for (const path of seen)
    for (const { from, to, file, typeOnly } of imports) if (from === path && file && !typeOnly) seen.add(to);
  return seen;
}

function violations(name: string, sources: Sources): string[] {
  return rules[name]?.(sources, importsOf(sources)) ?? ['no such rule'];
}

describe('src', () => {
  const sources = readSources(join(import.meta.dirname, '../src'));
  test('is there', () => {
    expect(sources.size).toBeGreaterThan(60);
    expect(importsOf(sources).length).toBeGreaterThan(sources.size);
  });
  test.each(Object.keys(rules))('%s', (name) => {
    expect(violations(name, sources)).toEqual([]);
  });
});

/** For each rule, files that break it and what is then said. */
const planted: Readonly<Record<string, readonly [files: Readonly<Record<string, string>>, said: string[]]>> = {
  'every folder stands in the layer table': [{ 'odd/a.ts': '' }, ['folder odd']],
  'folders import only from the layers below them': [
    {
      'onnx/ir/a.ts': "import {\n  findOp,\n  table,\n} from '../ops/table.js';",
      'model/a.ts': "import type { X } from '../train/x.js';",
      'onnx/ops/a.ts':
        "export * from '../../index.js';\n// import '../cli/main.js'\nimport { version } from '../core/version.js';",
      'formats/a.ts': "const x: import('../onnx/ir/graph.js').Graph = y;",
      'train/a.ts': "import '../onnx/ops/ops.js';\nimport { z } from './b.js';",
    },
    [
      'onnx/ir/a.ts imports onnx/ops/table.ts',
      'model/a.ts imports train/x.ts',
      'onnx/ops/a.ts imports index.ts',
      'formats/a.ts imports onnx/ir/graph.ts',
    ],
  ],
  'only serde sees protobuf': [
    {
      'deploy/a.ts': "import protobuf from 'protobufjs/minimal.js';\nimport { onnx } from '../onnx/serde/generated/onnx.js';",
      'onnx/serde/a.ts': "import protobuf from 'protobufjs/minimal.js';",
    },
    ['deploy/a.ts imports protobufjs/minimal.js', 'deploy/a.ts imports onnx/serde/generated/onnx.js'],
  ],
  'only runtime sees onnxruntime': [
    { 'cli/a.ts': "await import('onnxruntime-node');", 'onnx/runtime/a.ts': "import type * as ort from 'onnxruntime-common';" },
    ['cli/a.ts imports onnxruntime-node'],
  ],
  'all but the outermost layers know the interface of the runtime alone': [
    {
      'train/a.ts':
        "import { NodeRuntime } from '../onnx/runtime/node.js';\nimport type { Session } from '../onnx/runtime/session.js';",
      'cli/a.ts': "import { NodeRuntime } from '../onnx/runtime/node.js';",
    },
    ['train/a.ts imports onnx/runtime/node.ts'],
  ],
  'the runtime interface is types alone': [
    { 'onnx/runtime/session.ts': "import { NodeRuntime } from './node.js';" },
    ['onnx/runtime/session.ts imports onnx/runtime/node.ts'],
  ],
  'src imports nothing outside itself': [
    { 'cli/a.ts': "import { run } from '../../test/support/run.js';", 'index.ts': "import '../scripts/demo.js';" },
    ['cli/a.ts imports ../test/support/run.ts', 'index.ts imports ../scripts/demo.ts'],
  ],
  'relative imports name a file that is there, with its .js suffix': [
    { 'core/a.ts': "import './b';\nimport './c.js';\nimport './d.js';", 'core/b.ts': '', 'core/c.ts': '' },
    ['core/a.ts imports core/b', 'core/a.ts imports core/d.ts'],
  ],
  'Node is imported under node:': [{ 'cli/a.ts': "import fs from 'fs';\nimport os from 'node:os';" }, ['cli/a.ts imports fs']],
  'Node is not seen by what computes graphs, nor by anything that the public library reaches': [
    {
      'index.ts': "export * from './train/loop.js';\nexport type { Y } from './data/y.js';",
      'web/worker.ts': "import { open } from './database.js';",
      'web/database.ts': "import fs from 'node:fs';",
      'train/loop.ts': "import { idx } from '../formats/idx.js';",
      'formats/idx.ts': "import zlib from 'node:zlib';",
      'data/y.ts': "import fs from 'node:fs';",
      'onnx/core/a.ts': "import os from 'node:os';",
    },
    ['web/database.ts imports node:fs', 'formats/idx.ts imports node:zlib', 'onnx/core/a.ts imports node:os'],
  ],
  'prognet/onnx reaches no packages but protobufjs and float16, whatever else is installed': [
    {
      'onnx/index.ts': "export * from './ir/a.js';\nexport type { C } from './ir/c.js';",
      'onnx/ir/a.ts':
        "import protobuf from 'protobufjs/minimal.js';\nimport * as z from 'zod';\nimport type * as ort from 'onnxruntime-common';\nimport '../core/b.js';",
      'onnx/core/b.ts': "import { Float16Array } from '@petamoriken/float16';\nimport { parse } from 'yaml';",
      'onnx/ir/c.ts': "import * as z from 'zod';",
      'model/d.ts': "import * as z from 'zod';",
    },
    ['onnx/ir/a.ts imports zod', 'onnx/core/b.ts imports yaml'],
  ],
  'zod is imported whole, as a namespace: bundlers then leave out its translations': [
    { 'nn/a.ts': "import { z } from 'zod';", 'nn/b.ts': "import * as z from 'zod';", 'nn/c.ts': "import type { z } from 'zod';" },
    ['nn/a.ts'],
  ],
  'no cycles between files': [
    {
      'core/a.ts': "import { b } from './b.js';",
      'core/b.ts': "export { c } from './c.js';",
      'core/c.ts': "import { a } from './a.js';\nimport type { d } from './d.js';",
      'core/d.ts': "import { c } from './c.js';",
    },
    ['core/a.ts > core/b.ts > core/c.ts > core/a.ts', 'core/c.ts > core/d.ts > core/c.ts'],
  ],
  'ops are told apart by their traits: no list of their names outside the op table': [
    {
      'onnx/passes/a.ts':
        "const reshaping = new Set([\n  'Reshape',\n  'Flatten',\n]);\n// ['Add', 'Sub']\nif (op === 'Relu') x();",
      'model/a.ts': "const all = 'Relu Tanh'.split(' ');\nconst words = ['Loop', 'other'];",
      'onnx/ops/families/a.ts': "const own = ['Add', 'Sub'];",
    },
    ['onnx/passes/a.ts lists Reshape, Flatten', 'model/a.ts lists Relu, Tanh'],
  ],
  'no file is called utils, helpers or common': [
    { 'core/utils.ts': '', 'ops/helpers/a.ts': '', 'ops/common-subexpressions.ts': '' },
    ['core/utils.ts', 'ops/helpers/a.ts'],
  ],
  'files are called in kebab-case': [
    { 'core/someThing.ts': '', 'core/a_b.ts': '', 'core/a-b.ts': '' },
    ['core/someThing.ts', 'core/a_b.ts'],
  ],
  'every file begins with a comment': [
    { 'core/a.ts': 'export const a = 1;', 'core/b.ts': '// What it is.', 'cli/c.ts': '#!/usr/bin/env node\n// What it is.' },
    ['core/a.ts'],
  ],
  'named exports only': [
    { 'core/a.ts': 'export default 1;', 'core/b.ts': '// export default\nexport const b = 1;' },
    ['core/a.ts'],
  ],
};

describe('a planted violation is found', () => {
  test.each(Object.keys(rules))('%s', (name) => {
    const [files, said] = planted[name] ?? [{}, ['no violation is planted']];
    expect(violations(name, new Map(Object.entries(files)))).toEqual(said);
  });
});
