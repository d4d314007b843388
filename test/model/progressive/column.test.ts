// What a column answers for: its place, what it reads, its parameters and shapes; and what a network of columns refuses, by name.
import { expect, describe as group, it } from 'vitest';
import type { ColumnInput, DescriptionInput } from '../../../src/model/description/description.js';
import { parseDescription } from '../../../src/model/description/parse.js';
import { type Columns, columnsOf, type TapRef } from '../../../src/model/progressive/column.js';
import { taskModel } from '../../../src/model/progressive/forms.js';
import type { GraphLoader } from '../../../src/model/progressive/imported-graph.js';
import { initialWeights } from '../../../src/model/progressive/weights.js';
import { must } from '../../../src/onnx/core/errors.js';
import { Tensor } from '../../../src/onnx/core/tensor.js';
import { ops } from '../../../src/onnx/ops/ops.js';

const image = { name: 'image', shape: [1, 6, 6] };
const two: ColumnInput['blocks'] = [
  [{ conv2d: { filters: 3, kernel: 3 } }, 'relu'],
  ['flatten', { dense: 5 }, 'relu'],
];
const three: ColumnInput['blocks'] = [...two, [{ dense: 4 }, 'tanh']];

function network(columns: readonly ColumnInput[], more: Partial<DescriptionInput> = {}): Columns {
  return columnsOf(parseDescription({ prognet: 1, name: 'net', seed: 3, input: image, columns: [...columns], ...more }));
}
const grown = network([
  { task: 'a', blocks: two, head: { classify: 2 } },
  { task: 'b', blocks: three, head: { binary: 1 }, laterals: { kind: 'linear' }, train: { seed: 9 } },
  { task: 'c', blocks: three, head: { regress: 3 }, laterals: { kind: 'adapter', from: ['b'], into: [2, 'head'] } },
]);
const names = (refs: readonly TapRef[]) => refs.map(({ column, block }) => `${column.task}/${block}`);

it('is found by its task, which an error lists', () => {
  expect(grown.tasks).toEqual(['a', 'b', 'c']);
  expect([...grown].map(({ task, index, path }) => [task, index, path])).toEqual([
    ['a', 0, 'columns[0]'],
    ['b', 1, 'columns[1]'],
    ['c', 2, 'columns[2]'],
  ]);
  expect(grown.last).toBe(grown.column('c'));
  expect(network([]).last).toBeUndefined();
  expect(() => grown.column('d')).toThrow('unknown task "d", the description has: a, b, c');
  expect(() => network([]).column('a')).toThrow('unknown task "a", the description has: none');
});

it('has a seed of its own, else the description its', () => {
  expect([...grown].map(({ seed }) => seed)).toEqual([3, 9, 3]);
});

it('reads the taps of its sources, the last one of a source that is shorter', () => {
  const [a, b, c] = ['a', 'b', 'c'].map((task) => grown.column(task));
  expect(a?.tapsRead).toEqual([]);
  expect([0, 1, 2, 3].map((block) => names(b?.sourcesInto(block) ?? []))).toEqual([[], ['a/0'], ['a/1'], ['a/1']]);
  expect(names(b?.tapsRead ?? [])).toEqual(['a/0', 'a/1']);
  expect(names(c?.tapsRead ?? [])).toEqual(['b/1', 'b/2']);
});

it('reads its sources and stands on theirs too', () => {
  const tasks = (of: 'sources' | 'foundation') => [...grown].map((column) => column[of].map(({ task }) => task));
  expect(tasks('sources')).toEqual([[], ['a'], ['b']]);
  expect(tasks('foundation')).toEqual([[], ['a'], ['a', 'b']]);
});

it('tells its parameters in the order of lowering, laterals among them, and the shapes of its taps', () => {
  const { specs, count, taps } = grown.column('b').parameters;
  expect(specs.map(({ name, shape }) => `${name} [${shape}]`)).toEqual([
    'b/0/conv2d/weight [3,1,3,3]',
    'b/0/conv2d/bias [3]',
    'b/1/dense/weight [48,5]',
    'b/1/dense/bias [5]',
    'b/1/lateral/a/weight [48,5]',
    'b/2/dense/weight [5,4]',
    'b/2/dense/bias [4]',
    'b/2/lateral/a/weight [5,4]',
    'b/head/dense/weight [4,1]',
    'b/head/dense/bias [1]',
    'b/head/lateral/a/weight [5,1]',
  ]);
  expect(count).toBe(27 + 3 + 2 * 240 + 5 + 2 * 20 + 4 + 4 + 1 + 5);
  expect(taps).toEqual([[3, 4, 4], [5], [4]]);
  expect(grown.column('b').tapShape(1)).toEqual([5]);
});

