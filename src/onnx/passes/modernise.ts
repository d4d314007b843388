// A model whose every node is of the working opset's form: sparse weights made dense, old forms brought up, calls of the model's own functions replaced by their bodies.
import type { Model } from '../ir/model.js';
import { denseInitializers } from './dense-initializers.js';
import { inlineFunctions } from './inline-functions.js';
import { upgradeOpset } from './opset/upgrade-opset.js';
import { inOrder, type Pass } from './pass.js';

/** Throws ModelError, naming the node, for what has no equal at opset 17, ShapeError for a node that is not what its own opset allows. */
export const modernise: Pass<Model> = inOrder([denseInitializers, upgradeOpset, inlineFunctions]);
