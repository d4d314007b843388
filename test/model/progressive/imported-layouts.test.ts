// How the axes of an imported column's taps lie: found or said at import, kept in its description, used by laterals, which turn channels that stand
// last.
import { describe, expect, it } from 'vitest';
import { parseDescription } from '../../../src/model/description/parse.js';
import { columnsOf } from '../../../src/model/progressive/column.js';
import { importModel } from '../../../src/model/progressive/import-model.js';
import { graphUrl } from '../../../src/model/progressive/imported-graph.js';
import { Tensor } from '../../../src/onnx/core/tensor.js';
import type { FeatureLayout } from '../../../src/onnx/features/layout.js';
import { ops } from '../../../src/onnx/ops/ops.js';
import { toBinary } from '../../../src/onnx/serde/to-binary.js';

/** An image [3,8,8], then as channels last, [8,8,6], and normalised there; scores of its mean. */
function model() {
  const g = ops({ opset: 17 });
  const weight = (name: string, dims: number[]) => g.initializer(name, Tensor.zeros('float32', dims));
  const first = g.relu(g.input('x', 'float32', ['N', 3, 8, 8]));
  first.name = 'first';
  const wide = g.op('Einsum', [first, weight('w', [3, 6])], { equation: 'nchw,cf->nhwf' })[0] ?? first;
  const h = g.relu(g.layerNormalization(wide, weight('scale', [6]), weight('bias', [6]), { axis: -1 }));
  h.name = 'h';
  const mean = g.reduceMean(g.reshape(h, g.constant(Tensor.from('int64', [0, 64, 6], [3]))), [1], { keepdims: 0 });
  g.output(g.matMul(mean, weight('v', [6, 2])), 'y');
  return g.model();
}

const taken = (layouts?: ReadonlyMap<string, FeatureLayout>, taps = ['h']) =>
  importModel(model(), { task: 'base', taps, ...(layouts && { layouts }) }, 'm.onnx');

describe('layouts of imported taps', () => {
  it('are found from the graph', () => {
    expect(taken().layouts).toEqual(['channels-last']);
  });

  it('are told where nobody can know them', () => {
    const { layouts, notes } = taken(undefined, ['first']);
    expect(layouts).toEqual([undefined]);
    expect(notes).toEqual([
      'm.onnx: how the axes of the tap "first" lie is not known, channels are taken to come first: say it by --layout first=NHWC or NCHW',
    ]);
  });

  it('are what is said, and refused where that cannot be', () => {
    expect(taken(new Map([['h', 'NCHW']])).layouts).toEqual(['channels-first']);
    expect(() => taken(new Map([['h', 'NTF']]))).toThrow('m.onnx: the tap "h" is float32[N,8,8,6], its layout cannot be NTF');
    expect(() => taken(new Map([['g', 'NHWC']]))).toThrow('m.onnx: "g" is no tap, there are: h: its layout cannot be said');
    expect(() => taken(new Map([['h', 'TNF']]))).toThrow('its layout cannot be TNF');
  });

  it('go with the tap: laterals read channels that stand last as channels', () => {
    const imported = taken();
    const written = (layout: object) => ({
      prognet: 1,
      name: 'net',
      input: { name: 'x', shape: [3, 8, 8] },
      columns: [
        {
          task: 'base',
          data: 'a.npz',
          onnx: {
            graph: graphUrl(toBinary(imported.model)),
            taps: [{ name: 'h', shape: [8, 8, 6], ...layout }],
            scores: 'y',
            opset: 17,
          },
          head: { classify: 2 },
        },
        {
          task: 'next',
          data: 'b.npz',
          blocks: [
            [{ conv2d: { filters: 2, kernel: 1 } }, 'relu'],
            [{ conv2d: { filters: 5, kernel: 3, padding: 'same' } }, 'relu'],
          ],
          head: { classify: 2 },
          laterals: { kind: 'linear', taps: { 1: 'h' } },
        },
      ],
    });
    const u = (layout: object) =>
      columnsOf(parseDescription(written(layout)))
        .column('next')
        .parameters.specs.filter(({ name, shape }) => name.startsWith('next/1/') && name.includes('base') && shape.length === 4)
        .map(({ shape }) => shape);
    expect(u({ layout: 'channels-last' })).toEqual([[5, 6, 3, 3]]);
    expect(u({})).toEqual([[5, 8, 3, 3]]);
  });
});
