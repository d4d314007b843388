// Fewer and larger products: constants and batch norms into weights, sums stacked, products of one input side by side. Unlike the passes of
// optimise.ts these change results by rounding (about 1e-6 of their size) and make weights of new names.
import { optimise } from '../optimise.js';
import { inOrder, type Pass } from '../pass.js';
import { foldBatchNormalization } from './fold-batch-normalization.js';
import { joinProducts } from './join-products.js';
import { scaleIntoWeights } from './scale-into-weights.js';
import { stackProducts } from './stack-products.js';

const products = inOrder([scaleIntoWeights, foldBatchNormalization, stackProducts, joinProducts], optimise);

/** Joins products, and does what optimise.ts does. */
export const fuse: Pass = inOrder([optimise, products]);
