// Sums of convolutions that move alike become one; others stay.
import { expect, it } from 'vitest';
import { must } from '../../../../src/onnx/core/errors.js';
import { Random } from '../../../../src/onnx/core/random.js';
import { elementCount } from '../../../../src/onnx/core/shape.js';
import { Tensor } from '../../../../src/onnx/core/tensor.js';
import type { Value } from '../../../../src/onnx/ir/graph.js';
import { ops } from '../../../../src/onnx/ops/ops.js';
import { addConvolutions } from '../../../../src/onnx/passes/fuse/add-convolutions.js';
import { noParameters, optimise } from '../../../../src/onnx/passes/optimise.js';
import { runModel } from '../../../support/run.js';

const r = new Random(8, 'add-convolutions');
const uniform = (...dims: number[]) =>
  new Tensor(
    'float32',
    dims,
    Float32Array.from({ length: elementCount(dims) }, () => r.normal()),
  );
const feeds = {
  x: uniform(2, 3, 6, 5),
  z: uniform(2, 4, 6, 5),
  w: uniform(7, 3, 3, 3),
  u: uniform(7, 4, 3, 3),
  b: uniform(7),
  c: uniform(7),
};

type SixValues = readonly [Value, Value, Value, Value, Value, Value];

/** W * x + b + U * z (+ c), the convolution of z with these attributes; `read` puts the first convolution out as well. */
function sum(how: { readonly second?: object; readonly biases?: number; readonly read?: boolean; readonly joined: boolean }) {
  const g = ops();
  const [x, z, w, u, b, c] = Object.entries(feeds).map(([name, { dims }]) =>
    g.input(name, 'float32', dims),
  ) as unknown as SixValues;
  const same = { kernel_shape: [3, 3], pads: [1, 1, 1, 1] };
  const first = g.conv(x, w, b, same);
  const y = g.add(first, g.conv(z, u, how.biases === 2 ? c : undefined, { ...same, ...how.second }));
  g.output(y, 'y');
  // Put out as it is, it ends the process: ONNX Runtime 1.30 adds the other convolution to it in place.
  if (how.read === true) g.output(g.exp(first), 'first');
  if (how.joined) addConvolutions(g);
  optimise(g.graph, { opset: g.opset, ...noParameters });
  return g.model();
}

for (const [title, how, left] of [
  ['one convolution', {}, 1],
  ['one convolution, both biases', { biases: 2 }, 1],
  ['other pads by name stay', { second: { pads: undefined, auto_pad: 'SAME_UPPER' } }, 2],
  ['one that others read stays', { read: true }, 2],
] as const)
  it(title, async () => {
    const [apart, joined] = [sum({ ...how, joined: false }), sum({ ...how, joined: true })];
    expect(joined.graph.nodes.filter((n) => n.opType === 'Conv').length).toBe(left);
    const given = Object.fromEntries(Object.entries(feeds).filter(([name]) => apart.graph.inputs.some((v) => v.name === name)));
    const [expected, found] = [await runModel(apart, given), await runModel(joined, given)];
    const values = must(found.y, 'y').numbers();
    must(expected.y, 'y')
      .numbers()
      .forEach((v, i) => {
        expect(Math.abs(v - must(values[i], 'value'))).toBeLessThan(1e-5);
      });
  });
