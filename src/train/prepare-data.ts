// Data made ready for a column: checked against the network's input and the column's head, and split for validation.

import { fitTargets, type NamedTargetHead, type TargetHead } from '../data/checks.js';
import { type Labelled, type SampleSet, splitValidation } from '../data/dataset.js';
import { inputsBrought, withFollowing } from '../data/following.js';
import { inMemory, type Rows, runsOf } from '../data/rows.js';
import { countOf, isRows, mapSamples, namedSamples, type SampleRows } from '../data/samples.js';
import { formatIndex } from '../formats/data-error.js';
import { type Feature, hasCategories } from '../model/description/features.js';
import type { Tokens } from '../model/description/tokens.js';
import { eachOf, type Head, headWidth, isSeveral, outputLabels, sharesTarget } from '../model/heads/heads.js';
import { areKnown, type Size } from '../model/nn/open-size.js';
import { takesMissing } from '../model/prepare/prepare.js';
import type { Column } from '../model/progressive/column.js';
import type { NetworkInput } from '../model/progressive/inputs.js';
import { boundToData, fitsShape, sizesOfData } from '../model/progressive/open-inputs.js';
import { DataError, must } from '../onnx/core/errors.js';
import { elementCount } from '../onnx/core/shape.js';
import type { Tensor } from '../onnx/core/tensor.js';
import type { TrainSettings } from './settings.js';
import { boundsOf, refuseBeyond } from './whole-bounds.js';

/** Rows that are looked through together. */
const rowsPerLook = 4096;

/**
 * The data set under the network's names, with targets as the head takes them. Throws DataError for no rows, another shape or dtype of samples,
 * NaN, targets that do not fit the head, inputs that are not the network's.
 * @param where names the data set in errors
 */
export function fitData<R extends Rows>(
  column: Column,
  data: Labelled<Readonly<Record<string, R>> | R>,
  where: string,
): Labelled<Readonly<Record<string, R | Tensor>>> {
  const inputs = fitSamples(column, data.inputs, where);
  // Where a sample's sizes are open, so is the number of its steps: these data say it.
  const bound = eachOf(column.head) === undefined ? column : boundToData(column, inputs, where);
  return fitTargets({ ...data, inputs }, targetHead(bound), where);
}

/**
 * Inputs to be answered under the network's names, [N, ...shape] each, from tensors with as many numbers: one sample needs no axis of its own.
 * Throws as `fitData`.
 * @param first the number of the first row, where they are a part of others
 */
export function fitInputs(column: Column, given: SampleRows | Rows, where: string, first = 0): SampleRows {
  const { inputs } = column;
  const samples = namedSamples(given, namesOf(inputs, given), where);
  const rows = mapSamples(samples, (tensor, name): Rows => {
    if (!inMemory(tensor)) return tensor;
    const { shape } = must(
      inputs.find((input) => input.name === name),
      name,
    );
    if (!areKnown(shape)) return fitsShape(tensor.dims, shape) ? tensor.reshape([1, ...tensor.dims]) : tensor;
    const count = tensor.size / elementCount(shape);
    return Number.isInteger(count) ? tensor.reshape([count, ...shape]) : tensor;
  });
  return fitSamples(column, rows, where, first);
}

/** The names that samples must have: those that follow of others may be left out together. */
function namesOf(inputs: readonly NetworkInput[], given: SampleRows | Rows): string[] {
  const brought = inputsBrought(inputs);
  // Programs without types give anything: `namedSamples` says what is wrong with it.
  const named = typeof given === 'object' && given !== null && !isRows<Rows>(given);
  const all = named && inputs.some((input) => Object.hasOwn(given, input.name) && !brought.includes(input));
  return (all ? inputs : brought).map(({ name }) => name);
}

