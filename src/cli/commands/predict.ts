// prognet predict
import { readFileSync } from 'node:fs';
import { DataError } from '../../core/errors.js';
import { readNpy, writeNpy } from '../../data/npy.js';
import { frozenOf, openProject, weightsOf } from '../../project/project.js';
import { taskOutputs } from '../../project/task-outputs.js';
import { NodeRuntime } from '../../runtime/node.js';
import { writeFileAtomic } from '../../workspace/atomic-file.js';
import { type GlobalOptions, result } from '../report.js';

export async function predict(task: string, options: GlobalOptions & { input: string; output?: string }): Promise<void> {
  const project = openProject(options.workspace ?? '.');
  frozenOf(project, task);
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(options.input);
  } catch (cause) {
    throw new DataError(`${options.input}: cannot be read, ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
  const inputs = readNpy(bytes, options.input);
  const shape = project.description.inputs[0]?.shape ?? [];
  if (inputs.dims.slice(1).join() !== shape.join() || (inputs.dtype !== 'uint8' && inputs.dtype !== 'float32')) {
    throw new DataError(`${options.input}: holds ${inputs.dtype} [${inputs.dims}], expected float32 or uint8 [D,${shape}]`);
  }
  const { scores } = await taskOutputs(await NodeRuntime.load(), project.description, weightsOf(project), task, inputs, {});
  if (options.output !== undefined) writeFileAtomic(options.output, writeNpy(scores));
  const width = scores.dims[1] ?? 1;
  const rows = Array.from({ length: scores.dims[0] ?? 0 }, (_, i) =>
    Array.from(scores.data.slice(i * width, (i + 1) * width), Number),
  );
  const text =
    options.output === undefined ? rows.map((r) => r.map((v) => v.toFixed(4)).join(' ')).join('\n') : `${options.output} written`;
  result(options, { task, scores: rows }, text);
}
