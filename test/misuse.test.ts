// Wrong use of the public library from a program without types: every function, constructor and method of prognet/onnx and prognet, wrong values for each
// parameter. What comes is a value, where the values are legal after all, or a PrognetError of one line; never a raw TypeError.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as prognet from '../src/index.js';
import * as node from '../src/node.js';
import * as onnx from '../src/onnx/index.js';
import * as onnxNode from '../src/onnx/node.js';
import * as web from '../src/web.js';

const entries: Readonly<Record<string, object>> = {
  'prognet/onnx': onnx,
  prognet,
  'prognet/onnx/node': onnxNode,
  'prognet/node': node,
  'prognet/web': web,
};

/** Wrong almost everywhere, each in its own way. */
const wrong: readonly unknown[] = [
  undefined,
  null,
  -1.5,
  Number.NaN,
  '',
  'zebra',
  true,
  [],
  [null],
  {},
  { of: 3 },
  () => 1,
  Symbol('s'),
];

/** What some parameter may want: in its place the check of the others is reached. */
function right(): readonly unknown[] {
  const g = onnx.ops();
  const x = g.input('x', 'float32', ['N', 2]);
  g.output(g.relu(x), 'y');
  const model = g.model();
  return [
    model,
    model.graph,
    g,
    x,
    new onnx.Tensor('float32', [1], Float32Array.of(1)),
    'digits',
    0,
    17,
    { task: 'digits' },
    onnx.toBinary(model),
    { of: 'y', by: ['x'] },
    network(),
  ];
}

function network(): prognet.Network {
  return prognet
    .prognet({ input: prognet.input('x', [2]) })
    .grow(prognet.column('digits', { blocks: [[prognet.dense(2)]], head: prognet.classify(2) }));
}

/** Every parameter in turn takes each wrong value, the others a right one of every kind, and all at once take the same. */
function* calls(parameters: number): Generator<readonly unknown[]> {
  for (const w of wrong) yield Array.from({ length: parameters }, () => w);
  for (const r of right()) {
    for (let i = 0; i < parameters; i++)
      for (const w of wrong) yield Array.from({ length: parameters }, (_, k) => (k === i ? w : r));
    for (const r2 of right()) for (const w of wrong) yield [r, r2, w].slice(0, parameters);
    yield [r];
  }
}

type Call = (...args: readonly unknown[]) => unknown;

/** What is wrong with the answer; undefined: nothing. */
async function complaint(call: Call, args: readonly unknown[]): Promise<string | undefined> {
  try {
    await call(...args);
    return undefined;
  } catch (error) {
    if (error instanceof onnx.PrognetError) return /\n/.test(error.message) ? `more than a line: ${error.message}` : undefined;
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  }
}

const isClass = (f: Call): boolean => /^class\b/.test(Function.prototype.toString.call(f));

/** Name to call, of an export: itself, its constructor, its static and other methods. */
function* callables(name: string, value: unknown): Generator<readonly [string, Call, number]> {
  if (typeof value !== 'function') return;
  const f = value as Call;
  if (!isClass(f)) {
    yield [name, f, f.length];
    return;
  }
  const Class = f as unknown as new (...args: readonly unknown[]) => object;
  yield [`new ${name}`, (...args) => new Class(...args), f.length];
  for (const key of Object.getOwnPropertyNames(f)) {
    const method = Object.getOwnPropertyDescriptor(f, key)?.value;
    if (typeof method === 'function') yield [`${name}.${key}`, (...args) => method.apply(f, args), method.length];
  }
  const made = instances().find((i) => i instanceof Class);
  if (made === undefined) return;
  for (const key of Object.getOwnPropertyNames(Class.prototype)) {
    const method = Object.getOwnPropertyDescriptor(Class.prototype, key)?.value;
    if (key !== 'constructor' && typeof method === 'function')
      yield [
        `${name}#${key}`,
        (...args) =>
          method.apply(
            instances().find((i) => i instanceof Class),
            args,
          ),
        method.length,
      ];
  }
}

/** One of each class whose methods the library's users call; fresh, since calls may change it. */
function instances(): readonly object[] {
  return right().filter((v): v is object => typeof v === 'object' && v !== null);
}

/** Not called, each for its reason. */
const left: Readonly<Record<string, string>> = {
  // Values of the interchange format: built by the library and by nobody else, their fields are open.
  'new Node': 'a record, checked by verifyModel',
  'new Value': 'a record, checked by verifyModel',
  'new Model': 'a record, checked by verifyModel',
  'new Graph': 'a record, checked by verifyModel',
  'new InternalError': 'thrown by the library alone',
  'Network#with': 'internal',
  'Network#ask': 'private',
  'Network#fitting': 'private',
  'Network#scoresAnew': 'private',
  'Network#needPlace': 'private',
  'Network#needed': 'private',
  'new OrtTraining': 'private, OrtTraining.of makes one',
  'new WebNetwork': 'private, open and begin make one',
  'new WorkspaceNetwork': 'private, open makes one',
};

describe.each(Object.keys(entries))('%s', (entry) => {
  const before = process.cwd();
  beforeAll(() => process.chdir(mkdtempSync(join(tmpdir(), 'prognet-misuse-'))));
  afterAll(() => process.chdir(before));

  // What an earlier entry has is tried there.
  const earlier = Object.keys(entries).slice(0, Object.keys(entries).indexOf(entry));
  const shared = new Set(earlier.flatMap((name) => Object.values(entries[name] ?? {})));
  const own = Object.entries(entries[entry] ?? {}).filter(([, value]) => !shared.has(value));
  const found = own.flatMap(([name, value]) => [...callables(name, value)]);
  test('has something to call', () => expect(found.length).toBeGreaterThan(1));
  const called = found.filter(([name]) => left[name] === undefined);
  const check = async (_: string, call: Call, length: number): Promise<void> => {
    const complaints = new Set<string>();
    for (const args of calls(Math.max(1, length))) {
      const said = await complaint(call, args);
      if (said !== undefined) complaints.add(said);
    }
    expect([...complaints].slice(0, 5)).toEqual([]);
  };
  test.each(called)('%s', check);
});
