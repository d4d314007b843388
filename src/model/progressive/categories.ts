// Inputs with categories in an exported graph: numbers come as float32 [N, numbers], categories as string [N, categories], each in the order of the
// features. In the graph each text becomes the index of its category, -1 where it is none, and the features stand in their order again.

import { must } from '../../onnx/core/errors.js';
import { Tensor } from '../../onnx/core/tensor.js';
import type { Attribute, Value } from '../../onnx/ir/graph.js';
import { tensorType } from '../../onnx/ir/types.js';
import type { Ops } from '../../onnx/ops/ops-builder.js';
import { categoriesName, type Feature } from '../description/features.js';

/** The domain of LabelEncoder, and a version of it that has texts to floats. */
export const categoryDomain = { name: 'ai.onnx.ml', version: 3 } as const;

/** The places of the numbers and of the categories among the features. */
export function placesOf(features: readonly Feature[]): {
  readonly numbers: readonly number[];
  readonly categories: readonly number[];
} {
  const all = features.map((_, i) => i);
  const isCategory = (i: number) => features[i]?.categories !== undefined;
  return { numbers: all.filter((i) => !isCategory(i)), categories: all.filter(isCategory) };
}

/** The graph inputs of an input with categories, joined: float32 [N, features] of numbers and indices. */
export function addTableInput(g: Ops, name: string, features: readonly Feature[]): Value {
  const { numbers, categories } = placesOf(features);
  const given = numbers.length === 0 ? [] : [g.input(name, 'float32', ['N', numbers.length])];
  const texts = g.input(categoriesName(name), 'string', ['N', categories.length]);
  return g.scope(categoriesName(name), () => {
    const indices = categories.map((place, i) => {
      const column = categories.length === 1 ? texts : g.gather(texts, [i], { axis: 1 });
      return encoded(g, column, must(features[place]?.categories, 'categories'));
    });
    const parts = [...given, ...indices];
    const [only] = parts;
    const joined =
      parts.length === 1 && only !== undefined ? only : must(g.op('Concat', parts, { axis: 1 })[0], 'output of Concat');
    const order = [...numbers, ...categories];
    if (order.every((place, i) => place === i)) return joined;
    return g.gather(joined, g.ints(features.map((_, place) => order.indexOf(place))), { axis: 1 });
  });
}

/** Texts [N, 1] to indices, float32. */
function encoded(g: Ops, column: Value, categories: readonly string[]): Value {
  const bytes = new TextEncoder();
  const attributes = new Map<string, Attribute>([
    ['keys_strings', { kind: 'strings', value: categories.map((text) => bytes.encode(text)) }],
    ['values_floats', { kind: 'floats', value: categories.map((_, i) => i) }],
    ['default_float', { kind: 'float', value: -1 }],
  ]);
  const [index] = g.node('LabelEncoder', [column], attributes, 1, categoryDomain.name);
  const found = must(index, 'output of LabelEncoder');
  found.type = tensorType('float32', column.shape);
  return found;
}

/** Features as a program keeps them, float32 [N, features] of numbers and indices, as what an exported graph takes. */
export function tableFeeds(name: string, features: readonly Feature[], rows: Tensor): Record<string, Tensor> {
  const { numbers, categories } = placesOf(features);
  const count = rows.dims[0] ?? 0;
  const width = features.length;
  const at = (row: number, place: number) => Number(rows.data[row * width + place]);
  const texts = categories.map((place) => {
    const known = must(features[place]?.categories, 'categories');
    const none = textOutside(known);
    return (row: number) => known[at(row, place)] ?? none;
  });
  const spread = <T>(places: readonly unknown[], value: (row: number, i: number) => T): T[] =>
    Array.from({ length: count * places.length }, (_, k) => value(Math.floor(k / places.length), k % places.length));
  return {
    ...(numbers.length > 0 && {
      [name]: new Tensor(
        'float32',
        [count, numbers.length],
        Float32Array.from(spread(numbers, (row, i) => at(row, must(numbers[i], 'place')))),
      ),
    }),
    [categoriesName(name)]: new Tensor(
      'string',
      [count, categories.length],
      spread(categories, (row, i) => must(texts[i], 'texts')(row)),
    ),
  };
}

/** A text that is no category: the empty one, unless it is. */
function textOutside(categories: readonly string[]): string {
  let text = '';
  while (categories.includes(text)) text += '?';
  return text;
}
