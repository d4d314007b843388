// How the axes of a feature lie: which one is the batch, which holds channels or features, which are positions. Words alone; axes.ts finds them.

/**
 * N: the batch; F: features; C: channels; T: steps of a sequence; L, H and W, or D, H and W: positions. `NCL` are channels over one axis, as a
 * one-dimensional convolution has them.
 */
export const featureLayouts = ['NF', 'NCL', 'NCHW', 'NCDHW', 'NTF', 'NHWC', 'NDHWC', 'TNF'] as const;

export type FeatureLayout = (typeof featureLayouts)[number];

/** The layout as a table for people says it. */
export const layoutWords: Readonly<Record<FeatureLayout, string>> = {
  NF: 'vector',
  NCL: 'channels first',
  NCHW: 'channels first',
  NCDHW: 'channels first',
  NTF: 'sequence',
  NHWC: 'channels last',
  NDHWC: 'channels last',
  TNF: 'sequence, steps first',
};

/** The layout of a value whose batch and channels stand at these axes; undefined where it is none of those above. */
export function layoutFrom(rank: number, batch: number, channels: number): FeatureLayout | undefined {
  if (rank === 3 && batch === 1 && channels === 2) return 'TNF';
  if (batch !== 0) return undefined;
  if (rank === 2) return 'NF';
  const last = channels === rank - 1;
  if (!last && channels !== 1) return undefined;
  if (rank === 3) return last ? 'NTF' : 'NCL';
  if (rank === 4) return last ? 'NHWC' : 'NCHW';
  if (rank === 5) return last ? 'NDHWC' : 'NCDHW';
  return undefined;
}
