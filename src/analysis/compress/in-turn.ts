// Columns compressed one after another, as progress and compress has it (Schwarz et al. 2018, arXiv 1805.06370, section 3.2): the compressed column learns
// from one task at a time, over that task's samples alone. What it has learned before is held by online elastic weight consolidation: half of
// strength * sum of F (w - w*)^2, with w* the weights after the task before and F = decay F + (the diagonal Fisher information of that task).
import { gatherRows, sliceRows } from '../../data/rows.js';
import { countOf, mapSamples } from '../../data/samples.js';
import { eachOf, headWidth } from '../../model/heads/heads.js';
import type { Column } from '../../model/progressive/column.js';
import { initialWeights, type Weights } from '../../model/progressive/weights.js';
import { must, UsageError } from '../../onnx/core/errors.js';
import { Random } from '../../onnx/core/random.js';
import { Tensor } from '../../onnx/core/tensor.js';
import { train } from '../../train/loop.js';
import { parameterFisher } from '../parameter-fisher.js';
import { type Compressed, type CompressRequest, denseOf, learner, learnerSettings, scaledHead, weightsBut } from './compress.js';
import { lessonOf } from './teachers.js';

/** How much of what was learned before is held. */
export interface Consolidation {
  /** What the penalty counts, lambda: at 1 a task before counts as its own loss near to where it was learned; 0: nothing is held. Default 10, since a diagonal sees less than there is. */
  readonly strength?: number;
  /** What is left of the Fisher information of earlier tasks with each further one, gamma: 1, the default, keeps all. */
  readonly decay?: number;
}

/** Samples that are enough for a diagonal. */
const fisherRows = 1000;

/** Trains the column, a task at a time in their order; `epochs` are those of each. Throws UsageError for blocks with statistics of the samples. */
export async function compressInTurn(
  request: CompressRequest,
  { strength = 10, decay = 1 }: Consolidation = {},
): Promise<Compressed> {
  const { runtime, session, teachers, column: own, seed, onEvent, signal } = request;
  const head = `${own.task}/head/`;
  const heads: Compressed['heads'][number][] = [];
  let known: Weights | undefined;
  let fisher: Weights = new Map();
  for (const [t, teacher] of teachers.entries()) {
    const { targets, scale } = lessonOf(teacher);
    const each = eachOf(teacher.head);
    const column = learner(request, { ...own, head: { regress: { outputs: headWidth(teacher.head), ...(each && { each }) } } });
    refuseStatistics(column);
    const { weights } = await train({
      runtime,
      column,
      frozen: new Map(),
      settings: learnerSettings(request, column),
      train: { inputs: teacher.inputs, targets },
      ...(known && { start: new Map([...initialWeights(column), ...known]), prepared: true }),
      ...(known && strength > 0 && { penalty: { towards: known, weight: scaled(fisher, strength) } }),
      ...(session && { session }),
      ...(onEvent && { onEvent }),
      ...(signal && { signal }),
    });
    heads.push(scaledHead(denseOf(weights, head), scale));
    known = weightsBut(weights, head);
    if (strength === 0 || t === teachers.length - 1) continue;
    const data = someOf({ inputs: teacher.inputs, targets }, new Random(seed, 'fisher samples', t));
    const alone = { column, own: weights, data, runtime, seed: seed + t, ...(session && { session }), ...(signal && { signal }) };
    // The loss is the mean of squared distances over so many scores: its curvature is 2 / width of the diagonal.
    fisher = sum(scaled(fisher, decay), scaled(weightsBut(await parameterFisher(alone), head), 2 / headWidth(teacher.head)));
  }
  return { weights: must(known, 'task'), heads };
}

/** Statistics of batch_norm would be those of the last task, and no penalty holds them. */
function refuseStatistics(column: Column): void {
  const prepared = column.reads.map(({ prefix }) => `${column.task}/${prefix}/`);
  const found = column.parameters.specs.find(
    ({ name, role }) => role === 'statistic' && !prepared.some((p) => name.startsWith(p)),
  );
  if (found === undefined) return;
  const expected = 'blocks with layer_norm or group_norm, or all tasks at one time';
  throw new UsageError(`compress: "${found.name}" would be what the last task has, expected ${expected}`, {
    got: found.name,
    expected,
  });
}

function someOf({ inputs, targets }: { inputs: CompressRequest['teachers'][number]['inputs']; targets: Tensor }, random: Random) {
  const count = countOf(inputs);
  if (count <= fisherRows) return { inputs, targets: sliceRows(targets, 0, count) };
  const numbers = random.permutation(count).subarray(0, fisherRows);
  return { inputs: mapSamples(inputs, (rows) => gatherRows(rows, numbers)), targets: gatherRows(targets, numbers) };
}

const mapped = (weights: Weights, of: (v: number, name: string, i: number) => number): Weights =>
  new Map(
    [...weights].map(([name, { dims, data }]) => [
      name,
      new Tensor(
        'float32',
        dims,
        Float32Array.from(data as Float32Array, (v, i) => of(v, name, i)),
      ),
    ]),
  );
const scaled = (weights: Weights, by: number): Weights => mapped(weights, (v) => v * by);
const sum = (a: Weights, b: Weights): Weights => mapped(b, (v, name, i) => v + Number(a.get(name)?.data[i] ?? 0));
