// prognet bundle
import { bundleWorkspace } from '../../tasks/bundle.js';
import { openProject } from '../../tasks/project.js';
import { type GlobalOptions, result } from '../report.js';

export interface BundleFlags extends GlobalOptions {
  readonly output: string;
}

export async function bundle(flags: BundleFlags): Promise<void> {
  const done = await bundleWorkspace(openProject(flags.workspace ?? '.'), flags.output);
  result(flags, done, `${done.file} written: ${done.tasks.join(', ')}, ${done.bytes} bytes`);
}
