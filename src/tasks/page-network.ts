// A workspace's network as a page gets it: its file, which for a page knows what each column's samples look like to it, and beside it some samples of
// the test data to try. Made where the data are; a task whose data cannot be read goes without.
import { type About, type AboutTask, encodeAbout } from '../data/about-tasks.js';
import { classLabels, type SampleSet } from '../data/dataset.js';
import { fewestRows } from '../data/domain.js';
import type { Rows } from '../data/rows.js';
import { countOf } from '../data/samples.js';
import type { PageNetwork } from '../deploy/page.js';
import { isCounted } from '../model/heads/each-step.js';
import {
  answersOf,
  eachOf,
  type Head,
  isSeveral,
  outputLabels,
  placesOf,
  targetKind,
  targetWidth,
} from '../model/heads/heads.js';
import type { Column } from '../model/progressive/column.js';
import { someRows, withDomain } from '../network/column-domain.js';
import { columnHash } from '../network/network-file.js';
import { byteLength } from '../onnx/core/dtype.js';
import { DataError, DescriptionError, must, UsageError } from '../onnx/core/errors.js';
import { oneLine } from '../onnx/core/one-line.js';
import { elementCount } from '../onnx/core/shape.js';
import { Tensor } from '../onnx/core/tensor.js';
import type { Runtime } from '../onnx/runtime/session.js';
import { frozenTasks, type LoadedWorkspace, someFrozen } from './load-workspace.js';
import { networkOf } from './network-of.js';
import { dataSpecOf, loadTaskData } from './task-data.js';

export interface PageNetworkOptions {
  /** Whether samples of the test data go with the page. */
  readonly samples: boolean;
  /** What goes with the page of the data, and what does not, a line each. */
  readonly onNote?: ((line: string) => void) | undefined;
}

const samplesOfTask = 6;
const mostSampleBytes = 128 * 1024;

/** The files of the network and of what is known of its tasks. Throws UsageError where nothing is frozen yet. */
export async function pageNetwork(
  loaded: LoadedWorkspace,
  runtime: Runtime,
  { samples, onNote }: PageNetworkOptions,
): Promise<PageNetwork> {
  someFrozen(loaded);
  let network = networkOf(loaded).on(runtime);
  const tasks = new Map<string, AboutTask>();
  const small: string[] = [];
  for (const task of frozenTasks(loaded)) {
    const column = loaded.columns.column(task);
    const weights = (await columnHash(task, must(network.weights(task), task))) ?? '';
    let about: AboutTask = { weights };
    try {
      const data = await loadTaskData(loaded, task);
      const tried = samples ? samplesOf(data.test, column) : undefined;
      if (tried !== undefined) small.push(`${task} ${tried.labels?.length ?? 0} (${sizeOf(tried.samples)})`);
      else if (samples)
        onNote?.(`${task}: a sample of its test data is over ${mostSampleBytes / 1024} kB, none goes with the page`);
      network = await withDomain(network, task, data.train, data.test);
      if (network.facts.get(task)?.domain === undefined)
        onNote?.(`${task}: answers are not marked where they are in doubt, which ${whatMarksTake(column)}`);
      about = { ...about, ...tried };
    } catch (error) {
      if (!(error instanceof DataError || error instanceof DescriptionError || error instanceof UsageError)) throw error;
      onNote?.(`${task}: no samples, and no marks where an answer is in doubt: ${oneLine(error.message)}`);
    }
    tasks.set(task, about);
  }
  await network.close();
  if (small.length > 0) onNote?.(`samples of test data go with the page: ${small.join(', ')}; --no-samples leaves them out`);
  return { network: await network.save(), about: encodeAbout({ decimal: decimalOf(loaded), tasks }) };
}

function whatMarksTake({ blocks, head, taps }: Column): string {
  if (blocks.length === 0) return 'takes blocks of its own';
  if (taps.at(-1)?.some((size) => typeof size === 'string') === true) return 'takes a last block of known sizes';
  return eachOf(head) === undefined ? `takes ${fewestRows} samples of its data at least` : 'takes answers of whole samples';
}

/** Of the first table that says one. */
function decimalOf(loaded: LoadedWorkspace): About['decimal'] {
  const found = [...loaded.columns].map((column) => dataSpecOf(loaded, column));
  return found.flatMap((spec) => (typeof spec === 'object' && spec.decimal !== undefined ? [spec.decimal] : []))[0] ?? '.';
}

function sizeOf(samples: readonly Tensor[]): string {
  const length = samples.reduce((sum, { bytes }) => sum + bytes.length, 0);
  return length < 1000 ? `${length} bytes` : `${(length / 1000).toFixed(1)} kB`;
}

/** The first rows of the test data, of each class in turn where there are classes; undefined where one is too large. */
function samplesOf(test: SampleSet, column: Column): Required<Pick<AboutTask, 'samples' | 'labels'>> | undefined {
  const count = countOf(test.inputs);
  const bytesOf = ({ dims, dtype }: Rows) => elementCount(dims.slice(1)) * byteLength(dtype, 1);
  const room = Math.floor(mostSampleBytes / Object.values(test.inputs).reduce((sum, rows) => sum + bytesOf(rows), 0));
  const most = Math.min(samplesOfTask, room, count);
  if (most === 0) return undefined;
  const labels = eachOf(column.head) === undefined ? classLabels(test) : undefined;
  const turns = new Map<string, number>();
  const order = Array.from({ length: count }, (_, row) => {
    const label = String(labels?.[row]);
    const turn = turns.get(label) ?? 0;
    turns.set(label, turn + 1);
    return { row, turn, label: Number(labels?.[row] ?? 0) };
  });
  const chosen = order.sort((a, b) => a.turn - b.turn || a.label - b.label || a.row - b.row).slice(0, most);
  const { inputs, targets } = someRows(
    test,
    Uint32Array.from(chosen, ({ row }) => row),
  );
  return {
    samples: column.inputs.map(({ name }) => must(inputs instanceof Tensor ? inputs : inputs[name], name)),
    labels: chosen.map((_, i) => labelOf(targets, i, column)),
  };
}

/** Steps whose labels are said. */
const mostSteps = 12;

/** The label of a row in words: of several heads each by its name, of a head of each step those of the first steps. */
function labelOf({ data, dims }: Tensor, row: number, { head }: Column): string {
  const size = elementCount(dims.slice(1));
  const own = Array.from({ length: size }, (_, i) => Number(data[row * size + i]));
  if (isSeveral(head))
    return placesOf(head)
      .map(({ name, head: one, targets: { from, to } }) => `${name} ${targetText(one, own.slice(from, to))}`)
      .join(', ');
  if (eachOf(head) === undefined) return targetText(head, own);
  const width = targetWidth(head);
  const steps = Array.from({ length: Math.min(size / width, mostSteps) }, (_, step) => {
    const target = own.slice(step * width, (step + 1) * width);
    return target.every((v) => isCounted(targetKind(head), v)) ? targetText(head, target) : '–';
  });
  return [...steps, ...(size / width > mostSteps ? ['…'] : [])].join(' ');
}

/** A target of a head in words. */
function targetText(head: Head, own: readonly number[]): string {
  const names = outputLabels(head);
  const called = (i: number) => names?.[i] ?? String(i);
  const each = answersOf(head)?.each;
  if (each === 'class') return called(own[0] ?? 0);
  if (each === 'flags') return own.flatMap((v, i) => (v > 0.5 ? [called(i)] : [])).join(' and ') || 'none';
  return own
    .map((v, i) => (own.length === 1 && names === undefined ? '' : `${called(i)} `) + Number(v.toPrecision(5)))
    .join(', ');
}
