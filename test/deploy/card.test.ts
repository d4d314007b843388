// What a card says of a model in another precision; the rest of it in test/cli/card.test.ts.
import { expect, it } from 'vitest';
import { modelCard } from '../../src/deploy/card.js';
import { modelFacts } from '../../src/model/progressive/model-facts.js';
import { must } from '../../src/onnx/core/errors.js';
import type { Model } from '../../src/onnx/ir/model.js';
import { ops } from '../../src/onnx/ops/ops.js';
import { quantize } from '../../src/onnx/precision/quantize.js';
import { normals } from '../support/random-network.js';

/** A task whose model widens images and then multiplies. */
function task(): Model {
  const g = ops();
  const x = g.input('image', 'float32', ['N', 32, 4, 4]);
  const wide = g.convTranspose(x, g.initializer('up', normals(1, [32, 32, 2, 2])), null, { strides: [2, 2] });
  g.output(g.conv(wide, g.initializer('k', normals(2, [8, 32, 1, 1])), null, {}), 'a');
  const model = g.model();
  for (const [key, value] of [
    ['prognet.form', 'task'],
    ['prognet.tasks', 'a'],
  ] as const)
    model.metadata.set(key, value);
  return model;
}

const card = (model: Model) => modelCard(model, must(modelFacts(model), 'facts'), 'a.onnx', []);

it('says the precision and which large weights stay float32, from the model alone', async () => {
  const dynamic = await quantize(undefined, task(), { precision: 'int8-dynamic' });
  expect(card(dynamic.model)).toContain(
    '\n\nPrecision: int8-dynamic. What of it stays float32: 1 weight of ConvTranspose (0.02 MB).\n\n## Input',
  );
  const half = await quantize(undefined, task(), { precision: 'fp16' });
  expect(card(half.model)).toContain('\n\nPrecision: float16.\n\n## Input');
  expect(card(task())).not.toContain('Precision:');
});
