// What the pages have in common: the header, what was said, what went wrong, and files that fall beside every place meant for them.
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { AnswersTable } from './answers-table.js';
import { AnswersView } from './answers-view.js';
import type { AskPage } from './ask-page.js';
import { AskPanel } from './ask-panel.js';
import type { AskProps } from './ask-props.js';
import { Problem } from './problem.js';
import { ProviderChoice } from './provider-choice.js';
import type { State } from './state.js';

/** The page's state; each change draws anew. */
export function usePage(page: AskPage): State {
  const [state, setState] = useState(page.store.state);
  useEffect(() => {
    setState(page.store.state);
    return page.store.subscribe(() => setState(page.store.state));
  }, [page]);
  return state;
}

/** The two cards with which every page begins, and below them the answers to all samples where there are several. */
export function AskCards(props: AskProps & { readonly children?: ComponentChildren }) {
  const { state } = props;
  return (
    <>
      <div class="bench">
        <section class="card" aria-labelledby="ask-title">
          <h2 id="ask-title">Ask</h2>
          <AskPanel {...props} />
        </section>
        <div class="stack">
          <section class="card" aria-labelledby="answers-title">
            <h2 id="answers-title">Answers</h2>
            <AnswersView state={state} />
          </section>
          {props.children}
        </div>
      </div>
      {state.asked.length < 2 ? null : (
        <section class="card" aria-labelledby="all-title">
          <h2 id="all-title">All {state.asked.length} samples</h2>
          <AnswersTable {...props} />
        </section>
      )}
    </>
  );
}

interface FrameProps {
  readonly page: AskPage;
  readonly state: State;
  readonly title: string;
  readonly subtitle: string;
  readonly children: ComponentChildren;
}

export function Frame({ page, state, title, subtitle, children }: FrameProps) {
  const { network } = state;
  // A file that falls beside every place meant for it is asked about, never opened by the browser instead of the page.
  useEffect(() => {
    const over = (event: DragEvent) => event.preventDefault();
    const drop = (event: DragEvent) => {
      event.preventDefault();
      const files = [...(event.dataTransfer?.files ?? [])];
      if (files.length > 0) void page.askFiles(files);
    };
    addEventListener('dragover', over);
    addEventListener('drop', drop);
    return () => {
      removeEventListener('dragover', over);
      removeEventListener('drop', drop);
    };
  }, [page]);
  return (
    <div class="page">
      <header class="top">
        <div>
          <h1>{title}</h1>
          <p class="subtitle">
            {subtitle}
            {network === undefined ? null : <span class="quiet"> {network.info.runtime}</span>}
          </p>
        </div>
        <ProviderChoice page={page} state={state} />
      </header>
      <p role="status" class="hidden" id="said">
        {state.said}
      </p>
      <Problem text={state.problems.page} />
      {network === undefined ? (
        state.phase === 'opening' && <p class="quiet">Loading ONNX Runtime and the network.</p>
      ) : (
        <main>{children}</main>
      )}
      <footer class="quiet">Everything here is computed in this browser. No drawing, file or weight leaves it.</footer>
    </div>
  );
}
