// The list of heads: names, comments that are the descriptions, functions, and one loss for figures and for training.
import { readdirSync, readFileSync } from 'node:fs';
import { expect, expectTypeOf, it } from 'vitest';
import type { ClassifyOptions } from '../../../src/model/heads/classify.js';
import { type HeadInput, headGraph, headOfScores, headWidth, sampleMetric } from '../../../src/model/heads/heads.js';
import * as list from '../../../src/model/heads/index.js';
import { Tensor } from '../../../src/onnx/core/tensor.js';
import { evaluateScores } from '../../../src/train/evaluate.js';
import { runtime } from '../../support/run.js';
import { headOf, matrix } from './support.js';

const folder = new URL('../../../src/model/heads/', import.meta.url);
const source = readdirSync(folder)
  .map((name) => readFileSync(new URL(name, folder), 'utf8'))
  .join('\n');

it.each(Object.entries(list))('%s: name, comment and options', (name, { definition }) => {
  expect(name).toBe(definition.kind);
  expect(new RegExp(`/\\*\\*\\n \\* ([^\\n]*)\\n \\* @function\\n \\*/\\nexport const ${name} = `).exec(source)?.[1]).toBe(
    definition.doc,
  );
  for (const [option, schema] of Object.entries(definition.options.shape)) {
    expect(schema.description, option).toMatch(/./);
    if (option !== definition.main) expect(source).toContain(`/** ${schema.description} */\n  ${option}?:`);
  }
});

it('has a width, and a graph that is kind and width alone', () => {
  expect(headWidth(headOf({ regress: { outputs: 3, loss: 'l1' } }))).toBe(3);
  expect(headGraph(headOf({ classify: { classes: 4, label_smoothing: 0.5 } }))).toEqual({ kind: 'classify', classes: 4 });
  expect(headOfScores('binary', [5])).toEqual({ binary: 5 });
  expect(headOfScores('classify', [7, 5])).toEqual({ classify: { classes: 5, each: 'step' } });
  for (const shape of [[], [0], [2, 3, 4]]) expect(headOfScores('regress', shape)).toBeUndefined();
  expect(() => sampleMetric(headOf({ regress: 2 }), new Float32Array(3), [0, 0, 0, 0], 1)).toThrow('scores are too short');
});

it('functions say their arguments in words', () => {
  expectTypeOf<Parameters<typeof list.classify>>().toEqualTypeOf<[classes: number, options?: ClassifyOptions | undefined]>();
  expectTypeOf<ReturnType<typeof list.regress>>().toExtend<HeadInput>();
  // @ts-expect-error
  list.regress(3, { loss: 'l2' });
});

it('figures come from the loss that training has', async () => {
  const head = headOf({ classify: { classes: 2, class_weights: [1, 3] } });
  const found = await evaluateScores(
    runtime,
    head,
    matrix([
      [0, 0],
      [0, 1],
    ]),
    Tensor.from('int64', [0, 1]),
  );
  expect(found.loss).toBeCloseTo((Math.log(2) + 3 * Math.log(1 + Math.exp(-1))) / 4, 6);
  expect([found.metric, found.rows]).toEqual([1, 2]);
});
