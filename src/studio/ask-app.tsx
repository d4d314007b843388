// The page of `prognet deploy web`: the studio's question and answers alone.
import type { AskPage } from './ask-page.js';
import { AskCards, Frame, usePage } from './frame.js';

export function AskApp({ page }: { readonly page: AskPage }) {
  const state = usePage(page);
  const { network } = state;
  const tasks = network?.info.tasks.filter((t) => t.trained).length ?? 0;
  const subtitle = network === undefined ? 'Opening the network' : `${tasks} ${tasks === 1 ? 'task' : 'tasks'} · prognet ·`;
  return (
    <Frame page={page} state={state} title={network?.title ?? document.title} subtitle={subtitle}>
      {network === undefined ? null : <AskCards page={page} state={state} network={network} />}
    </Frame>
  );
}
