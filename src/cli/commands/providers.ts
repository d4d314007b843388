// prognet providers
import { NodeRuntime } from '../../runtime/node.js';
import { type GlobalOptions, result, table } from '../report.js';

export async function providers(options: GlobalOptions): Promise<void> {
  const runtime = await NodeRuntime.load();
  const found = await runtime.providers();
  result(
    options,
    { runtime: runtime.version, providers: found },
    `${runtime.version}\n${table(found.map((p) => [p.provider, p.available ? 'runs' : `no: ${p.reason}`]))}`,
  );
}
