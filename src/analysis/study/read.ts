// Reads study.json, the result of a study.
import { WorkspaceError } from '../../onnx/core/errors.js';
import { valueAt } from '../../onnx/core/value-at.js';
import { readWhole } from '../../onnx/files/read-file.js';
import { formatPath, parseJson, show } from '../../workspace/json.js';
import { checkTask } from '../../workspace/task-name.js';
import { type StudyResult, studySchema } from './result.js';

/** Throws DataError for a file that is no JSON, WorkspaceError for one that is no result of a study. */
export function readStudy(file: string): StudyResult {
  const value = parseJson(readWhole(file), file);
  const read = studySchema.safeParse(value);
  if (read.success) {
    // Names become names of files.
    const { tasks, methods, matrices } = read.data;
    for (const name of [...tasks.map((t) => t.task), ...[...methods, ...matrices].map((m) => m.method)]) checkTask(name);
    return read.data;
  }
  const [issue] = read.error.issues;
  const path = issue?.path ?? [];
  const place = path.length === 0 ? file : `${file}: ${formatPath(path)}`;
  const got = show(valueAt(value, path));
  throw new WorkspaceError(
    `${place}: found ${got}, expected a result that prognet study wrote (${issue?.message ?? 'another form'})`,
    {
      path: place,
      expected: 'a result of prognet study',
      got,
    },
  );
}
