// prognet bundle

import { loadWorkspace } from '../../tasks/load-workspace.js';
import { writeNetworkFile } from '../../tasks/write-network-file.js';
import { noteLeftOut } from '../left-out.js';
import { type GlobalOptions, result } from '../report.js';

export interface BundleFlags extends GlobalOptions {
  readonly output: string;
}

export async function bundle(flags: BundleFlags): Promise<void> {
  const loaded = loadWorkspace(flags.workspace ?? '.');
  const done = await writeNetworkFile(loaded, flags.output);
  noteLeftOut(flags, loaded);
  result(flags, done, `${done.file} written: ${done.tasks.join(', ')}, ${done.bytes} bytes`);
}
