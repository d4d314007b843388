// The contract in a page: bundled by runtimes.test.ts, it hangs one function on the window.
import { browserModules } from '../../src/onnx/runtime/browser.js';
import { WebRuntime } from '../../src/onnx/runtime/web.js';
import { runCases } from './cases.js';

declare global {
  // A page's own; Node has none.
  var crossOriginIsolated: boolean;
}

Object.assign(globalThis, {
  runContract: async (provider: string, threads: number) => {
    const runtime = await WebRuntime.load(browserModules, { threads });
    const { reason } = (await runtime.providers()).find((p) => p.provider === provider) ?? {};
    return {
      isolated: globalThis.crossOriginIsolated,
      reason,
      outcomes: reason === undefined ? await runCases(runtime, provider) : {},
    };
  },
});
