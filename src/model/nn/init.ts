// Initial values of parameters: named initialisers over a seeded stream. He: arXiv 1502.01852, Glorot: AISTATS 2010, LeCun: "Efficient BackProp".

import type * as z from 'zod';
import type { Random } from '../../onnx/core/random.js';
import { elementCount } from '../../onnx/core/shape.js';
import { Tensor } from '../../onnx/core/tensor.js';
import {
  type Filled,
  type FilledOf,
  type OptionsOf,
  plainVariant,
  real,
  strict,
  tagged,
  taggedDefinition,
  type ValuesOf,
  variant,
  type Written,
} from './schema.js';

const positive = real('a positive number', { above: 0 });

const plain = (doc: string) => plainVariant(strict({}), doc);

const initTable = {
  he_normal: plain('Normal, of variance 2 / fan_in.'),
  he_uniform: plain('Uniform, of variance 2 / fan_in.'),
  glorot_normal: plain('Normal, of variance 2 / (fan_in + fan_out).'),
  glorot_uniform: plain('Uniform, of variance 2 / (fan_in + fan_out).'),
  lecun_normal: plain('Normal, of variance 1 / fan_in.'),
  torch_uniform: plain("Uniform within 1 / sqrt(fan_in), the biases as well: PyTorch's default."),
  zeros: plain('All 0.'),
  ones: plain('All 1.'),
  normal: variant(
    strict({ std: positive.describe('Standard deviation, around 0.') }),
    'std',
    '{ normal: 0.02 }',
    'Normal around 0, of this standard deviation.',
  ),
  uniform: variant(
    strict({ limit: positive.describe('Values are drawn from [-limit, limit].') }),
    'limit',
    '{ uniform: 0.05 }',
    'Uniform in [-limit, limit].',
  ),
};

/** The options of every initialiser as written, by its name. */
export interface Inits extends OptionsOf<typeof initTable> {}
/** What `{ name: value }` may have as its value, by the initialiser's name. */
export interface InitValues extends ValuesOf<typeof initTable> {}
/** The options of every initialiser with all defaults filled in, by its name. */
export interface FilledInits extends FilledOf<typeof initTable> {}
/** An initialiser of weights with every option filled in. Biases start at 0, except under torch_uniform. */
export type Init = Filled<FilledInits>;
/** An initialiser as written: `he_normal`, `{ normal: 0.02 }`, ... */
export type InitInput = Written<Inits, InitValues>;
const initSchema: z.ZodType<Init, InitInput> = tagged('init', initTable);
/** The field `init` of every layer with weights; he_normal when absent. */
export const weightInit = initSchema.prefault('he_normal').describe('How the weights begin: he_normal when absent.');
/** The same of a table, whose rows stand alone: normal of deviation 1 when absent. */
export const tableInit = initSchema.prefault({ normal: 1 }).describe('How the table begins: { normal: 1 } when absent.');
/** The same of recurrent layers, biases as well. */
export const recurrentInit = initSchema
  .prefault('torch_uniform')
  .describe('How weights and biases begin: torch_uniform when absent, within 1 / sqrt(units) as PyTorch has it.');
/** The same of attention. */
export const glorotInit = initSchema
  .prefault('glorot_uniform')
  .describe('How the weights begin: glorot_uniform when absent, biases at 0.');
/** The same of a row for each step. */
export const positionInit = initSchema.prefault({ normal: 0.02 }).describe('How the table begins: { normal: 0.02 } when absent.');
/** What `#/$defs` of a JSON Schema must hold for initialisers. */
export const initDefinitions = { init: taggedDefinition(initTable) };
/** How a parameter begins: by a named initialiser with its fans, at one value, or as a weight of an earlier column, by its name. */
export type ParameterInit = OwnInit | { readonly like: string };
/** A start that needs no other weight. */
export type OwnInit = { readonly by: Init; readonly fanIn: number; readonly fanOut: number } | { readonly fill: number };

/** A float32 tensor of this shape. */
export function initialise(init: OwnInit, shape: readonly number[], random: Random): Tensor {
  const data = new Float32Array(elementCount(shape));
  if ('fill' in init) data.fill(init.fill);
  else draw(init.by, init.fanIn, init.fanOut, data, random);
  return new Tensor('float32', shape, data);
}

function draw(by: Init, fanIn: number, fanOut: number, data: Float32Array, random: Random): void {
  const normal = (std: number) => {
    for (let i = 0; i < data.length; i++) data[i] = std * random.normal();
  };
  const uniform = (limit: number) => {
    for (let i = 0; i < data.length; i++) data[i] = limit * (2 * random.uniform() - 1);
  };
  switch (by.kind) {
    case 'he_normal':
      normal(Math.sqrt(2 / fanIn));
      break;
    case 'he_uniform':
      uniform(Math.sqrt(6 / fanIn));
      break;
    case 'glorot_normal':
      normal(Math.sqrt(2 / (fanIn + fanOut)));
      break;
    case 'glorot_uniform':
      uniform(Math.sqrt(6 / (fanIn + fanOut)));
      break;
    case 'lecun_normal':
      normal(Math.sqrt(1 / fanIn));
      break;
    case 'torch_uniform':
      uniform(1 / Math.sqrt(fanIn));
      break;
    case 'normal':
      normal(by.std);
      break;
    case 'uniform':
      uniform(by.limit);
      break;
    case 'ones':
      data.fill(1);
      break;
    case 'zeros':
      break;
  }
}

/** Biases begin at 0, under torch_uniform like PyTorch's. */
export function biasInit(by: Init, fanIn: number): ParameterInit {
  return by.kind === 'torch_uniform' ? { by, fanIn, fanOut: 1 } : { fill: 0 };
}