it('begins with weights of its seed alone, whatever stands before it', () => {
  const alone = network([{ task: 'b', blocks: three, head: { binary: 1 }, train: { seed: 9 } }]);
  const among = initialWeights(grown.column('b'));
  for (const [name, { data }] of initialWeights(alone.column('b'))) expect(among.get(name)?.data, name).toEqual(data);
});

it('is the same text in the same description, and another where its graph is another', () => {
  const again = network([{ task: 'a', blocks: two, head: { classify: 2 }, train: { epochs: 7 } }]);
  expect(again.column('a').canonical).toBe(grown.column('a').canonical);
  expect(network([{ task: 'a', blocks: three, head: { classify: 2 } }]).column('a').canonical).not.toBe(
    grown.column('a').canonical,
  );
});

it('an input of open size is taken, and a layer that needs the number is refused by name', () => {
  const column: ColumnInput = { task: 'a', blocks: [['flatten', { dense: 2 }]], head: { classify: 2 } };
  const columns = network([column], { input: { name: 'text', shape: ['T', 16] } });
  expect(columns.inputs).toEqual([{ name: 'text', dtype: 'float32', shape: ['T', 16] }]);
  expect(() => columns.column('a').parameters).toThrow(
    /^columns\[0\]\.blocks\[0\]\[1\]: dense does not fit its input .*"16\*T" is open|"T" is open/,
  );
});

group('a network of several inputs', () => {
  const meta = { name: 'meta', shape: [2], prepare: ['standardise' as const] };
  const ids = { name: 'ids', shape: [4], dtype: 'int64' as const };
  const input = [image, meta, ids];
  const joined: ColumnInput['blocks'] = [
    ['flatten', { dense: 5 }],
    [{ concat: 'meta' }, { dense: 3 }],
  ];
  const base: ColumnInput = { task: 'a', blocks: two, head: { classify: 2 } };
  const both: ColumnInput = { task: 'b', inputs: ['image', 'meta'], blocks: joined, head: { classify: 2 } };
  const told = (columns: Columns, task: string) => columns.column(task).inputs.map(({ name }) => name);

  it('gives each column those that it reads and those that it stands on, the first where it says none', () => {
    const text: ColumnInput = {
      task: 't',
      inputs: ['ids'],
      blocks: [[{ embedding: { size: 3, vocabulary: 9, pool: 'mean' } }]],
      head: { classify: 2 },
    };
    const columns = network(
      [
        base,
        both,
        { ...text, laterals: 'none' },
        { ...text, task: 'u' },
        { task: 'h', blocks: [], head: { binary: 1 }, laterals: { kind: 'linear', from: ['t'] } },
      ],
      { input },
    );
    expect(columns.tasks.map((task) => told(columns, task))).toEqual([
      ['image'],
      ['image', 'meta'],
      ['ids'],
      ['image', 'ids'],
      ['ids'],
    ]);
  });

  it('has no input of blocks that nothing reads', () => {
    const late = network([both, { task: 'c', blocks: two, head: { classify: 2 }, laterals: { kind: 'linear', into: [1] } }], {
      input,
    });
    expect(told(late, 'c')).toEqual(['image']);
  });

  it('prepares each by its own steps, named by the input', () => {
    const { specs } = network([both], { input }).column('b').parameters;
    expect(specs.map(({ name }) => name)).toEqual([
      'b/0/dense/weight',
      'b/0/dense/bias',
      'b/prepare/meta/0/standardise/mean',
      'b/prepare/meta/0/standardise/std',
      'b/1/dense/weight',
      'b/1/dense/bias',
      'b/head/dense/weight',
      'b/head/dense/bias',
    ]);
  });

  it('keeps the text of a column that reads the first alone, whatever inputs stand behind', () => {
    const text = network([base]).column('a').canonical;
    expect(network([base], { input }).column('a').canonical).toBe(text);
    const moved = network([base, { ...both, inputs: ['meta', 'image'], blocks: [[{ dense: 5 }]] }], { input });
    expect(moved.column('b').canonical).not.toBe(network([both], { input }).column('b').canonical);
    expect(network([base], { input: [{ ...image, shape: [1, 7, 7] }, meta] }).column('a').canonical).not.toBe(text);
    expect(network([both], { input: [image, { ...meta, prepare: [{ fill: 'mean' as const }] }] }).column('b').canonical).not.toBe(
      network([both], { input }).column('b').canonical,
    );
  });

  it.each<[string, ColumnInput, string]>([
    [
      'a layer names one that is not there',
      { ...both, blocks: [[{ concat: 'mta' }]] },
      'columns[0].blocks[0][0]: unknown input "mta", did you mean "meta"?',
    ],
    [
      'a layer names one that the column does not read',
      { ...both, blocks: [['flatten', { residual: [{ concat: 'ids' }] }]] },
      'columns[0].blocks[0][1].residual[0]: the column does not read the input "ids", expected it among its inputs, columns[0].inputs: [image, meta, ids]',
    ],
    [
      'no layer reads one',
      { ...both, blocks: two },
      'columns[0].inputs[1]: no layer reads "meta", expected one that names it, such as { concat: meta }',
    ],
  ])('%s', (_, column, message) => {
    expect(() => network([column], { input }).column('b').parameters).toThrow(message);
  });

  it.each<[ColumnInput, string]>([
    [{ ...both, inputs: ['image', 'mta'] }, 'columns[0].inputs[1]: unknown input "mta", did you mean "meta"?'],
    [{ ...both, inputs: ['image', 'image'] }, 'columns[0].inputs[1]: "image" stands there twice, expected each input once'],
    [{ ...both, inputs: [] }, 'columns[0].inputs: found [], expected at least one input'],
  ])('%j', (column, message) => {
    expect(() => network([column], { input })).toThrow(message);
  });
});

