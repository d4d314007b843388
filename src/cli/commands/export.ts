// prognet export
import { UsageError } from '../../core/errors.js';
import { exportTasks } from '../../project/export-tasks.js';
import { frozenTasks, openProject } from '../../project/project.js';
import { integerFlag } from '../flags.js';
import { type GlobalOptions, result } from '../report.js';

export interface ExportFlags extends GlobalOptions {
  readonly task?: string;
  readonly all?: boolean;
  readonly output: string;
  readonly opset?: string;
  readonly externalData?: boolean;
  readonly probabilities?: boolean;
}

export function exportCommand(flags: ExportFlags): void {
  if ((flags.task === undefined) !== (flags.all === true)) throw new UsageError('name one task with --task, or give --all');
  const opset = integerFlag('--opset', flags.opset);
  const project = openProject(flags.workspace ?? '.');
  const tasks = flags.task === undefined ? frozenTasks(project) : [flags.task];
  if (tasks.length === 0) throw new UsageError('no task is trained yet: prognet train --all');
  const { externalData = false, probabilities = false } = flags;
  const exported = exportTasks(project, flags.output, {
    tasks,
    externalData,
    probabilities,
    ...(opset === undefined ? {} : { opset }),
  });
  const beside = externalData ? ', weights in a file beside it' : '';
  result(flags, exported, `${exported.file} written: ${tasks.join(', ')}${beside}`);
}
