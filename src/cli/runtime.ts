// The runtime that a command runs on: loaded with its options, the provider chosen among those requested, both told to the user.
import { loadRuntime } from '../onnx/runtime/load.js';
import { parseOptions, parseProviders } from '../onnx/runtime/requested-providers.js';
import type { Runtime, Selection } from '../onnx/runtime/session.js';
import { integerFlag } from './flags.js';
import { type GlobalOptions, note } from './report.js';

export interface RuntimeFlags extends GlobalOptions {
  readonly provider?: string;
  readonly providerOption?: readonly string[];
  readonly threads?: string;
}

export interface OpenRuntime {
  readonly runtime: Runtime;
  /** What was chosen; undefined where none was requested. */
  readonly selection?: Selection;
}

/** Throws UsageError for a request that cannot be read, RuntimeError for one that cannot be met. */
export async function openRuntime(flags: RuntimeFlags): Promise<OpenRuntime> {
  const requested = flags.provider === undefined ? undefined : parseProviders(flags.provider, '--provider');
  const threads = integerFlag('--threads', flags.threads);
  const settings = parseOptions(flags.providerOption ?? [], '--provider-option');
  const { runtime, note: said } = await loadRuntime({ ...settings, ...(threads === undefined ? {} : { threads }) });
  if (said !== undefined) note(flags, said);
  if (requested === undefined) return { runtime };
  const selection = await runtime.select(requested);
  for (const { provider, reason } of selection.refused) note(flags, `${provider} does not run here: ${reason}`);
  note(flags, `on ${selection.provider}, ${runtime.version}`);
  return { runtime, selection };
}

/** `provider` for the functions that take one name. */
export function chosen({ selection }: OpenRuntime): { provider?: string } {
  return selection === undefined ? {} : { provider: selection.provider };
}
