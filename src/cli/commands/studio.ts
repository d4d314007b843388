// prognet studio
import { spawn } from 'node:child_process';
import { UsageError } from '../../onnx/core/errors.js';
import { studioOf } from '../../tasks/studio.js';
import { writeOutputFolder } from '../../workspace/output-folder.js';
import { refuseOutput } from '../../workspace/output-path.js';
import { noteTasksLeftOut } from '../left-out.js';
import { note, result } from '../report.js';
import { openRuntime, type RuntimeFlags } from '../runtime.js';
import { serveFiles } from '../serve-files.js';

export interface StudioFlags extends RuntimeFlags {
  readonly port: string;
  readonly open?: boolean;
  readonly build?: string;
  readonly samples: boolean;
}

function portOf(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) < 65536) return Number(text);
  const expected = 'a number from 0 to 65535';
  throw new UsageError(`--port: found "${text}", expected ${expected}`, { path: '--port', expected, got: text });
}

/** Asks the desktop for its browser; where there is none, the address is printed anyway. */
function openBrowser(url: string): void {
  const [command, args] =
    process.platform === 'darwin'
      ? ['open', [url]]
      : process.platform === 'win32'
        ? ['cmd', ['/c', 'start', '', url]]
        : ['xdg-open', [url]];
  const child = spawn(command as string, args as string[], { stdio: 'ignore', detached: true });
  child.on('error', () => {});
  child.unref();
}

export async function studio(folder: string | undefined, flags: StudioFlags): Promise<void> {
  const port = portOf(flags.port);
  if (flags.build !== undefined) refuseOutput(flags.build);
  const named = folder ?? flags.workspace;
  const { files, workspace, tasks, leftOut } = await studioOf(
    named ?? '.',
    named !== undefined,
    async () => (await openRuntime(flags)).runtime,
    { samples: flags.samples, onNote: (line) => note(flags, line) },
  );
  noteTasksLeftOut(flags, leftOut);
  const what =
    workspace === undefined
      ? 'the demo network (no prognet.yaml here or above; your own: prognet init, prognet train --all)'
      : `${workspace}: ${tasks.join(', ')}`;
  if (flags.build !== undefined) {
    writeOutputFolder(flags.build, files);
    const names = [...files.keys()].sort();
    const text = `${flags.build} written, ${what}. Serve it by any web server; threads need its headers COOP and COEP (docs/studio.md)`;
    return result(flags, { folder: flags.build, workspace: workspace ?? null, tasks, files: names }, text);
  }
  const { url, port: bound, close } = await serveFiles(files, port);
  result(flags, { url, port: bound, workspace: workspace ?? null, tasks }, url);
  note(flags, `prognet studio with ${what}. Ctrl-C stops it.`);
  if (flags.open) openBrowser(url);
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, resolve);
  });
  await close();
  note(flags, 'stopped');
}
