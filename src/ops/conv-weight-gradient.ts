// The weight gradient of a convolution: the one file that chooses its form. Measured alternatives and times stand in the reference
// figures of docs; this is form A there: slices of the padded input joined, one batched product, a sum over the batch.
import { must } from '../core/errors.js';
import type { Value } from '../ir/graph.js';
import type { Window } from './conv.js';
import type { GradientContext } from './op-def.js';

/** dW[m, c, k] = sum over n, p of dy[n, m, p] x[n, c, stride p + dilation k - pad] */
export function convWeightGradient(c: GradientContext, w: Window, group: number): Value {
  const { g } = c;
  const rank = w.kernel.length;
  const places = (c.y().shape ?? [])
    .slice(2)
    .map((d) => (typeof d === 'number' ? d : c.fail('its gradient needs known spatial sizes')));
  const [filters, perGroup] = c.x(1).dims as readonly [number, number];
  const padded = w.pads.some((p) => p !== 0)
    ? g.pad(c.x(0), g.ints([0, 0, ...w.pads.slice(0, rank), 0, 0, ...w.pads.slice(rank)]))
    : c.x(0);
  const spatial = w.kernel.map((_, i) => i + 2);
  const slices: Value[] = [];
  for (const offset of offsets(w.kernel)) {
    const starts = offset.map((o, i) => o * (w.dilations[i] ?? 1));
    const ends = starts.map((s, i) => s + (must(places[i], 'places') - 1) * (w.strides[i] ?? 1) + 1);
    slices.push(g.slice(padded, g.ints(starts), g.ints(ends), g.ints(spatial), g.ints(w.strides)));
  }
  const taps = slices.length;
  const area = places.reduce((a, b) => a * b, 1);
  const joined = taps === 1 ? must(slices[0], 'slice') : must(g.op('Concat', slices, { axis: 1 })[0], 'Concat');
  let columns: Value;
  if (group === 1) columns = g.reshape(joined, g.ints([0, taps * perGroup, area]));
  else {
    const split = g.reshape(joined, g.ints([0, taps, group, perGroup, area]));
    columns = g.reshape(g.transpose(split, { perm: [0, 2, 1, 3, 4] }), g.ints([0, group, taps * perGroup, area]));
  }
  const dy = g.reshape(c.dy(), g.ints(group === 1 ? [0, filters, area] : [0, group, filters / group, area]));
  const perm = group === 1 ? [0, 2, 1] : [0, 1, 3, 2];
  const perSample = g.matMul(dy, g.transpose(columns, { perm }));
  const sum = g.reduceSum(perSample, g.ints([0]), { keepdims: 0 });
  const ordered = g.transpose(g.reshape(sum, g.ints([filters, taps, perGroup])), { perm: [0, 2, 1] });
  return g.reshape(ordered, g.ints([filters, perGroup, ...w.kernel]));
}

/** Every place in a kernel, the last axis fastest. */
function offsets(kernel: readonly number[]): number[][] {
  return kernel.reduce<number[][]>((all, k) => all.flatMap((o) => Array.from({ length: k }, (_, i) => [...o, i])), [[]]);
}
