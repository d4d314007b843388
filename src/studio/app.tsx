// The page as a whole: header, what went wrong, and the sections in the order in which one works.
import { useEffect, useState } from 'preact/hooks';
import { AnswersView } from './answers-view.js';
import { AskPanel } from './ask-panel.js';
import { NetworkPanel } from './network-panel.js';
import { Problem } from './problem.js';
import { ProofPanel } from './proof-panel.js';
import { ProviderChoice } from './provider-choice.js';
import type { State } from './state.js';
import type { Studio } from './studio.js';
import { TakePanel } from './take-panel.js';
import { TeachPanel } from './teach-panel.js';

function useStudio(studio: Studio): State {
  const [state, setState] = useState(studio.store.state);
  useEffect(() => {
    setState(studio.store.state);
    return studio.store.subscribe(() => setState(studio.store.state));
  }, [studio]);
  return state;
}

function Header({ studio, state }: { readonly studio: Studio; readonly state: State }) {
  const { network } = state;
  return (
    <header class="top">
      <div>
        <h1>prognet studio</h1>
        <p class="subtitle">
          {network === undefined ? 'Opening the network' : network.title}
          {network === undefined ? null : (
            <span class="quiet">
              {' · '}
              {network.info.tasks.length} {network.info.tasks.length === 1 ? 'column' : 'columns'}
              {' · '}
              {network.info.runtime}
            </span>
          )}
        </p>
      </div>
      <ProviderChoice studio={studio} state={state} />
    </header>
  );
}

export function App({ studio }: { readonly studio: Studio }) {
  const state = useStudio(studio);
  const { network } = state;
  // A file that falls beside every place meant for it is asked about, never opened by the browser instead of the page.
  useEffect(() => {
    const over = (event: DragEvent) => event.preventDefault();
    const drop = (event: DragEvent) => {
      event.preventDefault();
      const files = [...(event.dataTransfer?.files ?? [])];
      if (files.length > 0) void studio.askFiles(files);
    };
    addEventListener('dragover', over);
    addEventListener('drop', drop);
    return () => {
      removeEventListener('dragover', over);
      removeEventListener('drop', drop);
    };
  }, [studio]);
  return (
    <div class="page">
      <Header studio={studio} state={state} />
      <p role="status" class="hidden" id="said">
        {state.said}
      </p>
      <Problem text={state.problems.page} />
      {network === undefined ? (
        state.phase === 'opening' && <p class="quiet">Loading ONNX Runtime and the network.</p>
      ) : (
        <main>
          <div class="bench">
            <section class="card" aria-labelledby="ask-title">
              <h2 id="ask-title">Ask</h2>
              <AskPanel studio={studio} state={state} network={network} />
            </section>
            <div class="stack">
              <section class="card" aria-labelledby="answers-title">
                <h2 id="answers-title">Answers</h2>
                <AnswersView state={state} />
              </section>
              <section class="card" aria-labelledby="network-title">
                <h2 id="network-title">Network</h2>
                <NetworkPanel network={network} teaching={state.teaching ? state.training?.task : undefined} />
              </section>
            </div>
          </div>
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
        </main>
      )}
      <footer class="quiet">Everything here is computed in this browser. No drawing, file or weight leaves it.</footer>
    </div>
  );
}
