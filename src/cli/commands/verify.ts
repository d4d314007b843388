// prognet verify, prognet eval
import { frozenOf, openProject } from '../../project/project.js';
import { verifyTask } from '../../project/verify.js';
import { NodeRuntime } from '../../runtime/node.js';
import { type GlobalOptions, result, table } from '../report.js';

export async function verify(options: GlobalOptions, task: string | undefined): Promise<void> {
  const project = openProject(options.workspace ?? '.');
  if (task !== undefined) frozenOf(project, task);
  const tasks =
    task === undefined
      ? project.description.columns.map((c) => c.task).filter((_, i) => project.frozen[i] !== undefined)
      : [task];
  const runtime = await NodeRuntime.load();
  const found = [];
  for (const name of tasks)
    found.push({ ...(await verifyTask(runtime, project, name)), seconds: frozenOf(project, name).record.metrics.seconds });
  const rows = found.map((v) => [
    v.task,
    v.metric.atFreeze.toFixed(4),
    v.metric.now.toFixed(4),
    String(v.rows),
    v.identical === true ? 'identical' : v.identical === false ? 'DIFFERENT' : `not comparable: ${v.reason}`,
  ]);
  result(
    options,
    { tasks: found },
    rows.length === 0 ? 'no task is trained yet' : table([['task', 'at freezing', 'now', 'rows', 'outputs'], ...rows]),
  );
  if (found.some((v) => v.identical === false)) process.exitCode = 1;
}
