// The server of the folder that `prognet deploy node` writes: `prognet serve` by the options of the serve.yaml beside it. Its flags go before them.
import { fileURLToPath } from 'node:url';
import { run } from './program.js';
import { addServing } from './serving.js';

process.chdir(fileURLToPath(new URL('.', import.meta.url)));
addServing();
await run(['serve', '--config', 'serve.yaml', ...process.argv.slice(2)]);
