// prognet grad

import { gradWithin } from '../../onnx/autodiff/grad.js';
import { must, UsageError } from '../../onnx/core/errors.js';
import type { Value } from '../../onnx/ir/graph.js';
import { formatType } from '../../onnx/ir/types.js';
import type { Rematerialised } from '../../onnx/passes/rematerialise.js';
import { loadModel } from '../../onnx/serde/external-data.js';
import { saveModel } from '../../onnx/serde/save-model.js';
import { refuseModelOutput } from '../../tasks/model-output.js';
import { isDevice, refuseDevice } from '../../workspace/output-path.js';
import { type GlobalOptions, note, result } from '../report.js';

export interface GradFlags extends GlobalOptions {
  readonly of: string;
  readonly by: string;
  readonly output: string;
  readonly mode: string;
  readonly externalData?: boolean;
  readonly memory?: string;
  readonly dim?: readonly string[];
}

export function grad(file: string, flags: GradFlags): void {
  const { mode } = flags;
  if (mode !== 'vjp' && mode !== 'jvp') {
    throw new UsageError(`--mode: found "${mode}", expected vjp or jvp`, { path: '--mode', expected: 'vjp, jvp', got: mode });
  }
  const read: string[] = [];
  const model = loadModel(file, (path) => read.push(path), true);
  refuseModelOutput(flags.output, read);
  if (flags.externalData === true) refuseDevice(flags.output);
  const {
    model: made,
    memory,
    belongsTo,
  } = gradWithin(model, {
    of: namesFlag('--of', flags.of),
    by: namesFlag('--by', flags.by),
    mode,
    dims: dimsFlag(flags.dim ?? []),
    onNote: (line) => note(flags, `${file}: ${line}`),
    ...(flags.memory !== undefined && { memory: bytesFlag('--memory', flags.memory) }),
  });
  // A model that has its weights beside it gets a gradient that has them so: a copy, streamed from file to file, that moves with it.
  const beside = flags.externalData === true || (read.length > 1 && !isDevice(flags.output));
  const dataFile = saveModel(made, flags.output, beside ? { externalData: true } : {});
  const [inputs, outputs] = [
    made.graph.inputs.slice(model.graph.inputs.length),
    made.graph.outputs.slice(model.graph.outputs.length),
  ];
  const named = (values: readonly Value[]) =>
    values.map((v) => ({ name: v.name, type: formatType(v.type), of: must(belongsTo.get(v.name), v.name) }));
  /** Which value it belongs to, where the prefix stands twice since the model had the name already. */
  const told = ({ name, of }: { name: string; of: string }) =>
    name.length - of.length === name.indexOf('/') + 1 ? '' : `   (of ${of})`;
  const nodes = { model: model.graph.nodes.length, gradient: made.graph.nodes.length };
  const document = {
    file: flags.output,
    ...(dataFile !== undefined && { dataFile }),
    mode,
    opset: made.opset,
    inputs: named(inputs),
    outputs: named(outputs),
    nodes,
    ...(memory && { memory }),
  };
  const lines = [
    `${flags.output} written: ${nodes.gradient} nodes (the model has ${nodes.model}), opset ${made.opset}${dataFile === undefined ? '' : `, weights in ${dataFile}`}`,
    ...(memory === undefined ? [] : [describe(memory)]),
    ...named(inputs).map((v) => `  input   ${v.name}: ${v.type}${told(v)}`),
    ...named(outputs).map((v) => `  output  ${v.name}: ${v.type}${told(v)}`),
  ];
  result(flags, document, lines.join('\n'));
}

function namesFlag(flag: string, text: string): string[] {
  const names = text.split(',').map((name) => name.trim());
  if (names.includes(''))
    throw new UsageError(`${flag}: found "${text}", expected names with commas between them`, { path: flag, got: text });
  return names;
}

function describe({ before, after, repeated }: Rematerialised): string {
  const mb = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
  if (repeated === 0) return `  memory  about ${mb(before)} of values at one time, nothing is computed again`;
  return `  memory  about ${mb(after)} of values at one time instead of ${mb(before)}, ${repeated} nodes run again`;
}

/** `N=32,T=128` in any number of flags. */
function dimsFlag(texts: readonly string[]): Record<string, number> {
  const dims: Record<string, number> = {};
  for (const text of texts.flatMap((t) => t.split(','))) {
    const [, name, size] = /^([^=]+)=(\d+)$/.exec(text.trim()) ?? [];
    if (name === undefined || size === undefined)
      throw new UsageError(`--dim: found "${text}", expected a name and a size, as N=32`, { path: '--dim', got: text });
    dims[name] = Number(size);
  }
  return dims;
}

const units: Readonly<Record<string, number>> = { '': 1, k: 1e3, m: 1e6, g: 1e9, ki: 2 ** 10, mi: 2 ** 20, gi: 2 ** 30 };

/** `64MB`, `1.5GiB` or bytes. */
function bytesFlag(flag: string, text: string): number {
  const [, count, unit] = /^(\d+(?:\.\d+)?)\s*([kmg]?i?)b?$/i.exec(text.trim()) ?? [];
  const factor = units[(unit ?? '?').toLowerCase()];
  if (count === undefined || factor === undefined)
    throw new UsageError(`${flag}: found "${text}", expected a size, as 64MB`, { path: flag, expected: '64MB', got: text });
  return Math.floor(Number(count) * factor);
}
