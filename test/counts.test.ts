// What must stand in one place, counted. The name of a test tells the count and its bound: `sh scripts/counts` prints them.
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { cycles, generated, importsOf, opLists, readSources, type Sources, withoutComments } from './support/sources.js';

const outside = (folder: string) => (path: string) => !path.startsWith(folder) && !generated(path);
const everywhere = outside('/');

/** A place for each match in the code, comments left out. */
function places(sources: Sources, where: (path: string) => boolean, pattern: RegExp): string[] {
  return [...sources].flatMap(([path, text]) =>
    where(path) ? [...withoutComments(text).matchAll(pattern)].map(([found]) => `${path}: ${found.replace(/\s+/g, ' ')}`) : [],
  );
}

const heads = 'classify|binary|regress';

interface Count {
  readonly bound: number;
  readonly of: (sources: Sources) => readonly string[];
  /** Code that is counted once. */
  readonly planted: readonly [path: string, code: string];
}

const counts: Readonly<Record<string, Count>> = {
  'name sets of ops outside the table': {
    bound: 0,
    of: (sources) =>
      [...sources].flatMap(([path, text]) =>
        outside('onnx/ops/')(path) ? opLists(withoutComments(text)).map((list) => `${path}: ${list.join(', ')}`) : [],
      ),
    planted: ['onnx/passes/a.ts', "const moves = ['Reshape', 'Flatten'];"],
  },
  'columns and inputs of a description by their index': {
    bound: 0,
    of: (sources) => places(sources, everywhere, /\bdescription\.(columns|inputs)(\[|\.at\()/g),
    planted: ['train/a.ts', 'const column = must(description.columns[i], "column");'],
  },
  'tests of a head by its kind outside model/heads': {
    bound: 0,
    of: (sources) =>
      places(
        sources,
        outside('model/heads/'),
        new RegExp(`(case |[!=]== )'(${heads})'|'(${heads})' in |\\bhead\\.kind [!=]==|\\? '(${heads})' :`, 'g'),
      ),
    planted: ['studio/a.ts', "if (head === 'regress') f();"],
  },
  'maps from a value to the nodes that read it': {
    bound: 1,
    of: (sources) => places(sources, everywhere, /Map<Value, (readonly )?(Set<Node>|Node\[\]|Use\[\]|readonly Use\[\])/g),
    planted: ['onnx/passes/a.ts', 'const readers = new Map<Value, Set<Node>>();'],
  },
  'numbers and lists wrapped by hand, g.scalar( and g.ints([': {
    bound: 59,
    of: (sources) => places(sources, everywhere, /\bg\.(scalar\(|ints\(\[)/g),
    planted: ['train/a.ts', 'g.mul(x, g.scalar(2, x))'],
  },
  'circles among files, types included': {
    bound: 0,
    of: (sources) => cycles(sources, importsOf(sources)),
    planted: ['model/a.ts', "import type { A } from './a.js';"],
  },
  'places that lower a loss': {
    bound: 1,
    of: (sources) => places(sources, outside('onnx/'), /\bfunction \w*[lL]oss\(g: Ops\b/g),
    planted: ['train/a.ts', 'function ownLoss(g: Ops, scores: Value) {}'],
  },
  'functions called valueAt': {
    bound: 1,
    of: (sources) => places(sources, everywhere, /\b(function|const) valueAt\b/g),
    planted: ['data/a.ts', 'function valueAt(value: unknown) {}'],
  },
  'functions called stableJson': {
    bound: 1,
    of: (sources) => places(sources, everywhere, /\b(function|const) stableJson\b/g),
    planted: ['data/a.ts', 'const stableJson = JSON.stringify;'],
  },
  'names of outputs put together': {
    bound: 2,
    of: (sources) => places(sources, everywhere, /\}_(probabilities|labels?)\b/g),
    planted: ['tasks/a.ts', `const name = \`\${task}_probabilities\`;`],
  },
  'transactions of the browser database': {
    bound: 1,
    of: (sources) => places(sources, everywhere, /\.transaction\(/g),
    planted: ['studio/a.ts', "db.transaction('lessons', mode);"],
  },
};

describe('counts', () => {
  const sources = readSources(join(import.meta.dirname, '../src'));
  const found = Object.entries(counts).map(([what, { bound, of }]) => {
    const list = of(sources);
    return [`${what}: ${list.length}, at most ${bound}`, list, bound] as const;
  });
  test.each(found)('%s', (_, list, bound) => {
    expect(list.length > bound ? list : []).toEqual([]);
  });
});

describe('what is planted is counted', () => {
  test.each(Object.entries(counts))('%s', (_, { of, planted: [path, code] }) => {
    expect(of(new Map([[path, code]]))).toHaveLength(1);
  });
});
