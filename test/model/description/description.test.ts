// YAML and builder meet in one object; defaults; the normalised form; JSON Schema; canonical texts.
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import * as b from '../../../src/model/description/builder.js';
import { canonical, describeDifference } from '../../../src/model/description/canonical.js';
import type { Description } from '../../../src/model/description/description.js';
import { parseDescription, toInput } from '../../../src/model/description/parse.js';
import { readDescription } from '../../../src/model/description/read-text.js';
import { headWidth } from '../../../src/model/heads/heads.js';
import type { Layer } from '../../../src/model/nn/layers.js';
import { jsonSchemaText, toJsonSchema } from '../../../src/tasks/json-schema.js';
import { base, withColumn, withLayer } from './support.js';

const file = new URL('../../../models/mnist-family.yaml', import.meta.url);
const yaml = readFileSync(file, 'utf8');
const family = readDescription(yaml, 'models/mnist-family.yaml');
const he = { kind: 'he_normal' };

/** Every layer, once bare where that is allowed and once with options. */
const everyLayer = [
  { dense: 8 },
  { dense: { units: 8, bias: false, init: { normal: 0.02 } } },
  {
    conv2d: {
      filters: 4,
      kernel: [3, 1],
      stride: 2,
      dilation: [1, 2],
      groups: 2,
      padding: [1, 2],
      bias: false,
      init: 'torch_uniform',
    },
  },
  { maxpool2d: 2 },
  { avgpool2d: { kernel: [2, 2], stride: 1, padding: 1 } },
  ...['global_avgpool', 'global_maxpool', 'flatten', 'relu', 'leaky_relu', 'elu', 'selu', 'gelu', 'silu', 'sigmoid', 'tanh'],
  ...['softplus', 'hardswish', 'softmax', 'batch_norm', 'layer_norm'],
  { leaky_relu: 0.2 },
  { elu: { alpha: 0.5 } },
  { softmax: 1 },
  { reshape: [2, -1] },
  { dropout: 0.5 },
  { batch_norm: { momentum: 0.99 } },
  { layer_norm: { epsilon: 1e-3 } },
  { residual: [{ dense: 8 }, 'relu', { residual: ['tanh'] }] },
];

