// The list of layers: each by its name in TypeScript, the camel case of its name in YAML. What follows from it is in nn/layers.ts.
export { elu, gelu, hardswish, leakyRelu, relu, selu, sigmoid, silu, softmax, softplus, tanh } from './activations.js';
export { batchNorm } from './batch-norm.js';
export { concat } from './concat.js';
export { conv2d } from './conv2d.js';
export { dense } from './dense.js';
export { dropout } from './dropout.js';
export { embedding } from './embedding.js';
export { flatten } from './flatten.js';
export { layerNorm } from './layer-norm.js';
export { avgpool2d, globalAvgpool, globalMaxpool, maxpool2d } from './pool.js';
export { reshape } from './reshape.js';
export { residual } from './residual.js';