function fitSamples<R extends Rows>(
  column: Column,
  given: Readonly<Record<string, R>> | R,
  where: string,
  first = 0,
): Readonly<Record<string, R | Tensor>> {
  const { inputs } = column;
  const missing = new Set(inputs.filter(({ name }) => missingMay(column, name)).map(({ name }) => name));
  const names = inputs.map(({ name }) => name);
  const samples = withFollowing(inputs, namedSamples(given, namesOf(inputs, given), where), where);
  for (const input of inputs) {
    const readers = [column, ...column.foundation].flatMap(({ reads }) => reads.filter((read) => read.input === input));
    const prepared = readers.some(({ steps }) => steps.length > 0);
    fitInput(must(samples[input.name], input.name), input, prepared, where, inputs.length > 1);
  }
  const bounds = boundsOf(
    column,
    sizesOfData(inputs, (name) => samples[name]?.dims, where),
  );
  if (countOf(samples) === 0)
    throw new DataError(`${where}: has no rows`, { path: where, expected: 'at least one row', got: '0' });
  for (const name of names) {
    const tensor = must(samples[name], name);
    if (tensor.dims[0] !== countOf(samples)) {
      const [expected, got] = [`${countOf(samples)} rows`, `${tensor.dims[0]} rows`];
      throw new DataError(`${where}: input "${name}" has ${got}, "${names[0]}" has ${expected}`, { path: where, expected, got });
    }
    const input = inputs.find((input) => input.name === name);
    const inputMissing = missing.has(name);
    for (const { from, part } of runsOf(tensor, rowsPerLook)) {
      refuseNotFinite(part, inputMissing, where, first + from);
      refuseNoCategory(part, input?.features, where, first + from);
      refuseNoToken(part, input?.tokens, where, first + from);
      refuseBeyond(part, bounds(name), where, first + from);
    }
  }
  return samples;
}

/** One sample's shape and dtype. */
function fitInput(
  { dims, dtype }: Rows,
  { name, shape, dtype: wanted, tokens }: NetworkInput,
  prepared: boolean,
  where: string,
  several: boolean,
): void {
  const found = dims.slice(1);
  if (!fitsShape(found, shape)) {
    throw new DataError(`${where}: a sample has shape [${found}], input "${name}" is [${shape}]${transposeHint(found, shape)}`, {
      path: where,
      expected: `[${shape}]`,
      got: `[${found}]`,
    });
  }
  // Bytes become 0..1 on the way to a network of float32: with steps of its own nobody could tell which scale it was trained on.
  const taken = wanted === 'float32' && !prepared ? ['float32', 'uint8'] : [wanted];
  if (taken.includes(dtype)) return;
  const way =
    wanted === 'int64' && tokens !== undefined
      ? ', the ids of tokens'
      : dtype === 'uint8'
        ? ', or dtype: uint8 in the input that is prepared'
        : '';
  const expected = `${taken.join(' or ')}${way}`;
  const what = several ? `input "${name}" is` : 'inputs are';
  throw new DataError(`${where}: ${what} ${dtype}, expected ${expected}`, { path: where, expected, got: dtype });
}

/** Ids are those of the tokenizer. */
function refuseNoToken({ data, dims }: Tensor, tokens: Tokens | undefined, where: string, first: number): void {
  if (tokens === undefined || !(data instanceof BigInt64Array)) return;
  const end = BigInt(tokens.vocabulary);
  const bad = data.findIndex((id) => id < 0n || id >= end);
  if (bad < 0) return;
  const [expected, got] = [`an id of the tokenizer, 0..${tokens.vocabulary - 1}`, `${data[bad]}`];
  throw new DataError(
    `${where}: inputs hold ${got} at ${formatIndex(first * elementCount(dims.slice(1)) + bad, dims)}, expected ${expected}`,
    {
      path: where,
      expected,
      got,
    },
  );
}

