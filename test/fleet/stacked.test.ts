// The stacked form of a fleet takes every layer that a column may have: rows of many columns in one run answer as each column does alone.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ColumnBank } from '../../src/fleet/bank.js';
import { readFleet, readModel } from '../../src/fleet/folder.js';
import { FleetRunner } from '../../src/fleet/runner.js';
import { stackWeights } from '../../src/fleet/stacked.js';
import { writeNpz } from '../../src/formats/npz.js';
import * as layers from '../../src/model/nn/layers/index.js';
import { must } from '../../src/onnx/core/errors.js';
import { Random } from '../../src/onnx/core/random.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import type { Value } from '../../src/onnx/ir/graph.js';
import { verifyGraph } from '../../src/onnx/ir/verify.js';
import { inferTypes } from '../../src/onnx/ops/infer.js';
import { ops } from '../../src/onnx/ops/ops.js';
import type { Ops } from '../../src/onnx/ops/ops-builder.js';
import { fromBinary } from '../../src/onnx/serde/from-binary.js';
import { toBinary } from '../../src/onnx/serde/to-binary.js';
import { exportFleet } from '../../src/tasks/export-fleet.js';
import { loadWorkspace } from '../../src/tasks/load-workspace.js';
import { environment, python } from '../python/python.js';
import { runtime } from '../support/run.js';
import { description, frozenWorkspace, rows } from './fleet.js';

type Inputs = Readonly<Record<string, Tensor>>;
interface Case {
  readonly input: string;
  readonly base: string;
  readonly blocks: string;
  readonly kind?: string;
  readonly reads?: string;
  readonly draw: (n: number, seed: number) => Inputs;
}

const of =
  (input: string, base: string, draw: Case['draw']) =>
  (blocks: string, kind = 'adapter'): Case => ({ input, base, blocks, kind, draw });
const drawn = (shape: readonly number[]) => (n: number, seed: number) => ({ x: rows(n, seed, shape) });

const image = of(
  '{ name: x, shape: [2, 6, 6] }',
  '[[{ conv2d: { filters: 3, kernel: 3, padding: same } }, relu], [flatten, { dense: 7 }, relu]]',
  drawn([2, 6, 6]),
);
const volume = of(
  '{ name: x, shape: [1, 4, 4, 4] }',
  '[[{ conv3d: { filters: 2, kernel: 2 } }, relu], [flatten, { dense: 6 }, relu]]',
  drawn([1, 4, 4, 4]),
);
const sequence = of('{ name: x, shape: [5, 4] }', '[[{ lstm: { units: 6, sequences: true } }], [{ gru: 5 }]]', drawn([5, 4]));
const ids = of(
  '{ name: x, shape: [5], dtype: int64 }',
  '[[{ embedding: { size: 6, vocabulary: 9 } }], [{ gru: 5 }]]',
  (n, seed) => {
    const random = new Random(seed, 'ids');
    return {
      x: new Tensor(
        'int64',
        [n, 5],
        BigInt64Array.from({ length: 5 * n }, () => BigInt(Math.floor(9 * random.uniform()))),
      ),
    };
  },
);
const several = of(
  '[{ name: x, shape: [5, 4] }, { name: meta, shape: [3] }, { name: other, shape: [6, 4] }, { name: there, shape: [5] }]',
  '[[{ transformer_decoder: { heads: 2, hidden: 8, cross: other } }, { lstm: { units: 6, sequences: true, mask: there } }], [{ gru: 5 }, { concat: meta }]]',
  (n, seed) => ({
    x: rows(n, seed, [5, 4]),
    meta: rows(n, seed + 1, [3]),
    other: rows(n, seed + 2, [6, 4]),
    there: new Tensor(
      'float32',
      [n, 5],
      Float32Array.from({ length: 5 * n }, (_, i) => (i % 5 < 2 + ((i / 5) % 3) ? 1 : 0)),
    ),
  }),
);

