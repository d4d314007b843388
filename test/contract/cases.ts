// The contract of every runtime: the same models, run and trained, give the numbers that Node's CPU gives, within what is stated here. The
// cases run as they are in Node and, bundled, in a browser.

import {
  adapter,
  batchNorm,
  classify,
  column,
  conv2d,
  dense,
  dropout,
  flatten,
  input,
  maxpool2d,
  regress,
  relu,
  tanh,
} from '../../src/model/description/builder.js';
import type { ColumnInput } from '../../src/model/description/description.js';
import { type Network, prognet } from '../../src/network/network.js';
import { Random } from '../../src/onnx/core/random.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import type { Runtime } from '../../src/onnx/runtime/session.js';
import { outputsOf } from '../../src/train/outputs.js';
import { initialAt } from '../support/by-place.js';

/** Named lists of numbers: losses, scores. */
export type Outcome = Readonly<Record<string, readonly number[]>>;

export interface Case {
  readonly name: string;
  /** Largest |a - b| / max(|a|, |b|, 1) of each list. */
  readonly tolerance: Readonly<Record<string, number>>;
  readonly run: (runtime: Runtime, provider: string) => Promise<Outcome>;
}

/** Images of 8x8 whose class is the quadrant that is bright; targets for classify and, as floats, for regress. */
function quadrants(rows: number, seed: number) {
  const r = new Random(seed, 'quadrants');
  const labels = Array.from({ length: rows }, () => r.below(4));
  const pixels = Float32Array.from({ length: rows * 64 }, (_, i) => {
    const [row, y, x] = [Math.floor(i / 64), Math.floor(i / 8) % 8, i % 8];
    const inside = (y < 4 ? 0 : 2) + (x < 4 ? 0 : 1) === labels[row];
    return r.uniform() * 0.5 + (inside ? 0.5 : 0);
  });
  const inputs = new Tensor('float32', [rows, 1, 8, 8], pixels);
  return { inputs, targets: Tensor.from('int64', labels), numbers: Tensor.from('float32', labels, [rows, 1]) };
}

const begun = () => prognet({ name: 'contract', input: input('image', [1, 8, 8]) });
const denseColumn = (task: string) =>
  column(task, {
    blocks: [
      [flatten(), dense(16), relu()],
      [dense(16), tanh()],
    ],
    head: classify(4),
  });
const convColumn = (task: string) =>
  column(task, {
    blocks: [
      [conv2d(4, { kernel: 3, padding: 'same' }), batchNorm(), relu(), maxpool2d(2)],
      [flatten(), dense(12), relu(), dropout(0.2)],
    ],
    head: classify(4),
  });

/** A network whose columns are all frozen at their first weights. */
function untrained(columns: readonly ColumnInput[]): Network {
  let network = begun();
  for (const c of columns) {
    network = network.grow(c);
    network = network.withWeights(c.task, initialAt(network.description, network.tasks.indexOf(c.task)));
  }
  return network;
}

async function scores(network: Network, task: string, runtime: Runtime, provider: string, image: Tensor): Promise<number[]> {
  const session = await runtime.createSession(network.export({ task }), { providers: [provider] });
  try {
    return (await outputsOf(session, task, network.columns.inputs, { image })).numbers();
  } finally {
    await session.release();
  }
}

interface Training {
  readonly network: Network;
  readonly task: string;
  readonly rows: number;
  readonly settings: {
    readonly epochs: number;
    readonly batch: number;
    readonly lr: number;
    readonly optimizer?: 'sgd' | 'adamw';
  };
  readonly regress?: boolean;
}

/** Losses of every step, and the scores of the trained column. */
async function trained(runtime: Runtime, provider: string, t: Training): Promise<Outcome> {
  const { inputs, targets, numbers } = quadrants(t.rows, 3);
  const losses: number[] = [];
  const { network } = await t.network.train(t.task, {
    on: runtime,
    data: { inputs, targets: t.regress ? numbers : targets },
    ...t.settings,
    session: { providers: [provider] },
    onEvent: (event) => {
      if (event.kind === 'step') losses.push(...event.losses);
    },
  });
  return { losses, scores: await scores(network, t.task, runtime, provider, quadrants(16, 4).inputs) };
}

export const cases: readonly Case[] = [
  {
    name: 'a column with laterals answers',
    tolerance: { scores: 1e-5 },
    run: async (runtime, provider) => {
      const laterals = adapter({ rank: 4 });
      const network = untrained([convColumn('a'), column('b', { like: 'a', laterals }), { ...denseColumn('c'), laterals }]);
      return { scores: await scores(network, 'c', runtime, provider, quadrants(16, 1).inputs) };
    },
  },
  {
    name: '200 steps of a dense column',
    tolerance: { losses: 1e-3, scores: 1e-2 },
    run: (runtime, provider) =>
      trained(runtime, provider, {
        network: begun().grow(denseColumn('a')),
        task: 'a',
        rows: 80,
        settings: { epochs: 40, batch: 16, lr: 0.005 },
      }),
  },
  {
    name: 'a convolutional column with batch_norm, dropout and an odd last minibatch',
    tolerance: { losses: 1e-3, scores: 1e-2 },
    run: (runtime, provider) =>
      trained(runtime, provider, {
        network: begun().grow(convColumn('a')),
        task: 'a',
        rows: 44,
        // Not adam: a bias before batch_norm has no gradient but rounding, which adam would blow up to whole steps.
        settings: { epochs: 2, batch: 16, lr: 0.05, optimizer: 'sgd' },
      }),
  },
  {
    name: 'a column with adapters, for numbers',
    tolerance: { losses: 1e-3, scores: 1e-2 },
    run: (runtime, provider) =>
      trained(runtime, provider, {
        network: untrained([denseColumn('a')]).grow(column('b', { like: 'a', head: regress(1), laterals: adapter({ rank: 4 }) })),
        task: 'b',
        rows: 48,
        settings: { epochs: 2, batch: 16, lr: 0.01, optimizer: 'adamw' },
        regress: true,
      }),
  },
];

/** All cases on one provider. */
export async function runCases(runtime: Runtime, provider: string): Promise<Readonly<Record<string, Outcome>>> {
  const outcomes: Record<string, Outcome> = {};
  for (const { name, run } of cases) outcomes[name] = await run(runtime, provider);
  return outcomes;
}
