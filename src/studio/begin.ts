// How a page begins: its drawing into the document, and the service worker that keeps it working offline.
import { type ComponentChild, render } from 'preact';

export function begin(drawing: ComponentChild): void {
  const root = document.getElementById('page');
  if (root === null) throw new Error('internal: the document has no #page');
  render(drawing, root);
  // Without one the page works as long as its server does.
  if ('serviceWorker' in navigator) navigator.serviceWorker.register('./service-worker.js').catch(() => {});
}
