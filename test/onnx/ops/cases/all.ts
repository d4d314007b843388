// Every gradient case, by family.
import type { Case } from '../gradient-case.js';
import { activationCases } from './activation.js';
import { attentionCases } from './attention.js';
import { convCases } from './conv.js';
import { elementwiseCases } from './elementwise.js';
import { gatherCases } from './gather.js';
import { imageCases } from './image.js';
import { lossCases } from './loss.js';
import { matmulCases } from './matmul.js';
import { movementCases } from './movement.js';
import { normCases } from './norm.js';
import { poolCases } from './pool.js';
import { recurrentCases } from './recurrent.js';
import { reduceCases } from './reduce.js';
import { sourceCases } from './source.js';
import { trigonometryCases } from './trigonometry.js';

export const families: Readonly<Record<string, readonly Case[]>> = {
  elementwise: elementwiseCases,
  activation: activationCases,
  attention: attentionCases,
  trigonometry: trigonometryCases,
  matmul: matmulCases,
  conv: convCases,
  pool: poolCases,
  reduce: reduceCases,
  norm: normCases,
  loss: lossCases,
  gather: gatherCases,
  movement: movementCases,
  source: sourceCases,
  image: imageCases,
  recurrent: recurrentCases,
};