const cases: Readonly<Record<string, Case>> = {
  'convolutions, batch norms and pools': image(
    '[[{ conv2d: { filters: 3, kernel: 3, padding: same } }, batch_norm, relu, { maxpool2d: 2 }], [{ conv2d: { filters: 2, kernel: 2 } }, { avgpool2d: 2 }, flatten, { dense: 5 }, elu]]',
  ),
  'linear laterals into convolutions': image(
    '[[{ conv2d: { filters: 3, kernel: 3 } }, relu], [{ conv2d: { filters: 4, kernel: 2 } }, leaky_relu, global_maxpool]]',
    'linear',
  ),
  'depthwise convolutions and group norms': image(
    '[[{ depthwise_conv2d: { kernel: 3 } }, { group_norm: 2 }, hardswish], [flatten, { dense: 5 }, { dropout: 0.2 }, sigmoid]]',
  ),
  'transposed convolutions and instance norms': image(
    '[[{ conv_transpose2d: { filters: 2, kernel: 2, stride: 2 } }, instance_norm, softplus], [to_sequence, { dense: { units: 4, each: step } }, mean_over_steps]]',
  ),
  'squeeze and excitation, residual blocks': image(
    '[[{ conv2d: { filters: 4, kernel: 3 } }, { squeeze_excitation: 2 }, selu], [{ residual: { layers: [{ conv2d: { filters: 3, kernel: 3, padding: same } }, silu], project: true } }, global_avgpool]]',
  ),
  volumes: volume(
    '[[{ conv3d: { filters: 2, kernel: 2, padding: same } }, relu, { maxpool3d: 2 }], [{ avgpool3d: 2 }, flatten, { dense: 5 }, relu]]',
  ),
  'recurrent layers': sequence(
    '[[{ lstm: { units: 6, sequences: true } }], [{ lstm: { units: 5, direction: bidirectional } }, { dense: 4 }, tanh]]',
  ),
  'recurrent layers in stacks': sequence(
    '[[{ gru: { units: 6, layers: 2, sequences: true, direction: bidirectional } }], [{ rnn: { units: 5, direction: reverse } }]]',
    'linear',
  ),
  transformers: sequence(
    '[[positional_embedding, { transformer_encoder: { heads: 2, hidden: 8 } }], [{ transformer_decoder: { heads: 2, hidden: 8 } }, attention_over_steps]]',
  ),
  'attention between layers': sequence(
    '[[sinusoidal, { attention: { heads: 2, rotary: 10000 } }, layer_norm, gelu], [rms_norm, { dense: { units: 5, each: step } }, softmax, max_over_steps]]',
  ),
  signals: sequence(
    '[[to_channels, { conv1d: { filters: 4, kernel: 2 } }, { maxpool1d: 2 }, { conv_transpose1d: { filters: 3, kernel: 2, stride: 2 } }, { avgpool1d: 2 }, relu], [flatten, { dense: 6 }, { reshape: [2, 3] }, flatten, { dense: 4 }, relu]]',
  ),
  'tables of ids': ids('[[{ embedding: { size: 4, vocabulary: 9 } }], [{ gru: { units: 5, sequences: true } }, last_step]]'),
  'pooled ids': ids(
    '[[{ embedding: { size: 4, vocabulary: 9, padding: 0, pool: mean } }, relu], [{ dense: 5 }, relu]]',
    'linear',
  ),
  'images of any size': of(
    '{ name: x, shape: [2, height, width] }',
    '[[{ conv2d: { filters: 3, kernel: 3, padding: same } }, relu], [global_avgpool, { dense: 7 }, relu]]',
    drawn([2, 6, 5]),
  )(
    '[[{ conv2d: { filters: 4, kernel: 3 } }, { group_norm: 2 }, relu], [{ squeeze_excitation: 2 }, global_maxpool, { dense: 5 }, relu]]',
    'adapter, join: pool',
  ),
  'sequences of any length': of(
    '{ name: x, shape: [steps, 4] }',
    '[[{ lstm: { units: 6, sequences: true } }], [{ gru: 5 }]]',
    drawn([7, 4]),
  )(
    '[[sinusoidal, { transformer_encoder: { heads: 2, hidden: 8 } }, { gru: { units: 4, direction: bidirectional, sequences: true } }], [{ dense: { units: 6, each: step } }, attention_over_steps]]',
    'linear',
  ),
  'several inputs and masks': {
    ...several(
      '[[{ gru: { units: 4, sequences: true, mask: there } }, { transformer_decoder: { heads: 2, hidden: 8, cross: other, mask: there } }], [{ last_step: { mask: there } }, { concat: meta }, { dense: 5 }, relu]]',
    ),
    reads: 'inputs: [x, meta, other, there], ',
  },
};

const names = ['ann', 'ben', 'cleo'];
const order = Array.from({ length: 9 }, (_, i) => must(names[(i * 2) % 3], 'name'));

const made = new Map<string, Promise<string>>();
/** The folder of the fleet of a case, made once. */
function fleetOf(name: string): Promise<string> {
  const make = async () => {
    const { draw, ...text } = must(cases[name], name);
    const out = join(mkdtempSync(join(tmpdir(), 'prognet-stacked-')), 'fleet');
    const exported = exportFleet(loadWorkspace(await frozenWorkspace(description(names, text), draw)), out);
    expect(exported.unstacked).toBeUndefined();
    return out;
  };
  const known = made.get(name) ?? make();
  made.set(name, known);
  return known;
}

