// Initial values of parameters: named initialisers over a seeded stream. He: arXiv 1502.01852, Glorot: AISTATS 2010, LeCun: "Efficient BackProp".
import type { Random } from '../../onnx/core/random.js';
import { elementCount } from '../../onnx/core/shape.js';
import { Tensor } from '../../onnx/core/tensor.js';
import type { Init } from './layer-schema.js';

/** How a parameter begins: by a named initialiser with its fans, or at one value. */
export type ParameterInit = { readonly by: Init; readonly fanIn: number; readonly fanOut: number } | { readonly fill: number };

/** A float32 tensor of this shape. */
export function initialise(init: ParameterInit, shape: readonly number[], random: Random): Tensor {
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
