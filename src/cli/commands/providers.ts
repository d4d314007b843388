// prognet providers
import { UsageError } from '../../onnx/core/errors.js';
import { firstBytes } from '../../onnx/files/read-file.js';
import { installCuda } from '../../onnx/runtime/install-cuda.js';
import { NoRuntimeError } from '../../onnx/runtime/load.js';
import type { Placement } from '../../onnx/runtime/placement.js';
import { placementOf } from '../../onnx/runtime/placement.js';
import type { ProviderReport } from '../../onnx/runtime/session.js';
import { colours, type GlobalOptions, note, result, table } from '../report.js';
import { openRuntime, type RuntimeFlags } from '../runtime.js';

export interface ProvidersFlags extends RuntimeFlags {
  readonly install?: string;
  readonly model?: string;
}

/** Where the nodes of a model run on each provider, or the reason why it is not taken. */
interface Placed {
  readonly provider: string;
  readonly placement?: Placement;
  readonly reason?: string;
}

async function install(what: string, options: GlobalOptions): Promise<void> {
  if (what !== 'cuda') {
    throw new UsageError(`--install: found "${what}", expected cuda (the others come with their package)`, {
      got: what,
      expected: 'cuda',
    });
  }
  await installCuda((line) => note(options, line));
}

async function place(file: string, providers: readonly string[]): Promise<Placed[]> {
  firstBytes(file, 1); // a file that cannot be read is told in one line, whatever the providers
  const placed: Placed[] = [];
  for (const provider of providers) {
    try {
      placed.push({ provider, placement: await placementOf(file, provider) });
    } catch (error) {
      placed.push({ provider, reason: error instanceof Error ? error.message : String(error) });
    }
  }
  return placed;
}

const short = (name: string): string => name.replace(/ExecutionProvider$/, '').toLowerCase();

function placementText({ provider, placement, reason }: Placed): string {
  if (placement === undefined) return `${provider}: not taken, ${reason}`;
  const counts = Object.entries(placement.nodes).map(([name, count]) => `${count} on ${short(name)}`);
  const fell = placement.fellBack.map((node) => `\n  on the CPU: ${node}`).join('');
  return `${provider}: ${counts.join(', ')}${fell}`;
}

/** What runs here. A machine without ONNX Runtime is an answer too, unless a provider or a model was asked about. */
async function report(options: ProvidersFlags): Promise<{ version?: string; found: readonly ProviderReport[] }> {
  try {
    const { runtime } = await openRuntime(options);
    return { version: runtime.version, found: await runtime.providers() };
  } catch (error) {
    if (!(error instanceof NoRuntimeError) || options.provider !== undefined || options.model !== undefined) throw error;
    return { found: error.providers };
  }
}

export async function providers(options: ProvidersFlags): Promise<void> {
  if (options.install !== undefined) await install(options.install, options);
  const { version, found } = await report(options);
  const rows = found.map((p) => [p.provider, p.available ? 'yes' : 'no', p.reason ?? '']);
  const paint = (text: string, row: number, column: number) =>
    column !== 1 ? text : found[row]?.available ? colours.green(text) : colours.yellow(text);
  const text = `${version ?? 'no ONNX Runtime is installed'}\n${table(['provider', 'runs', 'reason'], rows, paint)}`;
  if (options.model === undefined) return result(options, { runtime: version ?? null, providers: found }, text);
  const able = found.filter((p) => p.available).map((p) => p.provider);
  const model = await place(options.model, able);
  const document = { runtime: version ?? null, providers: found, model: options.model, placement: model };
  result(
    options,
    document,
    [text, '', `nodes of ${options.model}, after ONNX Runtime's own optimisation`, ...model.map(placementText)].join('\n'),
  );
}
