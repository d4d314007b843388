// The runtime that a command runs on: loaded with its options, the provider chosen by the wish, both told to the user.
import { loadRuntime } from '../onnx/runtime/load.js';
import type { Runtime, Selection } from '../onnx/runtime/session.js';
import { parseOptions, parseWish } from '../onnx/runtime/wish.js';
import { integerFlag } from './flags.js';
import { type GlobalOptions, note } from './report.js';

export interface RuntimeFlags extends GlobalOptions {
  readonly provider?: string;
  readonly providerOption?: readonly string[];
  readonly threads?: string;
}

export interface OpenRuntime {
  readonly runtime: Runtime;
  /** What the wish came to; undefined without a wish. */
  readonly selection?: Selection;
}

/** Throws UsageError for a wish that cannot be read, RuntimeError for one that cannot be met. */
export async function openRuntime(flags: RuntimeFlags): Promise<OpenRuntime> {
  const wish = flags.provider === undefined ? undefined : parseWish(flags.provider, '--provider');
  const threads = integerFlag('--threads', flags.threads);
  const settings = parseOptions(flags.providerOption ?? [], '--provider-option');
  const { runtime, note: said } = await loadRuntime({ ...settings, ...(threads === undefined ? {} : { threads }) });
  if (said !== undefined) note(flags, said);
  if (wish === undefined) return { runtime };
  const selection = await runtime.select(wish);
  for (const { provider, reason } of selection.refused) note(flags, `${provider} does not run here: ${reason}`);
  note(flags, `on ${selection.provider}, ${runtime.version}`);
  return { runtime, selection };
}

/** `provider` for the functions that take one name. */
export function chosen({ selection }: OpenRuntime): { provider?: string } {
  return selection === undefined ? {} : { provider: selection.provider };
}
