// Every op of the table with extreme attributes, shapes and constants: what reads the model passes or refuses in one line, soon and in little memory.
import { describe, expect, it } from 'vitest';
import { grad } from '../../../src/onnx/autodiff/grad.js';
import { type DType, dtypes } from '../../../src/onnx/core/dtype.js';
import { PrognetError } from '../../../src/onnx/core/errors.js';
import { Random } from '../../../src/onnx/core/random.js';
import type { Dim } from '../../../src/onnx/core/shape.js';
import { Tensor } from '../../../src/onnx/core/tensor.js';
import type { Model } from '../../../src/onnx/ir/model.js';
import { findSignature, formAt, type Parameter } from '../../../src/onnx/ops/signature.js';
import { findOp, table } from '../../../src/onnx/ops/table.js';
import { verifyModel } from '../../../src/onnx/ops/verify-model.js';
import { inferShapes } from '../../../src/onnx/passes/infer-shapes.js';
import { optimise } from '../../../src/onnx/passes/optimise.js';
import { type Small, type SmallNode, smallModel } from '../small-model.js';

const draws = 15;
/** ms of processor time of one draw through everything, and bytes of what is kept of it. */
const [slowest, largest] = [2000, 100e6];

const integers = [0, 1, -1, 2, 3, 4, -2, 64, 65, 1000, 1e5, 1e9, 2 ** 31 - 1, 1e12, -1e9, 2 ** 53 - 1].map(BigInt);
const floats = [0, 1, -1, 0.5, 1e-30, 1e9, 1e30, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
const texts = [
  '',
  'constructor',
  '__proto__',
  'none',
  'sum',
  'SAME_UPPER',
  'VALID',
  'linear',
  'reflect',
  'bidirectional',
  'i,ij->j',
  '...',
];
const sizes: readonly Dim[] = [1, 1, 2, 2, 3, 4, 8, 0, 'N', null, 100, 1e5, 1e9, 1e12];

class Drawing {
  private readonly random: Random;
  constructor(op: string, draw: number) {
    this.random = new Random(draw, op);
  }
  below = (n: number): number => Math.floor(this.random.uniform() * n);
  one = <T>(list: readonly [T, ...T[]] | readonly T[]): T => {
    const v = list[this.below(list.length)];
    if (v === undefined) throw new Error('an empty list');
    return v;
  };

  /** Mostly what might be meant, so that other places are reached. */
  int = () => (this.below(2) === 0 ? BigInt(this.below(4)) : this.one(integers));
  float = () => (this.below(2) === 0 ? this.below(4) : this.one(floats));

  attribute(kind: string, rank: number) {
    const length =
      this.below(8) === 0 ? this.one([0, 1, 70, 2000]) : this.one([rank, Math.max(rank - 2, 0), 2 * Math.max(rank - 2, 0)]);
    switch (kind) {
      case 'int':
        return this.int();
      case 'float':
        return this.float();
      case 'string':
        return this.one(texts);
      case 'ints':
        return Array.from({ length }, this.int);
      case 'floats':
        return Array.from({ length: length + 1 }, this.float);
      case 'strings':
        return [this.one(texts), 'Tanh'];
      case 'tensor':
        return Tensor.from('float32', [this.float()]);
      default:
        return undefined;
    }
  }

  shape = (rank: number): readonly Dim[] | undefined =>
    this.below(10) === 0 ? undefined : Array.from({ length: this.below(6) === 0 ? this.below(6) : rank }, () => this.one(sizes));

  constant(dtype: DType): Tensor | undefined {
    const count = this.one([1, 1, 2, 3, 4, 6, 8, 70]);
    const dims = count === 1 && this.below(2) === 0 ? [] : [count];
    if (dtype === 'int64') return new Tensor(dtype, dims, BigInt64Array.from({ length: count }, this.int));
    if (dtype === 'int32')
      return Tensor.from(
        dtype,
        Array.from({ length: count }, () => this.below(5) - 1),
        dims,
      );
    if (dtype === 'float32') return Tensor.from(dtype, Array.from({ length: count }, this.float), dims);
    if (dtype === 'bool')
      return new Tensor(
        dtype,
        dims,
        Uint8Array.from({ length: count }, () => this.below(2)),
      );
    return undefined;
  }
}

const isDType = (t: string): t is DType => Object.hasOwn(dtypes, t);

/** A dtype that the parameter may have, float32 above all. */
function dtypeOf(d: Drawing, p: Parameter): DType | undefined {
  const some = [...p.types].filter(isDType);
  if (some.includes('float32') && d.below(8) > 0) return 'float32';
  return some.length === 0 ? undefined : d.one(some);
}

/** One node of the op behind x; undefined where an input is a sequence. */
function drawn(op: string, draw: number): { readonly small: Small; readonly opset: number } | undefined {
  const d = new Drawing(op, draw);
  const def = findOp(op);
  const opset = Math.max(d.one([17, 17, 18, 20, 22, 24, 26]), def?.since ?? 1);
  const signature = findSignature(op);
  const form = signature && formAt(signature, opset);
  if (form === undefined) return undefined;
  const rank = d.one([1, 2, 3, 4, 4, 5]);
  const inputs: Record<string, readonly [DType, readonly Dim[] | undefined]> = {};
  const constants: Record<string, Tensor> = {};
  const names: string[] = [];
  const bound = new Map<string, DType>();
  for (const [i, p] of form.inputs.entries()) {
    if (p.optional && d.below(2) === 0) {
      names.push('');
      continue;
    }
    const dtype = (p.variable === undefined ? undefined : bound.get(p.variable)) ?? dtypeOf(d, p);
    if (dtype === undefined) return undefined;
    if (p.variable !== undefined) bound.set(p.variable, dtype);
    const name = i === 0 ? 'x' : `x${i}`;
    const tensor = i > 0 && d.below(4) > 0 ? d.constant(dtype) : undefined;
    if (tensor === undefined) inputs[name] = [dtype, d.shape(rank)];
    else constants[name] = tensor;
    names.push(name);
  }
  const given: Record<string, NonNullable<ReturnType<Drawing['attribute']>>> = {};
  for (const [name, spec] of form.attributes) {
    const value = spec.required || d.below(3) === 0 ? d.attribute(spec.kind, rank) : undefined;
    if (value !== undefined) given[name] = value;
  }
  const outputs = form.outputs.flatMap((p, i) => (i === 0 || (!p.variadic && d.below(2) === 0) ? [i === 0 ? 'y' : `y${i}`] : []));
  const node: SmallNode = [op, names, outputs, given];
  return { small: { inputs, constants, nodes: [node] }, opset };
}

const readers: Readonly<Record<string, (model: Model) => void>> = {
  verify: (model) => verifyModel(model),
  infer: (model) => void inferShapes(model.graph, { opset: model.opset }),
  optimise: (model) => void optimise(model.graph, { opset: model.opset }),
  vjp: (model) => void grad(model, { of: 'y', by: ['x'] }),
  jvp: (model) => void grad(model, { of: 'y', by: ['x'], mode: 'jvp' }),
};

const kept = () => {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
};

/** What is wrong with how a reader took the model. */
function complaint(read: (model: Model) => void, model: Model): string | undefined {
  const [start, before] = [process.cpuUsage(), kept()];
  try {
    read(model);
  } catch (error) {
    if (!(error instanceof PrognetError)) return error instanceof Error ? `${error.stack}` : String(error);
    if (error.message.startsWith('internal:') || error.message.includes('internal:')) return error.message;
  }
  const { user, system } = process.cpuUsage(start);
  const [ms, bytes] = [(user + system) / 1000, kept() - before];
  if (ms > slowest) return `takes ${ms.toFixed(0)} ms`;
  return bytes > largest ? `keeps ${(bytes / 1e6).toFixed(0)} MB` : undefined;
}

describe('extreme attributes, shapes and constants', () => {
  const ops = Object.keys(table).filter((key) => findSignature(key) !== undefined);
  it(`of ${ops.length} ops`, { timeout: 120_000 }, () => {
    const wrong: string[] = [];
    let passed = 0;
    for (const op of ops) {
      for (let draw = 0; draw < draws; draw++) {
        const made = drawn(op, draw);
        if (made === undefined) continue;
        for (const [name, read] of Object.entries(readers)) {
          const found = complaint(read, smallModel(made.small, made.opset));
          if (found !== undefined) wrong.push(`${op} ${draw}: ${name}: ${found.slice(0, 600)}`);
          else passed++;
        }
      }
    }
    expect(wrong).toEqual([]);
    expect(passed).toBeGreaterThan(7_000);
  });
});
