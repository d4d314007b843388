// A description's columns and their weights by place, as tests with two or three columns count them.
import type { Description } from '../../src/model/description/description.js';
import { type Column, columnsOf } from '../../src/model/progressive/column.js';
import { type FormOptions, taskModel } from '../../src/model/progressive/forms.js';
import { type FrozenWeights, initialWeights, type Weights } from '../../src/model/progressive/weights.js';
import { must } from '../../src/onnx/core/errors.js';
import type { Tensor } from '../../src/onnx/core/tensor.js';
import type { Model } from '../../src/onnx/ir/model.js';

export const columnAt = (d: Description, index: number): Column =>
  must([...columnsOf(d)].at(index), `column ${index} of ${d.columns.length}`);

export const initialAt = (d: Description, index: number): Map<string, Tensor> => initialWeights(columnAt(d, index));

/** The weights of the first columns, by task. */
export const frozenIn = (d: Description, weights: readonly Weights[]): FrozenWeights =>
  new Map(weights.map((w, i) => [must(d.columns[i], `column ${i}`).task, w]));

export const modelOf = (d: Description, weights: readonly Weights[], options: FormOptions): Model =>
  taskModel(columnsOf(d), frozenIn(d, weights), options);