/** Categories are indices, or -1 for a text that is none of them. */
function refuseNoCategory({ data }: Tensor, features: readonly Feature[] | undefined, where: string, first: number): void {
  if (!hasCategories(features)) return;
  features.forEach(({ name, categories }, place) => {
    if (categories === undefined) return;
    for (let at = place; at < data.length; at += features.length) {
      const value = Number(data[at]);
      if (Number.isInteger(value) && value >= -1 && value < categories.length) continue;
      const row = first + Math.floor(at / features.length);
      const expected = `an index of its categories, 0..${categories.length - 1}, or -1 for none`;
      throw new DataError(`${where}: row ${row} has ${data[at]} as "${name}", expected ${expected}`, {
        path: where,
        expected,
        got: `${data[at]}`,
      });
    }
  });
}

/** Where the axes of a sample stand in another order: the step of the model that puts them right. */
function transposeHint(found: readonly number[], wanted: readonly Size[]): string {
  const left = new Set(found.keys());
  const order: number[] = [];
  for (const size of wanted) {
    const axis = [...left].find((i) => found[i] === size);
    if (axis === undefined) return '';
    left.delete(axis);
    order.push(axis);
  }
  return left.size > 0 ? '' : `; shape: [${found.join(', ')}] with prepare: [{ transpose: [${order.join(', ')}] }] takes it`;
}

function refuseNotFinite({ data, dims }: Tensor, missingMay: boolean, where: string, first: number): void {
  const bad = data instanceof Float32Array ? data.findIndex((v) => v - v !== 0 && !(missingMay && Number.isNaN(v))) : -1;
  if (bad < 0) return;
  const at = formatIndex(first * elementCount(dims.slice(1)) + bad, dims);
  const way = Number.isNaN(data[bad]) ? ', or a step of "prepare" such as { fill: mean }' : '';
  throw new DataError(`${where}: inputs hold ${data[bad]} at ${at}, expected a finite number${way}`, {
    path: where,
    got: `${data[bad]}`,
  });
}

/** What the checks of data need to know of a head. */
function targetHead(column: Column): TargetHead {
  const { head } = column;
  const of = (own: Head) => targetHeadOf(own, () => column.parameters.scores[0] ?? 1);
  return isSeveral(head)
    ? { ...of(head), heads: head.heads.map(({ name, head: each }): NamedTargetHead => ({ name, ...of(each) })) }
    : of(head);
}

/** What the checks need to know of one head. @param steps how many steps each sample has, of a head that answers each of them */
export function targetHeadOf(head: Head, steps: () => Size): TargetHead {
  const names = outputLabels(head);
  return {
    kind: head.kind,
    size: headWidth(head),
    ...(names !== undefined && { names }),
    ...(sharesTarget(head) && { shared: true }),
    ...(eachOf(head) && { steps: steps() }),
  };
}

/** Whether values of an input may be missing: the column and those that it stands on fill them, as far as they read the input. */
const missingMay = (column: Column, name: string): boolean =>
  [column, ...column.foundation].every(({ reads }) => {
    const read = reads.find(({ input }) => input.name === name);
    return read === undefined || takesMissing(read.steps);
  });

/** The inputs of a column in which values may be missing. */
export const filledInputs = (column: Column): string[] =>
  column.inputs.map(({ name }) => name).filter((name) => missingMay(column, name));

/** What reading a column's data needs to know of it. */
export function readingFor(column: Column): {
  head: TargetHead;
  missing: boolean;
  inputs: readonly NetworkInput[];
  features?: readonly Feature[];
  first?: string;
} {
  const inputs = inputsBrought(column.inputs);
  const features = inputs.length === 1 ? inputs[0]?.features : undefined;
  return {
    head: targetHead(column),
    missing: inputs.every(({ name }) => missingMay(column, name)),
    inputs,
    ...(features !== undefined && { features }),
    ...(inputs.length > 1 && column.reads[0] !== undefined && { first: column.reads[0].input.name }),
  };
}

/** Training and, where the settings ask for it, validation part of a data set. `where` names it in errors. */
export function partition(data: SampleSet, settings: TrainSettings, where: string): { train: SampleSet; validation?: SampleSet } {
  return settings.validation > 0 ? splitValidation(data, settings.validation, settings.seed, where) : { train: data };
}
