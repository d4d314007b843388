// The studio as a whole: the sections in the order in which one works.
import { AskCards, Frame, usePage } from './frame.js';
import { NetworkPanel } from './network-panel.js';
import { ProofPanel } from './proof-panel.js';
import type { Studio } from './studio.js';
import { TakePanel } from './take-panel.js';
import { TeachPanel } from './teach-panel.js';

export function App({ studio }: { readonly studio: Studio }) {
  const state = usePage(studio);
  const { network } = state;
  const columns = network?.info.tasks.length ?? 0;
  const subtitle =
    network === undefined ? 'Opening the network' : `${network.title} · ${columns} ${columns === 1 ? 'column' : 'columns'} ·`;
  return (
    <Frame page={studio} state={state} title="prognet studio" subtitle={subtitle}>
      {network === undefined ? null : (
        <>
          <AskCards page={studio} state={state} network={network}>
            <section class="card" aria-labelledby="network-title">
              <h2 id="network-title">Network</h2>
              <NetworkPanel network={network} teaching={state.teaching ? state.training?.task : undefined} />
            </section>
          </AskCards>
          <section class="card" aria-labelledby="teach-title">
            <h2 id="teach-title">Teach a task</h2>
            <TeachPanel studio={studio} state={state} network={network} />
          </section>
          <div class="bench even">
            <section class="card" aria-labelledby="proof-title">
              <h2 id="proof-title">The proof</h2>
              <ProofPanel state={state} />
            </section>
            <section class="card" aria-labelledby="take-title">
              <h2 id="take-title">Take it away</h2>
              <TakePanel studio={studio} state={state} network={network} />
            </section>
          </div>
        </>
      )}
    </Frame>
  );
}