let held: FleetRunner | undefined;
afterEach(async () => {
  await held?.release();
  held = undefined;
});
const { missing, note } = environment('.venv');

describe('rows of many columns in one run', () => {
  it.each(Object.entries(cases))(
    'answer as each column alone: %s',
    async (name, { draw }) => {
      const out = await fleetOf(name);
      const model = fromBinary(readModel(out, readFleet(out), 'stacked'));
      expect(() => verifyGraph(model.graph, inferTypes)).not.toThrow();
      held = await FleetRunner.open(runtime, out, { session: { threads: 1 } });
      const inputs = draw(9, 77);
      const mixed = await held.runMixed(order, inputs);
      const width = must(mixed.scores.dims[1], 'width');
      const alone = new Map<string, readonly number[]>();
      for (const name of names) alone.set(name, (await held.run(name, inputs)).scores.numbers());
      expect(new Set([...alone.values()].map(String)).size).toBe(3);
      const want = order.flatMap((name, i) => must(alone.get(name), name).slice(i * width, (i + 1) * width));
      const off = mixed.scores.numbers().map((v, i) => Math.abs(v - must(want[i], 'score')));
      expect(Math.max(...off)).toBeLessThan(2e-6);
    },
    60_000,
  );

  it.skipIf(missing)(
    `are standard ONNX: Python's checker takes the models, onnxruntime and the reference evaluator answer the same${note}`,
    async () => {
      const files: string[] = [];
      for (const [name, { draw }] of Object.entries(cases)) {
        const out = await fleetOf(name);
        held = await FleetRunner.open(runtime, out, { session: { threads: 1 } });
        const inputs = draw(9, 77);
        const { scores } = await held.runMixed(order, inputs);
        await held.release();
        const bank = new ColumnBank(out, readFleet(out), 2 ** 24);
        const places = bank.take(names).map(({ place }) => BigInt(place));
        const column = new Tensor(
          'int64',
          [9],
          BigInt64Array.from(order, (own) => must(places[names.indexOf(own)], own)),
        );
        const [given, wanted] = [join(out, 'given.npz'), join(out, 'wanted.npz')];
        writeFileSync(given, writeNpz(new Map(Object.entries({ ...inputs, ...bank.stacked(), column }))));
        writeFileSync(wanted, writeNpz(new Map([['scores', scores]])));
        files.push(join(out, 'stacked.onnx'), given, wanted);
      }
      held = undefined;
      const models = files.filter((file) => file.endsWith('.onnx'));
      expect(models).toHaveLength(Object.keys(cases).length);
      const checked = z.record(z.string(), z.object({ foreign: z.array(z.string()) }));
      for (const { foreign } of Object.values(checked.parse(python('.venv', 'check_model.py', ...models))))
        expect(foreign).toEqual([]);
      const differences = z.record(z.string(), z.object({ onnxruntime: z.number(), reference: z.number() }));
      const found = Object.values(differences.parse(python('.venv', 'run_model.py', ...files)));
      for (const [i, { blocks }] of Object.values(cases).entries()) {
        const { onnxruntime, reference } = must(found[i], 'differences');
        expect(onnxruntime).toBeLessThan(1e-5);
        // onnx's evaluator passes over the lengths that recurrent ops are given.
        expect(reference < 1e-5).toBe(!/(lstm|gru|rnn): {[^}]*mask/.test(blocks));
      }
    },
    120_000,
  );

  it('every layer is among them', () => {
    const text = Object.values(cases)
      .map(({ blocks }) => blocks)
      .join();
    const kinds = Object.values(layers).map(({ definition }) => definition.kind);
    expect(kinds.filter((kind) => !new RegExp(`\\b${kind}\\b`).test(text))).toEqual([]);
  });

  it('is refused where an op does not keep the rows apart', () => {
    const build = (of: (g: Ops, x: Value, w: Value) => Value) => () => {
      const g = ops();
      const [x, w] = [g.input('x', 'float32', ['N', 4]), g.input('w', 'float32', [4, 3])];
      g.output(of(g, x, w));
      stackWeights(g, [w], 'column');
      return toBinary(g.model());
    };
    const merged = (g: Ops, x: Value) => g.reshape(x, [-1, 2, 4]);
    expect(build((g, x, w) => g.matMul(merged(g, x), w))).toThrow(
      'stacked form: MatMul of weights of a column is not in it, expected one that keeps the rows of a batch apart',
    );
    expect(build((g, x, w) => g.where(g.greater(g.reduceSum(x, [0, 1], { keepdims: 0 }), 0), w, 0))).toThrow(
      'stacked form: Where of weights of a column is not in it',
    );
    expect(build((g, x) => g.relu(x))).not.toThrow();
  });
});
