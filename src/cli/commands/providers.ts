// prognet providers
import { NodeRuntime } from '../../runtime/node.js';
import { colours, type GlobalOptions, result, table } from '../report.js';

export async function providers(options: GlobalOptions): Promise<void> {
  const runtime = await NodeRuntime.load();
  const found = await runtime.providers();
  const rows = found.map((p) => [p.provider, p.available ? 'yes' : 'no', p.reason ?? '']);
  const paint = (text: string, row: number, column: number) =>
    column !== 1 ? text : found[row]?.available ? colours.green(text) : colours.yellow(text);
  result(
    options,
    { runtime: runtime.version, providers: found },
    `${runtime.version}\n${table(['provider', 'runs', 'reason'], rows, paint)}`,
  );
}