group('an imported graph', () => {
  const onnx = { graph: 'elsewhere', taps: ['h'], scores: 'y' };
  const described = network([{ task: 'a', onnx, head: { classify: 2 } }]).description;
  /** x [N, 1, 6, 6] to h, the same flat, and y, twice its sum in each of two scores: no weights. */
  const model = (opset = 17) => {
    const g = ops({ opset });
    const x = g.input('x', 'float32', ['N', 1, 6, 6]);
    const h = g.reshape(x, [0, 36]);
    g.output(h, 'h');
    g.output(g.matMul(h, g.initializer('w', Tensor.from('float32', Array(72).fill(2), [36, 2]))), 'y');
    return g.model();
  };

  it('comes from the loader, once and only when it is needed', () => {
    let loads = 0;
    const load: GraphLoader = (imported, task) => {
      loads++;
      expect([imported, task]).toEqual([onnx, 'a']);
      return model();
    };
    const columns = columnsOf(described, load);
    const column = columns.column('a');
    expect([column.imported?.taps, column.imported?.scores, loads]).toEqual([['h'], 'y', 0]);
    expect([columns.opset, column.taps, column.parameters.count, loads]).toEqual([17, [[36]], 0, 1]);
  });

  const both = network([
    { task: 'a', onnx, head: { classify: 2 } },
    { task: 'b', onnx, head: { classify: 2 } },
  ]).description;

  it('is brought to the highest opset of the others, in memory', () => {
    const columns = columnsOf(both, (_, task) => model(task === 'a' ? 17 : 20));
    const { imported } = columns.column('a');
    expect([columns.opset, imported?.opset, imported?.model.opset, imported?.at(20).model.opset]).toEqual([20, 17, 17, 20]);
    expect(taskModel(columns, new Map([['a', new Map()]]), { tasks: ['a'] }).opset).toBe(20);
  });

  it('that has no equal at the opset of another is refused with both and the node', () => {
    const grouped = (opset: number) => {
      const g = ops({ opset });
      const x = g.input('x', 'float32', ['N', 1, 6, 6]);
      const one = g.initializer('one', Tensor.from('float32', [1]));
      const [y] = g.op('GroupNormalization', [x, one, one], { num_groups: 1 });
      const h = g.reshape(must(y, 'y'), [0, 36]);
      g.output(h, 'h');
      g.output(g.matMul(h, g.initializer('w', Tensor.zeros('float32', [36, 2]))), 'y');
      return g.model();
    };
    const columns = columnsOf(both, (_, task) => (task === 'a' ? grouped(18) : model(21)));
    expect(() => columns.opset).toThrow(
      'task "a" was imported at opset 18 and cannot be brought to 21, that of "b": GroupNormalization "GroupNormalization": cannot be brought to opset 21, it has a scale for each group, from opset 21 on one for each channel: export both at one opset and import again',
    );
    expect(columnsOf(both, (_, task) => (task === 'a' ? grouped(18) : model(20))).opset).toBe(20);
  });

  it('must have the versions of domains that others have', () => {
    const load: GraphLoader = (_, task) => {
      const scaled = model();
      scaled.opsets.set('com.example', task === 'a' ? 1 : 2);
      return scaled;
    };
    const columns = columnsOf(both, load);
    expect(() => taskModel(columns, new Map([['a', new Map()]]), { tasks: ['a'] })).toThrow(
      'task "b" was imported with version 2 of the domain com.example, "a" with 1: export both with one version and import again',
    );
  });

  it('that is a file is not read by the description itself', () => {
    expect(() => columnsOf(described).column('a').parameters).toThrow(
      'task "a": onnx.graph names a file, which is read where the workspace is opened',
    );
  });
});
