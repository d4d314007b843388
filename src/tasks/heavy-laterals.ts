// What is said of a column whose laterals hold most of its weights: where the most of them are, what they read, and what would be smaller.
import { leastCount } from '../model/nn/open-size.js';
import type { Column, TapRef } from '../model/progressive/column.js';
import { must } from '../onnx/core/errors.js';
import { elementCount } from '../onnx/core/shape.js';

/** Columns of fewer weights in all are small whatever their laterals hold. */
const few = 10_000;

/** Whether a parameter carries taps: `<task>/<block>/lateral/...`, `<task>/<block>/adapter/...`. */
export function isLateral(name: string): boolean {
  return /^[^/]+\/[^/]+\/(lateral|adapter)\//.test(name);
}

/** A line; undefined where laterals hold at most half of the column's weights, or where it has few. */
export function heavyLaterals(column: Column): string | undefined {
  const { task, laterals, blocks, parameters } = column;
  const carrying = parameters.specs.filter(({ name }) => isLateral(name));
  const held = carrying.reduce((n, { shape }) => n + elementCount(shape), 0);
  if (laterals.kind === 'none' || parameters.count < few || held <= parameters.count / 2) return undefined;
  const into = new Map<string, number>();
  for (const { name, shape } of carrying) {
    const place = must(name.split('/')[1], 'block');
    into.set(place, (into.get(place) ?? 0) + elementCount(shape));
  }
  const [place, most] = must([...into].sort(([, a], [, b]) => b - a)[0], 'laterals');
  const refs = column.sourcesInto(place === 'head' ? blocks.length : Number(place));
  const size = ({ column: source, block }: TapRef) => leastCount(source.tapShape(block));
  const tap = must([...refs].sort((a, b) => size(b) - size(a))[0], 'tap');
  const shape = tap.column.tapShape(tap.block);
  const flattened = carrying.some(
    ({ name, shape: [features, ...rest] }) =>
      name.startsWith(`${task}/${place}/`) && rest.length === 1 && features !== undefined && features >= size(tap),
  );
  const pooled = shape.length > 1 && flattened;
  // A head alone is its laterals, and those of features are as small as they can be.
  if (blocks.length === 0 && !pooled && laterals.kind === 'linear') return undefined;
  const smaller = [
    ...(pooled ? ['join: pool, the mean over its positions'] : []),
    laterals.kind === 'linear' ? 'an adapter with a small rank' : 'a smaller rank',
  ];
  const where = place === 'head' ? 'the head' : `block ${place}`;
  return `task "${task}": ${held} of its ${parameters.count} weights are laterals, ${most} of them into ${where}, which reads tap ${tap.block} of "${tap.column.task}", [${shape}]; smaller would be ${smaller.join(', or ')}`;
}