describe('one object', () => {
  it('YAML and builder give the same', () => {
    const train = { epochs: 3, batch: 128, optimizer: 'adam', lr: 0.001 } as const;
    const digits = b.column('digits', {
      data: 'mnist',
      blocks: [
        [b.conv2d(16, { kernel: 3, padding: 'same' }), b.relu(), b.maxpool2d(2)],
        [b.flatten(), b.dense(128), b.relu()],
      ],
      head: b.classify(10),
      train,
    });
    const built = b.buildDescription({
      name: 'mnist-family',
      seed: 1,
      input: b.input('image', [1, 28, 28]),
      columns: [
        digits,
        b.column('inverted', {
          data: { source: 'mnist', transform: ['invert', { noise: { std: 0.2, seed: 1 } }] },
          like: digits,
          laterals: b.adapter({ rank: 16 }),
          train: { ...train, epochs: 2 },
        }),
        b.column('permuted', {
          data: { source: 'mnist', transform: [{ permute: { seed: 1 } }] },
          blocks: [
            [b.flatten(), b.dense(256), b.relu()],
            [b.dense(128), b.relu(), b.dropout(0.2)],
          ],
          head: b.classify(10, { label_smoothing: 0.05 }),
          laterals: b.adapter({ rank: 32, from: ['digits', 'inverted'], into: ['head'] }),
          train: { ...train, schedule: { cosine: { warmup: 100 } } },
        }),
      ],
    });
    expect(built).toEqual(family);
  });

  it('every builder of a layer gives its YAML form', () => {
    const built = [
      b.dense(8, { bias: false }),
      b.conv2d(4, { kernel: 3 }),
      b.maxpool2d(2),
      b.avgpool2d(3, { stride: 1 }),
      b.globalAvgpool(),
      b.globalMaxpool(),
      b.flatten(),
      b.reshape([2, -1]),
      b.relu(),
      b.leakyRelu(),
      b.elu(),
      b.selu(),
      b.gelu(),
      b.silu(),
      b.sigmoid(),
      b.tanh(),
      b.softplus(),
      b.hardswish(),
      b.softmax(),
      b.dropout(0.1),
      b.batchNorm(),
      b.layerNorm(),
      b.residual([b.relu()]),
    ];
    const written = [
      { dense: { units: 8, bias: false } },
      { conv2d: { filters: 4, kernel: 3 } },
      { maxpool2d: 2 },
      { avgpool2d: { kernel: 3, stride: 1 } },
      'global_avgpool',
      'global_maxpool',
      'flatten',
      { reshape: [2, -1] },
      'relu',
      'leaky_relu',
      'elu',
      'selu',
      'gelu',
      'silu',
      'sigmoid',
      'tanh',
      'softplus',
      'hardswish',
      'softmax',
      { dropout: 0.1 },
      'batch_norm',
      'layer_norm',
      { residual: ['relu'] },
    ];
    expect(parseDescription(withColumn(0, { blocks: [built] }))).toEqual(parseDescription(withColumn(0, { blocks: [written] })));
  });

  it('heads', () => {
    const head = (h: unknown) => parseDescription(withColumn(0, { head: h })).columns[0]?.head;
    expect(head(b.classify(3, { class_weights: [1, 2, 3] }))).toEqual({
      kind: 'classify',
      classes: 3,
      class_weights: [1, 2, 3],
      label_smoothing: 0,
      init: he,
    });
    expect(head(b.binary(5))).toEqual(head({ binary: 5 }));
    expect(head(b.regress(2, { loss: 'l1', init: 'zeros' }))).toEqual({
      kind: 'regress',
      outputs: 2,
      loss: 'l1',
      init: { kind: 'zeros' },
    });
    expect(parseDescription(base).columns.map((c) => headWidth(c.head))).toEqual([3, 3]);
  });

  it('fills in every default', () => {
    const layers = [
      { dense: 8 },
      { conv2d: { filters: 4, kernel: 3 } },
      { maxpool2d: [2, 3] },
      { avgpool2d: { kernel: 2, stride: 1, padding: [1, 2] } },
      'leaky_relu',
      'softmax',
      'batch_norm',
      'layer_norm',
    ];
    const d = parseDescription(withColumn(0, { blocks: [layers] }));
    expect(d.columns[0]?.blocks[0]).toEqual([
      { kind: 'dense', units: 8, bias: true, init: he },
      {
        kind: 'conv2d',
        filters: 4,
        kernel: [3, 3],
        stride: [1, 1],
        dilation: [1, 1],
        groups: 1,
        padding: 'valid',
        bias: true,
        init: he,
      },
      { kind: 'maxpool2d', kernel: [2, 3], stride: [2, 3], padding: 'valid' },
      { kind: 'avgpool2d', kernel: [2, 2], stride: [1, 1], padding: [1, 2, 1, 2] },
      { kind: 'leaky_relu', alpha: 0.01 },
      { kind: 'softmax', axis: -1 },
      { kind: 'batch_norm', epsilon: 1e-5, momentum: 0.9 },
      { kind: 'layer_norm', epsilon: 1e-5 },
    ]);
    expect(d.seed).toBe(0);
    expect(d.inputs).toEqual([{ name: 'x', shape: [4], dtype: 'float32' }]);
    expectTypeOf<Extract<Layer, { kind: 'conv2d' }>['kernel']>().toEqualTypeOf<[number, number]>();
    expectTypeOf<Extract<Layer, { kind: 'relu' }>>().toEqualTypeOf<{ kind: 'relu' }>();
  });

  it('training options', () => {
    const train = (t: unknown) => parseDescription(withColumn(0, { train: t })).columns[0]?.train;
    expect(train({})).toEqual({});
    expect(train({ schedule: 'constant', clip: { norm: 1 }, early_stopping: { patience: 3 }, validation: 0.1, seed: 4 })).toEqual(
      {
        schedule: { kind: 'constant', warmup: 0 },
        clip: { kind: 'norm', limit: 1 },
        early_stopping: { patience: 3, monitor: 'loss' },
        validation: 0.1,
        seed: 4,
      },
    );
    expect(train({ schedule: { step: 5 } })).toEqual({ schedule: { kind: 'step', every: 5, factor: 0.1, warmup: 0 } });
    expect(train({ schedule: { cosine: { warmup: 10 } }, clip: { value: 2 } })).toEqual({
      schedule: { kind: 'cosine', final: 0, warmup: 10 },
      clip: { kind: 'value', limit: 2 },
    });
  });
});

