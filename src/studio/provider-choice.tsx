// Which execution provider runs the network, and why another does not.
import { Problem } from './problem.js';
import type { State } from './state.js';
import type { Studio } from './studio.js';

export function ProviderChoice({ studio, state }: { readonly studio: Studio; readonly state: State }) {
  const { provider, network, busy, problems } = state;
  const threads = globalThis.crossOriginIsolated ? Math.min(4, navigator.hardwareConcurrency) : 1;
  return (
    <div class="provider">
      <label>
        Runs on{' '}
        <select
          value={provider}
          disabled={network === undefined || busy}
          onChange={(event) => void studio.choose(event.currentTarget.value === 'webgpu' ? 'webgpu' : 'wasm')}
        >
          <option value="wasm">
            wasm, {threads} {threads === 1 ? 'thread' : 'threads'}
          </option>
          <option value="webgpu">WebGPU</option>
        </select>
      </label>
      <Problem text={problems.provider} />
    </div>
  );
}
