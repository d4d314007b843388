// Every message about a bad description, word by word.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDescription } from '../../../src/model/description/parse.js';
import { readDescription } from '../../../src/model/description/read-text.js';
import { DescriptionError } from '../../../src/onnx/core/errors.js';
import { base, errorOf, withColumn, withLayer } from './support.js';

const message = (value: unknown) => errorOf(() => parseDescription(value, 'p.yaml')).message;

describe('messages', () => {
  it.each([
    // layers
    [withLayer({ densee: 8 }), 'columns[0].blocks[1][0]: unknown layer "densee", did you mean "dense"?'],
    [withLayer('ReLU6'), 'columns[0].blocks[1][0]: unknown layer "ReLU6", did you mean "relu"?'],
    [withLayer('dense'), 'columns[0].blocks[1][0]: found "dense" alone, expected its options, as in { dense: 128 }'],
    [withLayer({ dense: 'many' }), 'columns[0].blocks[1][0].dense: found "many", expected a positive integer'],
    [withLayer({ dense: {} }), 'columns[0].blocks[1][0].dense: "units" is missing, expected a positive integer'],
    [withLayer({ dense: { units: 0 } }), 'columns[0].blocks[1][0].dense.units: found 0, expected a positive integer'],
    [withLayer({ dense: { unit: 8 } }), 'columns[0].blocks[1][0].dense: unknown key "unit", did you mean "units"?'],
    [
      withLayer({ dense: 8, bias: false }),
      'columns[0].blocks[1][0]: found 2 keys ("dense", "bias"), expected one, the layer\'s name',
    ],
    [withLayer({}), "columns[0].blocks[1][0]: found 0 keys, expected one, the layer's name"],
    [withLayer(8), 'columns[0].blocks[1][0]: found 8, expected a name or { name: options } for the layer'],
    [withLayer({ relu: null }), 'columns[0].blocks[1][0].relu: found null, expected an object of options'],
    [
      withLayer({ conv2d: { filters: 4, kernel: [3, 3, 3] } }),
      'columns[0].blocks[1][0].conv2d.kernel: found [3,3,3], expected a positive integer or a pair [height, width] of them',
    ],
    [
      withLayer({ conv2d: { filters: 4, kernel: 3, padding: 'full' } }),
      'columns[0].blocks[1][0].conv2d.padding: found "full", expected "same", "valid", an integer, [height, width] or [top, left, bottom, right]',
    ],
    [
      withLayer({ conv2d: { filters: 4, kernel: 3, groups: 3 } }),
      'columns[0].blocks[1][0].conv2d.groups: found 3, expected a divisor of "filters"',
    ],
    [
      withLayer({ dense: { units: 4, init: 'he_norml' } }),
      'columns[0].blocks[1][0].dense.init: unknown init "he_norml", did you mean "he_normal"?',
    ],
    [
      withLayer({ dense: { units: 4, init: { normal: -1 } } }),
      'columns[0].blocks[1][0].dense.init.normal: found -1, expected a positive number',
    ],
    [withLayer({ dropout: 1 }), 'columns[0].blocks[1][0].dropout: found 1, expected a number of at least 0 and below 1'],
    [
      withLayer({ dropout: Number.NaN }),
      'columns[0].blocks[1][0].dropout: found NaN, expected a number of at least 0 and below 1',
    ],
    [withLayer({ reshape: [-1, -1] }), 'columns[0].blocks[1][0].reshape: found [-1,-1], expected at most one -1'],
    [
      withLayer({ residual: ['relu', { dens: 4 }] }),
      'columns[0].blocks[1][0].residual[1]: unknown layer "dens", did you mean "dense"?',
    ],
    [withLayer({ residual: [] }), 'columns[0].blocks[1][0].residual: found [], expected at least one layer'],
    [withColumn(0, { blocks: [[]] }), 'columns[0].blocks[0]: found [], expected at least one layer'],
    [withColumn(0, { blocks: ['relu'] }), 'columns[0].blocks[0]: found "relu", expected a list of layers'],
    // heads
    [
      withColumn(0, { head: { classify: { classes: 2, class_weights: [0, 0] } } }),
      'columns[0].head.classify.class_weights: found [0,0], expected at least one weight above 0',
    ],
    [
      withColumn(0, { task: 'constructor' }),
      'columns[0].task: found "constructor", expected a name that JavaScript objects do not have of themselves',
    ],
    [withColumn(0, { head: { clasify: 3 } }), 'columns[0].head: unknown head "clasify", did you mean "classify"?'],
    [withColumn(0, { head: { classify: 1 } }), 'columns[0].head.classify: found 1, expected an integer of at least 2'],
    [
      withColumn(0, { head: { classify: ['cold', 'warm'] } }),
      'columns[0].head.classify: found ["cold","warm"], expected an integer of at least 2, and the names beside it: { classes: 2, names: [...] }',
    ],
    [
      withColumn(0, { head: { binary: { labels: ['tall'] } } }),
      'columns[0].head.binary.labels: found ["tall"], expected a positive integer, and the names beside it: { labels: 1, names: [...] }',
    ],
    [
      withColumn(0, { head: { classify: { classes: 3, class_weights: [1, 2] } } }),
      'columns[0].head.classify.class_weights: found [1,2], expected as many weights as "classes"',
    ],
    [
      withColumn(0, { head: { regress: { outputs: 1, loss: 'hubber' } } }),
      'columns[0].head.regress.loss: unknown loss "hubber", did you mean "huber"?',
    ],
    [
      withColumn(0, { head: undefined }),
      'columns[0]: "head" is missing, expected a head such as { classify: 10 }, "heads", or "like"',
    ],
    [withColumn(0, { blocks: undefined }), 'columns[0]: "blocks" is missing, expected a list of blocks, or "like"'],
    // laterals
    [
      withColumn(1, { laterals: { kind: 'linear', from: ['c'] } }),
      'columns[1].laterals.from[0]: unknown task "c", expected an earlier task: "a"',
    ],
    [
      withColumn(1, { laterals: { kind: 'linear', from: ['a', 'b'] } }),
      'columns[1].laterals.from[1]: "b" is the column itself, expected an earlier task: "a"',
    ],
    [
      withColumn(0, { laterals: { kind: 'linear', from: ['b'] } }),
      'columns[0].laterals.from[0]: "b" comes later, expected "none", as no task comes before',
    ],
    [
      withColumn(0, { laterals: { kind: 'linear' } }),
      'columns[0].laterals: no task comes before, expected none in the first column',
    ],
    [
      withColumn(1, { laterals: { kind: 'linear', from: ['a', 'a'] } }),
      'columns[1].laterals.from[1]: "a" stands there twice, expected each task once',
    ],
    [
      withColumn(1, { laterals: { kind: 'linear', from: 3 } }),
      'columns[1].laterals.from: found 3, expected "all", "none", an earlier task or a list of earlier tasks',
    ],
    [
      withColumn(1, { laterals: { kind: 'linear', from: 'c' } }),
      'columns[1].laterals.from: unknown task "c", expected an earlier task: "a"',
    ],
    [
      withColumn(1, { laterals: { kind: 'linear', taps: { 1: 2 } } }),
      'columns[1].laterals.taps["1"]: "a" has no tap 2, expected a number from 0 to 1, the blocks of "a"',
    ],
    [
      withColumn(1, { laterals: { kind: 'linear', taps: { 1: false } } }),
      'columns[1].laterals.taps: block 1 reads no source, expected it left out of "into"',
    ],
    [
      {
        ...base,
        columns: [
          ...base.columns,
          { task: 'c', like: 'a', laterals: { kind: 'linear', taps: { b: { 1: false, head: false } } } },
        ],
      },
      'columns[2].laterals.taps.b: no block reads "b", expected it left out of "from"',
    ],
    [
      withColumn(1, { laterals: { kind: 'linear', taps: { 1: true } } }),
      'columns[1].laterals.taps["1"]: found true, expected the number of a block, the name of a tap of an imported column, or false for none',
    ],
    [
      withColumn(1, { laterals: { kind: 'adapter', into: ['head'], rank: { 1: 4 } } }),
      'columns[1].laterals.rank["1"]: found "1", expected a block that receives: head',
    ],
    [
      withColumn(1, { laterals: { kind: 'adapter', rank: { 1: 0 } } }),
      'columns[1].laterals.rank["1"]: found 0, expected a positive integer',
    ],
    [
      withColumn(1, { laterals: { kind: 'linear', taps: { head: 'relu' } } }),
      'columns[1].laterals.taps.head: "a" has no tap "relu", expected a number from 0 to 1, the blocks of "a"',
    ],
    [
      withColumn(1, { laterals: { kind: 'linear', into: ['head'], taps: { 1: 0 } } }),
      'columns[1].laterals.taps["1"]: found "1", expected a block that receives: head',
    ],
    [
      withColumn(1, { laterals: { kind: 'linear', taps: { c: { 1: 0 } } } }),
      'columns[1].laterals.taps.c: found "c", expected a source: "a"',
    ],
    [
      { ...base, columns: [...base.columns, { task: 'c', like: 'a', laterals: { kind: 'linear', taps: { 1: 0 } } }] },
      'columns[2].laterals.taps["1"]: found a tap of one source, there are 2, expected them by source, such as { a: { ... } }',
    ],
    [
      withColumn(1, { laterals: { kind: 'linear', into: [1, 3] } }),
      'columns[1].laterals.into[1]: found 3, expected a block index from 1 to 2, the head',
    ],
    [
      withColumn(1, { laterals: { kind: 'linear', into: [2, 'head'] } }),
      'columns[1].laterals.into[1]: block 2 stands there twice, expected each block once',
    ],
    [
      withColumn(1, { laterals: { kind: 'linear', into: [0] } }),
      'columns[1].laterals.into[0]: found 0, expected a block index from 1, or "head"',
    ],
    // a head alone
    [
      withColumn(0, { blocks: [] }),
      'columns[0].blocks: found none, expected at least one block, or laterals from an earlier task into the head',
    ],
    [
      withColumn(1, { blocks: [], laterals: 'none' }),
      'columns[1].blocks: found none, expected at least one block, or laterals from an earlier task into the head',
    ],
    [
      withColumn(1, { blocks: [], laterals: 'adapter' }),
      'columns[1].laterals: "rank" is missing, expected it in a column without blocks, such as rank: 32',
    ],
    [
      withColumn(1, { blocks: [], laterals: { kind: 'linear', into: [1] } }),
      'columns[1].laterals.into[0]: found 1, expected "head", as the column has no blocks',
    ],
    [
      withColumn(1, { blocks: [], prepare: ['standardise'] }),
      'columns[1].prepare: found beside "blocks: []", expected none, since the column reads earlier columns alone',
    ],
    [
      {
        ...base,
        columns: [
          base.columns[0],
          { task: 'b', blocks: [], head: { classify: 2 } },
          { task: 'c', like: 'a', laterals: { kind: 'linear', from: ['b'] } },
        ],
      },
      'columns[2].laterals.from[0]: "b" has no blocks to read, expected a task with blocks',
    ],
    [
      {
        ...base,
        columns: [
          base.columns[0],
          { task: 'b', blocks: [], head: { classify: 2 } },
          { task: 'c', like: 'a', laterals: { kind: 'linear', from: 'b' } },
        ],
      },
      'columns[2].laterals.from: "b" has no blocks to read, expected a task with blocks',
    ],
    [
      withColumn(1, { laterals: { kind: 'linear', rank: 3 } }),
      'columns[1].laterals: unknown key "rank", expected one of "from", "into", "taps", "join"',
    ],
    [
      withColumn(1, { laterals: { rank: 3 } }),
      'columns[1].laterals: "kind" is missing, expected one of "none", "linear", "adapter"',
    ],
    [withColumn(1, { laterals: 'adaptor' }), 'columns[1].laterals: unknown laterals "adaptor", did you mean "adapter"?'],
    [
      withColumn(1, { laterals: { kind: 'adapter', activation: 'relo' } }),
      'columns[1].laterals.activation: found "relo", did you mean "relu"?',
    ],
    // data
    [withColumn(0, { data: 7 }), 'columns[0].data: found 7, expected a source, or { source, transform: [...] }'],
    [withColumn(0, { data: '' }), 'columns[0].data: found "", expected a source, or { source, transform: [...] }'],
    [
      withColumn(0, { data: { from: 'x' } }),
      'columns[0].data: found {"from":"x"}, expected a source, or { source, transform: [...] }',
    ],
    [
      withColumn(0, { data: { source: 'x', transform: [{ a: 1, b: 2 }] } }),
      'columns[0].data.transform[0]: found {"a":1,"b":2}, expected a transform: a name, or an object of one key',
    ],
    // names
    [withColumn(1, { task: 'a' }), 'columns[1].task: task "a" stands in columns[0] already, expected a name of its own'],
    [withColumn(1, { task: 'A' }), 'columns[1].task: task "A" stands in columns[0] already, expected a name of its own'],
    [
      withColumn(1, { task: 'x' }),
      'columns[1].task: task "x" has an output "x", the name of an input, expected a name of its own',
    ],
    [
      withColumn(1, { task: 'a_label' }),
      'columns[1].task: task "a_label" has an output "a_label", the name of an output of task "a", expected a name of its own',
    ],
    [
      withColumn(1, { task: '../b' }),
      'columns[1].task: found "../b", expected a name: a letter, then letters, digits, "_" or "-", at most 100',
    ],
    [{ ...base, input: [base.input, base.input] }, 'input[1].name: found "x", the name of input[0], expected a name of its own'],
    [
      { ...base, input: { name: 'task_id', shape: [] } },
      'input.name: found "task_id", the name of the input of routed models, expected a name of its own',
    ],
    // like
    [withColumn(1, { like: 'aa' }), 'columns[1].like: unknown task "aa", did you mean "a"?'],
    [withColumn(1, { like: 'digits' }), 'columns[1].like: unknown task "digits", expected "a"'],
    [withColumn(1, { like: 'b' }), 'columns[1].like: "b" is the column itself, expected an earlier task: "a"'],
    [withColumn(0, { like: 'b' }), 'columns[0].like: "b" comes later, expected no "like" in the first column'],
    // train
    [withColumn(0, { train: { epoch: 3 } }), 'columns[0].train: unknown key "epoch", did you mean "epochs"?'],
    [withColumn(0, { train: { lr: '0.1' } }), 'columns[0].train.lr: found "0.1", expected a positive number'],
    [withColumn(0, { train: { optimizer: 'adamax' } }), 'columns[0].train.optimizer: found "adamax", did you mean "adam"?'],
    [
      withColumn(0, { train: { schedule: 'step' } }),
      'columns[0].train.schedule: found "step" alone, expected its options, as in { step: { every: 10, factor: 0.1 } }',
    ],
    [withColumn(0, { train: { clip: { norm: 0 } } }), 'columns[0].train.clip.norm: found 0, expected a positive number'],
    [
      withColumn(0, { train: { early_stopping: {} } }),
      'columns[0].train.early_stopping: "patience" is missing, expected a positive integer',
    ],
    [withColumn(0, { train: [] }), 'columns[0].train: found [], expected an object of training options'],
    // the whole
    [{ ...base, prognet: 2 }, 'prognet: found 2, expected 1, the version of this format'],
    [{ ...base, nam: 'y', name: undefined }, 'unknown key "nam", did you mean "name"?'],
    [{ ...base, prepare: ['standardise'] }, 'unknown key "prepare", expected it in "input" or in a column'],
    [{ ...base, inputs: [] }, 'unknown key "inputs", did you mean "input"?'],
    [{ ...base, features: ['a'] }, 'unknown key "features", expected it in "input"'],
    [{ ...base, train: { epochs: 3 } }, 'unknown key "train", expected it in a column'],
    [{ ...base, name: undefined }, '"name" is missing, expected a name: a letter, then letters, digits, "_" or "-", at most 100'],
    [
      { ...base, input: { name: 'x' } },
      'input: "shape" is missing, expected a list of positive integers, without the batch, or "features" of a table',
    ],
    [
      { ...base, input: [{ name: 'x', shape: ['', 4] }] },
      'input[0].shape[0]: found "", expected a positive integer, or the name of a dimension that stays open, not N, which is the batch',
    ],
    [
      { ...base, input: { name: 'x', shape: ['N', 4] } },
      'input.shape[0]: found "N", expected a positive integer, or the name of a dimension that stays open, not N, which is the batch',
    ],
    [{ ...base, input: { name: 'x', shape: [4], dtype: 'float' } }, 'input.dtype: found "float", did you mean "float32"?'],
    [{ ...base, input: 'x' }, 'input: found "x", expected an input { name, shape }, or a list of them'],
    [{ ...base, columns: [7] }, 'columns[0]: found 7, expected a column: { task, blocks, head, ... }'],
    [null, 'found null, expected a description: { prognet: 1, name, input, columns }'],
  ])('%#', (value, expected) => {
    expect(message(value)).toBe(`p.yaml: ${expected}`);
  });

  it('has fields', () => {
    const error = errorOf(() => parseDescription(withLayer({ densee: 8 }), 'prognet.yaml'));
    expect(error.path).toBe('prognet.yaml: columns[0].blocks[1][0]');
    expect(error.got).toBe('unknown layer "densee"');
    expect(error.expected).toBe('"dense"');
    const wrong = errorOf(() => parseDescription(withLayer({ dense: 'many' })));
    expect([wrong.path, wrong.got, wrong.expected]).toEqual(['columns[0].blocks[1][0].dense', '"many"', 'a positive integer']);
    expect(errorOf(() => parseDescription(1)).message).toMatch(/^description: found 1, /);
  });

  it('refuses what JSON could not hold', () => {
    const loop: Record<string, unknown> = {};
    loop.self = loop;
    expect(message(loop)).toBe('p.yaml: found an object that contains itself, expected a tree of values');
    expect(message(withColumn(0, { data: { source: 'x', f: () => 1 } }))).toBe(
      'p.yaml: found a function, expected plain values, as in JSON',
    );
    expect(message(withColumn(0, { data: new Date(0) }))).toBe(
      'p.yaml: found an instance of a class, expected plain values, as in JSON',
    );
    let deep: unknown = 'relu';
    for (let i = 0; i < 100_000; i++) deep = { residual: [deep] };
    expect(message(withLayer(deep))).toBe('p.yaml: found more than 64 levels, expected fewer');
    let wide: unknown = 'relu';
    for (let i = 0; i < 25; i++) wide = { residual: [wide, wide] };
    expect(message(withLayer(wide))).toBe('p.yaml: found more than 1000000 values, expected fewer');
  });
});

