// Targets of heads that answer each step of a sequence: a class of each, or numbers of each, as files and arrays have them, to what the head takes.
import { dataError, formatIndex } from '../formats/data-error.js';
import { isCounted, uncountedClass } from '../model/heads/each-step.js';
import { type AnyHeadKind, targetKind } from '../model/heads/heads.js';
import { Tensor } from '../onnx/core/tensor.js';

interface StepHead {
  readonly kind: AnyHeadKind;
  readonly size: number;
  /** A name where any number will do. */
  readonly steps: number | string;
}

/**
 * int64 [D,steps] of classes, -100 where a step does not count; float32 [D,steps,size] of numbers, NaN where it does not. One number of each step may come
 * as [D,steps]. Throws DataError.
 * @param where names the targets in errors
 * @param firstRow the number of their first row, where they are a part of others: some step of them all counts then, else of these
 */
export function stepTargets(targets: Tensor, head: StepHead, where: string, firstRow?: number): Tensor {
  const { kind, size } = head;
  const { dims } = targets;
  const [count = 0, found = 1] = dims;
  const steps = typeof head.steps === 'number' ? head.steps : found;
  const classes = targetKind(head).of === 'classes';
  const shape = classes ? [count, steps] : [count, steps, size];
  const short = classes || size === 1 ? [count, steps] : shape;
  if (![shape, short, ...(steps === 1 && short.length === 2 ? [[count]] : [])].some((right) => right.join() === dims.join())) {
    const [expected, got] = [`[${short}]`, `[${dims}]`];
    throw dataError(where, `targets are ${got}, a ${kind} head of ${size} at each of ${head.steps} steps needs ${expected}`, {
      expected,
      got,
    });
  }
  const at = (i: number) => formatIndex(i + (firstRow ?? 0) * (targets.size / Math.max(1, count)), dims);
  const fitted = classes ? classesOf(targets, size, where, at) : numbersOf(targets, head, where, at);
  const stands = classes ? String(uncountedClass) : 'NaN';
  if (firstRow === undefined && fitted.numbers().every((target) => !isCounted(targetKind(head), target)))
    throw dataError(where, `no step counts, each is ${stands}; expected some with a target`, {
      expected: 'a target',
      got: stands,
    });
  return fitted.reshape(shape);
}

function classesOf(targets: Tensor, classes: number, where: string, at: (i: number) => string): Tensor {
  const out = new BigInt64Array(targets.size);
  for (let i = 0; i < out.length; i++) {
    const label = Number(targets.data[i]);
    const right = label === uncountedClass || (Number.isInteger(label) && label >= 0 && label < classes);
    if (!right) {
      const expected = `0..${classes - 1}, or ${uncountedClass} where a step does not count`;
      throw dataError(where, `label ${label} at ${at(i)} is out of range, expected ${expected}`, {
        expected,
        got: String(label),
      });
    }
    out[i] = BigInt(label);
  }
  return new Tensor('int64', targets.dims, out);
}

function numbersOf(targets: Tensor, head: StepHead, where: string, at: (i: number) => string): Tensor {
  const kind = targetKind(head);
  const { from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY } = kind.of === 'numbers' ? kind : {};
  const out = Float32Array.from(targets.numbers());
  const { size } = head;
  for (let i = 0; i < out.length; i++) {
    const value = out[i] ?? Number.NaN;
    const first = out[i - (i % size)] ?? Number.NaN;
    if (Number.isNaN(value) !== Number.isNaN(first)) {
      const expected = 'all numbers of a step, or NaN in place of each where it does not count';
      throw dataError(where, `holds some numbers of a step alone at ${at(i)}, expected ${expected}`, { expected });
    }
    if (Number.isNaN(value)) continue;
    if (value >= from && value <= to) continue;
    const expected = `${from}..${to}`;
    throw dataError(where, `target ${value} at ${at(i)} is out of range, a ${head.kind} head needs ${expected}`, {
      expected,
      got: String(value),
    });
  }
  return new Tensor('float32', targets.dims, out);
}
