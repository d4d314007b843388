// The worker's script: the network that the page talks to.

import { browser } from '../browser/platform.js';
import { RuntimeError } from '../onnx/core/errors.js';
import { browserModules } from '../onnx/runtime/browser.js';
import { checkpointStore, hasCheckpoints } from './checkpoint-db.js';
import { threadsRefused } from './protocol.js';
import { servePort } from './serve-port.js';
import { Server } from './server.js';

// ONNX Runtime starts its threads from the script that it stands in. Where a bundler has put it into this one, they would wait for ever.
if (browser.name?.startsWith('em-pthread') === true) throw new RuntimeError(threadsRefused);

servePort(
  {
    postMessage: (message) => browser.postMessage?.(message),
    addEventListener: (type, listener) => browser.addEventListener?.(type, listener),
  },
  new Server({ modules: browserModules, ...(hasCheckpoints ? { checkpoints: checkpointStore } : {}) }),
);