describe('columns', () => {
  const laterals = (value: unknown) => parseDescription(withColumn(1, { laterals: value })).columns[1]?.laterals;
  it('laterals', () => {
    const all = { kind: 'linear', from: ['a'], into: [1, 2] };
    expect(laterals(undefined)).toEqual(all);
    expect(laterals('linear')).toEqual(all);
    expect(laterals('adapter')).toEqual({ ...all, kind: 'adapter', activation: 'relu' });
    expect(laterals({ kind: 'adapter', rank: 4, alpha: 0.1, into: ['head', 1] })).toEqual({
      ...all,
      kind: 'adapter',
      activation: 'relu',
      rank: 4,
      alpha: 0.1,
    });
    for (const none of [
      'none',
      { kind: 'none' },
      { kind: 'linear', from: 'none' },
      { kind: 'adapter', from: [] },
      { kind: 'linear', into: [] },
    ]) {
      expect(laterals(none)).toEqual({ kind: 'none' });
    }
    expect(parseDescription(base).columns[0]?.laterals).toEqual({ kind: 'none' });
    expect(family.columns[2]?.laterals).toMatchObject({ from: ['digits', 'inverted'], into: [2] });
  });

  it('laterals read the taps that are named, by number, and say nothing of what they would read anyway', () => {
    const all = { kind: 'linear', from: ['a'], into: [1, 2] };
    expect(laterals({ kind: 'linear', from: 'a', taps: { 1: 1, head: 0 } })).toEqual({ ...all, taps: { a: { 1: 1, 2: 0 } } });
    expect(laterals({ kind: 'linear', taps: { a: { 1: 0, 2: 0 } } })).toEqual({ ...all, taps: { a: { 2: 0 } } });
    expect(laterals({ kind: 'linear', taps: { 1: 0, head: 1 } })).toEqual(all);
    expect(laterals({ kind: 'adapter', into: ['head'], taps: { head: 0 } })).toMatchObject({ into: [2], taps: { a: { 2: 0 } } });
    const d = parseDescription(withColumn(1, { laterals: { kind: 'linear', taps: { 1: 1, head: 0 } } }));
    expect(parseDescription(JSON.parse(JSON.stringify(toInput(d))))).toEqual(d);
  });

  it('taps of an imported column are named, or spread by depth with the last into the head', () => {
    const onnx = { graph: 'a.onnx', taps: ['p', 'q', 'r', 's', 't', 'u', 'v'], scores: 'w' };
    const described = (value: unknown, blocks: unknown = [[{ dense: 2 }], [{ dense: 2 }], [{ dense: 2 }]]) => {
      const columns = [
        { task: 'a', onnx, head: { classify: 2 } },
        { task: 'b', blocks, head: { classify: 2 }, laterals: value },
      ];
      return parseDescription({ ...base, columns });
    };
    const over = (...given: Parameters<typeof described>) => described(...given).columns[1]?.laterals;
    expect(over(undefined)).toMatchObject({ taps: { a: { 1: 1, 2: 4, 3: 6 } } });
    const named = over({ kind: 'linear', taps: { 1: 'p', 2: 'q', head: 'r' } });
    expect(named).toMatchObject({ taps: { a: { 1: 0, 2: 1, 3: 2 } } });
    expect(over(named)).toEqual(named);
    // As columns were frozen before taps were spread.
    expect(canonical(described(named), 'b')).not.toContain('taps":{');
    expect(canonical(described(undefined), 'b')).toContain('"taps":{"a":{"1":1,"2":4,"3":6}}');
    expect(over({ kind: 'linear', taps: { 1: 'p', head: 't' } })).toMatchObject({ taps: { a: { 1: 0, 2: 4, 3: 4 } } });
    expect(over(undefined, [])).toEqual({ kind: 'linear', from: ['a'], into: [0] });
    expect(over({ kind: 'linear', taps: { head: 'r' } }, [])).toMatchObject({ taps: { a: { 0: 2 } } });
    expect(() => over({ kind: 'linear', taps: { 1: 'x1' } })).toThrow(
      'laterals.taps["1"]: "a" has no tap "x1", expected one of "p", "q", "r", "s", "t", "u", "v"',
    );
  });

  it('a column without blocks is a head over the last taps of earlier columns that have some', () => {
    const alone = (value: unknown) =>
      parseDescription(withColumn(1, { like: undefined, blocks: [], head: { classify: 2 }, ...Object(value) }));
    const over = { kind: 'linear', from: ['a'], into: [0] };
    for (const laterals of [undefined, 'linear', { kind: 'linear', into: ['head'] }, { kind: 'linear', from: ['a'] }, over])
      expect(alone({ laterals }).columns[1]).toMatchObject({ blocks: [], laterals: over });
    const d = alone({ laterals: { kind: 'adapter', rank: 3 } });
    expect(d.columns[1]?.laterals).toEqual({ ...over, kind: 'adapter', activation: 'relu', rank: 3 });
    expect(parseDescription(JSON.parse(JSON.stringify(toInput(d))))).toEqual(d);
    // Later columns read past it.
    const columns = [...d.columns.slice(0, 2).map((c) => JSON.parse(JSON.stringify(c))), { task: 'c', like: 'a' }];
    expect(parseDescription({ ...base, columns }).columns[2]?.laterals).toMatchObject({ from: ['a'] });
  });

  it('like copies blocks and head, unless overridden, and nothing else', () => {
    const d = parseDescription(withColumn(0, { data: 'mnist', train: { epochs: 3 } }));
    expect(d.columns[1]).toEqual({
      task: 'b',
      like: 'a',
      blocks: d.columns[0]?.blocks,
      head: d.columns[0]?.head,
      laterals: laterals('linear'),
      train: {},
    });
    expect(parseDescription(withColumn(1, { head: { regress: 1 } })).columns[1]?.head).toMatchObject({ kind: 'regress' });
  });

  it('the normalised form is valid input and stands for itself', () => {
    for (const d of [family, parseDescription(base), parseDescription(withColumn(0, { blocks: [everyLayer] }))]) {
      expect(parseDescription(JSON.parse(JSON.stringify(toInput(d))))).toEqual(d);
    }
  });
});

