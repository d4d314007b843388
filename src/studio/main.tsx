// The studio begins.
import { App } from './app.js';
import { begin } from './begin.js';
import { Studio } from './studio.js';

const studio = new Studio();
begin(<App studio={studio} />);
void studio.start();
