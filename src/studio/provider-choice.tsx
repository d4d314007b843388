// Which execution provider runs the network, and why another does not.
import type { AskPage } from './ask-page.js';
import { Problem } from './problem.js';
import type { State } from './state.js';

export function ProviderChoice({ page, state }: { readonly page: AskPage; readonly state: State }) {
  const { provider, network, busy, problems, webgpu } = state;
  const threads = globalThis.crossOriginIsolated ? Math.min(4, navigator.hardwareConcurrency) : 1;
  return (
    <div class="provider">
      <label>
        Runs on{' '}
        <select
          value={provider}
          disabled={network === undefined || busy}
          onChange={(event) => void page.choose(event.currentTarget.value === 'webgpu' ? 'webgpu' : 'wasm')}
        >
          <option value="wasm">
            wasm, {threads} {threads === 1 ? 'thread' : 'threads'}
          </option>
          {webgpu ? <option value="webgpu">WebGPU</option> : null}
        </select>
      </label>
      <Problem text={problems.provider} />
    </div>
  );
}
