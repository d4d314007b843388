// The interfaces of what people write, against the schemas that read it: the same types, and each doc comment is the option's description.
import { readFileSync } from 'node:fs';
import { describe, expect, expectTypeOf, it } from 'vitest';
import * as z from 'zod';
import type { TransformSpec, transformSchema } from '../../../src/data/transforms/registry.js';
import type {
  ColumnInput,
  DescriptionInput,
  descriptionSchema,
  Input,
  InputInput,
} from '../../../src/model/description/description.js';
import type { LateralsInput, lateralsSchema } from '../../../src/model/description/lateral-schema.js';
import type { Train, TrainInput, trainSchema } from '../../../src/model/description/train-schema.js';
import { toJsonSchema } from '../../../src/tasks/json-schema.js';

type Written = z.input<typeof descriptionSchema>;
type Both<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;

it('take what the schemas take, and no more', () => {
  expectTypeOf<Both<DescriptionInput, Written>>().toEqualTypeOf<true>();
  expectTypeOf<Both<ColumnInput, Written['columns'][number]>>().toEqualTypeOf<true>();
  expectTypeOf<Both<TrainInput, z.input<typeof trainSchema>>>().toEqualTypeOf<true>();
  expectTypeOf<Both<Train, z.output<typeof trainSchema>>>().toEqualTypeOf<true>();
  expectTypeOf<Both<TransformSpec, z.input<typeof transformSchema>>>().toEqualTypeOf<true>();
  expectTypeOf<Both<LateralsInput, z.input<typeof lateralsSchema>>>().toEqualTypeOf<true>();
  expectTypeOf<Both<DescriptionInput['input'], Written['input']>>().toEqualTypeOf<true>();
  expectTypeOf<Both<Input[], z.output<typeof descriptionSchema>['input']>>().toEqualTypeOf<true>();
  expectTypeOf<keyof DescriptionInput>().toEqualTypeOf<keyof Written>();
  expectTypeOf<keyof ColumnInput>().toEqualTypeOf<keyof Written['columns'][number]>();
  expectTypeOf<keyof TrainInput>().toEqualTypeOf<keyof z.input<typeof trainSchema>>();
  expectTypeOf<InputInput>().toExtend<Written['input']>();
});

describe('doc comments are the descriptions of the JSON Schema', () => {
  const folder = new URL('../../../src/model/description/', import.meta.url);
  const described = new Set<string>();
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    const { properties } = z
      .object({ properties: z.record(z.string(), z.unknown()) })
      .catch({ properties: {} })
      .parse(value);
    for (const [name, property] of Object.entries(properties))
      described.add(`${name}: ${z.looseObject({ description: z.string() }).parse(property).description}`);
    for (const inner of Object.values(value)) visit(inner);
  };
  visit(toJsonSchema());

  it.each([
    ['description.ts', 'InputInput', 'ColumnInput', 'DescriptionInput'],
    ['imported-schema.ts', 'ImportedTap', 'ImportedInput'],
    ['train-schema.ts', 'EarlyStoppingInput', 'TrainInput'],
    ['lateral-schema.ts', 'LinearInput', 'AdapterInput'],
  ])('%s', (file, ...interfaces) => {
    const source = readFileSync(new URL(file, folder), 'utf8');
    for (const name of interfaces) {
      const [, body = ''] = new RegExp(`interface ${name} [^{]*{\\n(.*?)\\n}`, 's').exec(source) ?? [];
      const members = body.split('\n').filter((line) => !line.includes('/**'));
      const told = [...body.matchAll(/\/\*\* (.*) \*\/\n {2}(\w+)\??:/g)];
      expect(told.length, name).toBe(members.length);
      for (const [, comment, option] of told) expect(described).toContain(`${option}: ${comment}`);
    }
  });
});
