// Work that Ctrl-C ends in good order: the first time at the next place where its state is whole, the second at once.
import { type GlobalOptions, note } from './report.js';

/** Calls `work` with a signal that the first SIGINT or SIGTERM gives; the second ends the process. */
export async function interruptible<T>(
  options: GlobalOptions,
  saying: string,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const interrupt = () => {
    if (controller.signal.aborted) {
      // A cursor that the bar hid comes back.
      if (process.stderr.isTTY) process.stderr.write('\u001b[?25h');
      process.exit(130);
    }
    controller.abort();
    note(options, `\n${saying} (again: at once)`);
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  try {
    return await work(controller.signal);
  } finally {
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
  }
}