describe('JSON Schema', () => {
  const schema = toJsonSchema();
  const accepts = (value: unknown) => z.fromJSONSchema(schema).safeParse(value).success;
  it('accepts the examples and every layer', () => {
    expect(accepts(parseYaml(yaml))).toBe(true);
    expect(accepts(base)).toBe(true);
    for (const layer of everyLayer) expect(accepts(withLayer(layer)), JSON.stringify(layer)).toBe(true);
    for (const laterals of ['none', 'linear', { kind: 'adapter', rank: 3, into: ['head'] }]) {
      expect(accepts(withColumn(1, { laterals }))).toBe(true);
    }
  });
  it('refuses what the parser refuses', () => {
    for (const layer of ['dense', { densee: 8 }, { dense: 0 }, { dense: { unit: 3 } }, { residual: [{ dens: 3 }] }, 3]) {
      expect(accepts(withLayer(layer)), JSON.stringify(layer)).toBe(false);
    }
    expect(accepts(withColumn(1, { train: { epoch: 3 } }))).toBe(false);
    expect(accepts({ ...base, input: {} })).toBe(false);
  });
  it('has a description at every property', () => {
    const bare: string[] = [];
    let properties = 0;
    const visit = (value: unknown, path: string): void => {
      if (typeof value !== 'object' || value === null) return;
      const own: unknown = Reflect.get(value, 'properties');
      if (typeof own === 'object' && own !== null && !Array.isArray(value)) {
        for (const [name, property] of Object.entries(own)) {
          properties++;
          if (!(typeof property.description === 'string' && /^\S.*\.$/.test(property.description)))
            bare.push(`${path}.${name}: ${property.description}`);
        }
      }
      for (const [key, inner] of Object.entries(value)) visit(inner, `${path}/${key}`);
    };
    visit(schema, '');
    expect(bare).toEqual([]);
    expect(properties).toBeGreaterThan(150);
  });
  it('has a definition behind every reference', () => {
    const refs = [...jsonSchemaText().matchAll(/"\$ref": "#\/\$defs\/(\w+)"/g)].map((m) => m[1]);
    expect([...new Set(refs)].sort()).toEqual(Object.keys(z.record(z.string(), z.unknown()).parse(schema.$defs)).sort());
  });
});

