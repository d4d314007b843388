// The TypeScript way to write a description: each function gives the same plain form that YAML would, and parseDescription checks it.
// Growing and training (`prognet({...}).grow()`) is in network/network.ts.

import type { HeadInput } from '../heads/head-schema.js';
import type { LayerInput, LayerOptions } from '../nn/layer-schema.js';
import type { ColumnInput, Description, DescriptionInput, InputInput } from './description.js';
import type { LateralsInput } from './lateral-schema.js';
import { parseDescription } from './parse.js';

type HeadFields<K extends string> = Omit<Extract<HeadInput, { kind: K }>, 'kind'>;
type LateralFields<K extends string> = Omit<Extract<LateralsInput, { kind: K }>, 'kind'>;

/** A network input; `shape` is without the batch. */
export function tensor(name: string, shape: readonly number[], dtype?: InputInput['dtype']): InputInput {
  return { name, shape: [...shape], ...(dtype === undefined ? {} : { dtype }) };
}

// ---- layers: names as in YAML, in camel case ------------------------------------------------------------------------------

export function dense(units: number, options: Omit<LayerOptions<'dense'>, 'units'> = {}): LayerInput {
  return { dense: { units, ...options } };
}
export function conv2d(filters: number, options: Omit<LayerOptions<'conv2d'>, 'filters'>): LayerInput {
  return { conv2d: { filters, ...options } };
}
export function maxPool2d(
  kernel: LayerOptions<'maxpool2d'>['kernel'],
  options: Omit<LayerOptions<'maxpool2d'>, 'kernel'> = {},
): LayerInput {
  return { maxpool2d: { kernel, ...options } };
}
export function avgPool2d(
  kernel: LayerOptions<'avgpool2d'>['kernel'],
  options: Omit<LayerOptions<'avgpool2d'>, 'kernel'> = {},
): LayerInput {
  return { avgpool2d: { kernel, ...options } };
}
export const globalAvgPool = (): LayerInput => 'global_avgpool';
export const globalMaxPool = (): LayerInput => 'global_maxpool';
export const flatten = (): LayerInput => 'flatten';
/** `shape` is without the batch; one -1 takes what is left. */
export function reshape(shape: LayerOptions<'reshape'>['shape']): LayerInput {
  return { reshape: { shape } };
}
export const relu = (): LayerInput => 'relu';
export const leakyRelu = (alpha = 0.01): LayerInput => ({ leaky_relu: { alpha } });
export const elu = (alpha = 1): LayerInput => ({ elu: { alpha } });
export const selu = (): LayerInput => 'selu';
export const gelu = (): LayerInput => 'gelu';
export const silu = (): LayerInput => 'silu';
export const sigmoid = (): LayerInput => 'sigmoid';
export const tanh = (): LayerInput => 'tanh';
export const softplus = (): LayerInput => 'softplus';
export const hardswish = (): LayerInput => 'hardswish';
export const softmax = (axis = -1): LayerInput => ({ softmax: { axis } });
export const dropout = (rate: number): LayerInput => ({ dropout: { rate } });
export const batchNorm = (options: LayerOptions<'batch_norm'> = {}): LayerInput => ({ batch_norm: options });
export const layerNorm = (options: LayerOptions<'layer_norm'> = {}): LayerInput => ({ layer_norm: options });
/** y = x + f(x), f being these layers in order. */
export const residual = (layers: readonly LayerInput[]): LayerInput => ({ residual: [...layers] });

// ---- heads and laterals ---------------------------------------------------------------------------------------------------

/** One class of several. */
export function classify(classes: number, options: Omit<HeadFields<'classify'>, 'classes'> = {}): HeadInput {
  return { classify: { classes, ...options } };
}
/** Several labels, each there or not. */
export function binary(labels: number, options: Omit<HeadFields<'binary'>, 'labels'> = {}): HeadInput {
  return { binary: { labels, ...options } };
}
/** Numbers. */
export function regress(outputs: number, options: Omit<HeadFields<'regress'>, 'outputs'> = {}): HeadInput {
  return { regress: { outputs, ...options } };
}
/** Eq. 1: one matrix for each source. What a column after the first has when it says nothing. */
export function linear(options: LateralFields<'linear'> = {}): LateralsInput {
  return { kind: 'linear', ...options };
}
/** Eq. 2: scale, project, activate, map. */
export function adapter(options: LateralFields<'adapter'> = {}): LateralsInput {
  return { kind: 'adapter', ...options };
}

// ---- columns and the whole ------------------------------------------------------------------------------------------------

/** What `column` takes beside the task; `like` may be the column itself. */
export type ColumnOptions = Omit<ColumnInput, 'task' | 'like'> & { like?: string | ColumnInput };

/** A column as written. */
export function column(task: string, options: ColumnOptions): ColumnInput {
  const { like, ...rest } = options;
  return { task, ...rest, ...(like === undefined ? {} : { like: typeof like === 'string' ? like : like.task }) };
}

/** A checked description of these columns. @throws DescriptionError */
export function buildDescription(parts: Omit<DescriptionInput, 'prognet' | 'name'> & { name?: string }): Description {
  return parseDescription({ prognet: 1, ...parts, name: parts.name ?? 'network' });
}
