// prognet bundle

import { loadWorkspace } from '../../tasks/load-workspace.js';
import { writeNetworkFile } from '../../tasks/write-network-file.js';
import { type GlobalOptions, result } from '../report.js';

export interface BundleFlags extends GlobalOptions {
  readonly output: string;
}

export async function bundle(flags: BundleFlags): Promise<void> {
  const done = await writeNetworkFile(loadWorkspace(flags.workspace ?? '.'), flags.output);
  result(flags, done, `${done.file} written: ${done.tasks.join(', ')}, ${done.bytes} bytes`);
}