describe('canonical', () => {
  const text = (value: unknown, task = 'a') => canonical(parseDescription(value), task);
  it('names each difference and both values', () => {
    const a = text(withLayer({ dense: 128 }));
    expect(describeDifference(a, text(withLayer({ dense: 64 })))).toBe('blocks[1][0].units: 64, frozen with 128');
    expect(describeDifference(a, text(withLayer('relu')))).toBe('blocks[1][0]: "relu", frozen with "dense"');
    expect(describeDifference(a, a)).toBe('');
    expect(describeDifference(text(base, 'b'), text(withColumn(1, { laterals: 'none' }), 'b'))).toBe(
      'laterals: "none", frozen with "linear"',
    );
    expect(describeDifference(a, text({ ...base, input: { name: 'x', shape: [5] } }))).toMatch(
      /^blocks.*; inputs\[0\]\.shape\[0\]: 5, frozen with 4$/,
    );
  });
  it('leaves out what only training needs, and later columns', () => {
    const d = text(withLayer({ dense: 8 }));
    expect(text(withLayer({ dense: { units: 8, init: 'zeros' } }))).toBe(d);
    expect(text(withColumn(0, { train: { epochs: 9 }, head: { classify: { classes: 3, label_smoothing: 0.1 } } }))).toBe(
      text(base),
    );
    expect(text({ ...base, columns: base.columns.slice(0, 1) })).toBe(text(base));
  });
  it('does not depend on the order of keys', () => {
    const shuffled = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(shuffled);
      if (typeof value !== 'object' || value === null) return value;
      return Object.fromEntries(
        Object.entries(value)
          .reverse()
          .map(([k, v]) => [k, shuffled(v)]),
      );
    };
    const tasks = (d: Description) => d.columns.map((c) => canonical(d, c.task));
    fc.assert(
      fc.property(fc.constantFrom(toInput(family), parseYaml(yaml)), (value) => {
        expect(tasks(parseDescription(shuffled(value)))).toEqual(tasks(family));
      }),
      { numRuns: 4 },
    );
  });
  it('refuses an unknown task and a text that is none', () => {
    expect(() => canonical(family, 'digit')).toThrow('unknown task "digit", did you mean "digits"?');
    expect(() => describeDifference('{', '{}')).toThrow('a canonical column is not valid JSON, expected what canonical() gave');
  });
});
