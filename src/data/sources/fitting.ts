// A data set from two arrays, its targets checked while their file is known.
import type { Tensor } from '../../onnx/core/tensor.js';
import { checkSource, type TargetHead } from '../checks.js';
import type { Dataset } from '../dataset.js';
import { type ArraysFrom, datasetFrom } from '../from-arrays.js';

/** A data set from arrays, its targets checked for the head, if one is given. Throws DataError. */
export function fitting(inputs: Tensor, targets: Tensor, where: ArraysFrom, head: TargetHead | undefined): Dataset {
  const dataset = datasetFrom(inputs, targets, { ...where, steps: head?.steps !== undefined });
  const { first = 0 } = where;
  if (head !== undefined) checkSource(targets, dataset, head, where.targets, { rowOf: (row) => row + first });
  return dataset;
}
