// prognet plot
import { existsSync, readFileSync } from 'node:fs';
import { curvesSvg } from '../../chart/curves.js';
import { svgMark } from '../../chart/picture.js';
import { UsageError, WorkspaceError } from '../../onnx/core/errors.js';
import { writeFileAtomic } from '../../onnx/files/atomic-file.js';
import { fileError } from '../../onnx/files/file-error.js';
import { type Followed, followedNames } from '../../tasks/best-epoch.js';
import { loadWorkspace } from '../../tasks/load-workspace.js';
import { sweepCurves } from '../../tasks/sweep/sweep-curves.js';
import { taskCurves } from '../../tasks/task-curves.js';
import { refuseOutput } from '../../workspace/output-path.js';
import { choiceFlag } from '../flags.js';
import { type GlobalOptions, note, result } from '../report.js';

export interface PlotFlags extends GlobalOptions {
  readonly output?: string;
  readonly measure?: readonly string[];
  readonly sweep?: boolean;
}

/** The measures that are asked for; `f1` and `auc` are the macro ones. */
function measuresOf(names: readonly string[] | undefined): readonly Followed[] | undefined {
  return names?.map((name) => choiceFlag('--measure', name === 'f1' || name === 'auc' ? `macro ${name}` : name, followedNames));
}

/** Throws WorkspaceError for a file that was not drawn here. */
function refuseForeign(file: string): void {
  if (!existsSync(file)) return;
  let begin: string;
  try {
    begin = readFileSync(file, 'utf8').slice(0, svgMark.length);
  } catch (cause) {
    throw fileError('write', file, cause);
  }
  if (begin !== svgMark)
    throw new WorkspaceError(`${file}: is not a picture that prognet plot drew; it stays as it is, expected another output`, {
      path: file,
      expected: 'another output',
    });
}

export function plot(names: readonly string[], flags: PlotFlags): void {
  const tasks = [...new Set(names)];
  const loaded = loadWorkspace(flags.workspace ?? '.');
  const [first = '', another] = tasks;
  if (flags.sweep && another !== undefined)
    throw new UsageError(`--sweep draws the trials of one task, found ${tasks.join(', ')}`, {
      path: '--sweep',
      got: tasks.join(', '),
    });
  const file = flags.output ?? `${tasks.join('-')}${flags.sweep ? '-sweep' : ''}.svg`;
  if (file !== '-' && !file.toLowerCase().endsWith('.svg'))
    throw new UsageError(`--output: found "${file}", expected a name that ends in .svg, or - for stdout`, {
      path: '--output',
      got: file,
    });
  const measured = measuresOf(flags.measure);
  const curves = flags.sweep ? sweepCurves(loaded, first, measured) : taskCurves(loaded, tasks, measured);
  const svg = curvesSvg(curves);
  if (file === '-') {
    if (flags.json) throw new UsageError('--json and -o - would both take stdout, give -o a file', { path: '--output' });
    process.stdout.write(svg);
    return;
  }
  refuseOutput(file);
  refuseForeign(file);
  writeFileAtomic(file, new TextEncoder().encode(svg));
  for (const { name, about, result: end, weight } of curves.runs)
    if (weight !== 'quiet') note(flags, `${name}: ${about}${end === undefined ? '' : `; ${end}`}`);
  const measures = curves.panels.map((panel) => panel.name);
  result(flags, { file, runs: curves.runs, measures }, `${file} written: ${measures.join(', ')}`);
}
