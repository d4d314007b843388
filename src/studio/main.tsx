// The page begins: the controller, its drawing, the service worker that keeps it working offline.
import { render } from 'preact';
import { App } from './app.js';
import { Studio } from './studio.js';

const studio = new Studio();
const root = document.getElementById('studio');
if (root === null) throw new Error('internal: index.html has no #studio');
render(<App studio={studio} />, root);
void studio.start();
// Without one the page works as long as its server does.
if ('serviceWorker' in navigator) navigator.serviceWorker.register('./service-worker.js').catch(() => {});
