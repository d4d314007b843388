// onnxruntime-web's builds as a browser imports them: the small one for wasm, the native provider's for WebGPU. Dynamic, so that only what
// is used is fetched.
import { ortModule } from './ort-session.js';
import type { WebModules } from './web.js';

export const browserModules: WebModules = {
  wasm: async () => ortModule(await import('onnxruntime-web/wasm')),
  webgpu: async () => ortModule(await import('onnxruntime-web/webgpu')),
};
