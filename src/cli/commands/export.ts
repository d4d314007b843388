// prognet export
import { UsageError } from '../../core/errors.js';
import { frozenOf, openProject, weightsOf } from '../../project/project.js';
import { taskModel } from '../../progressive/forms.js';
import { toBinary } from '../../serde/to-binary.js';
import { writeFileAtomic } from '../../workspace/atomic-file.js';
import { type GlobalOptions, result } from '../report.js';

interface ExportFlags extends GlobalOptions {
  readonly task?: string;
  readonly all?: boolean;
  readonly output: string;
  readonly opset?: string;
  readonly probabilities?: boolean;
}

export function exportCommand(flags: ExportFlags): void {
  if ((flags.task === undefined) !== (flags.all === true)) throw new UsageError('name one task with --task, or give --all');
  const project = openProject(flags.workspace ?? '.');
  const trained = project.description.columns.map((c) => c.task).filter((_, i) => project.frozen[i] !== undefined);
  const tasks = flags.task === undefined ? trained : [flags.task];
  if (tasks.length === 0) throw new UsageError('no task is trained yet: prognet train --all');
  for (const task of tasks) frozenOf(project, task);
  const hashes = Object.fromEntries(trained.map((task) => [task, frozenOf(project, task).record.sha256.weights]));
  const model = taskModel(project.description, weightsOf(project), {
    tasks,
    hashes,
    probabilities: flags.probabilities === true,
    ...(flags.opset === undefined ? {} : { opset: Number(flags.opset) }),
  });
  const bytes = toBinary(model);
  writeFileAtomic(flags.output, bytes);
  result(
    flags,
    { file: flags.output, bytes: bytes.length, tasks },
    `${flags.output} written: ${tasks.join(', ')}, ${bytes.length} bytes`,
  );
}
