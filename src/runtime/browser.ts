// onnxruntime-web's builds as a browser imports them: the small one for wasm, the native provider's for WebGPU. Dynamic, so that only what
// is used is fetched.
import type { OrtModule } from './ort-session.js';
import type { WebModules } from './web.js';

export const browserModules: WebModules = {
  wasm: async () => (await import('onnxruntime-web/wasm')) as unknown as OrtModule,
  webgpu: async () => (await import('onnxruntime-web/webgpu')) as unknown as OrtModule,
};
