// A report of a folder, for programs: the page and the files of its data that `prognet report` writes.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readStudy } from '../../analysis/study/read.js';
import type { StudyResult } from '../../analysis/study/result.js';
import { UsageError } from '../../onnx/core/errors.js';
import { anObject, given, text } from '../../onnx/core/given.js';
import type { Runtime } from '../../onnx/runtime/session.js';
import { dataFiles } from '../../report/data.js';
import { reportPage } from '../../report/page.js';
import { loadWorkspace } from '../load-workspace.js';
import { hasMoved, type VerifyOptions } from '../verify.js';
import { askTasks } from './asked.js';
import { studyReport } from './study-report.js';
import { workspaceReport } from './workspace-report.js';

/** The study that a folder holds, undefined where it holds none. Throws as `readStudy`. */
export function studyIn(folder: string): StudyResult | undefined {
  const file = join(folder, 'study.json');
  return existsSync(file) ? readStudy(file) : undefined;
}

/** How a report is made. */
export interface ReportOptions extends Omit<VerifyOptions, 'measures'> {
  /** Runs every trained task of a workspace on its test data, for its measures and the proof that it answers as it was frozen. Nothing is run when absent. */
  readonly runtime?: Runtime;
}

/** A report, not yet written to any file. */
export interface MadeReport {
  /** An HTML page that loads nothing. */
  readonly page: string;
  /** Its tables by the name of the file: report.json, and a .csv of UTF-8 for each table. */
  readonly data: ReadonlyMap<string, Uint8Array>;
  /** Tasks that do not answer as they were frozen; none where no runtime is given. */
  readonly moved: readonly string[];
}

/**
 * Makes the report of a study, where the folder holds a study.json, else of the workspace that the folder lies in. Writes nothing.
 * Throws UsageError for a study and a runtime, WorkspaceError for a folder that is neither, DescriptionError for its description, DataError for a study.json
 * that is no JSON, InterruptedError on abort. A task whose data cannot be read stands in the report with the reason.
 */
export async function report(folder: string, options: ReportOptions = {}): Promise<MadeReport> {
  given('report', { folder, options }, { folder: text, options: anObject });
  const { runtime, ...asking } = options;
  const study = studyIn(folder);
  if (study !== undefined && runtime !== undefined)
    throw new UsageError(
      `report: found a runtime, which runs the tasks of a workspace, and ${folder} holds a study, expected none`,
      {
        path: 'runtime',
        expected: 'none',
      },
    );
  if (study !== undefined) return made(studyReport(study), []);
  const loaded = loadWorkspace(folder);
  const asked = runtime && (await askTasks(runtime, loaded, asking));
  const moved = (asked ?? []).filter(({ verified }) => hasMoved(verified)).map(({ task }) => task);
  return made(workspaceReport(loaded, asked), moved);
}

const made = (found: ReturnType<typeof workspaceReport>, moved: readonly string[]): MadeReport => ({
  page: reportPage(found),
  data: dataFiles(found),
  moved,
});