describe('YAML', () => {
  const read = (text: string) => errorOf(() => readDescription(text, 'p.yaml')).message;

  it.each([
    ['? a\n: 1\n', 'p.yaml:1:1: found the key mark "?", expected a name before ":"'],
    ['a: 1\n[b, c]: 1\n', 'p.yaml:2:7: found a collection or an alias as a key, expected a name before ":"'],
    ['a: {{b: 1}: 1}\n', 'p.yaml:1:11: found a collection or an alias as a key, expected a name before ":"'],
    ['a: &x [1]\n*x : 1\n', 'p.yaml:2:4: found a collection or an alias as a key, expected a name before ":"'],
    ["a: 'x\n\n  y'\nb: {1: 2, '1': 3}\n", 'p.yaml:4:11: Map keys must be unique, expected valid YAML'],
  ])('%j', (text, message) => expect(read(text)).toBe(message));

  it.each([
    ['keys that are collections', `${'{'.repeat(400)}a${'}: 1'.repeat(400)}`, /as a key/],
    ['nested keys', `${'? '.repeat(400)}a`, /key mark/],
    ['a long list', `a:\n${'- 1\n'.repeat(3_700_000)}`, /^p\.yaml:\d+:\d+: found more than 100000 values, expected fewer$/],
    ['a long list on one line', `a: [${'1,'.repeat(3_700_000)}]`, /found more than 100000 values/],
    ['maps in maps', `a: ${': '.repeat(20_000)}`, /nested too deeply|valid YAML/],
    ['many keys', Array.from({ length: 45_000 }, (_, i) => `k${i}: 1`).join('\n'), /unknown key|is missing/],
    ['too many keys', Array.from({ length: 60_000 }, (_, i) => `k${i}: 1`).join('\n'), /found more than 100000 values/],
    ['many anchors, each with its alias', `a: [${'&x 1, *x,'.repeat(30_000)}]`, /found more than 1000 aliases, expected fewer$/],
    ['comments alone', '# x\n'.repeat(4_000_000), /found more than 1000000 marks/],
    ['brackets', '['.repeat(8_000_000), /found more than 100000 values/],
  ])('what a text may cost is bounded: %s', (_, text, message) => {
    const started = performance.now();
    const before = process.memoryUsage.rss();
    expect(read(text)).toMatch(message);
    // Measured 0.1 to 1.5 s on an idle machine; it was minutes or gigabytes.
    expect(performance.now() - started).toBeLessThan(20_000);
    expect(process.memoryUsage.rss() - before).toBeLessThan(600e6);
  });

  it.each([
    [
      'prognet: 1\nname: [a\n',
      'p.yaml:3:1: Flow sequence in block collection must be sufficiently indented and end with a ], expected valid YAML',
    ],
    ['name: a\nname: b\n', 'p.yaml:2:1: Map keys must be unique, expected valid YAML'],
    ['name: !foo a\n', 'p.yaml:1:7: Unresolved tag: !foo, expected valid YAML'],
    [
      'name: *nowhere\n',
      'p.yaml: Unresolved alias (the anchor must be set before the alias): nowhere, expected aliases that can be expanded',
    ],
    ['prognet: 1\n---\nprognet: 1\n', 'p.yaml:2:1: found a second document after "---", expected one description in a file'],
    ['', 'p.yaml: found null, expected a description: { prognet: 1, name, input, columns }'],
  ])('%#', (text, expected) => {
    expect(read(text)).toBe(expected);
  });

  it('limits the expansion of aliases', () => {
    const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
    for (let i = 1; i < 10; i++) lines.push(`a${i}: &a${i} [${`*a${i - 1}, `.repeat(9)}*a${i - 1}]`);
    expect(read(lines.join('\n'))).toBe(
      'p.yaml: Excessive alias count indicates a resource exhaustion attack, expected aliases that can be expanded',
    );
  });
});

describe('any input', () => {
  const onlyDescriptionErrors = (run: () => unknown) => {
    try {
      run();
    } catch (error) {
      expect(error).toBeInstanceOf(DescriptionError);
      expect(error instanceof Error ? error.message : '').not.toMatch(
        /[\n\r]|\bundefined\b|internal|Invalid input|Too (small|big)|Unrecognized/,
      );
    }
  };
  it('any JSON, anywhere in a description, gives a description or a DescriptionError', () => {
    const places = [
      (v: unknown) => v,
      withLayer,
      ...['task', 'data', 'blocks', 'head', 'like', 'laterals', 'train'].map((k) => (v: unknown) => withColumn(1, { [k]: v })),
      (v: unknown) => ({ ...base, input: v }),
      (v: unknown) => withLayer({ conv2d: v }),
      (v: unknown) => withColumn(1, { train: { schedule: v, clip: v } }),
    ];
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(...places), (value, place) =>
        onlyDescriptionErrors(() => parseDescription(place(value))),
      ),
      { numRuns: 2000 },
    );
  });
  it('any text', () => {
    fc.assert(
      fc.property(fc.string(), (text) => onlyDescriptionErrors(() => readDescription(text, 'p.yaml'))),
      { numRuns: 500 },
    );
  });
});
