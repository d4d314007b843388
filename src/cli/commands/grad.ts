// prognet grad
import { UsageError } from '../../core/errors.js';
import { gradientModel } from '../../deploy/gradient-model.js';
import type { Value } from '../../ir/graph.js';
import { formatType } from '../../ir/types.js';
import { loadModel } from '../../serde/external-data.js';
import { saveModel } from '../../serde/save-model.js';
import { type GlobalOptions, result } from '../report.js';

export interface GradFlags extends GlobalOptions {
  readonly loss: string;
  readonly wrt: string;
  readonly output: string;
  readonly mode: string;
  readonly externalData?: boolean;
}

export function grad(file: string, flags: GradFlags): void {
  const { mode } = flags;
  if (mode !== 'vjp' && mode !== 'jvp') {
    throw new UsageError(`--mode: found "${mode}", expected vjp or jvp`, { path: '--mode', expected: 'vjp, jvp', got: mode });
  }
  const model = loadModel(file);
  const made = gradientModel(model, { of: namesFlag('--loss', flags.loss), by: namesFlag('--wrt', flags.wrt), mode });
  saveModel(made, flags.output, flags.externalData ? { externalData: true } : {});
  const [inputs, outputs] = [
    made.graph.inputs.slice(model.graph.inputs.length),
    made.graph.outputs.slice(model.graph.outputs.length),
  ];
  const named = (values: readonly Value[]) => values.map((v) => ({ name: v.name, type: formatType(v.type) }));
  const nodes = { model: model.graph.nodes.length, gradient: made.graph.nodes.length };
  const document = { file: flags.output, mode, opset: made.opset, inputs: named(inputs), outputs: named(outputs), nodes };
  const lines = [
    `${flags.output} written: ${nodes.gradient} nodes (the model has ${nodes.model}), opset ${made.opset}`,
    ...named(inputs).map((v) => `  input   ${v.name}: ${v.type}`),
    ...named(outputs).map((v) => `  output  ${v.name}: ${v.type}`),
  ];
  result(flags, document, lines.join('\n'));
}

function namesFlag(flag: string, text: string): string[] {
  const names = text.split(',').map((name) => name.trim());
  if (names.includes(''))
    throw new UsageError(`${flag}: found "${text}", expected names with commas between them`, { path: flag, got: text });
  return names;
}
