// The list of layers: names in two cases, a comment that is the description, functions whose types can be read.
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import type { InitInput } from '../../../src/model/nn/init.js';
import type { Conv2dOptions } from '../../../src/model/nn/layers/conv2d.js';
import type { DenseOptions } from '../../../src/model/nn/layers/dense.js';
import * as list from '../../../src/model/nn/layers/index.js';
import type { LayerInput, LayerOptions } from '../../../src/model/nn/layers.js';
import type { PairInput } from '../../../src/model/nn/window.js';
import { toJsonSchema } from '../../../src/tasks/json-schema.js';

const folder = new URL('../../../src/model/nn/layers/', import.meta.url);
const source = readdirSync(folder)
  .map((name) => readFileSync(new URL(name, folder), 'utf8'))
  .join('\n');
const camel = (name: string) => name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());

it.each(Object.entries(list))('%s is the camel case of its name in YAML', (name, { definition }) => {
  expect(name).toBe(camel(definition.kind));
});

describe('the comment is the description', () => {
  it.each(Object.entries(list))('of %s', (name, { definition }) => {
    const comment = new RegExp(`/\\*\\*\\n \\* ([^\\n]*)\\n \\* @function\\n \\*/\\nexport const ${name} = `).exec(source)?.[1];
    expect(comment).toBe(definition.doc);
  });

  it('of every option', () => {
    const options = [...source.matchAll(/\/\*\* ([^\n]*) \*\/\n {2}(\w+)\?:/g)].map(([, comment, option]) => [option, comment]);
    const described = new Set<string>();
    for (const { definition } of Object.values(list)) {
      if ('composite' in definition) continue;
      const { options } = definition;
      const object: z.ZodType = options instanceof z.ZodPipe ? z.strictObject(options.in.shape) : options;
      if (!(object instanceof z.ZodObject)) throw new Error(`${definition.kind} has no options`);
      for (const [option, schema] of Object.entries(object.shape)) {
        const { description } = z.instanceof(z.ZodType).parse(schema);
        expect(description, `${definition.kind}.${option}`).toMatch(/^[A-Z"].*\.$|^[A-Z"].* when absent\.?$/);
        described.add(`${option}: ${description}`);
      }
    }
    expect(options.length).toBeGreaterThan(10);
    for (const [option, comment] of options) expect(described).toContain(`${option}: ${comment}`);
  });

  it('and stands in the JSON Schema', () => {
    const text = JSON.stringify(toJsonSchema().$defs);
    expect(text).toContain('"description":"Features of the output."');
    expect(text).toContain('"description":"y = x W + b over a flat input, or over each step of a sequence."');
    expect(text).toContain('"description":"The layers that it holds."');
  });
});

describe('functions', () => {
  it('say their arguments and options in words', () => {
    expectTypeOf<Parameters<typeof list.dense>>().toEqualTypeOf<[units: number, options?: DenseOptions | undefined]>();
    expectTypeOf<Parameters<typeof list.conv2d>>().toEqualTypeOf<[filters: number, options: Conv2dOptions]>();
    expectTypeOf<Parameters<typeof list.relu>>().toEqualTypeOf<[]>();
    expectTypeOf<Parameters<typeof list.leakyRelu>>().toEqualTypeOf<[alpha?: number | undefined]>();
    expectTypeOf<ReturnType<typeof list.dense>>().toEqualTypeOf<{
      dense: { bias?: boolean; each?: 'step'; init?: InitInput; units: number };
    }>();
    expectTypeOf<ReturnType<typeof list.conv2d>>().toExtend<LayerInput>();
  });

  it('take the options that the schema takes', () => {
    expectTypeOf<keyof DenseOptions | 'units'>().toEqualTypeOf<keyof LayerOptions<'dense'>>();
    expectTypeOf<keyof Conv2dOptions | 'filters'>().toEqualTypeOf<keyof LayerOptions<'conv2d'>>();
    expectTypeOf<LayerOptions<'maxpool2d'>['kernel']>().toEqualTypeOf<PairInput>();
    expectTypeOf<Parameters<typeof list.batchNorm>[0]>().toExtend<LayerOptions<'batch_norm'> | undefined>();
  });

  it('refuse what is no option', () => {
    // @ts-expect-error
    list.dense(3, { biases: false });
    // @ts-expect-error
    list.conv2d(3);
    // @ts-expect-error
    list.dense('3');
    // @ts-expect-error
    list.relu(0.1);
    // @ts-expect-error
    list.dense(3, { init: 'he' });
  });
});
