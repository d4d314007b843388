// prognet report
import { existsSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { UsageError, WorkspaceError } from '../../onnx/core/errors.js';
import { writeFileAtomic } from '../../onnx/files/atomic-file.js';
import { fileError } from '../../onnx/files/file-error.js';
import { dataFiles } from '../../report/data.js';
import { figureFiles } from '../../report/figures.js';
import { pageMark, reportPage } from '../../report/page.js';
import { figuresOf, type Report, tablesOf } from '../../report/report.js';
import { type LoadedWorkspace, loadWorkspace } from '../../tasks/load-workspace.js';
import { type Asked, askTasks } from '../../tasks/report/asked.js';
import { studyIn } from '../../tasks/report/make-report.js';
import { studyReport } from '../../tasks/report/study-report.js';
import { workspaceReport } from '../../tasks/report/workspace-report.js';
import { hasMoved } from '../../tasks/verify.js';
import { writeOutputFolder } from '../../workspace/output-folder.js';
import { refuseOutput } from '../../workspace/output-path.js';
import { integerFlag } from '../flags.js';
import { interruptible } from '../interruptible.js';
import { pngMaker } from '../png.js';
import { progressOf } from '../progress.js';
import { result, warn } from '../report.js';
import { chosen, openRuntime, type RuntimeFlags } from '../runtime.js';

export interface ReportFlags extends RuntimeFlags {
  readonly verify?: boolean;
  readonly output: string;
  readonly figures?: string;
  readonly data?: string;
}

/** Throws WorkspaceError for a file that is no report. */
function refuseForeign(file: string): void {
  if (!existsSync(file)) return;
  let begin: string;
  try {
    begin = readFileSync(file, 'utf8').slice(0, pageMark.length);
  } catch (cause) {
    throw fileError('write', file, cause);
  }
  if (begin !== pageMark)
    throw new WorkspaceError(`${file}: is not a report that prognet wrote; it stays as it is, expected another output`, {
      path: file,
      expected: 'another output',
    });
}

/** What cannot be written is refused before any work. */
function checkOutputs({ output, figures, data, json }: ReportFlags): void {
  if (output === '-') {
    if (json) throw new UsageError('--json and -o - would both take stdout, give -o a file', { path: '--output' });
  } else {
    if (!/\.html?$/i.test(output))
      throw new UsageError(`--output: found "${output}", expected a name that ends in .html, or - for stdout`, {
        path: '--output',
        got: output,
      });
    refuseOutput(output);
    refuseForeign(output);
  }
  for (const folder of [figures, data]) if (folder !== undefined) refuseOutput(folder);
  if (figures !== undefined && figures === data)
    throw new UsageError(`--figures and --data: found "${figures}" for both, expected two folders`, { got: figures });
}

/** Every trained task on its test data. Nothing is kept of what is interrupted. */
async function ask(loaded: LoadedWorkspace, flags: ReportFlags): Promise<readonly Asked[]> {
  const threads = integerFlag('--threads', flags.threads);
  const opened = await openRuntime(flags);
  return await interruptible(flags, 'stopping', async (signal) => {
    let progress = progressOf(flags, '');
    const onTask = (task: string) => {
      progress.stop();
      progress = progressOf(flags, task);
    };
    try {
      return await askTasks(opened.runtime, loaded, {
        ...chosen(opened),
        ...(threads !== undefined && { threads }),
        signal,
        onTask,
        onReading: (reading) => progress.reading(reading),
      });
    } finally {
      progress.stop();
    }
  });
}

async function writeFigures(report: Report, folder: string, flags: ReportFlags): Promise<boolean> {
  const { toPng, why } = await pngMaker();
  if (why !== undefined) warn(flags, `${folder}: SVG alone, ${why}`);
  writeOutputFolder(folder, await figureFiles(report, toPng));
  return toPng !== undefined;
}

/** Of a study where the folder holds one, else of the workspace that it lies in. */
async function reportOf(folder: string, flags: ReportFlags): Promise<Report> {
  const study = studyIn(folder);
  if (study !== undefined) {
    if (flags.verify) throw new UsageError(`--verify is of a workspace, ${folder} holds a study`, { path: '--verify' });
    return studyReport(study);
  }
  for (const flag of ['provider', 'threads'] as const)
    if (flags[flag] !== undefined && !flags.verify)
      throw new UsageError(`--${flag} is of --verify, which runs the tasks: expected both`, { path: `--${flag}` });
  const loaded = loadWorkspace(folder);
  const asked = flags.verify ? await ask(loaded, flags) : undefined;
  for (const { task, verified, reason } of asked ?? [])
    if (hasMoved(verified)) {
      warn(flags, `${task}: ${reason ?? 'it is not as it was'}`);
      process.exitCode = 1;
    }
  return workspaceReport(loaded, asked);
}

export async function reportCommand(folder: string | undefined, flags: ReportFlags): Promise<void> {
  if (folder !== undefined && flags.workspace !== undefined)
    throw new UsageError(`name the folder once: ${folder} or -C ${flags.workspace}`, { got: folder });
  checkOutputs(flags);
  const report = await reportOf(folder ?? flags.workspace ?? '.', flags);
  const png = flags.figures === undefined ? undefined : await writeFigures(report, flags.figures, flags);
  if (flags.data !== undefined) writeOutputFolder(flags.data, dataFiles(report));
  const page = reportPage(report);
  if (flags.output === '-') {
    process.stdout.write(page);
    return;
  }
  writeFileAtomic(flags.output, new TextEncoder().encode(page));
  const names = { figures: figuresOf(report).map(({ name }) => name), tables: tablesOf(report).map(({ name }) => name) };
  const { figures, data } = flags;
  const folders = { ...(figures !== undefined && { figuresIn: figures, png }), ...(data !== undefined && { dataIn: data }) };
  const also = [figures, data].filter((f) => f !== undefined);
  result(
    flags,
    { file: flags.output, of: report.of, title: report.title, ...names, ...folders },
    `${flags.output} written: ${report.sections.map(({ heading }) => heading.toLowerCase()).join(', ')}${also.length === 0 ? '' : `; and ${also.map((f) => basename(f)).join(', ')}`}`,
  );
}
